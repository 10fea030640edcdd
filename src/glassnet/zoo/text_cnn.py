"""The convolutional network for sentences of Kim 2014."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from glassnet.errors import UsageError
from glassnet.layers.token_embedding import TokenEmbedding, lengths_of, within
from glassnet.zoo.options import check_dropout
from glassnet.zoo.text_shape import at_least_one, text_shape


class TextCNN(nn.Module):
    """Embedding; for each window h a convolution over h words, c_i = relu(w · x_{i:i+h−1} + b), ĉ = max_i c_i; dropout; classifier.

    Source: Kim, "Convolutional neural networks for sentence classification", 2014, section 2: windows of 3, 4, 5 words, 100 maps each, dropout 0.5. Here
    the words are trained from random vectors (CNN-rand of the paper). A window is centred on each word of a text, and what it sees beyond the ends is
    zeros, so that padding never changes an answer.

    Args:
        vocabulary: numbers that a token can have.
        embed: length of a word's vector.
        maps: maps of each window.
        windows: words that each convolution sees at once.
        outputs: classes or values.
        dropout: probability to drop a feature before the classifier.
        embed_dropout: probability to drop a number of a word's vector.
    """

    stages = ("embed", "maps")

    def __init__(
        self,
        vocabulary: int,
        embed: int,
        maps: int,
        windows: tuple[int, ...],
        outputs: int,
        dropout: float,
        embed_dropout: float,
    ) -> None:
        super().__init__()
        self.embed = TokenEmbedding(vocabulary, embed)
        self.embed_drop = nn.Dropout(embed_dropout)
        self.windows = windows
        self.maps = nn.ModuleList(nn.Conv1d(embed, maps, window) for window in windows)
        self.activation = nn.ReLU()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(maps * len(windows), outputs)

    def features(self, x: Tensor) -> Tensor:
        """int64 (batch, time) → (batch, maps of all windows)."""
        inside = within(lengths_of(x), x.shape[1]).unsqueeze(1)  # (batch, 1, time)
        words = self.embed_drop(self.embed(x)).transpose(1, 2)  # (batch, embed, time)
        strongest = []
        for window, convolution in zip(self.windows, self.maps, strict=True):
            found = self.activation(convolution(pad(words, ((window - 1) // 2, window // 2))))
            strongest.append((found * inside).amax(dim=2))  # relu is nowhere below the zeros outside
        return self.drop(torch.cat(strongest, dim=1))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """int64 (batch, time) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def text_cnn(
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int = 0,
    embed: int = 128,
    maps: int = 100,
    windows: tuple[int, ...] = (3, 4, 5),
    dropout: float = 0.5,
    embed_dropout: float = 0.3,
) -> TextCNN:
    """The convolutional network for sentences of Kim 2014.

    Args:
        shape: (tokens,).
        outputs: classes or values.
        vocabulary: numbers that a token can have; known from the data
        embed: length of a word's vector
        maps: maps of each window
        windows: words that each convolution sees at once
        dropout: probability to drop a feature before the classifier in training
        embed_dropout: probability to drop a number of a word's vector in training

    Raises:
        ModelError: the inputs are no texts.
        UsageError: a size below 1, or a dropout outside [0, 1).
    """
    text_shape(shape, vocabulary, net="text-cnn")
    at_least_one("text-cnn", embed=embed, maps=maps)
    if not windows or min(windows) < 1:
        raise UsageError(
            "a window sees one word or more",
            where="net text-cnn, option windows",
            got=windows,
            expected="such as 3,4,5",
        )
    for share in (dropout, embed_dropout):
        check_dropout("text-cnn", share)
    return TextCNN(vocabulary, embed, maps, windows, outputs, dropout, embed_dropout)
