"""Words, their ends and their shapes as numbers of three vocabularies, fitted on the training part and kept with the model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Source
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.vocabulary import MOST_WORDS, OWN
from glassnet.data.ragged import PADDING, ragged_of
from glassnet.data.tokens import UNKNOWN, code
from glassnet.data.word_codes import COLUMNS
from glassnet.errors import DataError

FORMS = ("word-features", "every-word")
LEAST = {"word-features": 2, "every-word": 1}  # occurrences


class WordFeatures(Preprocess):
    """Each of a word's codes becomes its place in the list of known ones, plus 2; padding stays 0, and what is not known becomes 1.

    Args:
        name: ``word-features`` (what occurs at least twice in the training part) or ``every-word``; of both the 50,000 most frequent.
        known: for each of word, end and shape what is known, the most frequent first.
        longest: words of the longest training sentence; longer ones are read all the same.
    """

    def __init__(self, name: str, known: list[list[str]], longest: int) -> None:
        super().__init__()
        self.name, self.known, self.longest = name, known, longest
        self.input_shape = self.output_shape = (longest, len(COLUMNS))
        for column, told in zip(COLUMNS, known, strict=True):
            codes, order = torch.tensor([code(each) for each in told], dtype=torch.int64).sort()
            # what follows from the arguments is not saved with the weights
            self.register_buffer(f"{column}_codes", codes, persistent=False)
            self.register_buffer(f"{column}_places", order + OWN, persistent=False)

    @property
    def output_dtype(self) -> torch.dtype:
        """int64: indices of embeddings."""
        return torch.int64

    @property
    def net_options(self) -> dict[str, int]:
        """How many numbers there are of each."""
        return {f"{column}s": len(told) + OWN for column, told in zip(COLUMNS, self.known, strict=True)}

    def forward(self, raw: Tensor) -> Tensor:
        """Codes (batch, words, 3), ``PADDING`` behind the ends, to int64 of the same shape."""
        made = []
        for place, column in enumerate(COLUMNS):
            codes, places = self.get_buffer(f"{column}_codes"), self.get_buffer(f"{column}_places")
            own = raw[..., place].contiguous()
            if len(codes):
                at = torch.searchsorted(codes, own).clamp_max(len(codes) - 1)
                own = torch.where(own == PADDING, PADDING, torch.where(codes[at] == own, places[at], UNKNOWN))
            else:
                own = (own != PADDING).to(torch.int64)
            made.append(own)
        return torch.stack(made, dim=-1)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"form": "word-features", "name": self.name, "known": self.known, "longest": self.longest}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> WordFeatures:
        """The module that :meth:`to_json` described."""
        return cls(values["name"], [list(told) for told in values["known"]], int(values["longest"]))


def fit_word_features(name: str, source: Source) -> WordFeatures:
    """Fit on the training sentences.

    Raises:
        DataError: the inputs are no words.
    """
    found = ragged_of(source)
    if found is None or found[0].values.ndim != 2:
        raise DataError(
            "tagging needs sentences of words", got=type(source).__name__, expected="a part of data of kind 'tags'"
        )
    words, index = found
    lengths = words.lengths[index]
    begin = torch.repeat_interleave(words.offsets[index] - lengths.cumsum(0) + lengths, lengths)
    seen = words.values[begin + torch.arange(int(lengths.sum()))]  # (words, 3)
    known = []
    for place in range(len(COLUMNS)):
        codes, counts = torch.unique(seen[:, place], return_counts=True)
        often = counts >= LEAST[name]
        codes, counts = codes[often], counts[often]
        order = torch.argsort(counts, descending=True, stable=True)[:MOST_WORDS]
        known.append([words.lexicon[number] for number in codes[order].tolist()])
    return WordFeatures(name, known, int(lengths.max()))
