"""Tables in JSON: a record a line (JSON lines), or a list of records, each with a value for every column."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassnet.data.delimited import MAX_COLUMNS
from glassnet.data.text_files import require_text
from glassnet.errors import DataError

LOOKED_AT = 4096
EXPECTED = 'a record a line, such as {"text": "a fine film", "label": "good"}, or a list of such records'


@dataclass(frozen=True)
class Records:
    """What was read.

    Attributes:
        columns: for every name, in the order in which they first occur, the value in each record, None where it has none.
        lines: the line of each record, or its number where the file is one list; counted from 1.
        notes: what was left out.
    """

    columns: dict[str, list[Any]]
    lines: list[int]
    notes: tuple[str, ...]


def looks_like_records(path: Path) -> bool:
    """Whether a file begins as a list of records does, or as a record that ends on its first line."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = next((line.strip() for line in iter(lambda: file.readline(LOOKED_AT), "") if line.strip()), "")
            second = file.readline(LOOKED_AT).strip()
    except (OSError, UnicodeDecodeError):
        return False
    if first.startswith("["):
        return (first[1:].lstrip() or second).startswith("{")
    return first.startswith("{") and first.endswith("}") and second.startswith("{")


def read_records(path: Path) -> Records:
    """Read a file of records.

    Raises:
        DataError: it is no text or no JSON, a line or an item is no record, or it has none.
    """
    text = require_text(path, EXPECTED).text
    records = list(_items(path, text) if text.lstrip().startswith("[") else _lines(path, text))
    if not any(record for _, record in records):
        raise DataError("the file has no records", where=path, expected=EXPECTED)
    names = list(dict.fromkeys(name for _, record in records for name in record))
    if len(names) > MAX_COLUMNS:
        raise DataError(
            "too many columns for a table", where=path, got=f"{len(names):,}", expected=f"at most {MAX_COLUMNS:,}"
        )
    columns = {name: [record.get(name) for _, record in records] for name in names}
    nested = [name for name, cells in columns.items() if any(isinstance(cell, dict | list) for cell in cells)]
    notes = tuple(f"Column '{name}' is left out: it holds lists or records, no numbers or text." for name in nested)
    if len(nested) == len(names):
        raise DataError("no column holds numbers or text", where=path, got="; ".join(notes[:3]), expected=EXPECTED)
    return Records({name: columns[name] for name in names if name not in nested}, [line for line, _ in records], notes)


def _items(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_json(path, error) from error
    for number, item in enumerate(found, start=1):
        yield number, _record(item, path, f"item {number:,}")


def _lines(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                item = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _no_json(path, error, f", line {number:,}") from error
            yield number, _record(item, path, f"line {number:,}")


def _record(item: object, path: Path, place: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise DataError("this is no record", where=f"{path}, {place}", got=json.dumps(item)[:80], expected=EXPECTED)
    return item


def _no_json(path: Path, error: Exception, place: str = "") -> DataError:
    return DataError("this is not JSON", where=f"{path}{place}", got=str(error), expected=EXPECTED)
