"""Equal steps of time: from what stands in a column to whole numbers of steps, and back to how people write them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Unit = Literal["second", "workday", "month", "number"]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800
YEAR = 31_556_952  # seconds of a mean Gregorian year
MONDAY = 4 * DAY  # 1970-01-05, the first Monday after the beginning of the count of seconds
LEAST_WORKDAYS = 10  # days in a row without a weekend that are no accident
ON_GRID = 1e-6  # how far from a whole number of steps a number may lie
CYCLES = ("day", "week", "year")


@dataclass(frozen=True)
class Clock:
    """A step of time, and how a moment is written.

    A moment is a number: seconds since 1970 for dates, the number itself for a column of numbers. A *place* is a whole number of steps, counted from 1970
    (or from 0), so that places of two files can be compared.

    Attributes:
        unit: what a step is made of; ``workday`` is Monday to Friday.
        every: units in a step.
        phase: what is left of a moment when whole steps are taken away: in units, below ``every``.
        day: of months the day on which a moment lies, at most the month's last; 1 for other units.
        second: of months and workdays the second of the day.
        form: strftime pattern; empty for numbers.
    """

    unit: Unit
    every: float
    phase: float
    day: int = 1
    second: int = 0
    form: str = ""

    def places(self, moments: Floats) -> Ints:
        """The place of each moment, rounded to the nearest."""
        return np.rint((self._units(moments) - self.phase) / self.every).astype(np.int64)

    def fits(self, moments: Floats) -> npt.NDArray[np.bool_]:
        """Whether each moment lies on a step."""
        off = np.abs(self.moments(self.places(moments)) - moments)
        return np.asarray(off <= (ON_GRID * self.every if self.unit == "number" else 0.5))

    def moments(self, places: Ints) -> Floats:
        """The moment of each place."""
        units = places * self.every + self.phase
        if self.unit == "month":
            months = units.astype("int64").astype("datetime64[M]")
            last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
            days = months.astype("datetime64[D]").astype(np.int64) + np.minimum(self.day, last) - 1
            return np.asarray(days * float(DAY) + self.second)
        if self.unit == "workday":
            weeks, within = np.divmod(units.astype(np.int64), 5)
            return np.asarray(MONDAY + weeks * float(WEEK) + within * float(DAY) + self.second)
        return np.asarray(units, dtype=np.float64)

    def told(self, place: int) -> str:
        """A place as the file would write it."""
        moment = float(self.moments(np.asarray([place]))[0])
        if self.unit == "number":
            return f"{moment:.10g}"
        return datetime.fromtimestamp(moment, UTC).strftime(self.form)

    @property
    def step(self) -> str:
        """A step in words, such as ``day`` or ``3 months``."""
        if self.unit == "number":
            return "1" if self.every == 1 else f"step of {self.every:.6g}"
        if self.unit == "workday":
            return "working day" if self.every == 1 else f"{self.every:.0f} working days"
        if self.unit == "month":
            return {1: "month", 3: "quarter", 12: "year"}.get(int(self.every), f"{self.every:.0f} months")
        for name, seconds in (("week", WEEK), ("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", 1)):
            if self.every % seconds == 0:
                count = int(self.every // seconds)
                return name if count == 1 else f"{count} {name}s"
        return f"{self.every:g} seconds"

    @property
    def steps(self) -> str:
        """Steps in words, such as ``steps of one day``."""
        return f"steps of {'' if self.step[0].isdigit() or self.unit == 'number' else 'one '}{self.step.removeprefix('step of ')}"

    def cycles(self) -> dict[str, float]:
        """How many steps a day, a week and a year are, where that is two or more."""
        if self.unit == "number":
            return {}
        if self.unit == "month":
            found = {"year": 12 / self.every}
        elif self.unit == "workday":
            found = {"week": 5 / self.every, "year": YEAR / WEEK * 5 / self.every}
        else:
            found = {"day": DAY / self.every, "week": WEEK / self.every, "year": YEAR / self.every}
        return {name: steps for name, steps in found.items() if steps >= 2}

    def phases(self, cycle: str, places: Ints) -> Floats:
        """How far a cycle has come at each place, from 0 to below 1: the day, the week (from Monday) or the year (from January)."""
        moments = self.moments(places)
        if cycle == "day":
            return np.asarray(np.mod(moments, DAY) / DAY)
        if cycle == "week":
            return np.asarray(np.mod(moments - MONDAY, WEEK) / WEEK)
        years = moments.astype("datetime64[s]").astype("datetime64[Y]")
        begin, end = (each.astype("datetime64[s]").astype(np.float64) for each in (years, years + 1))
        return np.asarray((moments - begin) / (end - begin))

    def _units(self, moments: Floats) -> Floats:
        """Moments in units, rounded down to the month or working day."""
        if self.unit == "month":
            return moments.astype("datetime64[s]").astype("datetime64[M]").astype(np.float64)
        if self.unit == "workday":
            weeks, within = np.divmod(moments - MONDAY, WEEK)
            return np.asarray(5 * weeks + np.floor(within / DAY))
        return moments

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {name: getattr(self, name) for name in ("unit", "every", "phase", "day", "second", "form")}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Clock:
        """The clock that :meth:`to_json` described.

        Raises:
            ValueError: it cannot be one.
        """
        made = cls(**values)
        if made.unit not in ("second", "workday", "month", "number") or not made.every > 0:
            raise ValueError(f"steps of {made.every!r} {made.unit!r}")
        return made


def clock_of(moments: Floats, form: str) -> Clock:
    """The step that most neighbours are apart.

    Dates on one day of the month (or on the last) are months, days without any weekend are working days, all others seconds.

    Args:
        moments: rising, two or more, none twice.
        form: how they are written; empty for numbers.
    """
    gaps = np.diff(moments)
    if not form:
        every = float(np.median(gaps))
        return Clock("number", every, float(np.mod(moments[0], every)))
    days = moments.astype("datetime64[s]").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    seconds = moments - days.astype("datetime64[s]").astype(np.float64)
    day = int(of_month.max())
    if bool((of_month == np.minimum(day, last)).all()) and len(np.unique(seconds)) == 1:
        number = months.astype(np.int64)
        every = float(_most_frequent(np.diff(number)))
        return Clock("month", every, float(number[0] % every), day, int(seconds[0]), form)
    every = float(_most_frequent(gaps))
    if every == DAY and len(moments) >= LEAST_WORKDAYS and len(np.unique(seconds)) == 1:
        weekday = np.mod((moments - MONDAY) // DAY, 7)
        if bool((weekday < 5).all()):
            return Clock("workday", 1.0, 0.0, 1, int(seconds[0]), form)
    return Clock("second", every, float(np.mod(moments[0], every)), form=form)


def _most_frequent(gaps: npt.NDArray[Any]) -> float:
    """The commonest gap; of equally common ones the smallest."""
    counts = Counter(gaps.tolist())
    return float(max(counts, key=lambda gap: (counts[gap], -gap)))
