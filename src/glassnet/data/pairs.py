"""Sequences that are to be turned into others: what is read and what is to be written, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from glassnet.data.dataset import Part, Source, beneath
from glassnet.data.ragged import PADDING, Ragged
from glassnet.data.stream import IGNORED, codes_of, joined
from glassnet.data.tokens import UNKNOWN, Unit, words

BEGIN, END = 2, 3  # codes, and numbers in both vocabularies, of the beginning and the end of what is written
MARKS = ("<padding>", "<unknown>", "<begin>", "<end>")
MOST_TOKENS = 500
MOST_KNOWN = 30_000
LEAST_OCCURRENCES = 2  # of a word


@dataclass(frozen=True)
class Pairs:
    """A source of pairs: int64 (batch, 2, longest): what is read, and ``BEGIN`` with what is written, both filled up with ``PADDING``.

    Attributes:
        read: what is read.
        written: what is to be written; None for what is yet to be translated, of which the second row is ``BEGIN`` alone.
    """

    read: Ragged
    written: Ragged | None

    def __len__(self) -> int:
        return len(self.read)

    @property
    def lengths(self) -> Tensor:
        """Tokens that are read in each, int64 (samples,)."""
        return self.read.lengths

    def take(self, index: Tensor) -> Tensor:
        """The pairs at ``index``."""
        read = self.read.take(index)
        written = torch.empty(len(index), 0, dtype=torch.int64) if self.written is None else self.written.take(index)
        written = torch.cat([torch.full((len(index), 1), BEGIN), written], dim=1)
        longest = max(read.shape[1], written.shape[1])
        return torch.stack([_filled(read, longest), _filled(written, longest)], dim=1)


def _filled(rows: Tensor, longest: int) -> Tensor:
    return torch.nn.functional.pad(rows, (0, longest - rows.shape[1]), value=PADDING)


def pairs_of(source: Source) -> tuple[Pairs, Tensor] | None:
    """The pairs below any subsets, and the places in them that the source hands out; None where there are none."""
    source, index = beneath(source)
    return (source, index) if isinstance(source, Pairs) else None


def cut(text: str, unit: Unit) -> list[str]:
    """A text's characters with any run of blanks as one, or its words and signs in lower case; at most 500."""
    return (list(" ".join(text.split())) if unit == "characters" else words(text))[:MOST_TOKENS]


def put_together(tokens: Sequence[str], unit: Unit) -> str:
    """Tokens as a text."""
    return joined(tokens, unit)


def ragged(texts: Sequence[str], unit: Unit, lexicon: dict[int, str] | None = None) -> Ragged:
    """Texts as codes; one without any token is one that is unknown."""
    return Ragged.of([codes_of(cut(text, unit), lexicon).tolist() or [UNKNOWN] for text in texts], lexicon)


def known_of(rows: Ragged, index: Tensor, unit: Unit) -> tuple[str, ...]:
    """The tokens of some sequences, the most frequent first: every character, or words that occur twice or more."""
    values = torch.cat([rows.row(place) for place in index.tolist()])
    codes, counts = torch.unique(values, return_counts=True)
    kept = (counts >= (1 if unit == "characters" else LEAST_OCCURRENCES)) & (codes != UNKNOWN)
    codes, counts = codes[kept], counts[kept]
    order = torch.argsort(counts, descending=True, stable=True)[:MOST_KNOWN]
    return tuple(rows.lexicon[number] for number in codes[order].tolist())


def numbered(codes: Tensor, known: Sequence[str]) -> Tensor:
    """Codes as places in ``MARKS`` + ``known``; what is not known becomes 1, and the marks stay what they are."""
    own, order = codes_of(known).sort()
    at = torch.searchsorted(own, codes.contiguous()).clamp_max(max(len(own) - 1, 0))
    places = torch.where(own[at] == codes, order[at] + len(MARKS), UNKNOWN) if len(own) else torch.full_like(codes, 1)
    return torch.where(codes < len(MARKS), codes, places)


def targets_of(written: Ragged, known: Sequence[str]) -> Tensor:
    """What is to be written, ``END`` behind it, int64 (samples, longest + 1), and ``IGNORED`` behind that."""
    rows = written.take(torch.arange(len(written)))
    places = torch.nn.functional.pad(numbered(rows, known), (0, 1))
    places = torch.where(places == PADDING, IGNORED, places)
    return places.scatter(1, written.lengths[:, None], END)


def both_sides(part: Part, units: tuple[Unit, Unit]) -> list[tuple[str, str]]:
    """The texts of a part with their translations, put together from their tokens."""
    found = pairs_of(part.inputs)
    assert found is not None, "a translator's data are pairs"
    pairs, index = found
    assert pairs.written is not None, "pairs to be measured have both sides"
    sides = ((pairs.read, units[0]), (pairs.written, units[1]))
    return list(zip(*(_texts(rows, index, unit) for rows, unit in sides), strict=True))


def _texts(rows: Ragged, index: Tensor, unit: Unit) -> list[str]:
    return [
        put_together([rows.lexicon.get(code, "?") for code in rows.row(place).tolist()], unit)
        for place in index.tolist()
    ]
