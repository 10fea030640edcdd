"""How a text looks to a network, and how to read new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from glassnet.data.dataset import Source
from glassnet.data.ragged import Ragged
from glassnet.data.table_file import is_table, read_table
from glassnet.data.text_files import NoText, lines_of, read_text
from glassnet.data.tokens import Unit, encode
from glassnet.data.walk import is_litter, shown
from glassnet.errors import DataError, GlassnetError, all_at_once, nearest

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
            DataError: a file is absent, is no text, or a table lacks the column; all such at once.
        """
        names: list[str] = []
        texts: list[str] = []
        wrong: list[GlassnetError] = []
        for given in paths:
            try:
                found = self._read(given)
            except DataError as error:
                wrong.append(error)
                continue
            names += [name for name, _ in found]
            texts += [text for _, text in found]
        if wrong:
            raise all_at_once(wrong)
        if not texts:
            raise DataError("no text was given", expected="a text, or files of text")
        lexicon: dict[int, str] = {}
        return names, Ragged.of([encode(text, self.unit, lexicon) for text in texts], lexicon)

    def _read(self, given: str) -> list[tuple[str, str]]:
        path = Path(given)
        try:
            there = path.exists()
        except (OSError, ValueError):  # too long for a name: then it is a text
            there = False
        if not there:
            if _like_a_path(given):
                raise DataError("no such file", where=shown(given), expected="a file, a folder, or a text in quotes")
            if not given.strip():
                raise DataError("the text is empty", got=repr(given), expected="at least one word")
            return [(_short(given), given)]
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and not is_litter(file.name))
            if not files:
                raise DataError("the folder is empty", where=shown(given))
            return [found for file in files for found in self._of_file(file)]
        return self._of_file(path)

    def _of_file(self, path: Path) -> list[tuple[str, str]]:
        if is_table(path) and (self.column is not None or path.suffix.lower() != ".txt"):
            return self._of_table(path)
        try:
            text = read_text(path).text
        except NoText as error:
            raise DataError("this is no text", where=shown(path), got=error) from error
        if self.each == "file" and self.column is None:
            found = [(shown(path.name), text)]
        else:
            found = [(f"{shown(path.name)}:{number}", line) for number, line in enumerate(lines_of(text), start=1)]
        found = [(name, text) for name, text in found if text.strip()]
        if not found:
            raise DataError("the file holds no text", where=shown(path), got=f"{path.stat().st_size:,} bytes of blanks")
        return found

    def _of_table(self, path: Path) -> list[tuple[str, str]]:
        table = read_table(path)
        column = self.column or ("text" if "text" in table.frame.columns else table.frame.columns[0])
        if column not in table.frame.columns:
            near = nearest(column, table.frame.columns)
            raise DataError(
                "the table lacks the column with the texts",
                where=shown(path),
                got=", ".join(f"'{name}'" for name in table.frame.columns[:20]),
                expected=f"'{column}'",
                fix=f"rename '{near}'?" if near else None,
            )
        texts = table.frame[column].cast(str).fill_null("").to_list()
        return list(zip(table.names, texts, strict=True))

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


def _like_a_path(given: str) -> bool:
    """Whether an argument that is no file was meant to be one: no blank in it, and a folder or an extension."""
    return bool(given) and not any(letter.isspace() for letter in given) and ("/" in given or bool(Path(given).suffix))


def _short(text: str) -> str:
    line = " ".join(shown(text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
