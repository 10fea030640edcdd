"""The live part of a search on a terminal: how far it is, and the best trials so far, under the lines of the trials."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from glassnet.cli.terminal import for_people, is_live

if TYPE_CHECKING:
    from glassnet.searching import Trial

SHOWN = 5


class Board:
    """Prints lines; on a terminal a table of the best trials stays below them.

    Args:
        line_of: a trial as one line.
        called: a setting's short name.
        quiet: print nothing.
    """

    def __init__(
        self, line_of: Callable[[Trial, int, str], str], called: Callable[[str], str], *, quiet: bool = False
    ) -> None:
        self._line_of, self._called, self._quiet = line_of, called, quiet
        live = is_live(sys.stdout) and not quiet
        self.console = Console(highlight=False, soft_wrap=not live)
        self._live = Live(console=self.console, auto_refresh=False, transient=True) if live else None
        self._trials: list[Trial] = []
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line of words."""
        if not self._quiet:
            self.console.print(Text(for_people(text, sys.stdout)))

    def see(self, trial: Trial, planned: int, figure: str) -> None:
        """A trial that has ended."""
        self.say(self._line_of(trial, planned, figure))
        if self._live is None:
            return
        if self._trials and self._trials[0].stage != trial.stage:
            self._trials.clear()
        self._trials.append(trial)
        self._live.update(self._drawn(trial.stage, planned, figure), refresh=True)

    def clear(self) -> None:
        """Take the table away, when the stages are over."""
        if self._live:
            self._live.update("", refresh=True)

    def _drawn(self, stage: int, planned: int, figure: str) -> Group:
        ended = len(self._trials)
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        width = 24
        filled = width * ended // max(planned, 1)
        bar = Text.assemble(
            ("━" * filled, "cyan"),
            ("─" * (width - filled), "dim"),
            f" stage {stage}: {ended} of {planned} trials, {minutes}:{seconds:02d}",
        )
        best = sorted((trial for trial in self._trials if math.isfinite(trial.value)), key=lambda trial: -trial.value)[
            :SHOWN
        ]
        rows = [Text(f"  {figure} {self._of(trial)}", no_wrap=True, overflow="ellipsis") for trial in best]
        return Group(bar, *rows)

    def _of(self, trial: Trial) -> str:
        own = ", ".join(f"{self._called(key)} {short(value)}" for key, value in trial.settings.items())
        return f"{trial.value:.4f}  {own}  (trial {trial.number + 1})"


def short(value: object) -> str:
    """A setting's value in few letters."""
    return f"{value:.2g}" if isinstance(value, float) else str(value)
