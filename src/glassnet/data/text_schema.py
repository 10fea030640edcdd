"""How a text looks to a network, and how to read new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from glassnet.data.dataset import Source
from glassnet.data.given import left_out_told, place_of, read_all
from glassnet.data.ragged import Ragged
from glassnet.data.table_formats import is_table, read_table
from glassnet.data.text_files import lines_of, require_text
from glassnet.data.tokens import Unit, encode
from glassnet.data.walk import files_below, shown
from glassnet.errors import DataError, GlassnetError, all_at_once

SHOWN = 60  # characters of a text that stand for its name


@dataclass(frozen=True)
class TextSchema:
    """Texts, cut into words or characters.

    A raw input is int64 (tokens,): see :mod:`glassnet.data.tokens`.

    Attributes:
        unit: what a token is.
        each: what one text is in a file: the whole ``file``, or a ``line`` of it.
        column: the column of a table that holds the texts; None where they did not come from a table.
        longest: tokens of the longest text of the training file.
    """

    unit: Unit
    each: Literal["file", "line"]
    column: str | None
    longest: int

    @property
    def kind(self) -> str:
        """``text``."""
        return "text"

    @property
    def shape(self) -> tuple[int, ...]:
        """(tokens of the longest text,); others are shorter."""
        return (self.longest,)

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Texts for prediction.

        Args:
            paths: files (each one text, or a text a line, as in the training data), tables with the column that was trained on, folders of text
                files, or texts themselves: what is no file and does not look like the path of one.

        Raises:
            DataError: a file is absent, is no text, or a table lacks the column; all such at once. In a folder such files are left out and told, as long as there are others.
        """
        left_out: list[GlassnetError] = []
        found = read_all(
            paths, lambda given: self._read(given, left_out), "no text was given", "a text, or files of text"
        )
        lexicon: dict[int, str] = {}
        texts = Ragged.of([encode(text, self.unit, lexicon) for _, text in found], lexicon)
        return [name for name, _ in found], replace(texts, notes=left_out_told(left_out))

    def _read(self, given: str, left_out: list[GlassnetError]) -> list[tuple[str, str]]:
        path = place_of(given, "a file, a folder, or a text in quotes", folders=True)
        if path is None:
            if not given.strip():
                raise DataError("the text is empty", got=repr(given), expected="at least one word")
            return [(_short(given), given)]
        if path.is_dir():
            files = files_below(path)
            if not files:
                raise DataError("the folder is empty", where=shown(given), expected="text files in it")
            texts: list[tuple[str, str]] = []
            wrong: list[GlassnetError] = []
            for file in files:
                try:
                    texts += self._of_file(file)
                except DataError as error:
                    wrong.append(error)
            if not texts:
                raise all_at_once(wrong)
            left_out += wrong
            return texts
        return self._of_file(path)

    def _of_file(self, path: Path) -> list[tuple[str, str]]:
        if is_table(path) and (self.column is not None or path.suffix.lower() != ".txt"):
            return self._of_table(path)
        text = require_text(path).text
        if self.each == "file" and self.column is None:
            found = [(shown(path.name), text)]
        else:
            found = [(f"{shown(path.name)}:{number}", line) for number, line in enumerate(lines_of(text), start=1)]
        found = [(name, text) for name, text in found if text.strip()]
        if not found:
            raise DataError(
                "the file holds no text",
                where=shown(path),
                got=f"{path.stat().st_size:,} bytes of blanks",
                expected="at least one word",
            )
        return found

    def _of_table(self, path: Path) -> list[tuple[str, str]]:
        table = read_table(path, [self.column] if self.column else ())
        column = self.column or ("text" if "text" in table.frame.columns else table.frame.columns[0])
        table.require([column], "the table lacks the column with the texts")
        return list(zip(table.names, table.texts(column), strict=True))

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "text", "unit": self.unit, "each": self.each, "column": self.column, "longest": self.longest}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TextSchema:
        """The schema that :meth:`to_json` described.

        Raises:
            ValueError: it names no such unit.
        """
        if values["unit"] not in ("words", "characters") or values["each"] not in ("file", "line"):
            raise ValueError(f"texts of {values['unit']!r}, one a {values['each']!r}")
        return cls(values["unit"], values["each"], values["column"], int(values["longest"]))


def _short(text: str) -> str:
    line = " ".join(shown(text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
