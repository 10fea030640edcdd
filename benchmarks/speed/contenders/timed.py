"""Carrying an endless training on for a while, and the clock by which that is measured."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

# By the wall, or in time of the processor: that of all threads together, so only for runs on one thread, but a busy neighbour does not change it.
CLOCK = "GLASSNET_SPEED_CLOCK"


def now() -> float:
    """Seconds by the clock that the environment names."""
    return time.process_time() if os.environ.get(CLOCK) == "processor" else time.perf_counter()


def in_turns(steps: Iterator[int]) -> Callable[[float], tuple[int, float]]:
    """From an endless iterator, which makes a step and says how many samples it had, to a function that runs it for some seconds."""

    def advance(seconds: float) -> tuple[int, float]:
        begin = now()
        samples = 0
        while True:
            samples += next(steps)
            if (spent := now() - begin) >= seconds:
                return samples, spent

    return advance
