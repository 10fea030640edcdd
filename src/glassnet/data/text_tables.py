"""Tables whose input is a column of texts: finding that column, and reading the table as texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from glassnet.data.columns import as_text, counts_rows
from glassnet.data.dataset import Data
from glassnet.data.dates import form_of
from glassnet.data.options import ReadOptions
from glassnet.data.readers.texts import Gathered, data_of
from glassnet.data.table_file import TableFile
from glassnet.errors import DataError

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

LEAST_WORDS = 3.0  # on average; a name or an address has fewer
LEAST_DISTINCT = 0.5  # share of the rows
LABELS = ("label", "labels", "class", "target", "sentiment", "category", "y", "topic", "rating", "stars", "polarity")


def text_column(table: TableFile, options: ReadOptions) -> str | None:
    """The column with the texts: the one asked for, or else the only one that holds texts where no other could be an input.

    Raises:
        DataError: the table has no column of the name asked for.
    """
    names = table.frame.columns
    if options.text is not None:
        if options.text not in names:
            raise table.lacks(options.text, "with texts")
        return options.text
    if options.task == "values":
        return None
    texts = [name for name in names if is_text(table.frame[name])]
    if len(texts) != 1 or texts[0] == options.target:
        return None
    others = [name for name in names if name != texts[0] and not _names_rows(table, name)]
    return texts[0] if len(others) == 1 and options.target in (None, others[0]) else None


def is_text(series: pl.Series) -> bool:
    """Whether a column holds texts: three words or more on average, mostly different ones, and no dates."""
    if series.dtype != pl.String or series.len() == series.null_count():
        return False
    given = series.drop_nulls()
    blanks = given.str.count_matches(r"\S+").mean()
    words = float(blanks) if isinstance(blanks, int | float) else 0.0
    if not (words >= LEAST_WORDS and given.n_unique() >= LEAST_DISTINCT * given.len()):
        return False
    return form_of(given) is None


def texts_of_tables(tables: Mapping[str, TableFile], column: str, options: ReadOptions, name: str, origin: str) -> Data:
    """Tables read as texts with a class each. Rows without a class are left out.

    Raises:
        DataError: no column for the classes, or fewer than two of them.
    """
    train = tables["train"]
    target = options.target or _label_column(train, column)
    gathered, notes, absent = Gathered(), [f"Column '{column}' holds the texts and '{target}' their classes."], 0
    if target not in train.frame.columns:
        raise train.lacks(target, "for the target")
    for part, table in tables.items():
        lacks = [one for one in (column, target) if one not in table.frame.columns]
        if lacks and part != "train":
            notes.append(f"{table.path.name} has no '{lacks[0]}', so it is not used.")
            continue
        values = table.numbers(target)
        labels = as_text(values if values.null_count() == table.frame[target].null_count() else table.frame[target])
        texts = table.frame[column].cast(pl.String)
        for text, label, row in zip(texts.to_list(), labels.to_list(), table.names, strict=True):
            if label is None:
                absent += 1
            else:
                gathered.add(text or "", str(label), row, part)
    if absent:
        notes.append(f"{absent:,} {'row is' if absent == 1 else 'rows are'} left out: the class is missing.")
    return data_of(gathered, options, name=name, origin=origin, each="line", column=column, target=target, notes=notes)


def _label_column(table: TableFile, column: str) -> str:
    others = [name for name in table.frame.columns if name != column and not _names_rows(table, name)]
    named = [name for name in others if name.lower() in LABELS]
    if named or others:
        return (named or others[-1:])[0]
    raise DataError(
        "no column is left for the classes",
        where=table.path,
        got=", ".join(table.frame.columns),
        fix="name one with --target",
    )


def _names_rows(table: TableFile, name: str) -> bool:
    """Whether a column only counts or names the rows."""
    series = table.frame[name]
    if series.null_count() == series.len():
        return True
    values = table.numbers(name)
    if values.null_count() == 0 and counts_rows(values):
        return True
    return series.n_unique() == series.len() > 2 and not is_text(series)
