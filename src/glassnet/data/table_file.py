"""A table on disk, delimited text or Parquet, as named columns with a place for every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassnet.data.columns import Column, clean, encode, written_otherwise
from glassnet.data.delimited import MAX_COLUMNS, read_delimited
from glassnet.errors import DataError, fix_to_read, nearest

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
PARQUET_SUFFIXES = (".parquet", ".pq")
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class TableFile:
    """A table that has been read.

    Attributes:
        path: where it came from.
        frame: its columns with missing values as nulls; numbers or text.
        lines: line in the file (text, the header being line 1) or row (Parquet, counted from 1) of each row.
        decimal_comma: whether a comma in a cell can be a decimal sign.
        notes: decisions worth telling.
    """

    path: Path
    frame: pl.DataFrame
    lines: list[int]
    decimal_comma: bool = False
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
        return TableFile(
            self.path, self.frame.filter(keep), [self.lines[row] for row in chosen], self.decimal_comma, self.notes
        )

    def encode(self, columns: Sequence[Column]) -> npt.NDArray[np.float32]:
        """The raw inputs, float32 (rows, columns), NaN where a value is missing.

        Raises:
            DataError: a number is infinite or beyond float32, or a column of numbers, dates or truths holds none; all such columns at once.
        """
        raw = np.empty((self.frame.height, len(columns)), dtype=np.float32)
        wrong, other = [], dict[str, str]()
        for position, column in enumerate(columns):
            series = self.frame[column.source]
            values = encode(column, series, decimal_comma=self.decimal_comma)
            if column.kind == "number":
                wrong += self._unusable(column, series, values)
                values = np.where(np.abs(values) > LARGEST, np.nan, values)
            elif (what := written_otherwise(column, series)) is not None:
                row = int(series.is_not_null().arg_max() or 0)
                other[column.source] = (
                    f"column '{column.source}' has no {what} at all, for example '{series[row]}' in row {self.lines[row]}"
                )
            raw[:, position] = values
        if other:
            raise DataError(
                f"{len(other)} column{'s are' if len(other) > 1 else ' is'} not written as in the training part",
                where=self.path,
                got="; ".join(list(other.values())[:10]) + (" …" if len(other) > 10 else ""),
                expected="the same way of writing, or an empty cell where a value is missing",
                fix="write these columns as the training part does",
            )
        if wrong:
            raise DataError(
                f"{len(wrong)} column{'s hold' if len(wrong) > 1 else ' holds'} what is no number",
                where=self.path,
                got="; ".join(wrong[:10]) + (" …" if len(wrong) > 10 else ""),
                expected="finite numbers, or an empty cell where a value is missing",
                fix="correct these cells or empty them",
            )
        return raw

    def _unusable(self, column: Column, series: pl.Series, values: npt.NDArray[np.float64]) -> list[str]:
        if series.null_count() < series.len() and np.isnan(values).all():
            row = int(series.is_not_null().arg_max() or 0)
            return [
                f"column '{column.source}' has no number at all, for example '{series[row]}' in row {self.lines[row]}"
            ]
        found = np.flatnonzero(np.abs(values) > LARGEST)
        if not len(found):
            return []
        told = ", ".join(f"'{series[int(row)]}' in row {self.lines[row]}" for row in found[:3])
        return [f"column '{column.source}': {told}{' …' if len(found) > 3 else ''}"]


def is_table(path: Path) -> bool:
    """Whether a file is a table by its suffix; a ``.txt`` must also show a delimiter in its first line."""
    suffix = path.suffix.lower()
    if suffix == ".txt" and path.is_file():
        with path.open("rb") as file:
            return any(mark in file.readline(65536).replace(b"\0", b"") for mark in (b"\t", b";", b",", b"|"))
    return suffix in TEXT_SUFFIXES + PARQUET_SUFFIXES


def read_table(path: Path) -> TableFile:
    """Read a table of either format.

    Raises:
        DataError: it is absent or cannot be read as a table.
    """
    if not path.is_file():
        problem = "this is no file" if path.exists() else "no such file"
        beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() and not path.exists() else []
        near = nearest(path.name, beside)
        raise DataError(
            problem,
            where=path,
            expected="a table in CSV, TSV or Parquet",
            fix=f"did you mean '{path.with_name(near)}'?" if near else None,
        )
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return _read_parquet(path)
    cells = read_delimited(path)
    frame = pl.DataFrame([clean(column) for column in cells.frame.get_columns()])
    return TableFile(path, frame, cells.lines, cells.decimal_comma, cells.notes)


def _read_parquet(path: Path) -> TableFile:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            "the Parquet file cannot be read",
            where=path,
            got=reason,
            fix=fix_to_read(error, path, "copy it again from where it came from, or export the table as CSV"),
        ) from error
    if frame.height == 0 or frame.width == 0:
        raise DataError(
            "the table is empty",
            where=path,
            got=f"{frame.height} rows, {frame.width} columns",
            expected="named columns and a row for each sample",
        )
    if frame.width > MAX_COLUMNS:
        raise DataError(
            "too many columns for a table", where=path, got=frame.width, expected=f"at most {MAX_COLUMNS:,}"
        )
    columns, notes = [], []
    for series in frame.get_columns():
        plain = _plain(series)
        if plain is None:
            notes.append(f"Column '{series.name}' is left out: values of type {series.dtype} are no numbers or text.")
        else:
            columns.append(clean(plain))
    return TableFile(path, pl.DataFrame(columns), list(range(1, frame.height + 1)), notes=tuple(notes))


def _plain(series: pl.Series) -> pl.Series | None:
    if series.dtype.is_numeric():
        return series.cast(pl.Float64)
    if series.dtype == pl.Boolean or series.dtype in (pl.String, pl.Categorical, pl.Enum):
        return series.cast(pl.String).str.strip_chars()
    if series.dtype == pl.Null:
        return series.cast(pl.String)
    if series.dtype == pl.Date:
        return series.dt.strftime("%Y-%m-%d")
    if series.dtype == pl.Datetime:
        return series.dt.strftime("%Y-%m-%d %H:%M:%S")
    return None
