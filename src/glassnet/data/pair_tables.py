"""Tables of two columns, the one a translation of the other: finding them, and reading the table as pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import torch

from glassnet.data.dataset import Data, Part
from glassnet.data.numerals import numbers
from glassnet.data.options import ReadOptions
from glassnet.data.pair_schema import PairSchema
from glassnet.data.pairs import MARKS, Pairs, known_of, pairs_of, ragged, targets_of
from glassnet.data.table_file import TableFile
from glassnet.data.tokens import Unit
from glassnet.data.unreadable import Unreadable
from glassnet.errors import DataError, nearest

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

LEAST_DISTINCT = 0.5  # share of the rows, of both columns, from which on they are taken for translations
LEAST_ROWS = 20
SHORT = 40  # characters on average, up to which texts are cut into characters


def pair_columns(table: TableFile, options: ReadOptions) -> tuple[str, str] | None:
    """What is translated and into what: asked for as a task, or the only two columns, both of mostly different texts.

    Raises:
        DataError: asked for, and the table has fewer than two columns, or not those that are named.
    """
    names = table.frame.columns
    if options.sequence == "translation":
        wrong = [name for name in (options.text, options.target) if name is not None and name not in names]
        if wrong or len(names) < 2:
            near = nearest(wrong[0], names) if wrong else None
            raise DataError(
                f"no column '{wrong[0]}'" if wrong else "a translation needs two columns",
                where=table.path,
                got=", ".join(f"'{name}'" for name in names[:20]),
                expected="a column to read (--text) and one to write (--target)",
                fix=f"did you mean '{near}'?" if near else None,
            )
        read = options.text or next(name for name in names if name != options.target)
        return read, options.target or next(name for name in names if name != read)
    if options.task != "auto" or len(names) != 2 or table.frame.height < LEAST_ROWS:
        return None
    if any(not _texts(table.frame[name], table) for name in names):
        return None
    first, second = names if options.target != names[0] else names[::-1]
    return (first, second) if options.text in (None, first) else (second, first)


def _texts(series: pl.Series, table: TableFile) -> bool:
    if series.dtype != pl.String or series.null_count() == series.len():
        return False
    given = series.drop_nulls()
    mostly = numbers(given, table.numerals(series.name))
    return given.n_unique() >= LEAST_DISTINCT * given.len() and mostly.null_count() > LEAST_DISTINCT * given.len()


def pairs_of_tables(
    tables: Mapping[str, TableFile], columns: tuple[str, str], options: ReadOptions, name: str, origin: str
) -> Data:
    """Tables read as pairs. Rows in which one of the two is empty are left out, and named.

    Raises:
        DataError: a part has no pair.
    """
    rows: dict[str, tuple[list[str], list[str], list[str]]] = {}
    left_out: list[Unreadable] = []
    for part, table in tables.items():
        table.require(columns, "the table lacks a column")
        read, written, names = [], [], []
        for first, second, row in zip(*(table.texts(column) for column in columns), table.names, strict=True):
            if not first.strip() or not second.strip():
                left_out.append(Unreadable(row, f"column '{columns[bool(first.strip())]}' is empty"))
                continue
            read.append(first)
            written.append(second)
            names.append(row)
        if not names:
            raise DataError(
                "there is no pair in which nothing is empty",
                where=table.path,
                expected=f"a row with a text in both '{columns[0]}' and '{columns[1]}'",
            )
        rows[part] = (read, written, names)
    units = (_unit(rows["train"][0], options), _unit(rows["train"][1], options))
    parts = {part: _part(*texts, units) for part, texts in rows.items()}
    first = pairs_of(parts["train"].inputs)
    assert first is not None
    pairs = first[0]
    longest = (int(pairs.read.lengths.max()), 0 if pairs.written is None else int(pairs.written.lengths.max()))
    told = (
        f"{units[0]} are read and {units[1]} are written" if units[0] != units[1] else f"both are cut into {units[0]}"
    )
    return Data(
        name=name,
        origin=origin,
        task="translation",
        classes=(),
        outputs=(columns[1],),
        schema=PairSchema(units, columns, longest),
        parts=parts,
        notes=(
            f"Column '{columns[0]}' is translated into '{columns[1]}'; {told} (--tokens decides otherwise, --task classes or values reads a table).",
        ),
        unreadable=tuple(left_out),
    )


def _unit(texts: Sequence[str], options: ReadOptions) -> Unit:
    if options.tokens != "auto":
        return options.tokens
    return "characters" if sum(map(len, texts)) <= SHORT * len(texts) else "words"


def _part(read: list[str], written: list[str], names: list[str], units: tuple[Unit, Unit]) -> Part:
    lexicons: tuple[dict[int, str], dict[int, str]] = ({}, {})
    pairs = Pairs(ragged(read, units[0], lexicons[0]), ragged(written, units[1], lexicons[1]))
    return Part(pairs, torch.zeros(len(names), 0, dtype=torch.int64), names)  # known when the vocabulary is


def with_vocabulary(data: Data) -> Data:
    """Divided pairs with the vocabularies of their training part, and with their targets.

    Raises:
        DataError: no word of the training part occurs twice.
    """
    schema = cast(PairSchema, data.schema)
    found = {name: pairs_of(part.inputs) for name, part in data.parts.items()}
    train, index = cast(tuple[Pairs, torch.Tensor], found["train"])
    assert train.written is not None, "pairs to learn from have both sides"
    known = (known_of(train.read, index, schema.units[0]), known_of(train.written, index, schema.units[1]))
    if not all(known):
        raise DataError("no word occurs twice in the training part", where=data.origin, fix="--tokens characters")
    parts = {}
    for name, part in data.parts.items():
        pairs, places = cast(tuple[Pairs, torch.Tensor], found[name])
        assert pairs.written is not None, "pairs to be measured have both sides"
        parts[name] = replace(part, targets=targets_of(pairs.written, known[1])[places])
    told = f"{len(known[0]):,} different {schema.units[0]} are read and {len(known[1]):,} {schema.units[1]} written, those of the training part."
    return replace(data.with_parts(parts, told), classes=(*MARKS, *known[1]), schema=replace(schema, known=known))
