"""What a column of a table means: a number, a yes or no, one of some categories, a part of a date, or a word of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from glassnet.data.dates import form_of, is_iso, part_of, told
from glassnet.data.numerals import PLAIN, UNKNOWN, Numerals, numbers
from glassnet.data.rounding import merged

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

Kind = Literal["number", "bool", "category", "year", "month", "day", "weekday", "hour", "word"]
DATE_PARTS: tuple[Kind, ...] = ("year", "month", "day", "weekday", "hour")
MISSING = ("", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nat")
TRUTHS = {"false": 0.0, "true": 1.0, "0": 0.0, "1": 1.0}
MAX_LEVELS = 1000
FEW_LEVELS = 10
MOSTLY_NUMBERS = 0.9
ROW_COUNTER_LEAST = 20
FEWEST_OF_A_CODE = 4  # rows of a postcode on average, of which a network may learn what is special about it


@dataclass(frozen=True)
class Column:
    """One input of a network that reads tables.

    Attributes:
        source: name of the column in the file.
        kind: how its cells become numbers. ``category`` becomes the index in ``levels``, ``bool`` 0 or 1, a part of a date its usual
            number (weekday: Monday 1 to Sunday 7), ``word`` 1 where the cell's text has the word in ``levels`` and else 0.
        levels: the categories in alphanumeric order, or the word; empty for the other kinds.
        written: how its numbers are written, as far as the training file tells.
        form: strftime pattern of its dates, where they are not written as in ISO 8601.
    """

    source: str
    kind: Kind
    levels: tuple[str, ...] = ()
    written: Numerals = UNKNOWN
    form: str = ""

    @property
    def name(self) -> str:
        """What to call it: the source's name, followed by the part for a date, or by the word."""
        if self.kind == "word":
            return f"{self.source}: {self.levels[0]}"
        return f"{self.source} {self.kind}" if self.kind in DATE_PARTS else self.source

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        levels = {"levels": list(self.levels)} if self.levels else {}
        form = {"form": self.form} if self.form else {}
        return {"source": self.source, "kind": self.kind} | levels | self.written.to_json() | form

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Column:
        """The column that :meth:`to_json` described."""
        levels, form = tuple(values.get("levels", ())), str(values.get("form", ""))
        return cls(values["source"], values["kind"], levels, Numerals.from_json(values), form)


@dataclass(frozen=True)
class Reading:
    """What a column of a training file was taken for.

    Attributes:
        columns: none where it is left out, several for a date or a text, one otherwise.
        note: a sentence for the user where something was decided.
    """

    columns: tuple[Column, ...]
    note: str | None = None


def clean(series: pl.Series) -> pl.Series:
    """The column with missing values as nulls: text whose lower case is in ``MISSING``, and undefined numbers."""
    if series.dtype.is_numeric():
        return series.cast(pl.Float64).fill_nan(None)
    missing = series.str.to_lowercase().is_in(list(MISSING)).fill_null(value=True)
    return pl.select(pl.when(~missing).then(series)).to_series().alias(series.name)


def infer(series: pl.Series, lines: list[int], written: Numerals = PLAIN) -> Reading:
    """Decide what a cleaned column of a training file means.

    Args:
        series: the column after :func:`clean`.
        lines: line of each row, for the notes.
        written: how its numbers are written, if it holds any.
    """
    name, given = series.name, series.len() - series.null_count()
    if given == 0:
        return Reading((), f"Column '{name}' is left out: every value is missing.")
    distinct = series.drop_nulls().n_unique()
    if distinct == 1 and given == series.len():
        return Reading((), f"Column '{name}' is left out: it is '{series[0]}' in every row.")
    values = numbers(series, written)
    count = values.len() - values.null_count()
    if count == given:
        if counts_rows(values):
            return Reading((), f"Column '{name}' is left out: it only counts the rows.")
        if (code := _code(series)) is not None and distinct <= max(FEW_LEVELS, given // FEWEST_OF_A_CODE, 1):
            codes = tuple(sorted(series.drop_nulls().unique().to_list()))
            told_so = f"Column '{name}' is read as categories: its cells are codes such as '{code}', and no numbers."
            return Reading((Column(name, "category", codes),), told_so)
        return Reading((Column(name, "number", written=written),), _told_merged(name, values))
    levels = series.drop_nulls().unique()
    if set(levels.str.to_lowercase()) <= {"true", "false"}:
        return Reading((Column(name, "bool"),))
    if is_iso(levels):
        return _date(series)
    if count < MOSTLY_NUMBERS * given and (dates := form_of(series)) is not None:
        return _date(series, dates[0], unsure=dates[1])
    if count >= MOSTLY_NUMBERS * given:
        odd = (series.is_not_null() & values.is_null()).arg_true().to_list()
        note = (
            f"Column '{name}': {len(odd)} values are no numbers and count as missing: {some_cells(series, odd, lines)}."
        )
        return Reading((Column(name, "number", written=written),), note)
    if distinct == given or distinct > min(max(FEW_LEVELS, given // 2), MAX_LEVELS):
        seen = "different in every row" if distinct == given else f"{distinct:,} different values in {given:,} rows"
        return Reading((), f"Column '{name}' is left out: text that is {seen}, such as an id or free text.")
    return Reading((Column(name, "category", tuple(sorted(levels.to_list()))),))


def _code(series: pl.Series) -> str | None:
    """A cell with a leading zero, such as the postcode 01067, where all are digits and equally many, four or more; else None."""
    if series.dtype.is_numeric():
        return None
    cells = series.drop_nulls()
    lengths = cells.str.len_chars()
    if not cells.str.contains(r"^\d{4,}$").all() or lengths.n_unique() != 1:
        return None
    zeros = cells.filter(cells.str.starts_with("0"))
    return str(zeros[0]) if zeros.len() else None


def some_cells(series: pl.Series, rows: list[int], lines: list[int]) -> str:
    """The first three of some cells, each with its line."""
    return ", ".join(f"'{series[row]}' (row {lines[row]})" for row in rows[:3]) + (" …" if rows[3:] else "")


def _told_merged(name: str, values: pl.Series) -> str | None:
    if merged(values.drop_nulls().to_numpy()) is None:
        return None
    return f"Column '{name}': its numbers differ by less than float32 tells apart, in which networks count; subtract a constant from them, such as the smallest."


def counts_rows(values: pl.Series) -> bool:
    """Whether a column of at least 20 numbers rises by one from row to row."""
    if values.null_count() or values.len() < ROW_COUNTER_LEAST:
        return False
    return bool((values.diff().drop_nulls() == 1.0).all())


def encode(column: Column, series: pl.Series, written: Numerals = PLAIN) -> npt.NDArray[np.float64]:
    """A cleaned column as numbers, float64 (rows,), NaN where it is missing or, for a category, unknown; see :mod:`glassnet.data.words_told` for words."""
    if column.kind == "number":
        values = numbers(series, written)
    elif column.kind in DATE_PARTS:
        values = part_of(series.cast(pl.String), column.kind, column.form)
    elif column.kind == "bool":
        values = as_text(series).str.to_lowercase().replace_strict(list(TRUTHS), list(TRUTHS.values()), default=None)
    else:
        index = [float(number) for number in range(len(column.levels))]
        values = as_text(series).replace_strict(list(column.levels), index, default=None, return_dtype=pl.Float64)
    encoded: npt.NDArray[np.float64] = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return encoded


def written_otherwise(column: Column, series: pl.Series, values: npt.NDArray[np.float64]) -> str | None:
    """What a cleaned column of numbers, dates or truths should hold, where it holds cells and not one of that kind; else None.

    Args:
        column: as the training file has it.
        series: its cells.
        values: what :func:`encode` made of them.
    """
    if series.null_count() == series.len() or column.kind in ("category", "word"):
        return None
    if column.kind in DATE_PARTS:  # a month without a day is a date and has no weekday
        read = any(
            bool(part_of(series.cast(pl.String), part, column.form).is_not_null().any()) for part in ("year", "month")
        )
    else:
        read = not bool(np.isnan(values).all())
    return (
        None
        if read
        else {
            "number": f"number in {unit}" if (unit := column.written.unit) else "number",
            "bool": "TRUE or FALSE",
        }.get(column.kind, f"date written {told(column.form)}" if column.form else "date such as 2021-05-13")
    )


def as_text(series: pl.Series) -> pl.Series:
    """Cells as text, whole numbers without a decimal point, so that 3 in one file and 3.0 in another are the same level."""
    if not series.dtype.is_numeric():
        return series
    whole = bool((series.drop_nulls() == series.drop_nulls().round()).all()) and bool((series.abs() < 2**53).all())
    return series.cast(pl.Int64).cast(pl.String) if whole else series.cast(pl.String)


def _date(series: pl.Series, form: str = "", *, unsure: bool = False) -> Reading:
    parts = []
    for kind in DATE_PARTS:
        values = part_of(series, kind, form)
        if values.drop_nulls().n_unique() > 1:
            parts.append(Column(series.name, kind, form=form))
    read = ", ".join(column.kind for column in parts)
    if not parts:
        return Reading((), f"Column '{series.name}' is left out: it holds one date only.")
    how = f", written {told(form)}," if form else ""
    either = " (days and months could change places; dates such as 2021-05-13 leave no doubt)" if unsure else ""
    return Reading(tuple(parts), f"Column '{series.name}' holds dates{how} and is read as {read}{either}.")
