"""Runs trained at the same time: each an ordinary ``glassnet resume`` of its own run folder, in a process of its own."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from glassnet import errors
from glassnet.errors import GlassnetError
from glassnet.events import Epoch, Event, Finding, Started, from_json
from glassnet.files import make_folder, write_file
from glassnet.members.called import Called
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder
from glassnet.story import Teller

PROGRAM = "from glassnet.cli import main; main()"
QUIET_SECONDS = 10.0  # between two lines about epochs
LOCKED_SECONDS = 60.0  # how long to wait for a process of an earlier, killed run that is still saving
LOCKED = errors.LockedError.exit_code
STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGHUP, 141)
KINDS = {
    kind.exit_code: kind
    for kind in (
        errors.UsageError,
        errors.DataError,
        errors.ModelError,
        errors.DivergedError,
        errors.SpaceError,
        errors.LockedError,
        errors.OutOfMemoryError,
    )
}


@dataclass
class Worker:
    """A process that trains one of them."""

    process: subprocess.Popen[str]
    complaints: IO[str]
    begun: float
    epochs: int = 0
    last: Epoch | None = None
    best: Epoch | None = None
    asked: bool = False


def side_by_side(
    places: list[RunFolder],
    called: list[Called],
    recipe_of: Callable[[int], Recipe],
    workers: int,
    tell: Teller,
    stop: Callable[[], bool],
) -> bool:
    """Train those that are not finished, several at a time; False when asked to stop before the end.

    The processes end by themselves, saved, when this one is killed: the pipe that they write their events to is then broken. The others wait until
    what is to be resolved has been resolved for the first.

    Raises:
        GlassnetError: of the kind that ended one; the others are saved and ended.
    """
    waiting = [place for place, folder in enumerate(places) if not folder.finished]
    running: dict[int, Worker] = {}
    lines: queue.Queue[tuple[int, str | None]] = queue.Queue()
    told = time.monotonic()
    known: set[str] = set()
    locked_since: dict[int, float] = {}
    try:
        while waiting or running:
            asked = stop()
            if asked:
                waiting.clear()
                _end(running)
            while waiting and len(running) < workers and (waiting[0] == 0 or places[0].recipe.exists()):
                place = waiting.pop(0)
                _prepare(places[place], recipe_of, place)
                running[place] = _start(places[place], place, lines)
            try:
                place, line = lines.get(timeout=0.2)
            except queue.Empty:
                continue
            worker = running[place]
            if line is None:
                code = worker.process.wait()
                complaint = _complaint(worker)
                del running[place]
                since = locked_since.setdefault(place, worker.begun)
                if code == LOCKED and not asked and time.monotonic() - since < LOCKED_SECONDS:
                    time.sleep(0.5)
                    waiting.insert(0, place)
                elif code == 0:
                    tell(f"{called[place].full}: {ended(worker.last, worker.best, worker.begun)}")
                    told = time.monotonic()
                elif code not in STOPPED and not (
                    worker.asked and code < 0
                ):  # asked before it could listen: it had nothing to lose
                    raise _error(code, places[place], called[place], complaint)
                elif not asked:
                    return False  # ended from outside; the others are saved
                continue
            event = _event(line)
            if isinstance(event, Finding) and event.rule not in known:
                known.add(event.rule)
                tell(f"  {event.severity} ({called[place].short}): {event.what}\n    do:  {event.advice}")
            if isinstance(event, Started):
                worker.epochs = event.epochs
            if isinstance(event, Epoch):
                worker.last = event
                worker.best = event if event.best else worker.best
                if time.monotonic() - told > QUIET_SECONDS:
                    tell(f"{called[place].short}: {_epoch(worker)}")
                    told = time.monotonic()
        return not stop()
    finally:
        _end(running)
        for worker in running.values():
            worker.process.wait()


def _prepare(folder: RunFolder, recipe_of: Callable[[int], Recipe], place: int) -> None:
    if not folder.asked.exists():
        make_folder(folder.path)
        write_file(folder.asked, recipe_of(place).to_toml())


def _start(folder: RunFolder, place: int, lines: queue.Queue[tuple[int, str | None]]) -> Worker:
    complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - read and closed when the process has ended
    process = subprocess.Popen(  # noqa: S603 - this very program on a folder of its own
        [sys.executable, "-c", PROGRAM, "resume", str(folder.path), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process alone, which then asks the others once
    )

    def read() -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                if not line.startswith('{"event": "step"'):  # a step's event is of no use here, and there are many
                    lines.put((place, line))
        lines.put((place, None))

    threading.Thread(target=read, daemon=True).start()
    return Worker(process, complaints, time.monotonic())


def _end(running: dict[int, Worker]) -> None:
    """Ask each process once to save and end; a second signal would end it at once."""
    for worker in running.values():
        if worker.process.poll() is None and not worker.complaints.closed and not worker.asked:
            worker.process.terminate()
            worker.asked = True


def _complaint(worker: Worker) -> str:
    worker.complaints.seek(0)
    text = worker.complaints.read()
    worker.complaints.close()
    return text.strip()


def _error(code: int, folder: RunFolder, called: Called, complaint: str) -> GlassnetError:
    kind = KINDS.get(code, errors.ModelError)
    return kind(
        f"{called.short} could not be trained",
        where=folder.path,
        got=complaint.removeprefix("error: ").replace("\n", "\n" + " " * 12) or f"its process ended with {code}",
        fix="'glassnet resume RUN' goes on with what is there",
    )


def _event(line: str) -> Event | None:
    try:
        return from_json(line)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # the result, or words


def _figure(epoch: Epoch) -> str:
    seen = epoch.val or epoch.train
    name = next((name for name in ("accuracy", "r2") if name in seen), "loss")
    return f"validation {name} {seen[name]:.4f}" if name in seen else f"loss {epoch.running_loss:.4f}"


def _epoch(worker: Worker) -> str:
    assert worker.last is not None
    return f"epoch {worker.last.epoch + 1}/{worker.epochs or '?'}, {_figure(worker.last)}"


def ended(last: Epoch | None, best: Epoch | None, begun: float) -> str:
    """What a training came to, for people: by its last epoch, the best one, whose weights are kept, and the moment at which it began."""
    seconds = f"{time.monotonic() - begun:.0f} s"
    if last is None:
        return seconds
    return f"{last.epoch + 1} epoch{'s' if last.epoch else ''}, {_figure(best or last)}, {seconds}"
