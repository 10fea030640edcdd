"""Those who make trials side by side, wherever they are: who gets the next one, and what happens when one dies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

ATTEMPTS = 2  # a trial whose worker dies twice is a failed one
DIED: dict[str, Any] = {
    "end": "failed",
    "value": None,
    "epochs": 0,
    "seconds": 0.0,
    "why": f"its process died {ATTEMPTS} times",
}


@dataclass(frozen=True)
class Job:
    """A trial to be made.

    Attributes:
        stage: from 1.
        number: within the stage.
        settings: by dotted key.
        extra: what else the objective is told: epochs, seed.
    """

    stage: int
    number: int
    settings: dict[str, Any]
    extra: dict[str, Any]


# (job, report) -> record of the trial's end; report(epoch, value) -> whether to go on
Objective = Callable[[Job, Callable[[int, float], bool]], dict[str, Any]]
Report = Callable[[Job, int, float], bool]


class Crew(ABC):
    """So many workers, each of which makes one job at a time. A context manager.

    Args:
        jobs: workers.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let all workers go."""

    @abstractmethod
    def _begin(self, job: Job) -> None:
        """Give a job to a worker that is free."""

    @abstractmethod
    def _ended(self, report: Report) -> Iterator[tuple[Job, dict[str, Any] | None]]:
        """Wait a moment, pass on what was reported, and yield what ended since: a job with its record, or with None where its worker died."""

    def _given_up(self, job: Job) -> dict[str, Any]:
        """The record of a job that ends in nothing every time."""
        return dict(DIED)

    def run(
        self, jobs: Iterator[Job], report: Report, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[Job, dict[str, Any]]]:
        """Make the jobs and yield each with its record as it ends.

        Args:
            jobs: asked for the next one whenever a worker is free, so that it may depend on what has ended.
            report: called with (job, epoch, value) as they come; False ends the trial.
            stop: asked often; True ends everything, and what runs stays begun.

        Raises:
            GlassnetError: the objective cannot be made, for example since the data cannot be read.
        """
        again: deque[Job] = deque()
        died: list[Job] = []  # once for each time
        running, done = 0, False
        while not stop():
            while not done and running < self.jobs and not stop():
                job = again.popleft() if again else next(jobs, None)
                if job is None:
                    done = True
                else:
                    self._begin(job)
                    running += 1
            if not running and done:
                return
            for job, record in self._ended(report):
                running -= 1
                if record is not None:
                    yield job, record
                    continue
                died.append(job)
                if died.count(job) == ATTEMPTS:
                    yield job, self._given_up(job)
                else:
                    again.append(job)
                    done = False
