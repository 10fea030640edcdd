"""The first Ctrl-C (or SIGTERM, SIGHUP) ends well; the second ends now."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Whether a signal has asked to stop."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells expect."""
        return 0 if self.signal is None else 128 + self.signal


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Within the block, the first signal only sets a flag; a second one ends the process at once."""
    asked = Interruption()

    def caught(number: int, _: FrameType | None) -> None:
        if asked.signal is not None:
            os._exit(128 + number)
        asked.signal = number
        sys.stderr.write("\nstopping as soon as all is saved; a second signal stops at once\n")
        sys.stderr.flush()

    before = {number: signal.signal(number, caught) for number in _CAUGHT}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
