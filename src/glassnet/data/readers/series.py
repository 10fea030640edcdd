"""Tables with a column of times, read as series: a window of steps is an input, the steps behind it are the targets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from glassnet.data.clock import Clock
from glassnet.data.dataset import Data, Part
from glassnet.data.options import ReadOptions
from glassnet.data.seasons import cycles_of, lags_of, season_of, usual_horizon, usual_window
from glassnet.data.series_plan import SeriesPlan
from glassnet.data.series_schema import SeriesSchema
from glassnet.data.series_steps import Steps, steps_of
from glassnet.data.table_file import TableFile
from glassnet.data.windows import cut
from glassnet.errors import DataError

LEAST_WINDOWS = 10


def read(tables: Mapping[str, TableFile], plan: SeriesPlan, options: ReadOptions, name: str, origin: str) -> Data:
    """A series as a data set; ``split`` divides it in order of time.

    Args:
        tables: ``train``, and where there are such files ``val`` and ``test``, whose times come later.
        plan: how the training table is read.
        options: ``window`` and ``horizon`` matter here.
        name: of the data set.
        origin: as the user gave it.

    Raises:
        DataError: the series is too short, or the parts overlap in time.
    """
    train = steps_of(tables["train"], plan.time, plan.clock, plan.columns)
    schema = _schema(train, plan, options)
    notes = [_told(train, schema), *plan.notes, *train.notes]
    parts: dict[str, Part] = {"train": _part(train, schema)}
    if len(parts["train"]) < LEAST_WINDOWS:
        raise _too_short(tables["train"], train, schema)
    before = train
    for part in ("val", "test"):
        if part not in tables:
            continue
        steps = steps_of(tables[part], plan.time, plan.clock, plan.columns)
        notes += [f"{part}: {note}" for note in steps.notes]
        whole, note = _behind(before, steps, schema.clock, tables[part], schema.window)
        notes += [f"{part}: {note}"] if note else []
        parts[part] = _part(whole, schema)
        if not len(parts[part]):
            raise _too_short(tables[part], whole, schema)
        before = whole
    return Data(
        name=name,
        origin=origin,
        task="values",
        classes=(),
        outputs=schema.outputs,
        schema=schema,
        parts=parts,
        notes=tuple(notes),
    )


def _schema(steps: Steps, plan: SeriesPlan, options: ReadOptions) -> SeriesSchema:
    length = len(steps.values)
    names = [column.name for column in plan.columns]
    own = steps.values[:, [names.index(target) for target in plan.targets]].astype(np.float64)
    lags = lags_of(plan.clock, length)
    season = season_of(own, lags)
    horizon = options.horizon or usual_horizon(plan.clock, season, length)
    window = options.window or usual_window(season, horizon, length)
    if season and season not in lags:
        lags = tuple(sorted((*lags, season)))
    cycles = cycles_of(plan.clock, length)
    return SeriesSchema(plan.time, plan.clock, plan.columns, plan.targets, window, horizon, cycles, season, lags)


def _part(steps: Steps, schema: SeriesSchema) -> Part:
    """Every window whose next steps are known, named by the first of these."""
    values = schema.channels(steps)
    known = torch.from_numpy(steps.known)
    known = torch.cat([known, known.new_ones(len(known), values.shape[1] - known.shape[1])], dim=1)
    windows, targets = cut(values, known, list(schema.places), schema.window, schema.horizon)
    ahead = (windows.starts + schema.window).tolist()
    return Part(windows, targets, [schema.clock.told(steps.first + step) for step in ahead])


def _behind(before: Steps, steps: Steps, clock: Clock, table: TableFile, window: int) -> tuple[Steps, str]:
    """A later stretch, with the end of the earlier one before it where it goes on from there.

    Raises:
        DataError: it begins before the earlier one has ended.
    """
    end = before.first + len(before.values)
    if steps.first < end:
        raise DataError(
            "these times come before the end of the training series",
            where=table.path,
            got=f"from {clock.told(steps.first)}",
            expected=f"after {clock.told(end - 1)}",
            fix="give a file of later times, or leave it out: the end of the series is then kept back for the test",
        )
    if steps.first > end:
        return (
            steps,
            f"begins {steps.first - end:,} steps behind the end of the series before it, and is read by itself.",
        )
    tail = slice(max(len(before.values) - window, 0), None)
    joined = Steps(
        steps.first - len(before.values[tail]),
        np.concatenate([before.values[tail], steps.values]),
        # the tail is there to be seen, not to be forecast again
        np.concatenate([np.zeros_like(before.known[tail]), steps.known]),
        steps.notes,
    )
    return joined, ""


def _told(steps: Steps, schema: SeriesSchema) -> str:
    clock, count = schema.clock, len(steps.values)
    first, last = clock.told(steps.first), clock.told(steps.first + count - 1)
    what = ", ".join(f"'{name}'" for name in schema.targets[:8]) + (" and others" if len(schema.targets) > 8 else "")
    season = f"; it repeats itself after {schema.season}" if schema.season else ""
    ahead = "the next step" if schema.horizon == 1 else f"the next {schema.horizon:,} steps"
    return (
        f"A series in {clock.steps}, from {first} to {last}{season}. {what}: {ahead} forecast from the {schema.window:,} before "
        "(--horizon, --window); --time none reads the file as a table."
    )


def _too_short(table: TableFile, steps: Steps, schema: SeriesSchema) -> DataError:
    needed = schema.window + schema.horizon + LEAST_WINDOWS - 1
    return DataError(
        "the series is too short",
        where=table.path,
        got=f"{len(steps.values):,} steps, for windows of {schema.window:,} and {schema.horizon:,} steps ahead",
        expected=f"at least {needed:,} steps, all known in the column to forecast",
        fix="a smaller --window or --horizon",
    )
