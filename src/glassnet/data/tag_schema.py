"""How a sentence looks to a network that tags its words, and how to read new ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glassnet.data.dataset import Source
from glassnet.data.given import place_of, read_all
from glassnet.data.tagged_files import cells_of, is_tagged, read_tagged
from glassnet.data.text_files import lines_of, require_text
from glassnet.data.walk import shown
from glassnet.data.word_codes import COLUMNS, ragged_words
from glassnet.errors import DataError

_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class TagSchema:
    """Sentences whose words are tagged.

    A raw input is int64 (words, 3): see :mod:`glassnet.data.word_codes`.

    Attributes:
        longest: words of the longest sentence of the training file.
        column: number of the column of tags in files, counted from 1.
    """

    longest: int
    column: int

    @property
    def kind(self) -> str:
        """``tags``."""
        return "tags"

    @property
    def shape(self) -> tuple[int, ...]:
        """(words of the longest sentence, 3); others are shorter."""
        return (self.longest, len(COLUMNS))

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Sentences for prediction; the name of each is its words with blanks between.

        Args:
            paths: files with a word a line (a tag beside it is passed over), files of text with a sentence a line, or sentences themselves.

        Raises:
            DataError: a file is absent or no text, or a sentence is empty; all such at once.
        """
        sentences = read_all(paths, _sentences_in, "no sentence was given", "a sentence, or files of sentences")
        return [" ".join(words) for words in sentences], ragged_words(sentences)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "tags", "longest": self.longest, "column": self.column}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TagSchema:
        """The schema that :meth:`to_json` described."""
        return cls(int(values["longest"]), int(values["column"]))


def _sentences_in(given: str) -> list[list[str]]:
    path = place_of(given, "a file, or a sentence in quotes")
    if path is None:
        words = _WORD.findall(given)
        if not words:
            raise DataError("the sentence is empty", got=repr(given), expected="at least one word")
        return [words]
    if is_tagged(path):
        return [list(sentence.words) for sentence in read_tagged(path).sentences]
    lines = lines_of(require_text(path).text)
    if all(len(cells_of(line)) <= 1 for line in lines) and any(not line.strip() for line in lines[:-1]):
        blocks = "\n".join(line.strip() for line in lines).split("\n\n")  # a word a line, without tags
        found = [block.split("\n") for block in blocks if block.strip()]
        return [[word for word in words if word] for words in found]
    found = [words for line in lines if (words := _WORD.findall(line))]
    if not found:
        raise DataError(
            "the file holds no word",
            where=shown(path),
            got=f"{path.stat().st_size:,} bytes of blanks",
            expected="a sentence a line, or a word a line with a blank line behind each sentence",
        )
    return found
