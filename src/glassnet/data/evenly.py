"""Which of many samples are looked at where some must stand for all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly(samples: int, most: int) -> NDArray[np.int64]:
    """At most so many places of samples, evenly spread: int64 (places,)."""
    taken = min(samples, most)
    return np.arange(taken, dtype=np.int64) * samples // max(taken, 1)
