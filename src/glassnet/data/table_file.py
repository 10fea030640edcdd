"""A table on disk, delimited text or Parquet, as named columns with a place for every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassnet.data.columns import Column, encode, some_cells, written_otherwise
from glassnet.data.numerals import CURRENCIES, UNKNOWN, Mark, Numerals, commas, example, marked, numbers, sign_of
from glassnet.data.words_told import occurring
from glassnet.errors import DataError, GlassnetError, all_at_once, nearest

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
PARQUET_SUFFIXES = (".parquet", ".pq")
NAMED = 3  # columns whose way of writing numbers is told
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class TableFile:
    """A table that has been read.

    Attributes:
        path: where it came from.
        frame: its columns with missing values as nulls; numbers or text.
        lines: line in the file (text, the header being line 1) or row (Parquet, counted from 1) of each row.
        delimiter: what divides its cells, if it is text.
        marks: the decimal signs of the columns whose cells show it.
        notes: decisions worth telling.
    """

    path: Path
    frame: pl.DataFrame
    lines: list[int]
    delimiter: str = ","
    marks: Mapping[str, Mark] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    @property
    def names(self) -> list[str]:
        """What to call each row, such as ``adult.csv:17``."""
        return [f"{self.path.name}:{line}" for line in self.lines]

    def lacks(self, name: str, what: str, able: Sequence[str] | None = None) -> DataError:
        """The error for a column that somebody asks for and that is not there, with the nearest name or the list of names.

        Args:
            name: that was asked for.
            what: it should be, such as ``for the target``.
            able: the columns that could be it; all without it.
        """
        names = self.frame.columns if able is None else able
        near = nearest(name, names)
        return DataError(
            f"no column '{name}' {what}",
            where=self.path,
            expected=None if near else "one of " + ", ".join(f"'{each}'" for each in names[:40]),
            fix=f"did you mean '{near}'?" if near else None,
        )

    def require(self, names: Sequence[str], problem: str) -> None:
        """Refuse a table without the columns that a model reads.

        Raises:
            DataError: with ``problem`` and all columns that are not there.
        """
        absent = [name for name in names if name not in self.frame.columns]
        if absent:
            hints = [f"'{near}' for '{name}'" for name in absent if (near := nearest(name, self.frame.columns))]
            raise DataError(
                problem,
                where=self.path,
                got="no column " + ", ".join(f"'{name}'" for name in absent),
                expected=", ".join(names),
                fix=f"rename {', '.join(hints)}?" if hints else "add these columns",
            )

    def texts(self, column: str) -> list[str]:
        """The cells of a column as texts, empty where one is missing."""
        cells: list[str] = self.frame[column].cast(pl.String).fill_null("").to_list()
        return cells

    def rows(self, keep: pl.Series) -> TableFile:
        """Only the rows where ``keep`` is true."""
        chosen = keep.arg_true().to_list()
        return replace(self, frame=self.frame.filter(keep), lines=[self.lines[row] for row in chosen])

    def numerals(self, name: str, known: Numerals | None = None) -> Numerals:
        """How a column's numbers are written: as its cells show, else as is known from the training file, else as the other columns of this file, else by custom."""
        series = self.frame[name]
        if series.dtype.is_numeric():
            return known or UNKNOWN
        decimal: Mark = self.marks.get(name, "") or (known.decimal if known else "")
        if not decimal and marked(series):
            decimal = self.mark or ("," if self.delimiter == ";" and commas(series) else ".")
        sign = sign_of(series)
        if known is not None:  # 45% or 45 kg is not what 0.45 or 45 of the training file means, while $5 may be
            sign = known.sign or (sign if sign in CURRENCIES else "")
        return Numerals(decimal, sign)

    @property
    def mark(self) -> Mark:
        """The decimal sign of all columns that show theirs; empty where they differ or none does."""
        found = set(self.marks.values())
        return found.pop() if len(found) == 1 else ""

    def numbers(self, name: str, known: Numerals | None = None) -> pl.Series:
        """The cells of a column as float64, null where they are none."""
        return numbers(self.frame[name], self.numerals(name, known))

    def readings(self, names: Sequence[str]) -> list[str]:
        """One sentence with how numbers of these columns are read, where they are not written as in Python or could be meant otherwise; else nothing."""
        doubtful = {name: self.delimiter != "," and name not in self.marks for name in names}
        told = [example(self.frame[name], self.numerals(name), doubtful=doubtful[name]) for name in names]
        found = [read for read in told if read is not None]
        more = f", and {len(found) - NAMED} more columns likewise" if len(found) > NAMED else ""
        return [f"{self.path.name}: {', '.join(found[:NAMED])}{more}."] if found else []

    def encode(self, columns: Sequence[Column]) -> npt.NDArray[np.float32]:
        """The raw inputs, float32 (rows, columns), NaN where a value is missing.

        Raises:
            DataError: a number is infinite or beyond float32, or a column of numbers, dates or truths holds none; all such columns at once.
        """
        raw = np.empty((self.frame.height, len(columns)), dtype=np.float32)
        large, other = [], dict[str, str]()
        elsewhere = self._written_elsewhere(columns)
        for source in dict.fromkeys(column.source for column in columns if column.kind == "word"):
            places = [place for place, each in enumerate(columns) if (each.source, each.kind) == (source, "word")]
            raw[:, places] = occurring(self.frame[source], [columns[place].levels[0] for place in places])
        for position, column in enumerate(columns):
            if column.kind == "word":
                continue
            series = self.frame[column.source]
            known = Numerals(self.mark, column.written.sign) if elsewhere else column.written
            written = self.numerals(column.source, known) if column.kind == "number" else known
            values = encode(column, series, written)
            if (what := written_otherwise(column, series, values)) is not None:
                row = int(series.is_not_null().arg_max() or 0)
                other[column.source] = (
                    f"column '{column.source}' has no {what} at all, for example '{series[row]}' in row {self.lines[row]}"
                )
            rows = np.flatnonzero(np.abs(values) > LARGEST)
            if len(rows):
                told = ", ".join(f"'{series[int(row)]}' in row {self.lines[row]}" for row in rows[:3])
                large.append(f"column '{column.source}': {told}{' …' if len(rows) > 3 else ''}")
                values = np.where(np.abs(values) > LARGEST, np.nan, values)
            raw[:, position] = values
        errors: list[GlassnetError] = []
        if other:
            errors.append(
                DataError(
                    f"{len(other)} column{'s are' if len(other) > 1 else ' is'} not written as in the training part",
                    where=self.path,
                    got=_listed(list(other.values())),
                    expected="the same way of writing, or an empty cell where a value is missing",
                    fix="write these columns as the training part does",
                )
            )
        if large:
            errors.append(
                DataError(
                    f"{len(large)} column{'s hold' if len(large) > 1 else ' holds'} what is no number",
                    where=self.path,
                    got=_listed(large),
                    expected="finite numbers, or an empty cell where a value is missing",
                    fix="correct these cells or empty them",
                )
            )
        if errors:
            raise all_at_once(errors)
        return raw

    def _written_elsewhere(self, columns: Sequence[Column]) -> bool:
        """Whether every column that shows its decimal sign shows another one than in the training file: then those that do not show theirs have the other one too."""
        pairs = [(self.marks[each.source], each.written.decimal) for each in columns if each.source in self.marks]
        both = [(own, known) for own, known in pairs if known]
        return bool(both) and all(own != known for own, known in both)

    def unfit(self, columns: Sequence[Column], raw: npt.NDArray[np.float32]) -> list[str]:
        """A sentence for each column with cells that count as missing although something stands there: unknown categories, and what is no number.

        Args:
            columns: that are read.
            raw: what :meth:`encode` made of them.
        """
        told = []
        for source in dict.fromkeys(column.source for column in columns):
            places = [place for place, column in enumerate(columns) if column.source == source]
            series = self.frame[source]
            rows = np.flatnonzero(series.is_not_null().to_numpy() & np.isnan(raw[:, places]).all(axis=1)).tolist()
            if rows:
                kind = columns[places[0]].kind
                what = {
                    "number": ("number", "numbers"),
                    "bool": ("TRUE or FALSE", "TRUE or FALSE"),
                    "category": ("category of the training file", "categories of the training file"),
                }.get(kind, ("date", "dates"))[len(rows) > 1]
                told.append(
                    f"{self.path.name}, column '{source}': {len(rows):,} {'cell is no' if len(rows) == 1 else 'cells are no'} {what} and"
                    f" {'counts' if len(rows) == 1 else 'count'} as missing: {some_cells(series, rows, self.lines)}."
                )
        return told


def _listed(columns: list[str]) -> str:
    return "; ".join(columns[:10]) + (" …" if len(columns) > 10 else "")
