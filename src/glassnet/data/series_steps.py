"""The rows of a table brought to the steps of a clock: in order of time, a row for every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassnet.data.clock import Clock
from glassnet.data.columns import Column, clean
from glassnet.data.moments import moments_of
from glassnet.data.table_file import TableFile
from glassnet.errors import DataError

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

LEAST_ROWS = 20
REGULAR = 0.9  # share of the rows that must lie on equal steps
SPARSE = 4  # steps for each row beyond which most of a series would be made up
NAMED = 5

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Steps:
    """A series with a row for every step.

    Attributes:
        first: place of the first step on the clock.
        values: float32 (steps, columns); what was missing is the value before it.
        known: bool (steps, columns): where a value was given.
        notes: what was mended.
    """

    first: int
    values: Floats
    known: Bools
    notes: tuple[str, ...]


def steps_of(table: TableFile, time: str | None, clock: Clock, columns: tuple[Column, ...]) -> Steps:
    """The rows of a table in order of time, one for every step.

    Rows without a time are left out, the mean stands for rows of the same step, and what is missing, in a row or as a row, takes the value before: what comes
    later must not be known earlier. Steps before the first value of every column are left out.

    Raises:
        DataError: columns are absent, hold what is no number, or have no value at all, or the times do not fit the clock.
    """
    wanted = [column.source for column in columns] + ([] if time is None else [time])
    table.require(wanted, "the table lacks columns of the series")
    raw = table.encode(columns)
    notes: list[str] = []
    if time is None:
        places = np.arange(table.frame.height, dtype=np.int64)
    else:
        places, raw = _on_steps(table, time, clock, raw, notes)
    places, raw = _in_order(places, raw, clock, notes)
    first, length = int(places[0]), int(places[-1] - places[0]) + 1
    if length > SPARSE * len(places) + LEAST_ROWS:
        raise DataError(
            "the times lie too far apart to be a series",
            where=f"{table.path}, column '{time}'",
            got=f"{len(places):,} rows for {length:,} {clock.steps}, from {clock.told(first)} to {clock.told(int(places[-1]))}",
            expected="a row for most steps",
            fix="--time none reads the file as a table",
        )
    whole = np.full((length, raw.shape[1]), np.nan, dtype=np.float32)
    whole[places - first] = raw
    absent = np.flatnonzero(~np.isin(np.arange(length) + first, places))
    if len(absent):
        notes.append(
            f"{len(absent):,} {'step is' if len(absent) == 1 else 'steps are'} missing and {'takes' if len(absent) == 1 else 'take'} the value before: "
            + _some([clock.told(first + int(place)) for place in absent[:NAMED]], len(absent))
        )
    holes = int(np.isnan(raw).sum())
    if holes:
        notes.append(f"{holes:,} missing {'value takes' if holes == 1 else 'values take'} the one before.")
    known = ~np.isnan(whole)
    empty = [column.name for place, column in enumerate(columns) if not known[:, place].any()]
    if empty:
        raise DataError(
            "every value is missing",
            where=table.path,
            got=", ".join(f"column '{name}'" for name in empty),
            expected="a number in at least one row of each column",
        )
    begin = int(known.argmax(axis=0).max())
    if begin:
        notes.append(f"The first {begin:,} steps are left out: a value is missing and there is none before it.")
    return Steps(first + begin, _filled(whole)[begin:], known[begin:], tuple(notes))


def _filled(values: Floats) -> Floats:
    """The value before in the place of each NaN; those before the first value of a column stay."""
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.take_along_axis(values, last, axis=0)


def _on_steps(table: TableFile, time: str, clock: Clock, raw: Floats, notes: list[str]) -> tuple[Ints, Floats]:
    """The places of the rows that have one."""
    readings = [each for each in moments_of(clean(table.frame[time])) if bool(each.form) == bool(clock.form)]
    if not readings:
        raise DataError(
            "the column holds no times like those of the training file",
            where=f"{table.path}, column '{time}'",
            got=first_cell(table.frame[time]),
            expected=f"such as {clock.told(0) if clock.form else '17'}",
        )
    best = next((each for each in readings if each.form == clock.form), readings[0])
    given = np.isfinite(best.values)
    fits = given.copy()
    fits[given] = clock.fits(best.values[given])
    if fits.sum() < REGULAR * max(int(given.sum()), 1):
        raise DataError(
            "the times do not lie on the steps of the series",
            where=f"{table.path}, column '{time}'",
            got=f"{int(fits.sum()):,} of {int(given.sum()):,} rows on {clock.steps}",
            expected=f"{clock.steps}, as in the training file",
        )
    for left, why in (
        (~given, "without a time that can be read"),
        (given & ~fits, f"between two {clock.steps}"),
    ):
        rows = np.flatnonzero(left)
        if len(rows):
            told = _some(
                [f"{_cell(table.frame[time][int(row)])} in row {table.lines[int(row)]}" for row in rows[:NAMED]],
                len(rows),
            )
            notes.append(f"{len(rows):,} {'row is' if len(rows) == 1 else 'rows are'} left out, {why}: {told}")
    return clock.places(best.values[fits]), raw[fits]


def _in_order(places: Ints, raw: Floats, clock: Clock, notes: list[str]) -> tuple[Ints, Floats]:
    """Sorted by time, with one row for each place: the mean of what is known of it."""
    if len(places) > 1 and bool((np.diff(places) < 0).any()):
        falling = bool((np.diff(places) <= 0).all())
        notes.append(f"The rows are put in order of time{'; the file has the newest first' if falling else ''}.")
    order = np.argsort(places, kind="stable")
    places, raw = places[order], raw[order]
    distinct, begin, counts = np.unique(places, return_index=True, return_counts=True)
    if len(distinct) == len(places):
        return places, raw
    twice = distinct[counts > 1]
    notes.append(
        f"{len(twice):,} {'time occurs' if len(twice) == 1 else 'times occur'} more than once, and the mean is taken: "
        + _some([clock.told(int(place)) for place in twice[:NAMED]], len(twice))
    )
    there = ~np.isnan(raw)
    total = np.add.reduceat(np.where(there, raw, 0.0).astype(np.float64), begin, axis=0)
    count = np.add.reduceat(there.astype(np.int64), begin, axis=0)
    return distinct, np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _cell(cell: object) -> str:
    return "an empty cell" if cell is None else f"'{cell}'"


def first_cell(series: pl.Series) -> str:
    """What stands first in a column, for messages."""
    given = series.drop_nulls()
    return f"'{given[0]}'" if given.len() else "empty cells"


def _some(names: list[str], count: int) -> str:
    return ", ".join(names) + (f" and {count - len(names):,} more." if count > len(names) else ".")
