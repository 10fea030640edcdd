"""How a delimited text is written: what divides its cells, and whether quotes enclose them."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = ("\t", ";", "|", ",")
SEPARATOR = re.compile(r"sep=.\s*$", re.IGNORECASE)
SNIFFED_ROWS = 50
SNIFFED_LETTERS = 4 << 20


def sniff(text: str) -> str:
    """The delimiter that divides most of the first rows into as many cells as the first row, a blank between columns of numbers; a comma where none does."""
    best, best_score = ",", (0.0, 0)
    text = text[:SNIFFED_LETTERS]
    for delimiter, plain in (("\t", True), *((each, False) for each in DELIMITERS)):
        reader = reader_of(text, delimiter, plain=plain, strict=False)
        try:
            counts = [len(row) for row in islice(reader, SNIFFED_ROWS) if row]
        except csv.Error:  # a cell beyond the size limit: under this delimiter the text makes no sense
            continue
        if counts and counts[0] > 1:
            score = (sum(count == counts[0] for count in counts) / len(counts), counts[0])
            if score > best_score:
                best, best_score = delimiter, score
    return " " if (best == "\t" or best_score == (0.0, 0)) and _divided_by_blanks(text) else best


def without_comments(text: str) -> tuple[str, list[str]]:
    """The text with the lines of comments above its table left empty, and these lines: what begins with ``#``, and the ``sep=;`` of spreadsheet programs.

    A line of names may itself begin with a mark (``# x,y,z``, as NumPy writes it, or a column called ``#``): then it has as many cells as the line below it.
    """
    start = text[:SNIFFED_LETTERS].splitlines(keepends=True)
    above = list(takewhile(lambda line: not line.strip() or line.startswith("#") or SEPARATOR.match(line), start))
    if not above or len(above) == len(start):
        return text, []
    rest = text[sum(map(len, above)) :]
    mark = sniff(rest)
    divider = None if mark == " " else mark
    if above[-1].startswith("#") and len(above[-1][1:].split(divider)) == len(rest.splitlines()[0].split(divider)) > 1:
        names = above.pop()
        rest = (names if names[1:].lstrip().startswith(mark) else names[1:].lstrip()) + rest
    comments = [line.strip() for line in above if line.strip()]
    return "\n" * len(above) + rest, comments


def quotes_are_letters(text: str) -> bool:
    """Whether cells divided by tabs are not enclosed in quotes, as in most files of sentences: with quotes as letters every line has as many cells as the first, and there are more rows than with quotes that enclose, or those do not close."""
    try:
        widths = [len(row) for row in reader_of(text, "\t", plain=True) if row]
    except csv.Error:
        return False
    if len(set(widths)) != 1:
        return False
    try:
        return sum(1 for row in reader_of(text, "\t") if row) < len(widths)
    except csv.Error:
        return True


def reader_of(text: str, delimiter: str, *, plain: bool = False, strict: bool = True) -> Reader:
    """The rows of a text; ``plain`` takes quotes as they stand, ``strict`` refuses those that do not close."""
    lines = io.StringIO(text, newline="")
    if plain:
        return csv.reader(lines, delimiter=delimiter, strict=strict, skipinitialspace=True, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, strict=strict, skipinitialspace=True)


def number_in(cell: str) -> float | None:
    """The number that a cell is, with a decimal point or comma, or None."""
    try:
        return float(cell.replace(",", ".")) if cell and "_" not in cell else None
    except ValueError:
        return None


def _divided_by_blanks(text: str) -> bool:
    """Whether a file is a table with blanks between its cells, most of which are numbers; before a name there may be a tab."""
    lines = [line.strip() for line in islice(io.StringIO(text), SNIFFED_ROWS) if line.strip()]
    try:
        rows = list(reader_of("\n".join(line.replace("\t", " ") for line in lines), " ", strict=False))
    except csv.Error:
        return False
    if len(rows) < 2 or len({len(row) for row in rows}) != 1:
        return False
    if not all(2 * sum(number_in(cell) is not None for cell in row) >= len(row) for row in rows[1:]):
        return False
    # Tabs alone divide cells too, and a cell may hold words, but not two numbers.
    return all(any(_two_numbers(cell) for cell in line.split("\t")) for line in lines[1:])


def _two_numbers(cell: str) -> bool:
    return sum(number_in(part) is not None for part in cell.split()) > 1
