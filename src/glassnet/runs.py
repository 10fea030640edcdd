"""The run folder: the only place that knows its file names.

::

    runs/digits-1/
      asked.toml          the recipe as it was asked for
      recipe.toml         the recipe as it was resolved, with the reasons; repeats the run
      data.json           what the data were: counts, notes, fingerprint, troubles
      environment.json    machine and versions
      metrics.jsonl       one event a line; nothing in it depends on the clock
      timing.jsonl        how long epochs took, and changes of the number of threads
      range_test.json     the learning-rate range test, where one was made
      findings.jsonl      what the diagnosis noticed, and what its advice did where it was tried
      checkpoints/        the newest two, each with checksums
      model/              the finished network, its preprocessing and its classes
      result.json         the figures, beside baseline and rivals
      test_uses.jsonl     every time the test part was looked at
      report.html         the whole story for people
      members/1 …         of an ensemble: a run folder for each network
      folds/1 …           of a cross-validation: a run folder for each fold, and no model/ of its own

Everything is a plain file; nothing is pickled. Whoever only reads may read at any moment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from glassnet.errors import ModelError, UsageError, nearest
from glassnet.events import Event, Finding, Threads, Timing, Tried, from_json, to_json
from glassnet.files import locked, make_folder, translated, write_file

LONGEST_NAME = 200  # bytes; file systems take 255, and a number comes behind it


class RunFolder:
    """A run folder by its path. Making one reads and writes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = path / "asked.toml"
        self.recipe = path / "recipe.toml"
        self.metrics = path / "metrics.jsonl"
        self.timing = path / "timing.jsonl"
        self.findings = path / "findings.jsonl"
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"
        self.report = path / "report.html"
        self.test_uses = path / "test_uses.jsonl"

    def read_json(self, name: str) -> dict[str, Any]:
        """``data``, ``environment``, ``net`` or ``result``; empty where it is not there yet."""
        path = self.path / f"{name}.json"
        if not path.exists():
            return {}
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ModelError(
                "a file of the run is damaged",
                where=path,
                got=error,
                fix="copy the run folder again from where it came from, or train again with 'glassnet train --recipe RUN/recipe.toml'",
            ) from error
        return content

    def events(self) -> Iterator[Event]:
        """The events so far, findings and timings included. A line that a crash tore is left out."""
        for path in (self.metrics, self.timing, self.findings):
            yield from _read_lines(path)

    @property
    def finished(self) -> bool:
        """Whether the run has come to its result."""
        return (self.path / "result.json").exists()


class Recorder:
    """The one process that writes a run folder. A context manager that holds the folder's lock.

    Raises:
        LockedError: another process is writing it.
        SpaceError: it cannot be written.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._files: dict[Path, int] = {}

    def __enter__(self) -> Self:
        make_folder(self.folder.path)
        self._stack.enter_context(locked(self.folder.path / "run.lock"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._files.clear()

    def discard(self) -> None:
        """Take away the little that a run has written which could not begin, so that a mistyped path leaves no run behind."""
        for path in (self.folder.asked, self.folder.path / "data.json", self.folder.path / "run.lock"):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # other things lie there
            self.folder.path.rmdir()

    def append(self, event: Event) -> None:
        """Write an event as one line, in one call, so that a reader never sees half of it for long."""
        kept = {
            Timing: self.folder.timing,
            Threads: self.folder.timing,
            Finding: self.folder.findings,
            Tried: self.folder.findings,
        }
        path = kept.get(type(event), self.folder.metrics)
        self._append_line(path, to_json(event))

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Replace ``data.json``, ``environment.json``, ``net.json`` or ``result.json``."""
        write_file(self.folder.path / f"{name}.json", json.dumps(content, indent=1, ensure_ascii=False))

    def write_text(self, path: Path, content: str) -> None:
        """Replace a text file of the folder."""
        write_file(path, content)

    def use_test(self, by: str, samples: int) -> None:
        """Note that a command looked at the test part, of so many samples."""
        self._append_line(self.folder.test_uses, json.dumps({"when": now(), "by": by, "samples": samples}))

    def lengths(self) -> dict[str, int]:
        """Bytes written to each growing file; saved with a checkpoint. What is counted is on the disk."""
        for descriptor in self._files.values():
            os.fsync(descriptor)
        paths = (self.folder.metrics, self.folder.findings)
        return {path.name: path.stat().st_size if path.exists() else 0 for path in paths}

    def cut(self, lengths: dict[str, int]) -> None:
        """Take the growing files back to what they were at a checkpoint, so that resuming writes no line twice."""
        for path in (self.folder.metrics, self.folder.findings):
            if path.exists():
                os.truncate(path, min(lengths.get(path.name, 0), path.stat().st_size))

    def _append_line(self, path: Path, line: str) -> None:
        try:
            if path not in self._files:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                self._stack.callback(os.close, descriptor)
                self._files[path] = descriptor
            rest = line.encode() + b"\n"
            while rest:  # nearly always one call; a full disk may take a part and refuse the rest
                rest = rest[os.write(self._files[path], rest) :]
        except OSError as error:
            raise translated(error, path, len(line)) from error


@contextmanager
def recording(folder: RunFolder, asked: str) -> Iterator[Recorder]:
    """Write a run, new or interrupted: first what was asked for. One that cannot even begin leaves nothing behind.

    Args:
        folder: of the run.
        asked: its recipe, as it was asked for.
    """
    with Recorder(folder) as recorder:
        new = not folder.asked.exists()
        if new:
            recorder.write_text(folder.asked, asked)
        try:
            yield recorder
        except Exception:
            if new and not folder.recipe.exists():
                recorder.discard()
            raise


def new_run(name: str, out: str | None) -> RunFolder:
    """A folder for a new run: ``out``, or the next free ``runs/NAME-N``.

    Raises:
        UsageError: ``out`` holds a run already, or is empty.
    """
    if out is not None:
        if not out.strip():
            raise UsageError("the run folder has no name", where="--out", got=repr(out), expected="a path")
        folder = RunFolder(Path(out))
        if _is_run(folder):
            raise UsageError(
                "this folder holds a run already",
                where=out,
                fix=f"go on with 'glassnet resume {out}', or choose another --out",
            )
        return folder
    name = name.encode()[:LONGEST_NAME].decode(errors="ignore")
    runs = Path("runs")
    make_folder(runs)
    number = 1 + max(
        (
            int(end)
            for stem, _, end in (p.name.rpartition("-") for p in runs.iterdir())
            if stem == name and end.isdecimal()
        ),
        default=0,
    )
    while True:
        path = runs / f"{name}-{number}"
        try:
            path.mkdir()  # fails when another process took this number in between
        except FileExistsError:
            number += 1
            continue
        except OSError as error:
            raise translated(error, path) from error
        return RunFolder(path)


def open_run(path: str) -> RunFolder:
    """An existing run.

    Raises:
        UsageError: there is no run at this path; offers the nearest name.
    """
    folder = RunFolder(Path(path))
    if _is_run(folder):
        return folder
    place = folder.path.parent
    others = [p.name for p in place.iterdir() if (p / "asked.toml").exists()] if place.is_dir() else []
    near = nearest(folder.path.name, others)
    raise UsageError(
        "there is no run here" if _is_there(folder.path) else "no such folder",
        where=path,
        expected="a folder that 'glassnet train' has written",
        fix=f"did you mean '{place / near}'?" if near else None,
    )


def _is_run(folder: RunFolder) -> bool:
    return _is_there(folder.asked) or _is_there(folder.recipe)


def _is_there(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where a name is too long to be a file's


def _read_lines(path: Path) -> Iterator[Event]:
    if not _is_there(path):
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.endswith("\n"):
                try:
                    yield from_json(line)
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # a torn line; the rest is whole


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
