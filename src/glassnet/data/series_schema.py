"""How a stretch of a series looks to a network, and how to read the end of one, from which the next steps are forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassnet.data.clock import CYCLES, Clock
from glassnet.data.columns import Column
from glassnet.data.dataset import Source
from glassnet.data.given import read_all
from glassnet.data.series_steps import Steps, steps_of
from glassnet.data.table_formats import read_table
from glassnet.data.windows import Windows
from glassnet.errors import DataError

AFTER = " after "


@dataclass(frozen=True)
class SeriesSchema:
    """A window of a series.

    A raw input is float32 (channels, window): the columns in the file's order, then sine and cosine of each cycle of the calendar at every step.

    Attributes:
        time: the column with the times; None where the rows count them.
        clock: the step of time.
        columns: the columns of values.
        targets: names of those that are forecast.
        window: steps that a network sees.
        horizon: steps that it forecasts.
        cycles: cycles of the calendar that are told to the network: of day, week, year.
        season: steps after which the series repeats itself; 0 where it does not.
        lags: steps back at which the calendar says that things might be alike, such as 7 and 365 of days: for the baselines.
    """

    time: str | None
    clock: Clock
    columns: tuple[Column, ...]
    targets: tuple[str, ...]
    window: int
    horizon: int
    cycles: tuple[str, ...]
    season: int
    lags: tuple[int, ...]

    @property
    def kind(self) -> str:
        """``series``."""
        return "series"

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, window)."""
        return (len(self.columns) + 2 * len(self.cycles), self.window)

    @property
    def places(self) -> tuple[int, ...]:
        """The channels that are forecast."""
        names = [column.name for column in self.columns]
        return tuple(names.index(name) for name in self.targets)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What to call each number of a forecast: a column's steps side by side."""
        return tuple(f"{name} +{step}" for name in self.targets for step in range(1, self.horizon + 1))

    def channels(self, steps: Steps) -> Tensor:
        """A series as the network sees it: float32 (steps, channels)."""
        places = np.arange(len(steps.values)) + steps.first
        turned = [2 * math.pi * self.clock.phases(cycle, places) for cycle in self.cycles]
        waves = [wave(phase).astype(np.float32) for phase in turned for wave in (np.sin, np.cos)]
        return torch.from_numpy(np.column_stack([steps.values, *waves]).astype(np.float32))

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """The last window of each table, named ``FILE after TIME``.

        Raises:
            DataError: a file is absent, is no table, does not fit or is shorter than a window; all such files at once.
        """
        found = read_all(paths, self._last, "no series was given", "at least one CSV, TSV, Parquet, JSON or Excel file")
        starts = torch.arange(len(found)) * self.window
        windows = Windows(torch.cat([window for _, window in found]), starts, self.window, self.horizon)
        return [name for name, _ in found], windows

    def _last(self, path: str) -> list[tuple[str, Tensor]]:
        table = read_table(Path(path), [column.source for column in self.columns])
        steps = steps_of(table, self.time, self.clock, self.columns)
        if len(steps.values) < self.window:
            raise DataError(
                "the series is shorter than what the network sees",
                where=table.path,
                got=f"{len(steps.values):,} steps",
                expected=f"at least {self.window:,}",
            )
        end = self.clock.told(steps.first + len(steps.values) - 1)
        return [(f"{table.path.name}{AFTER}{end}", self.channels(steps)[-self.window :])]

    def next_times(self, name: str) -> list[str]:
        """The times of the steps behind the one that an input's name ends with; ``+1``, ``+2`` and so on where it names none."""
        last = name.rpartition(AFTER)[2] if AFTER in name else ""
        place = self._place(last)
        steps = range(1, self.horizon + 1)
        return [f"+{step}" if place is None else self.clock.told(place + step) for step in steps]

    def _place(self, told: str) -> int | None:
        """The place that is written so."""
        import polars as pl

        from glassnet.data.moments import moments_of

        try:
            if not self.clock.form:
                return int(self.clock.places(np.asarray([float(told)]))[0])
            found = [each for each in moments_of(pl.Series([told])) if each.form == self.clock.form]
            return int(self.clock.places(found[0].values)[0]) if found else None
        except (ValueError, pl.exceptions.PolarsError):
            return None

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "kind": "series",
            "time": self.time,
            "clock": self.clock.to_json(),
            "columns": [column.to_json() for column in self.columns],
            "targets": list(self.targets),
            "window": self.window,
            "horizon": self.horizon,
            "cycles": list(self.cycles),
            "season": self.season,
            "lags": list(self.lags),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SeriesSchema:
        """The schema that :meth:`to_json` described.

        Raises:
            ValueError: it cannot be one.
        """
        made = cls(
            time=values["time"],
            clock=Clock.from_json(values["clock"]),
            columns=tuple(Column.from_json(each) for each in values["columns"]),
            targets=tuple(values["targets"]),
            window=int(values["window"]),
            horizon=int(values["horizon"]),
            cycles=tuple(values["cycles"]),
            season=int(values["season"]),
            lags=tuple(int(lag) for lag in values["lags"]),
        )
        if made.window < 1 or made.horizon < 1 or not set(made.cycles) <= set(CYCLES) or not made.places:
            raise ValueError(f"windows of {made.window} steps, {made.horizon} ahead, with the cycles {made.cycles}")
        return made
