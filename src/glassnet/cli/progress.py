"""Telling how training goes: one live line on a terminal, one plain line an epoch elsewhere, events as JSON for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from glassnet.cli.garbage import look_as_usual
from glassnet.cli.terminal import for_people, is_live
from glassnet.events import Epoch, Event, Finding, Finished, Started, Step, Threads, Timing, Tried, to_json

LIVE_SECONDS = 0.1  # between two drawings of the live line


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # Rich would end the process here and now


class Progress:
    """Sees every event and prints what is worth it.

    Args:
        how: ``auto`` (live on a terminal, else lines), ``json`` or ``quiet``.

    Attributes:
        unread: the reader (such as ``head``) has gone away; nothing more is printed, and whoever trains should save and end.
    """

    def __init__(self, how: str = "auto") -> None:
        self.how = ("live" if is_live(sys.stdout) else "lines") if how == "auto" else how
        self.console = _Console(highlight=False, soft_wrap=True)
        self.live = Live(console=self.console, auto_refresh=False, transient=True) if self.how == "live" else None
        self.unread = False
        self.started: Started | None = None
        self.epoch: Epoch | None = None
        self.loss = float("nan")
        self.drawn = 0.0
        self.begun = time.monotonic()
        self.first_step: int | None = None
        self.speed = 0.0

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()
        if self.unread and error is None:
            raise BrokenPipeError

    def say(self, text: str, style: str = "") -> None:
        """A line of words; not shown to programs."""
        if self.how in ("live", "lines"):
            self._write(lambda: self.console.print(Text(for_people(text, sys.stdout), style=style)))

    def program(self, line: str) -> None:
        """A line for programs; not shown to people."""
        if self.how == "json":
            self._write(lambda: print(line, flush=True))  # noqa: T201 - this is the output

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except BrokenPipeError:
            self.unread, self.how = True, "quiet"

    def see(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Started):
            look_as_usual()
        if self.how == "json":
            self.program(to_json(event))
            return
        match event:
            case Started():
                self.started = event
            case Step():
                self._step(event)
            case Epoch():
                self.epoch = event
            case Timing() if self.epoch is not None:
                self.speed = event.images_per_second
                self.say(self._epoch_line(self.epoch, event))
            case Finding():
                style = {"stop": "bold red", "warning": "yellow"}.get(event.severity, "")
                self.say(f"  {event.severity}: {event.what}\n    why: {event.why}\n    do:  {event.advice}", style)
            case Threads():
                who = "something else is at work on this machine" if event.threads == 1 else "it is idle again"
                self.say(f"  threads  {event.threads} from step {event.step} on, {event.gain:.1f} times as fast: {who}")
            case Tried():
                self.say(f"    tried: {event.words}")
            case Finished():
                if self.live:
                    self.live.update("", refresh=True)
                if event.reason != "completed":
                    self.say(f"ended by {event.reason} after {event.epoch} epochs")

    def _step(self, event: Step) -> None:
        if event.loss is not None:
            self.loss = event.loss
        if self.first_step is None:
            self.first_step, self.begun = event.step, time.monotonic()
        now = time.monotonic()
        if not self.live or now - self.drawn < LIVE_SECONDS or self.started is None:
            return
        self.drawn = now
        total = self.started.epochs * self.started.steps_per_epoch
        done = event.step - self.first_step  # since the first step that was seen, which itself is not timed
        pace = (now - self.begun) / done if done else 0.0
        speed = (
            f"  {event.samples / event.step / pace:,.0f}/s  left {clock(pace * (total - event.step))}" if pace else ""
        )
        words = f" epoch {event.epoch + 1}/{self.started.epochs}  loss {self.loss:.4f}  lr {event.lr:.2g}{speed}"
        width = min(max(self.console.width - 1 - len(words), 6), 24)
        filled = width * event.step // max(total, 1)
        line = Text.assemble(("━" * filled, "cyan"), ("─" * (width - filled), "dim"), words)
        line.truncate(max(self.console.width - 1, 20))
        self.live.update(line, refresh=True)

    def _epoch_line(self, epoch: Epoch, timing: Timing) -> str:
        epochs = self.started.epochs if self.started else epoch.epoch + 1
        figure = next((name for name in ("accuracy", "r2") if name in epoch.train), "loss")
        parts = [
            f"epoch {epoch.epoch + 1:>{len(str(epochs))}}/{epochs}",
            f"cost {epoch.running_loss + epoch.penalty:.4f}",
        ]
        if epoch.penalty:
            parts.append(f"(penalty {epoch.penalty:.4f})")
        for name, figures in (("train", epoch.train), ("val", epoch.val)):
            if figures:
                parts.append(f"{name} {figures[figure]:.4f}")
        parts += [f"lr {epoch.lr:.2e}", f"{timing.images_per_second:,.0f}/s"]
        if epoch.clipped:
            parts.append(f"clipped {epoch.clipped:.0%}")
        return "  ".join(parts) + ("  *" if epoch.best else "")


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
