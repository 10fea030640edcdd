"""A bag of word vectors: the baseline that fastText made known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.layers.token_embedding import PADDING, TokenEmbedding, lengths_of
from glassnet.zoo.options import check_dropout
from glassnet.zoo.text_shape import at_least_one, text_shape

MULTIPLIER = 1_000_003  # a prime that scatters pairs of words over the buckets


class TextBag(nn.Module):
    """The mean of the vectors of all words, and of all pairs of neighbouring words, then a linear classifier.

    f = (1/N) Σ_n e(w_n) with the N words and pairs of a text; logits = W f + b. A pair has the vector of its bucket, (a · 1,000,003 + b) mod buckets.

    Source: Joulin, Grave, Bojanowski, Mikolov, "Bag of tricks for efficient text classification", 2017, section 2.

    Args:
        vocabulary: numbers that a token can have.
        embed: length of a vector.
        buckets: vectors that pairs of words share; 0 leaves pairs out.
        outputs: classes or values.
        dropout: probability to drop a number of the mean.
    """

    def __init__(self, vocabulary: int, embed: int, buckets: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.embed = TokenEmbedding(vocabulary, embed)
        self.buckets = buckets
        self.stages: tuple[str, ...] = ("embed",)
        if buckets:
            self.pairs = TokenEmbedding(buckets + 1, embed)
            self.stages = ("embed", "pairs")
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(embed, outputs)

    def features(self, x: Tensor) -> Tensor:
        """int64 (batch, time) → (batch, embed)."""
        count = lengths_of(x)
        total = self.embed(x).sum(dim=1)
        if self.buckets:
            first, second = x[:, :-1], x[:, 1:]
            bucket = (first * MULTIPLIER + second) % self.buckets + 1
            total = total + self.pairs(torch.where(second == PADDING, PADDING, bucket)).sum(dim=1)
            count = 2 * count - 1
        return self.drop(total / count.unsqueeze(1))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """int64 (batch, time) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def text_bag(
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int = 0,
    embed: int = 64,
    buckets: int = 50_000,
    dropout: float = 0.5,
) -> TextBag:
    """A bag of word vectors.

    Args:
        shape: (tokens,).
        outputs: classes or values.
        vocabulary: numbers that a token can have; known from the data
        embed: length of a vector
        buckets: vectors that pairs of words share; 0 leaves pairs out
        dropout: probability to drop a number of the mean in training

    Raises:
        ModelError: the inputs are no texts.
        UsageError: a size below 1, or a dropout outside [0, 1).
    """
    text_shape(shape, vocabulary, net="text-bag")
    at_least_one("text-bag", embed=embed, buckets=buckets + 1)
    check_dropout("text-bag", dropout)
    return TextBag(vocabulary, embed, buckets, outputs, dropout)
