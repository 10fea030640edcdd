"""Telling the system which rows of a file will be asked for, so that it reads them meanwhile. Without tensors, as all that a glance at data needs."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

NEAR = 16  # rows between two wanted ones, up to which these are read at once: parts of a data set are drawn row by row


def read_soon(file: int, rows: NDArray[np.int64], row_bytes: int, begin: int = 0) -> None:
    """Let the system read rows of a file before they are asked for, those that lie together at once; nothing happens where it cannot.

    Args:
        file: its descriptor.
        rows: their numbers, in any order.
        row_bytes: that one takes.
        begin: byte at which row 0 begins.
    """
    if not hasattr(os, "posix_fadvise") or not len(rows):
        return
    numbers = np.unique(rows)
    cuts = np.flatnonzero(np.diff(numbers) > NEAR) + 1
    firsts, lasts = numbers[np.concatenate([[0], cuts])], numbers[np.concatenate([cuts - 1, [-1]])]
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        size = (last - first + 1) * row_bytes
        os.posix_fadvise(file, begin + first * row_bytes, size, os.POSIX_FADV_WILLNEED)
