"""Tokens to the numbers of a vocabulary that is fitted on the training part and kept with the model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Source
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.ragged import PADDING, ragged_of
from glassnet.data.tokens import UNKNOWN, code
from glassnet.errors import DataError

OWN = 2  # numbers that are no words: 0 is padding, 1 an unknown token
LEAST_OCCURRENCES = 2
MOST_WORDS = 50_000
MOST_TOKENS = 1_000  # of a text that a network reads; what comes behind is cut off


class Vocabulary(Preprocess):
    """A token becomes its place in the list of known tokens, plus 2; padding stays 0, and what is not known becomes 1.

    Args:
        name: ``vocabulary`` (tokens that occur at least twice in the training part) or ``every-token``; of both the 50,000 most frequent.
        known: the tokens, the most frequent first.
        longest: tokens of a text that are read.
    """

    codes: Tensor
    places: Tensor

    def __init__(self, name: str, known: list[str], longest: int) -> None:
        super().__init__()
        self.name, self.known, self.longest = name, known, longest
        self.input_shape = self.output_shape = (longest,)
        self.size = len(known) + OWN
        codes, order = torch.tensor([code(token) for token in known], dtype=torch.int64).sort()
        # what follows from the arguments is not saved with the weights
        self.register_buffer("codes", codes, persistent=False)
        self.register_buffer("places", order + OWN, persistent=False)

    @property
    def output_dtype(self) -> torch.dtype:
        """int64: indices of an embedding."""
        return torch.int64

    @property
    def net_options(self) -> dict[str, int]:
        """What a network must know of the inputs besides their shape."""
        return {"vocabulary": self.size}

    def forward(self, raw: Tensor) -> Tensor:
        """Codes (batch, tokens), ``PADDING`` behind the ends, to int64 (batch, tokens, at most ``longest``)."""
        raw = raw[:, : self.longest].contiguous()
        if len(self.codes) == 0:
            return (raw != PADDING).to(torch.int64)
        at = torch.searchsorted(self.codes, raw).clamp_max(len(self.codes) - 1)
        known = torch.where(self.codes[at] == raw, self.places[at], UNKNOWN)
        return torch.where(raw == PADDING, PADDING, known)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"form": "vocabulary", "name": self.name, "known": self.known, "longest": self.longest}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Vocabulary:
        """The module that :meth:`to_json` described."""
        return cls(values["name"], list(values["known"]), int(values["longest"]))


def fit_vocabulary(name: str, source: Source) -> Vocabulary:
    """Fit on the training inputs.

    Args:
        name: see :class:`Vocabulary`.
        source: the training inputs, ragged, with the lexicon that names their codes.

    Raises:
        DataError: no token occurs as often as it must.
    """
    found = ragged_of(source)
    if found is None:
        raise DataError(
            "a vocabulary needs texts", got=type(source).__name__, expected="a part of data of kind 'text' or 'tree'"
        )
    texts, index = found
    lengths = texts.lengths[index]
    inside = torch.repeat_interleave(texts.offsets[index] - lengths.cumsum(0) + lengths, lengths) + torch.arange(
        int(lengths.sum())
    )
    codes, counts = torch.unique(texts.values[inside], return_counts=True)
    least = LEAST_OCCURRENCES if name == "vocabulary" else 1
    kept = (counts >= least) & (codes != UNKNOWN)
    codes, counts = codes[kept], counts[kept]
    order = torch.argsort(counts, descending=True, stable=True)[:MOST_WORDS]
    known = [texts.lexicon[number] for number in codes[order].tolist()]
    if not known:
        raise DataError(
            "no word occurs twice in the training texts",
            got=f"{len(index):,} texts",
            fix="give more texts, or take --preprocess every-token",
        )
    return Vocabulary(name, known, min(int(lengths.max()), MOST_TOKENS))
