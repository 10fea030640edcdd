"""Delimited text (CSV, TSV and their relatives) into columns of text, with every damage located by line.

Only the shape of the file is settled here: encoding, delimiter, header, equal rows. What a cell means is the matter of
:mod:`glassnet.data.columns`.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.data.dialect import number_in, quotes_are_letters, reader_of, sniff, without_comments
from glassnet.errors import DataError

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

MAX_COLUMNS = 10_000
MAX_LINE = 16 << 20
WORDS_OF_A_NAME = 2
ROWS_PER_CHUNK = 50_000
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Cells:
    """The cells of a table before they mean anything.

    Attributes:
        header: column names, distinct.
        frame: one text column per name, blanks around cells removed.
        lines: the line of the file on which each row ends, counted from 1.
        delimiter: what divides them.
        notes: decisions worth telling.
    """

    header: tuple[str, ...]
    frame: pl.DataFrame
    lines: list[int]
    delimiter: str
    notes: tuple[str, ...]


def read_delimited(path: Path, wanted: Collection[str] = ()) -> Cells:
    """Read a delimited text file.

    The encoding is UTF-8, or UTF-16/32 with a byte order mark or by its pattern of zero bytes, or else Latin-1 (noted). The
    delimiter is the one of tab, ``;``, ``|`` and ``,`` that divides most rows like the first, or else blanks. Where the first line looks like data there is no header, and
    the columns are called ``column 1`` and so on.

    Args:
        path: the file.
        wanted: columns that will be read, of a training file: then the file has a header if that had one.

    Raises:
        DataError: the file is empty, not text, has no header where the training file had one, repeated names, rows of other lengths, or a quote left open.
    """
    text, notes = _decoded(path)
    text, comments = without_comments(text)
    if comments:
        notes.append(left_out_above(path, comments))
    delimiter = sniff(text)
    if delimiter == " ":
        text = "\n".join(line.strip().replace("\t", " ") for line in text.splitlines())
    plain = delimiter == "\t" and '"' in text and quotes_are_letters(text)
    if plain:
        notes.append(f"{path.name}: quotes are taken as they stand, since they do not enclose cells.")
    return named(path, _rows(text, delimiter, path, plain=plain), delimiter, notes, wanted)


def named(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    delimiter: str,
    notes: Sequence[str] = (),
    wanted: Collection[str] = (),
) -> Cells:
    """Rows of cells as columns with names, those of the first row where it holds names.

    Args:
        path: where they come from.
        rows: each with its line, counted from 1.
        delimiter: what divides the cells of a line.
        notes: what was already worth telling.
        wanted: as for :func:`read_delimited`.

    Raises:
        DataError: there is no row, no header where the training file had one, or there are repeated names or rows of other lengths.
    """
    notes = list(notes)
    line, header = next(rows, (0, []))
    header = [cell.strip() for cell in header]
    if not header:
        raise DataError("the table is empty", where=path, expected="a line of column names and then a row a sample")
    _check_width(header, path)
    lines, frame = _gather(rows, header, path)
    evidence = looks_like_data(header, frame) if frame.height else None
    like_training = numbered(wanted, len(header)) and not set(wanted) & set(header)
    if like_training:
        evidence = "as the training file"
    if evidence is not None and (like_training or not (wanted or _may_name(header, frame))):
        first = pl.DataFrame(
            {name: [cell] for name, cell in zip(frame.columns, header, strict=True)}, schema=frame.schema
        )
        frame, lines = pl.concat([first, frame], rechunk=True), [line, *lines]
        header = [numbered_name(place) for place in range(len(header))]
        notes.append(
            f"{path.name} has no line of column names ({evidence}); they are called {header[0]} to {header[-1]}."
        )
        evidence = None
    if frame.height == 0:
        raise DataError(
            "the table has a header and no rows",
            where=path,
            got=f"columns {', '.join(header[:8])}",
            expected="a row for each sample below the column names",
        )
    if evidence is not None:
        raise DataError(
            "no header: the first line looks like data",
            where=f"{path}, line {line}",
            got=delimiter.join(header[:8]) + (f"{delimiter}…" if len(header) > 8 else ""),
            expected=f"a name for each of the {len(header)} columns{', as in the training file' if wanted else ''} ({evidence})",
            fix="put a line of column names at the top of the file",
        )
    names = _names(header, path)
    if delimiter != ",":
        notes.append(f"{path.name} divides its cells by {_spoken(delimiter)}.")
    frame.columns = list(names)
    return Cells(names, frame, lines, delimiter, tuple(notes))


def left_out_above(path: Path, lines: Sequence[str]) -> str:
    """A sentence about titles or comments that stand above a table."""
    told = ", ".join(f"'{line}'" for line in lines[:3]) + (" …" if len(lines) > 3 else "")
    return f"{path.name}: what stands above the table is left out: {told}."


def looks_like_data(header: list[str], frame: pl.DataFrame) -> str | None:
    """Why the first row seems to be data rather than names, or None where it may be a header.

    A cell speaks for data when it is a number above a column of numbers, or a word that occurs again below itself; half of the
    cells must. Numbers in even steps, such as years or 0, 1, 2, …, are taken for names.
    """
    numbers = [number_in(cell) for cell in header]
    found = [value for value in numbers if value is not None]
    steps = {round(after - before, 9) for before, after in pairwise(found)}
    even = len(found) > 1 and len(steps) == 1 and steps != {0.0} and all(value == int(value) for value in found)
    words = repeated = 0
    for cell, value, column in zip(header, numbers, frame.get_columns(), strict=True):
        if value is None and cell:
            words += 1
            repeated += bool((column == cell).any())
    as_numbers = 0 if even else len(found)
    if 2 * (as_numbers + repeated) < max(len([cell for cell in header if cell]), 1):
        return None
    if as_numbers + repeated == 0:
        return None
    told = (
        f"{as_numbers} {'is a number' if as_numbers == 1 else 'are numbers'}"
        if as_numbers
        else f"{repeated} occur{'s' if repeated == 1 else ''} again below"
    )
    return f"of the {len(header)} cells of its first line {told}"


def _may_name(header: list[str], frame: pl.DataFrame) -> bool:
    """Whether a cell of the first row may be a column's name whatever the others are: a word or two that are no number and do not occur again below."""
    columns = zip(header, frame.get_columns(), strict=True)
    words = (column for column in columns if column[0] and number_in(column[0]) is None)
    return any(len(cell.split()) <= WORDS_OF_A_NAME and not (column == cell).any() for cell, column in words)


def numbered_name(place: int) -> str:
    """What a column without a name is called, by its place, counted from 0."""
    return f"column {place + 1}"


def numbered(names: Collection[str], width: int) -> bool:
    """Whether columns have the names of a file without a header; a file of ``width`` columns may lack the last, the target."""
    return bool(names) and set(names) <= {numbered_name(place) for place in range(width + 1)}


def _decoded(path: Path) -> tuple[str, list[str]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            "the table cannot be read",
            where=path,
            got=error.strerror or str(error),
            fix="give yourself the right to read it (chmod u+r), or copy it again from where it came from",
        ) from error
    if not raw.strip():
        raise DataError("the file is empty", where=path, expected="a line of column names and then a row a sample")
    encoding = _encoding(raw)
    notes: list[str] = []
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DataError(
                f"the file begins like {encoding} and then breaks off",
                where=f"{path}, byte {error.start}",
                fix="save it anew as UTF-8",
            ) from error
        text = raw.decode("latin-1")
        notes.append(f"{path.name} is not UTF-8 and was read as Latin-1 (first odd byte at {error.start}).")
    text = text.removeprefix("\ufeff")
    _check_text(text, path)
    return text, notes


def _encoding(raw: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return encoding
    start = raw[:4096]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd > 0.4 * len(start[1::2]) and even == 0:
        return "utf-16-le"
    if even > 0.4 * len(start[::2]) and odd == 0:
        return "utf-16-be"
    return "utf-8"


def _check_text(text: str, path: Path) -> None:
    zero = text.find("\0")
    if zero >= 0:
        raise DataError(
            "the file holds NUL bytes, so it is no text or it is damaged",
            where=f"{path}, line {text.count(chr(10), 0, zero) + 1}",
            expected="a table in CSV, TSV, Parquet, JSON lines or a spreadsheet",
            fix="export the table again as CSV",
        )
    start = text[:4096]
    odd = sum(ord(letter) < 32 and letter not in "\t\r\n\f\v" for letter in start)
    if odd > 0.02 * len(start):
        raise DataError(
            "the file is not text", where=path, expected="a table in CSV, TSV, Parquet, JSON lines or a spreadsheet"
        )
    for line, content in enumerate(io.StringIO(text, newline=""), start=1):
        if len(content) > MAX_LINE:
            raise DataError(
                "a line is too long for a table",
                where=f"{path}, line {line}",
                got=f"{len(content):,} characters",
                expected=f"at most {MAX_LINE:,}",
            )


def _rows(text: str, delimiter: str, path: Path, *, plain: bool = False) -> Iterator[tuple[int, list[str]]]:
    reader = reader_of(text, delimiter, plain=plain)
    before = 0
    try:
        for row in reader:
            before = reader.line_num
            if row and (len(row) > 1 or row[0].strip()):
                yield reader.line_num, row
    except csv.Error as error:
        if "expected after" in str(error):
            problem = f"text follows a closing quote ({error})"
        else:
            problem = "a quote is opened and not closed"
        raise DataError(
            problem,
            where=f"{path}, line {before + 1}",
            got=str(error),
            fix="close the quote, or double the quotes inside a quoted cell",
        ) from error


def _check_width(header: list[str], path: Path) -> None:
    if len(header) > MAX_COLUMNS:
        raise DataError(
            "too many columns for a table",
            where=path,
            got=f"{len(header):,}",
            expected=f"at most {MAX_COLUMNS:,}",
            fix="keep wide numeric data in an .npz file",
        )


def _gather(rows: Iterator[tuple[int, list[str]]], header: list[str], path: Path) -> tuple[list[int], pl.DataFrame]:
    width = len(header)
    ragged: list[tuple[int, int]] = []
    lines: list[int] = []
    frames: list[pl.DataFrame] = []
    schema = {f"column_{number}": pl.String for number in range(width)}
    while chunk := list(islice(rows, ROWS_PER_CHUNK)):
        good = [row for _, row in chunk if len(row) == width]
        ragged += [(line, len(row)) for line, row in chunk if len(row) != width]
        lines += [line for line, row in chunk if len(row) == width]
        columns = zip(*good, strict=True) if good else ([] for _ in range(width))
        frames.append(pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema))
    if ragged:
        told = ", ".join(f"line {line} ({count})" for line, count in ragged[:10])
        raise DataError(
            f"{len(ragged)} row{' has' if len(ragged) == 1 else 's have'} another number of cells than the header",
            where=path,
            got=told + (" …" if len(ragged) > 10 else ""),
            expected=f"{width} cell{'' if width == 1 else 's'} in every row",
            fix='a cell that holds the delimiter must stand in quotes: "a, b"',
        )
    frame = pl.concat(frames, rechunk=True) if frames else pl.DataFrame(schema=schema)
    return lines, frame.select(pl.all().str.strip_chars())


def _names(header: list[str], path: Path) -> tuple[str, ...]:
    names = [cell or numbered_name(place) for place, cell in enumerate(header)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            "column names occur more than once",
            where=path,
            got=", ".join(f"'{name}'" for name in twice[:10]),
            fix="give every column a name of its own",
        )
    return tuple(names)


def _spoken(delimiter: str) -> str:
    return {"\t": "tabs", " ": "blanks"}.get(delimiter, f"'{delimiter}'")
