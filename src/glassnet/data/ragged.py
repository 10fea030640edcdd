"""Inputs of different lengths, held as one long tensor; a batch of them is padded to its longest, and no further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from glassnet.data.dataset import Source, beneath

PADDING = 0  # what fills a batch behind the end of a shorter input; no token has this code


@dataclass(frozen=True)
class Ragged:
    """A source of sequences of whole numbers, such as the tokens of texts.

    Attributes:
        values: all sequences one behind the other, int64 (tokens,), or (tokens, k) where k numbers tell a token; no value is ``PADDING``.
        offsets: where each begins, and the end of the last: int64 (samples + 1,), rising, each sequence at least one long.
        lexicon: what the numbers stand for, where they are codes of words; empty else.
        notes: what its reader found worth telling of new inputs, as sentences.
    """

    values: Tensor
    offsets: Tensor
    lexicon: Mapping[int, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], lexicon: Mapping[int, str] | None = None) -> Self:
        """From lists of numbers, none of them empty."""
        lengths = torch.tensor([len(sequence) for sequence in sequences], dtype=torch.int64)
        values = torch.tensor([value for sequence in sequences for value in sequence], dtype=torch.int64)
        offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
        return cls(values, offsets, lexicon or {})

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """Length of each sequence: int64 (samples,)."""
        return self.offsets.diff()

    def take(self, index: Tensor) -> Tensor:
        """The sequences at ``index``, (batch, longest of them), filled up with ``PADDING`` behind their ends."""
        begin = self.offsets[index]
        lengths = self.offsets[index + 1] - begin
        longest = int(lengths.max()) if len(index) else 0
        step = torch.arange(longest)
        inside = step < lengths[:, None]  # (batch, longest)
        place = (begin[:, None] + step).clamp_max(max(len(self.values) - 1, 0))
        if not len(self.values):
            return step.new_zeros(len(index), 0)
        taken = self.values[place]
        return torch.where(inside.reshape(*inside.shape, *[1] * (taken.ndim - 2)), taken, PADDING)

    def row(self, position: int) -> Tensor:
        """One sequence as it is."""
        return self.values[int(self.offsets[position]) : int(self.offsets[position + 1])]


def ragged_of(source: Source) -> tuple[Ragged, Tensor] | None:
    """The ragged source below any subsets, and the places in it that the source hands out; None where there is none."""
    source, index = beneath(source)
    return (source, index) if isinstance(source, Ragged) else None


def lengths_of(source: Source) -> Tensor | None:
    """Length of each input, int64 (samples,), where they differ by nature; None for inputs that all have one shape."""
    source, index = beneath(source)
    lengths = getattr(source, "lengths", None)  # of pairs: of what is read
    return lengths[index] if isinstance(lengths, Tensor) else None
