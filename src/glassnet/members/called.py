"""What one of several runs is called before people."""

from __future__ import annotations

from typing import NamedTuple


class Called(NamedTuple):
    """A run among others.

    Attributes:
        short: such as ``network 2`` or ``fold 2``.
        full: such as ``network 2 of 5, seed 1``.
    """

    short: str
    full: str
