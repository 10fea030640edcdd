"""A plain text without classes or columns, read as one stream of tokens, of which the next is to be said."""

from __future__ import annotations

from pathlib import Path

import torch

from glassnet.data.dataset import Data, Part
from glassnet.data.naming import name_of
from glassnet.data.options import ReadOptions
from glassnet.data.readers.texts import recognises as has_classes
from glassnet.data.stream import Stream, codes_of, pieces
from glassnet.data.stream_schema import StreamSchema
from glassnet.data.text_files import NoText, read_text, require_text
from glassnet.data.tokens import Unit
from glassnet.data.walk import files_below, shown
from glassnet.errors import DataError

PLAIN = (".txt", ".text", ".md", ".rst")
WINDOW = 100  # tokens; the recipe's train.through_time decides when the text is divided
LOOKED_AT = 20_000  # characters
LEAST_REGULAR = 0.9  # share of lines with equally many separators, from which on a file is a table
FEWEST_LINES = 2


def recognises(path: Path) -> bool:
    """Whether this is a plain text: called so, without a file of labels beside it, and not laid out in columns."""
    if not path.is_file() or path.suffix.lower() not in PLAIN or has_classes(path):
        return False
    try:
        found = read_text(path)
    except NoText:
        return path.stat().st_size == 0 or path.suffix.lower() in (".md", ".rst")
    return not in_columns(found.text[:LOOKED_AT])


def in_columns(text: str) -> bool:
    """Whether nearly all lines have as many tabs, semicolons or commas (one at least), or nothing but numbers."""
    lines = [line for line in text.split("\n")[:-1] or [text] if line.strip()]
    if len(lines) < FEWEST_LINES:
        return False
    for separator in "\t;,":
        counts = [line.count(separator) for line in lines]
        usual = max(set(counts), key=counts.count)
        if usual and counts.count(usual) >= LEAST_REGULAR * len(counts):
            return True
    return all(_numbers(line) for line in lines[1:])


def _numbers(line: str) -> bool:
    try:
        for cell in line.split():
            float(cell)
    except ValueError:
        return False
    return True


def read(path: Path, options: ReadOptions) -> Data:
    """Read a text file, or with the task ``language`` also the text files of a folder, one behind the other in order of their names.

    Raises:
        DataError: a file is no text, or there is nothing in it.
    """
    files = [path] if path.is_file() else files_below(path)
    texts, notes = [], []
    for file in files:
        found = require_text(file, "a file of plain text")
        if found.encoding != "utf-8":
            notes.append(f"{shown(file.name)} is read as {found.encoding}.")
        texts.append(found.text)
    text = "\n".join(texts)
    if not text.strip():
        raise DataError(
            "there is no text in it",
            where=shown(path),
            got="nothing but blanks" if text else "an empty file",
            expected="a file with the text that is to be learnt",
        )
    unit: Unit = "characters" if options.tokens == "auto" else options.tokens
    lexicon: dict[int, str] = {}
    values = codes_of(pieces(text, unit), lexicon)
    stream = Stream(values, min(WINDOW, len(values)), lexicon)
    asked = options.sequence == "language"
    notes.insert(
        0,
        f"{'Read' if asked else 'A plain text without classes or columns: read'} as one text, whose next {unit.removesuffix('s')} is to be said at every step"
        + ("." if asked else "; --task classes or values reads the file as a table.")
        + (" --tokens words takes words for characters." if options.tokens == "auto" else ""),
    )
    targets = torch.zeros(len(stream), 0, dtype=torch.int64)  # known when the vocabulary is: see split_stream
    return Data(
        name=name_of(path),
        origin=str(path),
        task="language",
        classes=(),
        outputs=(f"next {unit.removesuffix('s')}",),
        schema=StreamSchema(unit, WINDOW),
        parts={"train": Part(stream, targets, [""] * len(stream))},
        notes=tuple(notes),
    )
