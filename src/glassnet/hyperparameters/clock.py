"""A time budget shared out among the stages of a search, its finalists and its winner."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from glassnet.searching import Trial

LEAST, MOST = 0.35, 0.85  # of the budget for the stages, whatever the finalists will take
AT_FIRST = 0.7  # while no trial has ended and nobody knows what one takes


class Clock:
    """Says what there is still time for.

    A trial is begun when, by the time that others took, it will be over in time. The finalists get what they need for all their seeds, as long as
    the stages keep a third of the budget.

    Args:
        budget: seconds; None for as long as it takes.
        whole: epochs of a whole training.
        jobs: trainings at a time.
        finals: whole trainings that the finalists take.
        winner: whether the winner is trained once more.
        begun: when, by ``time.monotonic``; now without it.
    """

    def __init__(
        self,
        budget: float | None,
        *,
        whole: int,
        jobs: int,
        finals: int,
        winner: bool,
        begun: float | None = None,
    ) -> None:
        self._begun = time.monotonic() if begun is None else begun
        self._budget = math.inf if budget is None else budget
        self._whole, self._winner = whole, winner
        self._rounds = math.ceil(finals / max(jobs, 1))

    @property
    def left(self) -> float:
        """Seconds."""
        return self._begun + self._budget - time.monotonic()

    def for_trial(self, trials: Sequence[Trial], epochs: int, stage: int, stages: int) -> bool:
        """Whether to begin another trial of a stage.

        Args:
            trials: that have ended.
            epochs: that it takes.
            stage: from 1.
            stages: how many there are.
        """
        if self._budget == math.inf:
            return True
        one = seconds_of(trials, self._whole)
        share = AT_FIRST
        if one:
            needed = one * (self._rounds + self._winner)
            share = min(max(1 - needed / self._budget, LEAST), MOST)
        used = self._budget - self.left
        return used + seconds_of(trials, epochs) <= self._budget * share * stage / stages

    def for_finalist(self, trials: Sequence[Trial], settings: dict[str, Any]) -> bool:
        """Whether there is time for one more whole training with these settings, and then for the winner's."""
        own = [trial for trial in trials if trial.settings == settings] or trials
        one = seconds_of(own, self._whole)
        return one * (1 + self._winner) <= self.left


def seconds_of(trials: Sequence[Trial], epochs: int) -> float:
    """What so many epochs take, by the median of the trials that had any; 0 where none had."""
    each = [trial.seconds / trial.epochs for trial in trials if trial.epochs]
    return median(each) * epochs if each else 0.0
