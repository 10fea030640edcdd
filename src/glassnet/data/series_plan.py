"""Whether a table is a series, and how it is read as one: its column of times, its step, and what is forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassnet.data.clock import Clock, clock_of
from glassnet.data.columns import MOSTLY_NUMBERS, Column, clean, counts_rows
from glassnet.data.moments import Moments, moments_of, named_as_time
from glassnet.data.numerals import numbers
from glassnet.data.options import ReadOptions
from glassnet.data.series_steps import LEAST_ROWS, REGULAR, SPARSE, first_cell
from glassnet.data.table_file import TableFile
from glassnet.errors import DataError, UsageError

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

TWICE = 0.05  # share of the rows whose time occurs before; more of them are several series in one table
NO_TIME = "none"
MOST_TARGETS = 50


@dataclass(frozen=True)
class SeriesPlan:
    """How the tables of a series are read.

    Attributes:
        time: the column with the times; None where the rows themselves count them.
        clock: its step.
        columns: the columns of values, in the file's order.
        targets: those that are forecast.
        notes: decisions worth telling.
    """

    time: str | None
    clock: Clock
    columns: tuple[Column, ...]
    targets: tuple[str, ...]
    notes: tuple[str, ...] = ()


def asked_for(options: ReadOptions) -> bool:
    """Whether the user says that a table is a series."""
    return options.time not in (None, NO_TIME) or options.window is not None or options.horizon is not None


def plan_series(table: TableFile, options: ReadOptions) -> SeriesPlan | None:
    """How a table is read as a series, or None where it is none.

    Without being told, a table is one where a single column holds times, no time occurs twice, nine rows in ten lie on equal steps, and everything else in
    it is numbers.

    Raises:
        DataError: a series was asked for and the table cannot be one.
        UsageError: the options contradict each other.
    """
    asked = asked_for(options)
    if options.time == NO_TIME or options.task == "classes" or options.text is not None:
        if asked and options.time != NO_TIME:
            raise UsageError(
                "a series is forecast as values",
                where="data.task",
                got=options.task if options.text is None else f"texts of column '{options.text}'",
                fix="leave it out, or leave out --time, --window and --horizon",
            )
        return None
    if not asked and (table.frame.height < LEAST_ROWS or table.frame.width < 2):
        return None
    time, readings = _time_column(table, options, asked)
    if time is None and not asked:
        return None
    clock, notes = _clock(table, time, readings, asked)
    if clock is None:
        return None
    columns, left_out, strange = _columns(table, time, asked)
    if not asked and (strange or not columns):
        return None
    targets = _targets(table, columns, options)
    return SeriesPlan(time, clock, columns, targets, (*notes, *left_out))


def _time_column(table: TableFile, options: ReadOptions, asked: bool) -> tuple[str | None, list[Moments]]:
    names = table.frame.columns
    if options.time not in (None, NO_TIME):
        if options.time not in names:
            raise table.lacks(str(options.time), "with times")
        series = clean(table.frame[str(options.time)])
        readings = moments_of(series) or _counted(series)
        if not readings:
            raise DataError(
                "the column holds no times",
                where=f"{table.path}, column '{options.time}'",
                got=first_cell(series),
                expected="dates such as 2021-01-31, or numbers",
            )
        return options.time, readings
    found = {
        name: readings
        for name in names
        if name != options.target and (readings := moments_of(clean(table.frame[name])))
    }
    named = [name for name in found if named_as_time(name)]
    if len(found) != 1 and len(named) == 1:
        found = {named[0]: found[named[0]]}
    if len(found) == 1:
        return next(iter(found.items()))
    if len(found) > 1 and asked:
        raise DataError(
            "several columns hold times",
            where=table.path,
            got=", ".join(f"'{name}'" for name in found),
            fix=f"name one with --time, such as --time {next(iter(found))}",
        )
    return None, []


def _counted(series: pl.Series) -> list[Moments]:
    """A column of numbers that the user calls times."""
    values = numbers(series)
    if values.null_count() > (1 - MOSTLY_NUMBERS) * series.len():
        return []
    return [Moments(values.fill_null(float("nan")).to_numpy().astype(np.float64), "")]


def _clock(table: TableFile, time: str | None, readings: list[Moments], asked: bool) -> tuple[Clock | None, list[str]]:
    """The step of a column of times; None where it has none and nobody asked for a series."""
    if time is None:
        return Clock("number", 1.0, 0.0), [
            "The rows are taken as equal steps, in the order of the file: no column holds times."
        ]
    best: tuple[float, int, Clock] | None = None
    for number, reading in enumerate(readings):
        given = reading.values[np.isfinite(reading.values)]
        moments = np.unique(given)
        if len(moments) < 2:
            continue
        clock = clock_of(moments, reading.form)
        regular = float(clock.fits(moments).mean()) * min(1.0, SPARSE * len(moments) / max(_length(clock, moments), 1))
        candidate = (regular, -number, clock)
        best = candidate if best is None or candidate[:2] > best[:2] else best
        twice = 1 - len(moments) / max(len(given), 1)
        if twice > TWICE:
            if not asked:
                return None, []
            raise DataError(
                "several rows have the same time",
                where=f"{table.path}, column '{time}'",
                got=f"{len(given):,} rows at {len(moments):,} times",
                expected="one row a time; of several series in one table each needs a file of its own",
                fix="--time none reads the file as a table",
            )
    if best is not None and best[0] >= REGULAR:
        return best[2], []
    if not asked:
        return None, []
    raise DataError(
        "the times have no regular step",
        where=f"{table.path}, column '{time}'",
        got="every row at the same time" if best is None else f"{best[0]:.0%} of the rows on equal {best[2].steps}",
        expected=f"{REGULAR:.0%} or more",
        fix="bring the rows to equal steps, leave the column out of the file to take each row as a step, or --time none for a table",
    )


def _length(clock: Clock, moments: npt.NDArray[np.float64]) -> int:
    ends = clock.places(moments[[0, -1]])
    return int(ends[1] - ends[0]) + 1


def _columns(table: TableFile, time: str | None, asked: bool) -> tuple[tuple[Column, ...], list[str], bool]:
    """The columns of values, what is left out, and whether there is one that no series has (text)."""
    columns: list[Column] = []
    notes: list[str] = []
    strange = False
    for name in table.frame.columns:
        if name == time:
            continue
        series = clean(table.frame[name])
        given = series.len() - series.null_count()
        written = table.numerals(name)
        values = numbers(series, written)
        count = values.len() - values.null_count()
        words = set() if series.dtype.is_numeric() else set(series.drop_nulls().str.to_lowercase().unique())
        if given == 0:
            notes.append(f"Column '{name}' is left out: every value is missing.")
        elif words and words <= {"true", "false"}:
            columns.append(Column(name, "bool"))
        elif count < MOSTLY_NUMBERS * given:
            strange = True
            notes.append(f"Column '{name}' is left out: a series is made of numbers.")
        elif values.drop_nulls().n_unique() == 1 and len(table.frame.columns) > 2:
            notes.append(f"Column '{name}' is left out: it never changes.")
        elif time is not None and counts_rows(values):
            notes.append(f"Column '{name}' is left out: it only counts the rows.")
        else:
            columns.append(Column(name, "number", written=written))
            if count < given:
                notes.append(f"Column '{name}': what is no number counts as missing, {given - count:,} times.")
    notes += table.readings([column.source for column in columns if column.kind == "number"])
    if asked and not columns:
        raise DataError(
            "no column of numbers is left to forecast",
            where=table.path,
            got=" ".join(notes),
            expected="numbers that change",
        )
    return tuple(columns), notes, strange


def _targets(table: TableFile, columns: tuple[Column, ...], options: ReadOptions) -> tuple[str, ...]:
    """What is forecast: the columns named, or every column of numbers."""
    able = [column.name for column in columns]
    if options.target is None:
        targets = [column.name for column in columns if column.kind == "number"] or able
    elif options.target in able:
        targets = [options.target]
    else:
        targets = [name.strip() for name in options.target.split(",")]
    absent = [name for name in targets if name not in able]
    if absent:
        raise table.lacks(absent[0], "that can be forecast", able)
    if len(targets) > MOST_TARGETS:
        raise DataError(
            "too many columns to forecast at once",
            where=table.path,
            got=len(targets),
            expected=f"at most {MOST_TARGETS}",
            fix="name some of them, such as --target A,B",
        )
    for name in targets:
        values = table.numbers(name).drop_nulls()
        if values.n_unique() <= 1:
            raise DataError(
                "there is nothing to forecast: the series never changes",
                where=f"{table.path}, column '{name}'",
                got=f"{values[0]:g} in every row" if values.len() else "no number",
                expected="numbers that change, in this column or in one that --target names",
            )
    return tuple(targets)
