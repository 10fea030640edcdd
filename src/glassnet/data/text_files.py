"""Files of text: what is text, in which encoding, and what is none."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.walk import files_in, shown
from glassnet.errors import DataError, fix_to_read

TEXT_EXTENSIONS = (".txt", ".text", ".md", ".rst", ".pos", ".neg", "")
LABEL_STEMS = ("labels", "label", "classes", "targets")
SENTENCE_STEMS = ("sentences", "texts", "text", "reviews", "lines", "data", "documents")
LABEL_SUFFIXES = (".labels", ".label", ".lab")
MOST_BYTES = 256 << 20
LOOKED_AT = 64 << 10
MOST_CONTROLS = 0.02  # share of bytes that no text has
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 26, 27} | {127}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class NoText(Exception):  # noqa: N818
    """A file that is no text; its message says why, as a phrase."""


@dataclass(frozen=True)
class ReadText:
    """A file's text, and the encoding that it was read in."""

    text: str
    encoding: str


def read_text(path: Path) -> ReadText:
    """Read a file as text: by its byte order mark, as UTF-8, or else as Windows-1252, in which most of what is not UTF-8 is written.

    Raises:
        NoText: it cannot be read, is too large, or holds what no text has.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise NoText(f"{path.stat().st_size / 1e6:,.0f} MB, too large for one text")
        raw = path.read_bytes()
    except OSError as error:
        raise NoText((error.strerror or "cannot be read").lower()) from error
    return decoded(raw)


def require_text(path: Path, expected: str | None = None) -> ReadText:
    """:func:`read_text` of a file that has to be one.

    Raises:
        DataError: it is no text; tells what was expected.
    """
    try:
        return read_text(path)
    except NoText as error:
        raise DataError(
            "this is no text",
            where=shown(path),
            got=error,
            expected=expected,
            fix=fix_to_read(error, shown(path), "save it as plain text in UTF-8"),
        ) from error


def decoded(raw: bytes) -> ReadText:
    """Bytes as text; see :func:`read_text`.

    Raises:
        NoText: they are none.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return ReadText(raw[len(mark) :].decode(encoding), encoding)
            except UnicodeDecodeError as error:
                raise NoText(f"begins as {encoding} and is not: {error.reason} at byte {error.start:,}") from error
    some = raw[:LOOKED_AT]
    if 0 in some:
        raise NoText("a binary file: it has zero bytes")
    if sum(byte in _CONTROLS for byte in some) > MOST_CONTROLS * len(some):
        raise NoText("a binary file: it has bytes that no text has")
    try:
        return ReadText(raw.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return ReadText(raw.decode("cp1252", errors="replace"), "windows-1252")


def lines_of(text: str) -> list[str]:
    """The lines of a text, cut at line ends alone: unlike ``splitlines`` not at the separators that may stand within a sentence."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def labels_beside(file: Path) -> Path | None:
    """The file of labels that belongs to a file of texts, one a line; None where there is none."""
    if file.suffix.lower() in (*LABEL_SUFFIXES, ".csv", ".tsv", ".parquet", ".jsonl", ".json") or not file.is_file():
        return None
    for other in files_seen(file.parent):
        same = other.stem == file.stem and other.suffix.lower() in LABEL_SUFFIXES
        named = other.suffix == file.suffix and other.stem.lower() in (
            *(f"{file.stem.lower()}{join}{stem}" for join in "-_." for stem in LABEL_STEMS),
            *(LABEL_STEMS if file.stem.lower() in SENTENCE_STEMS else ()),
        )
        if other != file and (same or named):
            return other
    return None


def files_seen(folder: Path) -> list[Path]:
    """The files right inside a folder, in the order of their names; none where it cannot be listed."""
    try:
        return files_in(folder)
    except OSError:
        return []
