"""Trials that go step by step together in this process, with one pass for the gradients of those whose networks can be stacked.

Rates, schedules, penalties and sizes of steps are each trial's own, so all that has to be equal is the network, the batch size and the precision. Trials of other networks
go through their own steps in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from glassnet.hyperparameters.objective import Begin, trials
from glassnet.searching import Crew, Job
from glassnet.searching.crew import ATTEMPTS, DIED, Report
from glassnet.story import Teller
from glassnet.training.execution import process_kept
from glassnet.training.lockstep import Lockstep


class InLockstep(Crew):
    """So many trials at a time, all of them in one thread. A context manager.

    Args:
        config: of the trials.
        jobs: trials at a time.
        measure: stack those that are alike only where that is faster; otherwise wherever it can be done.
        tell: called with whether trials are stacked, and why; with each sentence once.
    """

    def __init__(self, config: dict[str, Any], jobs: int, *, measure: bool, tell: Teller = lambda text: None) -> None:
        super().__init__(jobs)
        self._config, self._tell = config, tell
        self._begin_trial: Begin | None = None  # made with the first trial, which reads the data
        self._kept = ExitStack()
        self._kept.enter_context(process_kept())
        self._steps = Lockstep[dict[str, Any]](measure=measure, decided=self._decided)
        self._new: deque[Job] = deque()
        self._going: dict[int, Job] = {}
        self._count = 0
        self._told: set[str] = set()
        self._errors: dict[tuple[int, str], Exception] = {}

    def close(self) -> None:
        """Leave the trials where they are; they go on from their checkpoints. Closing once more does nothing."""
        self._steps.close()
        self._new.clear()
        self._going.clear()
        self._kept.close()

    def _begin(self, job: Job) -> None:
        self._new.append(job)

    def _ended(self, report: Report) -> Iterator[tuple[Job, dict[str, Any] | None]]:
        if self._new:  # all stand before a step of theirs before one of them goes on, so that those who begin together stay together
            job, self._count = self._new.popleft(), self._count + 1
            self._going[self._count] = job
            self._begin_trial = self._begin_trial or trials(self._config)
            self._steps.add(self._count, self._begin_trial(job, partial(report, job), waits=True))
            ends = self._steps.ended()
        else:
            ends = self._steps.round()
        for name, end in ends:
            job = self._going.pop(name)
            if isinstance(end, Exception):  # no GlassnetError, which the trial records: a lack of memory, or a mistake
                self._errors[_name(job)] = end
                yield job, None
            else:
                yield job, end

    def _given_up(self, job: Job) -> dict[str, Any]:
        error = self._errors[_name(job)]
        return DIED | {"why": f"it failed {ATTEMPTS} times: {type(error).__name__}: {error}".splitlines()[0]}

    def _decided(self, stacked: bool, why: str) -> None:
        if why not in self._told:
            self._tell(f"trials {why}")
        self._told.add(why)


def _name(job: Job) -> tuple[int, str]:
    return job.stage, str(job.extra["place"])
