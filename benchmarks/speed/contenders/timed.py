"""Carrying an endless training on for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator


def in_turns(steps: Iterator[int]) -> Callable[[float], tuple[int, float]]:
    """From an endless iterator, which makes a step and says how many samples it had, to a function that runs it for some seconds."""

    def advance(seconds: float) -> tuple[int, float]:
        begin = time.perf_counter()
        samples = 0
        while True:
            samples += next(steps)
            if (spent := time.perf_counter() - begin) >= seconds:
                return samples, spent

    return advance
