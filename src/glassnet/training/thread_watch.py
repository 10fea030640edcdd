"""The number of threads watched while a network trains, because who else is at work on the machine changes.

Threads of one operation wait for each other. Where a neighbour occupies a core, one of them is served late and the others wait: two threads on two
cores then train two to five times as slowly, though one alone would lose a tenth to a half. So where steps have become slow, one thread is tried
on the very steps of the training, and later all of them again.

Sums are rounded differently by another number of threads. A run whose number has changed equals another one to rounding and not bit for bit, as it
would had it begun with that number; where the number is given, nothing is watched.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import torch

from glassnet.events import Event, Step, Threads
from glassnet.training.waiting import Waiting

WINDOW = 0.75  # seconds of steps that are judged together
FEWEST = 4  # steps in a window
SLOW = 1.6  # times the usual time of a step, at which one thread is tried
PAYS = 0.9  # of the time of a step, below which the other number of threads is kept
AGAIN = (4.0, 600.0)  # seconds until one thread is tried again where it did not pay; doubled up to the second number
BACK = (8.0, 160.0)  # likewise, until all threads are tried again


class ThreadWatch:
    """Judges windows of steps, and changes the number of threads of this process.

    Args:
        threads: all of them.
        now: with how many the training begins: all (None), or one, which is chosen beside a neighbour too.
        clock: seconds, from any moment on.
        change: sets the number of threads.
    """

    def __init__(
        self,
        threads: int,
        *,
        now: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
        change: Callable[[int], None] = torch.set_num_threads,
    ) -> None:
        self.all, self.now = threads, now or threads
        self.clock, self.change = clock, change
        self.usual = math.inf  # fewest seconds a step in a window with all threads
        self.before = math.nan  # seconds a step before the trial that is under way; none is where undefined
        self.slow_windows = 0
        self.wait = AGAIN[0]
        self.due = -math.inf
        if self.now != self.all:
            self.wait = BACK[0]
            self.due = self.clock() + self.wait
        self._empty()

    def watching(self, events: Iterator[Event | Waiting]) -> Iterator[Event | Waiting]:
        """The events of a training, with a :class:`Threads` after each step from which on another number of threads is at work.

        What the caller does between two events is not counted.
        """
        after_step = False
        while True:
            begin = self.clock()
            event = next(events, None)
            spent = self.clock() - begin
            if event is None:
                return
            yield event
            if isinstance(event, Step):
                changed = self.see(spent, event.step) if after_step else None
                if changed is not None:
                    yield changed
            after_step = isinstance(event, Step)

    def see(self, seconds: float, step: int) -> Threads | None:
        """Take note of a step; tell where the number of threads has changed for good."""
        self.seconds += seconds
        self.steps += 1
        if self.seconds < WINDOW or self.steps < FEWEST:
            return None
        pace = self.seconds / self.steps
        self._empty()
        if not math.isnan(self.before):
            return self._decide(pace, step)
        if self.now == self.all:
            self.usual = min(self.usual, pace)
            self.slow_windows = self.slow_windows + 1 if pace > SLOW * self.usual else 0
            ripe = self.slow_windows >= 2
        else:
            ripe = True
        if ripe and self.clock() >= self.due:
            self.before = pace
            self._set(1 if self.now == self.all else self.all)
        return None

    def _decide(self, pace: float, step: int) -> Threads | None:
        """Keep what was tried, or go back to what was before."""
        before, self.before = self.before, math.nan
        self.slow_windows = 0
        if pace < PAYS * before:
            self.wait = (AGAIN if self.now == self.all else BACK)[0]
            self.due = self.clock() + self.wait
            return Threads(step, self.now, before / pace)
        self._set(1 if self.now == self.all else self.all)
        self.wait = min(2 * self.wait, (AGAIN if self.now == self.all else BACK)[1])
        self.due = self.clock() + self.wait
        return None

    def _set(self, threads: int) -> None:
        self.now = threads
        self.change(threads)

    def _empty(self) -> None:
        self.seconds, self.steps = 0.0, 0
