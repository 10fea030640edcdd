"""Pairs of sequences to the numbers of two vocabularies."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.pairs import MARKS, numbered
from glassnet.data.preprocess.contract import Preprocess


class PairNumbers(Preprocess):
    """Of each pair what is read by the one vocabulary, what is written by the other; ``MARKS`` have the numbers 0 to 3 in both.

    Args:
        name: ``every-token``.
        known: tokens that are read, and tokens that are written.
        shape: (2, tokens of the longest).
    """

    def __init__(self, name: str, known: tuple[list[str], list[str]], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.name, self.known = name, known
        self.input_shape = self.output_shape = shape

    @property
    def output_dtype(self) -> torch.dtype:
        """int64: indices of embeddings."""
        return torch.int64

    @property
    def net_options(self) -> dict[str, int]:
        """How many numbers there are of what is read."""
        return {"vocabulary": len(self.known[0]) + len(MARKS)}

    def forward(self, raw: Tensor) -> Tensor:
        """Codes (batch, 2, tokens) to int64 (batch, 2, tokens)."""
        rows = [numbered(raw[:, side].cpu(), self.known[side]) for side in (0, 1)]
        return torch.stack(rows, dim=1).to(raw.device)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "form": "pairs",
            "name": self.name,
            "known": [list(each) for each in self.known],
            "shape": list(self.output_shape),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PairNumbers:
        """The module that :meth:`to_json` described."""
        read, written = values["known"]
        return cls(values["name"], (list(read), list(written)), tuple(map(int, values["shape"])))
