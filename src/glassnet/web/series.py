"""A growing curve, and how it is thinned out so that no spike is lost."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

MOST_POINTS = 2000  # of one series in one answer
MOST_KEPT = 2_000_000  # of one series in memory; what comes after is not shown

Points = tuple[list[float], list[float | None]]


class Series:
    """Points in the order of x. A y that is not finite is kept as NaN, and is a gap."""

    def __init__(self) -> None:
        self.x = array("d")
        self.y = array("d")

    def __len__(self) -> int:
        return len(self.x)

    def add(self, x: float, y: float) -> None:
        """One point; dropped where x goes back, which whole runs never do."""
        if len(self.x) < MOST_KEPT and (not self.x or x >= self.x[-1]):
            self.x.append(x)
            self.y.append(y)

    def points(self, start: int = 0, limit: int = MOST_POINTS) -> Points:
        """From the point ``start`` on, at most ``limit`` points."""
        return decimated(self.x[start:], self.y[start:], limit)

    def between(self, low: float, high: float, limit: int = MOST_POINTS) -> Points:
        """The points with low <= x <= high and one more on either side, at most ``limit``."""
        first, end = bisect_left(self.x, low), bisect_right(self.x, high)
        start, stop = max(first - 1, 0), min(end + 1, len(self.x))
        return decimated(self.x[start:stop], self.y[start:stop], limit)


def decimated(x: Sequence[float], y: Sequence[float], limit: int = MOST_POINTS) -> Points:
    """At most ``limit`` of the points: of each stretch of equally many points the lowest and the highest, and a gap where it holds one.

    So the largest and the smallest value of the whole, and every spike that is the extreme of its stretch, stay; first and last point stay too.

    Args:
        x: rising.
        y: of the same length; not finite is a gap, and comes back as None.
        limit: at least 8.
    """
    count = len(x)
    if count <= limit:
        return list(x), [value if math.isfinite(value) else None for value in y]
    gaps = not all(map(math.isfinite, y))
    stretches = (limit - 2) // (3 if gaps else 2)
    kept = {0, count - 1}
    for stretch in range(stretches):
        places = range(stretch * count // stretches, (stretch + 1) * count // stretches)
        finite = [place for place in places if math.isfinite(y[place])] if gaps else places
        if finite:
            kept.add(min(finite, key=y.__getitem__))
            kept.add(max(finite, key=y.__getitem__))
        if gaps and len(finite) < len(places):
            kept.add(next(place for place in places if not math.isfinite(y[place])))
    order = sorted(kept)
    return [x[place] for place in order], [y[place] if math.isfinite(y[place]) else None for place in order]
