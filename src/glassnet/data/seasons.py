"""After how many steps a series repeats itself, and what window and horizon suit it: told by its beginning alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from glassnet.data.clock import Clock

LOOKED_AT = 0.5  # of a series, its first half, which is trained on however the parts are cut
LEAST_LIKENESS = 0.3  # autocorrelation of the changes from step to step
ABOUT = 0.9
TIMES_SEEN = 2  # a season must be seen at least so often
USUAL_WINDOW = 30
MOST_WINDOW = 400
WINDOW_SHARE = 5  # a window is at most this part of the series
HORIZON_SHARE = 10
USUAL_HORIZON = 7
AHEAD = {"day": 24, "week": 7, "year": 12}  # a cycle of so many steps, or fewer, is forecast as a whole

Floats = npt.NDArray[np.float64]


def lags_of(clock: Clock, length: int) -> tuple[int, ...]:
    """Whole numbers of steps in a day, a week and a year, of which the first half of the series holds two at least."""
    found = (round(steps) for steps in clock.cycles().values())
    return tuple(sorted({lag for lag in found if lag >= 2 and TIMES_SEEN * lag <= LOOKED_AT * length}))


def cycles_of(clock: Clock, length: int) -> tuple[str, ...]:
    """The cycles of the calendar that the series goes through twice at least."""
    return tuple(name for name, steps in clock.cycles().items() if TIMES_SEEN * steps <= length)


def season_of(values: Floats, lags: Sequence[int]) -> int:
    """The season of a series: the lag at which its changes from step to step are most alike, or 0.

    Changes are looked at, not values: of what only moves slowly, neighbours are alike at any lag. Without lags from the calendar every lag is tried.

    Args:
        values: (steps,) or (steps, columns); the mean over the columns counts.
        lags: that the calendar proposes.
    """
    some = values[: max(int(LOOKED_AT * len(values)), 3)]
    changes = np.diff(some.reshape(len(some), -1), axis=0)
    changes = changes - changes.mean(axis=0)
    power = (changes**2).sum(axis=0)
    changes, power = changes[:, power > 0], power[power > 0]
    most = (len(changes) - 1) // TIMES_SEEN
    tried = [lag for lag in (lags or range(2, most + 1)) if lag <= most]
    if not tried or not len(power):
        return 0
    alike = [
        float(((changes[lag:] * changes[:-lag]).sum(axis=0) / power).mean()) * len(changes) / (len(changes) - lag)
        for lag in tried
    ]
    able = range(len(tried)) if lags else _peaks(alike)
    best = max((alike[place] for place in able), default=0.0)
    if best < LEAST_LIKENESS:
        return 0
    # two seasons are as much alike as one: the shortest lag that is about as good
    return int(next(tried[place] for place in able if alike[place] >= ABOUT * best))


def _peaks(alike: Sequence[float]) -> list[int]:
    """Lags at which a series is more like itself than at both neighbours, behind one at which it is unlike itself."""
    return [
        place
        for place in range(1, len(alike) - 1)
        if alike[place - 1] < alike[place] >= alike[place + 1] and min(alike[:place]) < 0
    ]


def usual_horizon(clock: Clock, season: int, length: int) -> int:
    """Steps to forecast where nothing is said: a season or a cycle of the calendar that is short, else 7; at most a tenth of the series."""
    short = [round(steps) for name, steps in clock.cycles().items() if steps <= AHEAD[name]]
    wished = season if 0 < season <= max(AHEAD.values()) else max(short, default=USUAL_HORIZON)
    return max(1, min(wished, length // HORIZON_SHARE))


def usual_window(season: int, horizon: int, length: int) -> int:
    """Steps to see where nothing is said: two seasons, or 30 and three times the horizon; at most a fifth of the series."""
    most = max(length // WINDOW_SHARE, 2)
    if season and 2 * season <= MOST_WINDOW:
        wished = max(2 * season, horizon)
        return wished if wished <= most else max(min(season + 1, length // 3), min(wished, most))
    return min(max(USUAL_WINDOW, 3 * horizon), most, MOST_WINDOW)
