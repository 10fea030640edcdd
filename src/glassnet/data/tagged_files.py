"""Files of sentences with a tag for each word: a word a line, its columns beside it, an empty line between two sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.text_files import NoText, decoded, lines_of, require_text
from glassnet.data.walk import shown
from glassnet.errors import DataError

SUFFIXES = (".conll", ".conllu", ".conllx", ".conll2003", ".conll2000", ".bio", ".iob", ".iob2", ".bioes", ".tagged")
MAYBE = (".txt", ".tsv", ".tab", ".data", ".dat", "", ".train", ".test", ".dev", ".testa", ".testb", ".valid")
UNIVERSAL = 10  # columns of CoNLL-U, parted by tabs: id, form, lemma, upos, xpos, feats, head, deprel, deps, misc
UNIVERSAL_NAMES = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
DOCUMENT = "-DOCSTART-"
SNIFFED = 1 << 16
LEAST_LINES = 6
MOST_TAGS_SHARE = 0.5  # a column of tags repeats itself; a file of two columns of words does not
NAMED = 5


@dataclass(frozen=True)
class Sentence:
    """Words with their tags.

    Attributes:
        words: none with a blank in it.
        tags: as many.
        line: line of the file on which the first word stands, counted from 1.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class TaggedFile:
    """A file that has been read.

    Attributes:
        sentences: none of them empty.
        column: number of the column of tags, counted from 1.
        columns: how many there are.
        encoding: in which the file was read.
    """

    sentences: tuple[Sentence, ...]
    column: int
    columns: int
    encoding: str


def is_tagged(path: Path) -> bool:
    """Whether a file holds a word a line: by its suffix, or, where that says little, by its first lines."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return path.is_file()
    if suffix not in MAYBE or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            some = file.read(SNIFFED)
            whole = len(some) < SNIFFED
        lines = lines_of(decoded(some).text)
    except (OSError, NoText):
        return False
    lines = lines if whole else lines[:-1]
    rows = [cells_of(line) for line in lines if line.strip() and not line.startswith((DOCUMENT, "#"))]
    if len(rows) < LEAST_LINES or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return False
    inner = "\n".join(lines).strip("\n").split("\n")
    return "" in (line.strip() for line in inner) and len({row[-1] for row in rows}) <= MOST_TAGS_SHARE * len(rows)


def cells_of(line: str) -> list[str]:
    """The columns of a line: parted by tabs where there is one, else by blanks."""
    if "\t" in line:
        return [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
    return line.split()


def read_tagged(path: Path, target: str | None = None) -> TaggedFile:
    """Read a file of tagged words.

    The word is the first column (of CoNLL-U the second), the tag the last (of CoNLL-U the fourth, ``upos``). Lines that begin with ``-DOCSTART-``, comments, and of CoNLL-U
    the lines of several words or none, are passed over.

    Args:
        path: the file.
        target: number of the column of tags, counted from 1, or for CoNLL-U its name.

    Raises:
        DataError: it is no text, holds no sentence, lines differ in their columns, or there is no such column.
    """
    found = require_text(path, "a word a line")
    rows = [(number, cells_of(line)) for number, line in enumerate(lines_of(found.text), start=1)]
    widths = Counter(len(cells) for _, cells in rows if cells and cells != [""])
    if not widths:
        raise DataError(
            "the file holds no sentence",
            where=shown(path),
            got=f"{path.stat().st_size:,} bytes of blanks",
            expected="a word and its tag on each line, with a blank line behind each sentence",
        )
    width = widths.most_common(1)[0][0]
    universal = width == UNIVERSAL and any(cells[0] == "1" and len(cells) == UNIVERSAL for _, cells in rows)
    if width < 2:
        raise DataError(
            "the file has one column only",
            where=shown(path),
            got=f"'{next(cells[0] for _, cells in rows if cells)}' and others",
            expected="a word and its tag on each line",
        )
    column = _column(target, width, path, universal=universal)
    sentences = _sentences(rows, width, column, path, universal=universal)
    if not sentences:
        raise DataError("the file holds no sentence", where=shown(path), expected="a word and its tag on each line")
    return TaggedFile(tuple(sentences), column, width, found.encoding)


def _column(target: str | None, width: int, path: Path, *, universal: bool) -> int:
    if target is None:
        return UNIVERSAL_NAMES.index("upos") + 1 if universal else width
    if universal and target.lower() in UNIVERSAL_NAMES:
        return UNIVERSAL_NAMES.index(target.lower()) + 1
    least = 3 if universal else 2
    if target.isdecimal() and least <= int(target) <= width:
        return int(target)
    raise DataError(
        "there is no such column of tags",
        where=shown(path),
        got=f"--target {target}",
        expected=f"a number from {least} to {width}" + (", or a name such as upos or xpos" if universal else ""),
    )


def _sentences(
    rows: list[tuple[int, list[str]]], width: int, column: int, path: Path, *, universal: bool
) -> list[Sentence]:
    form = 1 if universal else 0
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    odd: list[str] = []
    line = 0

    def end() -> None:
        if words:
            sentences.append(Sentence(tuple(words), tuple(tags), line))
            words.clear()
            tags.clear()

    for number, cells in rows:
        if not any(cells):
            end()
            continue
        if cells[0].startswith(DOCUMENT) or (cells[0].startswith("#") and (universal or len(cells) != width)):
            continue
        if len(cells) != width or not cells[form] or not cells[column - 1]:
            odd.append(f"line {number} has {len(cells)}" if len(cells) != width else f"line {number} has an empty one")
            continue
        if universal and not cells[0].isdecimal():  # 3-4 for a word made of two, 5.1 for one left out
            continue
        line = line if words else number
        words.append(cells[form].replace(" ", "\N{NO-BREAK SPACE}"))
        tags.append(cells[column - 1])
    end()
    if odd:
        raise DataError(
            "lines with another number of columns",
            where=shown(path),
            got=", ".join(odd[:NAMED]) + (f" and {len(odd) - NAMED:,} more" if len(odd) > NAMED else ""),
            expected=f"{width} columns on each line, and an empty line between sentences",
        )
    return sentences
