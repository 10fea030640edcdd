"""How often Python looks for garbage: rarely while a command starts, as usual wherever it trains.

Imports make some half a million objects, all of which stay; to look through them again and again costs a command 0.15 s.
"""

from __future__ import annotations

import gc

USUAL = gc.get_threshold()
RARE = (20_000, 20, 20)


def look_rarely() -> None:
    """For a command that has just begun."""
    gc.set_threshold(*RARE)


def look_as_usual() -> None:
    """For trainings: what a network of somebody's own leaves in circles may hold much memory."""
    gc.set_threshold(*USUAL)
