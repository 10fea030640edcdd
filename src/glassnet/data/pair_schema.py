"""How pairs of sequences look to a network, and how new ones to translate are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glassnet.data.dataset import Source
from glassnet.data.given import place_of, read_all
from glassnet.data.pairs import Pairs, ragged
from glassnet.data.table_formats import is_table, read_table
from glassnet.data.text_files import lines_of, require_text
from glassnet.data.tokens import Unit
from glassnet.errors import DataError

# What leads nowhere is a text, unless it ends so: a date has slashes too, and a number a point.
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl")


@dataclass(frozen=True)
class PairSchema:
    """Texts that are turned into texts.

    A raw input is int64 (2, tokens): see :mod:`glassnet.data.pairs`.

    Attributes:
        units: what a token is of what is read, and of what is written.
        columns: of the table that they came from.
        longest: tokens of the longest that is read, and of the longest that is written, in the training file.
        known: the tokens of the training part that are read, and those that are written; empty before the data are divided.
    """

    units: tuple[Unit, Unit]
    columns: tuple[str, str]
    longest: tuple[int, int]
    known: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def kind(self) -> str:
        """``pairs``."""
        return "pairs"

    @property
    def shape(self) -> tuple[int, ...]:
        """(2, tokens of the longest)."""
        return (2, max(self.longest[0], self.longest[1] + 1))

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Texts to translate: texts in quotes, files with one a line, or tables with the column that was trained on.

        Raises:
            DataError: a file is absent, is no text, or a table lacks the column; all such at once.
        """
        texts = read_all(paths, self._texts, "there is nothing to translate", "a text, or files of text")
        return texts, Pairs(ragged(texts, self.units[0]), None)

    def _texts(self, given: str) -> list[str]:
        path = place_of(given, "a file, or a text in quotes", meant=lambda text: text.endswith(SUFFIXES))
        if path is None:
            if not given.strip():
                raise DataError("the text is empty", got=repr(given), expected="something to translate")
            return [given]
        if is_table(path) and path.suffix.lower() != ".txt":
            table = read_table(path, self.columns[:1])
            table.require(self.columns[:1], "the table lacks the column that is translated")
            found = table.texts(self.columns[0])
        else:
            found = lines_of(require_text(path).text)
        return [text for text in found if text.strip()]

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "kind": "pairs",
            "units": list(self.units),
            "columns": list(self.columns),
            "longest": list(self.longest),
            "known": [list(each) for each in self.known],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PairSchema:
        """The schema that :meth:`to_json` described.

        Raises:
            ValueError: it names no such units.
        """
        read, written = values["units"]
        if {read, written} - {"words", "characters"}:
            raise ValueError(f"pairs of {read!r} and {written!r}")
        first, second = values["columns"]
        longest = (int(values["longest"][0]), int(values["longest"][1]))
        known = (tuple(values["known"][0]), tuple(values["known"][1]))
        return cls((read, written), (str(first), str(second)), longest, known)
