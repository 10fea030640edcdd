"""Tokens to vectors, where padding is nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

PADDING = 0
SPREAD = 0.1


class TokenEmbedding(nn.Module):
    """A vector for each token of a vocabulary; padding becomes zeros, whatever the weights are.

    Args:
        vocabulary: how many numbers there are; 0 is padding, 1 an unknown token.
        size: length of a vector.
        spread: standard deviation of its numbers at the start.
    """

    def __init__(self, vocabulary: int, size: int, spread: float = SPREAD) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, size, padding_idx=PADDING)
        # PyTorch's spread of 1 is far above that of what is learned, and most words are met too seldom to move much.
        nn.init.normal_(self.table.weight, std=spread)
        with torch.no_grad():
            self.table.weight[PADDING] = 0.0

    def forward(self, tokens: Tensor) -> Tensor:
        """int64 (batch, time), ``PADDING`` behind the ends, to (batch, time, size)."""
        return self.table(tokens) * (tokens != PADDING).unsqueeze(-1)  # type: ignore[no-any-return]


def lengths_of(tokens: Tensor) -> Tensor:
    """Tokens of each text, int64 (batch,): at least 1, so that a text of padding alone is one step of nothing.

    Args:
        tokens: int64 (batch, time), with padding behind the ends alone.
    """
    return (tokens != PADDING).sum(dim=1).clamp_min(1)


def within(lengths: Tensor, time: int) -> Tensor:
    """Which places of a padded batch are in its sequences: bool (batch, time)."""
    return torch.arange(time, device=lengths.device) < lengths[:, None]
