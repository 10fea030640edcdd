"""How a stream of tokens looks to a network, and how further texts are read for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glassnet.data.dataset import Source
from glassnet.data.given import place_of
from glassnet.data.stream import Stream, codes_of, pieces
from glassnet.data.text_files import require_text
from glassnet.data.tokens import Unit
from glassnet.data.walk import files_below
from glassnet.errors import DataError


@dataclass(frozen=True)
class StreamSchema:
    """One long text, read token by token.

    A raw input is a window of it, int64 (window,): see :mod:`glassnet.data.stream`.

    Attributes:
        unit: what a token is.
        window: tokens of a window, through which the gradient goes back.
        known: the tokens that occur in the training part, the most frequent first; empty before the data are divided.
    """

    unit: Unit
    window: int
    known: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``stream``."""
        return "stream"

    @property
    def shape(self) -> tuple[int, ...]:
        """(window,)."""
        return (self.window,)

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Files of text, or a text in quotes, one behind the other as one stream.

        Raises:
            DataError: nothing is given, or a file is no text.
        """
        tokens = [token for path in paths if path for token in pieces(text_at(path), self.unit)]
        if not tokens:
            raise DataError("no text was given", expected="a text, or files of text")
        stream = Stream(codes_of(tokens), self.window)
        return [f"{number * self.window}" for number in range(len(stream))], stream

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "stream", "unit": self.unit, "window": self.window, "known": list(self.known)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StreamSchema:
        """The schema that :meth:`to_json` described.

        Raises:
            ValueError: it names no such unit, or no tokens.
        """
        known = tuple(values["known"])
        if values["unit"] not in ("words", "characters") or not known or not all(isinstance(t, str) for t in known):
            raise ValueError(f"a stream of {values['unit']!r}")
        return cls(values["unit"], int(values["window"]), known)


def text_at(given: str) -> str:
    """The text of a file, of the files of a folder one behind the other, or the argument itself where it names no file.

    Raises:
        DataError: a file is no text, or the argument looks like a path and leads nowhere.
    """
    path = place_of(given, "a file, a folder, or a text in quotes", folders=True)
    if path is None:
        return given
    return "\n".join(require_text(file).text for file in ([path] if path.is_file() else files_below(path)))
