"""Tables whose input is a column of texts: finding that column, and reading the table as texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from glassnet.data.columns import Column, Reading, as_text, counts_rows
from glassnet.data.dataset import Data
from glassnet.data.dates import form_of
from glassnet.data.options import ReadOptions
from glassnet.data.readers.texts import Gathered, data_of
from glassnet.data.table_file import TableFile
from glassnet.data.target import MAX_INTEGER_CLASSES, choose_target
from glassnet.data.words_told import words_of
from glassnet.errors import DataError

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

LEAST_WORDS = 3.0  # on average; a name or an address has fewer
LEAST_DISTINCT = 0.5  # share of the rows
SENTENCE = 8.0  # words on average
FEW_BESIDE = 3  # columns that are left out for sentences
NO_TEXT = "none"
LABELS = ("label", "labels", "class", "target", "sentiment", "category", "y", "topic", "rating", "stars", "polarity")


def text_column(table: TableFile, options: ReadOptions) -> str | None:
    """The column with the texts: the one asked for, or else the only one that holds texts of which the classes can be told, where no other column could be an input, or few beside sentences.

    Raises:
        DataError: the table has no column of the name asked for.
    """
    names = table.frame.columns
    if options.text is not None and not (options.text == NO_TEXT and NO_TEXT not in names):
        if options.text not in names:
            raise table.lacks(options.text, "with texts")
        return options.text
    if options.task == "values" or options.text is not None:
        return None
    texts = [name for name in names if is_text(table.frame[name])]
    if len(texts) != 1 or texts[0] == options.target:
        return None
    others = _others(table, texts[0])
    if not others or len(others) - 1 > (FEW_BESIDE if _words(table.frame[texts[0]]) >= SENTENCE else 0):
        return None
    target = options.target or _label_column(table, texts[0])
    return texts[0] if target in others and _names_classes(table, target, options) else None


def is_text(series: pl.Series) -> bool:
    """Whether a column holds texts: three words or more on average, mostly different ones, and no dates."""
    if series.dtype != pl.String or series.len() == series.null_count():
        return False
    given = series.drop_nulls()
    if not (_words(given) >= LEAST_WORDS and given.n_unique() >= LEAST_DISTINCT * given.len()):
        return False
    return form_of(given) is None


def _words(series: pl.Series) -> float:
    """Words of a cell on average."""
    blanks = series.drop_nulls().str.count_matches(r"\S+").mean()
    return float(blanks) if isinstance(blanks, int | float) else 0.0


def _names_classes(table: TableFile, name: str, options: ReadOptions) -> bool:
    """Whether a column can be learnt as classes: as a table's target can, or by few different values, such as −1 and 1."""
    if 2 <= table.frame[name].drop_nulls().n_unique() <= MAX_INTEGER_CLASSES:
        return True
    try:
        return choose_target(table, name, options.task)[0].task == "classes"
    except DataError:
        return False


def text_told(series: pl.Series, task: str) -> Reading | None:
    """A column of text among others as the words that many of its cells have; None where there are none such, as of ids."""
    if series.dtype != pl.String or not (found := words_of(series)):
        return None
    some = ", ".join(f"'{word}'" for word in found[:3])
    told = (
        f"is text, and read as whether {len(found)} words occur in it, such as {some}"
        if len(found) > 1
        else f"is text, and read as whether {some} occurs in it"
    )
    columns = tuple(Column(series.name, "word", (word,)) for word in found)
    alone = f"; --text '{series.name}' reads these texts alone" if task == "classes" and is_text(series) else ""
    return Reading(columns, f"Column '{series.name}' {told}{alone}.")


def texts_of_tables(tables: Mapping[str, TableFile], column: str, options: ReadOptions, name: str, origin: str) -> Data:
    """Tables read as texts with a class each. Rows without a class are left out.

    Raises:
        DataError: no column for the classes, or fewer than two of them.
    """
    train = tables["train"]
    target = options.target or _label_column(train, column)
    gathered, absent = Gathered(), 0
    notes = [f"Column '{column}' holds the texts and '{target}' their classes; --target names others."]
    notes += [note for table in tables.values() for note in table.notes]
    if beside := [f"'{name}'" for name in _others(train, column) if name != target]:
        notes += [
            f"Beside the texts {', '.join(beside)} {'is' if len(beside) == 1 else 'are'} not read; --text {NO_TEXT} reads all columns, and of the texts single words."
        ]
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


def _others(table: TableFile, column: str) -> list[str]:
    """The columns beside the texts that say something."""
    return [name for name in table.frame.columns if name != column and not _names_rows(table, name)]


def _label_column(table: TableFile, column: str) -> str:
    others = _others(table, column)
    named = [name for name in others if name.lower() in LABELS]
    if named or others:
        return (named or others)[-1]
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
