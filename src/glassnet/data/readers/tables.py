"""CSV, TSV, Parquet and JSON tables: a row a sample, one column the target, the others the inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from glassnet.data.columns import Column, clean, infer
from glassnet.data.dataset import Data, InMemory, Part
from glassnet.data.options import ReadOptions
from glassnet.data.pair_tables import pair_columns, pairs_of_tables
from glassnet.data.parts import OTHERS
from glassnet.data.readers.series import read as read_series
from glassnet.data.series_plan import asked_for, plan_series
from glassnet.data.table_file import TableFile
from glassnet.data.table_formats import RECORD_SUFFIXES, SUFFIXES, is_table, read_table
from glassnet.data.table_schema import TableSchema
from glassnet.data.target import Target, choose_target
from glassnet.data.text_tables import text_column, text_told, texts_of_tables
from glassnet.errors import DataError, GlassnetError, all_at_once

_TRAIN = re.compile(r"^(?P<name>.*?)(?P<join>[-_. ]?)train$", re.IGNORECASE)


def recognises(path: Path) -> bool:
    """Whether this is a table, or a folder whose only table, or whose table called ``train``, can be read."""
    if path.is_dir():
        return _within(path) is not None
    return path.is_file() and is_table(path)


def read(path: Path, options: ReadOptions) -> Data:
    """Read a table and, where they exist, its test and validation tables.

    The test part is ``options.test``, or else a table beside ``NAME-train.csv`` that is called ``NAME-test.csv`` (also ``train.csv``
    and ``test.csv``, or with an underscore); one without targets is passed over and noted. Columns that only the other parts have are
    ignored. What a column means, and the levels of a category, are decided by the training file.

    Args:
        path: the table, or a folder that holds it.
        options: ``target``, ``task``, ``test`` and ``val`` matter here.

    Returns:
        The data with parts ``train`` and, where there are such files, ``val`` and ``test``.

    Raises:
        DataError: what is wrong with the files, all of it at once where one mistake does not hide the others.
    """
    main = _within(path) if path.is_dir() else path
    if main is None:
        raise DataError(
            "the folder holds no table that stands out", where=path, expected="one table, or one called train.csv"
        )
    found = _beside_parts(main, options)
    tables = _read_all({"train": main} | _given_parts(options) | found, least=1 if asked_for(options) else 2)
    train = tables["train"]
    pair = pair_columns(train, options)
    if pair is not None:
        return pairs_of_tables(tables, pair, options, _name(main), str(path))
    column = text_column(train, options)
    if column is not None:
        return texts_of_tables(tables, column, options, _name(main), str(path))
    plan = plan_series(train, options)
    if plan is not None:
        return read_series(tables, plan, options, _name(main), str(path))
    target, target_notes = choose_target(train, options.target, options.task)
    notes = []
    for part in found:
        note, usable = _told(part, tables[part], target, main)
        notes.append(note)
        if not usable:
            del tables[part]
    notes += [note for table in tables.values() for note in table.notes]
    of_train, left_out = _labelled({"train": train}, target)
    columns, column_notes = _columns(of_train["train"], target)
    schema = TableSchema(columns)
    _check_columns(tables, [target.name, *schema.sources])
    others, left_out_of_others = _labelled({part: table for part, table in tables.items() if part != "train"}, target)
    labelled = of_train | others
    parts, missing = _parts(labelled, schema, target)
    numeric = [column.source for column in columns if column.kind == "number"]
    read_as = train.readings(numeric + [target.name] * (target.task == "values"))
    return Data(
        name=_name(main),
        origin=str(path),
        task=target.task,
        classes=target.classes,
        outputs=(target.name,),
        schema=schema,
        parts=parts,
        notes=(*notes, *target_notes, *left_out, *left_out_of_others, *read_as, *column_notes, *missing),
    )


def _within(folder: Path) -> Path | None:
    try:
        files = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
        tables = [file for file in files if file.is_file() and is_table(file)]
        tables = [file for file in tables if file.suffix.lower() not in RECORD_SUFFIXES] or tables
    except OSError:  # a folder or file that may not be read: then there is no table here to read
        return None
    trains = [file for file in tables if _TRAIN.match(file.stem)]
    if len(trains) == 1:
        return trains[0]
    return tables[0] if len(tables) == 1 else None


def _name(path: Path) -> str:
    match = _TRAIN.match(path.stem)
    return (match["name"] if match else path.stem) or path.resolve().parent.name or "table"


def _given_parts(options: ReadOptions) -> dict[str, Path]:
    return {part: Path(given) for part, given in (("val", options.val), ("test", options.test)) if given is not None}


def _beside_parts(main: Path, options: ReadOptions) -> dict[str, Path]:
    given = _given_parts(options)
    found = {part: _beside(main, words) for part, words in OTHERS.items() if part not in given}
    return {part: file for part, file in found.items() if file is not None}


def _told(part: str, table: TableFile, target: Target, main: Path) -> tuple[str, bool]:
    """A note on a table that was found beside the training table, and whether it can measure anything."""
    beside = f"{table.path.name} lies beside {main.name}"
    labelled = target.name in table.frame.columns and not table.frame[target.name].is_null().all()
    if not labelled:
        return f"{beside} and has no '{target.name}' to measure by, so it is not used.", False
    return f"{beside} and is taken as the {'test' if part == 'test' else 'validation'} part.", True


def _beside(main: Path, words: tuple[str, ...]) -> Path | None:
    match = _TRAIN.match(main.stem)
    if match is None:
        return None
    stems = {f"{match['name']}{match['join']}{word}".lower() for word in words}
    for file in sorted(main.resolve().parent.iterdir()):
        if file.stem.lower() in stems and file.suffix.lower() in SUFFIXES and file.is_file():
            return main.parent / file.name
    return None


def _read_all(files: Mapping[str, Path], *, least: int) -> dict[str, TableFile]:
    tables: dict[str, TableFile] = {}
    wrong: list[GlassnetError] = []
    for part, file in files.items():
        try:
            tables[part] = read_table(file, tables["train"].frame.columns if "train" in tables else ())
        except DataError as error:
            wrong.append(error)
    if wrong:
        raise all_at_once(wrong)
    if tables["train"].frame.width < least:
        raise DataError(
            "the table has one column only",
            where=files["train"],
            got=", ".join(tables["train"].frame.columns),
            expected="input columns and a target column",
            fix="if its rows are the steps of a series: --horizon 1",
        )
    return tables


def _check_columns(tables: Mapping[str, TableFile], needed: list[str]) -> None:
    """Refuse other parts without columns that are read; what is left out of the training part they need not have."""
    known = tables["train"].frame.columns
    expected = [name for name in known if name in needed]
    wrong: list[GlassnetError] = []
    for table in tables.values():
        lacks = [name for name in expected if name not in table.frame.columns]
        more = [name for name in table.frame.columns if name not in known]
        if lacks:
            told = [f"without {_listed(lacks)}"] + ([f"with {_listed(more)}"] if more else [])
            wrong.append(
                DataError(
                    f"the columns of {table.path.name} differ from those of {tables['train'].path.name}",
                    where=table.path,
                    got=", ".join(told),
                    expected=_listed(expected),
                )
            )
    if wrong:
        raise all_at_once(wrong)


def _labelled(tables: Mapping[str, TableFile], target: Target) -> tuple[dict[str, TableFile], list[str]]:
    labelled, notes = {}, []
    for part, table in tables.items():
        given = clean(table.frame[target.name]).is_not_null()
        absent = table.frame.height - int(given.sum())
        if absent == table.frame.height:
            raise DataError(
                "every target is missing",
                where=f"{table.path}, column '{target.name}'",
                fix="fill in the column, or leave this file out and give it to 'glassnet predict' after the training",
            )
        labelled[part] = table.rows(given) if absent else table
        if absent:
            notes.append(
                f"{absent} of {table.frame.height:,} rows of {table.path.name} {'is' if absent == 1 else 'are'} left out: the target is missing."
            )
    return labelled, notes


def _columns(train: TableFile, target: Target) -> tuple[tuple[Column, ...], list[str]]:
    columns: list[Column] = []
    notes: list[str] = []
    for series in train.frame.get_columns():
        if series.name == target.name:
            continue
        reading = infer(series, train.lines, train.numerals(series.name))
        if not reading.columns:
            reading = text_told(series, target.task) or reading
        columns += reading.columns
        if reading.note:
            notes.append(reading.note)
    if not columns:
        raise DataError(
            "no column is left to learn from", where=train.path, got="; ".join(notes), expected="numbers or categories"
        )
    return tuple(columns), notes


def _parts(tables: Mapping[str, TableFile], schema: TableSchema, target: Target) -> tuple[dict[str, Part], list[str]]:
    """The parts, and what in the other parts than ``train`` counts as missing; of that one the columns are noted already."""
    parts: dict[str, Part] = {}
    notes: list[str] = []
    wrong: list[GlassnetError] = []
    for part, table in tables.items():
        found: list[Tensor] = []
        for make in (schema.encode, target.encode):
            try:
                found.append(make(table))
            except DataError as error:
                wrong.append(error)
        if len(found) == 2:
            missing = schema.unfit(table, found[0]) if part != "train" else []
            parts[part] = Part(InMemory(found[0], tuple(missing)), found[1], table.names)
            notes += missing
    if wrong:
        raise all_at_once(wrong)
    return parts, notes


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
