"""The formats of tables: delimited text, Parquet, JSON records and spreadsheets, as a :class:`~glassnet.data.table_file.TableFile`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.data.columns import MOSTLY_NUMBERS, clean
from glassnet.data.delimited import MAX_COLUMNS, read_delimited
from glassnet.data.json_records import Records, looks_like_records, read_records
from glassnet.data.numerals import Mark, Numerals, numbers, shown, sign_of
from glassnet.data.spreadsheet import read_spreadsheet
from glassnet.data.table_file import TableFile
from glassnet.errors import DataError, fix_to_read, nearest

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".data", ".dat")
PARQUET_SUFFIXES = (".parquet", ".pq")
RECORD_SUFFIXES = (".jsonl", ".ndjson", ".json")
SHEET_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
SUFFIXES = TEXT_SUFFIXES + PARQUET_SUFFIXES + RECORD_SUFFIXES + SHEET_SUFFIXES
EXPECTED = "a table in CSV, TSV, Parquet, JSON lines or a spreadsheet"


def is_table(path: Path) -> bool:
    """Whether a file is a table by its suffix; a ``.txt`` must also show a delimiter in its first line, and a ``.json`` begin as records do."""
    suffix = path.suffix.lower()
    if suffix == ".json" and path.is_file():
        return looks_like_records(path)
    if suffix == ".txt" and path.is_file():
        with path.open("rb") as file:
            return any(mark in file.readline(65536).replace(b"\0", b"") for mark in (b"\t", b";", b",", b"|"))
    return suffix in SUFFIXES


def read_table(path: Path, wanted: Collection[str] = ()) -> TableFile:
    """Read a table of any of the formats.

    Args:
        path: the file.
        wanted: columns of the training file that will be read: see :func:`~glassnet.data.delimited.read_delimited`.

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
            expected=EXPECTED,
            fix=f"did you mean '{path.with_name(near)}'?" if near else None,
        )
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return _read_parquet(path)
    if path.suffix.lower() in RECORD_SUFFIXES:
        return _of_records(path, read_records(path))
    sheet = path.suffix.lower() in SHEET_SUFFIXES
    cells = read_spreadsheet(path, wanted) if sheet else read_delimited(path, wanted)
    frame = pl.DataFrame([clean(column) for column in cells.frame.get_columns()])
    return TableFile(path, frame, cells.lines, cells.delimiter, _marks(frame, cells.delimiter), cells.notes)


def _marks(frame: pl.DataFrame, delimiter: str) -> dict[str, Mark]:
    """The decimal signs that the cells of columns of numbers show."""
    found: dict[str, Mark] = {}
    for series in frame.get_columns():
        mark = shown(series, stops_may_group=delimiter != ",")
        if mark and _mostly_numbers(series, Numerals(mark, sign_of(series))):
            found[series.name] = mark
    return found


def _mostly_numbers(series: pl.Series, written: Numerals) -> bool:
    given = series.len() - series.null_count()
    return numbers(series, written).count() >= MOSTLY_NUMBERS * given


def _of_records(path: Path, records: Records) -> TableFile:
    columns = []
    for name, cells in records.columns.items():
        if all(cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)) for cell in cells):
            series = pl.Series(name, cells, dtype=pl.Float64, strict=False)
        else:
            series = pl.Series(name, [None if cell is None else _word(cell).strip() for cell in cells], dtype=pl.String)
        columns.append(clean(series))
    frame = pl.DataFrame(columns)
    return TableFile(path, frame, records.lines, marks=_marks(frame, ","), notes=records.notes)


def _word(cell: str | float) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


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
    frame = pl.DataFrame(columns)
    return TableFile(path, frame, list(range(1, frame.height + 1)), marks=_marks(frame, ","), notes=tuple(notes))


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
