"""What a simple method reached."""

from __future__ import annotations

from dataclasses import dataclass

from glassnet.evaluate.interval import Interval


@dataclass(frozen=True, slots=True)
class Rival:
    """A simple method's figure on the same part of the data.

    Attributes:
        name: of the method, for a table's first column.
        figure: its accuracy (0 to 1) or its R², averaged over the outputs.
        metric: ``accuracy`` or ``r2``.
        seconds: wall time to read, fit and judge.
        note: what it was given, as a phrase.
        interval: 95 % interval of the figure.
    """

    name: str
    figure: float
    metric: str
    seconds: float
    note: str
    interval: Interval | None = None
