"""Trees whose words become the numbers of a vocabulary."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Source, Subset
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.vocabulary import Vocabulary, fit_vocabulary
from glassnet.data.ragged import PADDING, ragged_of
from glassnet.data.tree import FIELDS, INNER, words_of
from glassnet.errors import DataError


class TreeInputs(Preprocess):
    """Of each node: the number of its word (0 where it has none), its children, its depth, and 1 + the place of its class (0 where it has none).

    Args:
        words: what numbers the words.
        longest: nodes of the largest training tree.
        children: the most that a node of a training tree has.
    """

    def __init__(self, words: Vocabulary, longest: int, children: int) -> None:
        super().__init__()
        self.words, self.longest, self.children_most = words, longest, children
        self.name = words.name
        self.input_shape, self.output_shape = (FIELDS * longest,), (longest, FIELDS)

    @property
    def output_dtype(self) -> torch.dtype:
        """int64: indices of an embedding, and the shape of trees."""
        return torch.int64

    @property
    def net_options(self) -> dict[str, int]:
        """What a network must know of the inputs besides their shape."""
        return {**self.words.net_options, "children": self.children_most}

    def forward(self, raw: Tensor) -> Tensor:
        """Trees (batch, 4 · nodes), ``PADDING`` behind their ends, to int64 (batch, nodes, 4), zeros behind their ends."""
        nodes = raw.reshape(len(raw), -1, FIELDS)
        codes = torch.where(nodes[:, :, 0] == INNER, PADDING, nodes[:, :, 0])
        there = nodes[:, :, 1:] - torch.tensor([1, 0, 1], device=raw.device)
        inside = nodes[:, :, 2:3] > 0
        return torch.cat([self.words(codes).unsqueeze(2), torch.where(inside, there, 0)], dim=2)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "form": "tree",
            "words": self.words.to_json(),
            "longest": self.longest,
            "children": self.children_most,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TreeInputs:
        """The module that :meth:`to_json` described."""
        return cls(Vocabulary.from_json(values["words"]), int(values["longest"]), int(values["children"]))


def fit_trees(name: str, source: Source) -> TreeInputs:
    """Fit on the training trees.

    Args:
        name: as for texts: ``vocabulary`` or ``every-token``.
        source: the training trees.

    Raises:
        DataError: the inputs are no trees, or no word occurs as often as it must.
    """
    found = ragged_of(source)
    if found is None:
        raise DataError(
            "this preprocessing needs trees", got=type(source).__name__, expected="a part of data of kind 'tree'"
        )
    trees, index = found
    words = fit_vocabulary(name, Subset(words_of(trees), index))
    longest = int(trees.lengths[index].max()) // FIELDS
    every = torch.cat([trees.row(place) for place in index.tolist()]).reshape(-1, FIELDS)
    whole = Vocabulary(words.name, words.known, 1 << 20)  # a place of each node, and so no end after so many words
    return TreeInputs(whole, longest, int(every[:, 1].max()) - 1)
