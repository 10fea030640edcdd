"""Networks that say something of every word of a sentence: recurrent in both directions, or convolutional."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from glassnet.errors import ModelError, UsageError
from glassnet.layers.token_embedding import PADDING, TokenEmbedding, lengths_of, within
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.options import check_dropout
from glassnet.zoo.recurrent import CELLS, Cell, remember
from glassnet.zoo.shape import written
from glassnet.zoo.text_shape import at_least_one

Body = Literal["rnn", "lstm", "gru", "cnn"]

UNKNOWN = 1
END_SIZE, SHAPE_SIZE = 32, 16


class Tagger(nn.Module):
    """Vectors of the word, its end and its shape side by side; a body that reads the sentence; a classifier at every word.

    The bodies are recurrent layers (the formulas stand in :class:`glassnet.zoo.recurrent.RecurrentNet`), as Huang, Xu, Yu, "Bidirectional LSTM-CRF models for sequence
    tagging", 2015, without their CRF; or convolutions over neighbouring words, relu(W ∗ x + b) + x from the second layer on, as Collobert and others, "Natural
    language processing (almost) from scratch", 2011, in several layers. Sentences are packed, and convolutions see zeros beyond the ends, so padding never
    changes an answer. In training some words are made unknown, so that ends, shapes and neighbours learn to speak for them.

    Args:
        body: rnn, lstm, gru or cnn.
        sizes: numbers that a word, an end and a shape can have.
        embed: length of a word's vector.
        hidden: units of each layer, in each direction.
        layers: how many there are, one above the other.
        both_ways: whether recurrent layers also read backwards.
        window: words that a convolution sees at once.
        outputs: tags.
        dropout: probability to drop a number of the vectors.
        word_dropout: probability to take a word as unknown.
    """

    stages = ("embed", "body")

    def __init__(
        self,
        body: Body,
        sizes: tuple[int, int, int],
        embed: int,
        hidden: int,
        layers: int,
        both_ways: bool,
        window: int,
        outputs: int,
        dropout: float,
        word_dropout: float,
    ) -> None:
        super().__init__()
        lengths = (embed, END_SIZE, SHAPE_SIZE)
        self.embed = nn.ModuleList(TokenEmbedding(size, length) for size, length in zip(sizes, lengths, strict=True))
        self.word_dropout = word_dropout
        self.embed_drop = nn.Dropout(dropout)
        inputs = sum(lengths)
        self.body: nn.Module
        if body == "cnn":
            self.body = nn.ModuleList(
                nn.Conv1d(inputs if number == 0 else hidden, hidden, window) for number in range(layers)
            )
            self.activation = nn.ReLU()
            self.window = window
        else:
            between = dropout if layers > 1 else 0.0
            self.body = CELLS[body](inputs, hidden, layers, batch_first=True, dropout=between, bidirectional=both_ways)
            if body == "lstm":
                remember(self.body)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden * (2 if both_ways and body != "cnn" else 1), outputs)

    def vectors(self, x: Tensor) -> Tensor:
        """int64 (batch, time, 3) → (batch, time, numbers of all three vectors)."""
        words = x[..., 0]
        if self.training and self.word_dropout:
            away = torch.rand(words.shape, device=words.device) < self.word_dropout
            words = torch.where(away & (words != PADDING), UNKNOWN, words)
        told = [table(each) for table, each in zip(self.embed, (words, x[..., 1], x[..., 2]), strict=True)]
        return self.embed_drop(torch.cat(told, dim=-1))  # type: ignore[no-any-return]

    def features(self, x: Tensor) -> Tensor:
        """int64 (batch, time, 3), padding behind the ends → (batch, time, hidden of both directions)."""
        lengths, vectors = lengths_of(x[..., 0]), self.vectors(x)
        if isinstance(self.body, nn.ModuleList):
            return self.drop(self._convolved(vectors, lengths))  # type: ignore[no-any-return]
        packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.body(packed)[0], batch_first=True, total_length=x.shape[1])
        return self.drop(states)  # type: ignore[no-any-return]

    def _convolved(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        assert isinstance(self.body, nn.ModuleList), "recurrent bodies are packed"
        inside = within(lengths, vectors.shape[1]).unsqueeze(1)  # (batch, 1, time)
        states = vectors.transpose(1, 2)
        around = ((self.window - 1) // 2, self.window // 2)
        for number, convolution in enumerate(self.body):
            made = self.activation(convolution(pad(states, around))) * inside
            states = made if number == 0 else made + states
        return states.transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """int64 (batch, time, 3) → (batch, time, tags); behind the end of a sentence the numbers mean nothing."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _made(
    body: Body,
    shape: tuple[int, ...],
    outputs: int,
    sizes: tuple[int, int, int],
    embed: int,
    hidden: int,
    layers: int,
    both_ways: bool,
    window: int,
    dropout: float,
    word_dropout: float,
) -> Tagger:
    """The network, where shape and sizes make sense."""
    name = f"tag-{body}"
    if len(shape) != 2 or shape[1] != len(sizes) or min(sizes) < 1:
        raise ModelError(
            "this net tags the words of sentences, and these inputs are none",
            where=name,
            got=f"inputs of shape {written(shape)}",
            expected="sentences with a tag for each word",
            fix="choose a net that reads any shape, such as mlp",
        )
    at_least_one(name, embed=embed, hidden=hidden, layers=layers, window=window)
    check_dropout(name, dropout)
    if not 0 <= word_dropout < 1:
        raise UsageError(
            "a probability lies from 0 to below 1",
            where=f"net {name}, option word_dropout",
            got=word_dropout,
            expected="0 ≤ word_dropout < 1",
        )
    return Tagger(body, sizes, embed, hidden, layers, both_ways, window, outputs, dropout, word_dropout)


def tag_cnn(
    shape: tuple[int, ...],
    outputs: int,
    words: int = 0,
    ends: int = 0,
    shapes: int = 0,
    embed: int = 100,
    hidden: int = 256,
    layers: int = 3,
    window: int = 3,
    dropout: float = 0.5,
    word_dropout: float = 0.1,
) -> Tagger:
    """A convolutional network that tags the words of a sentence.

    Args:
        shape: (words, 3).
        outputs: tags.
        words: numbers that a word can have; known from the data
        ends: numbers that a word's end can have; known from the data
        shapes: numbers that a word's shape can have; known from the data
        embed: length of a word's vector
        hidden: channels of each layer
        layers: layers, one above the other
        window: words that a convolution sees at once
        dropout: probability to drop a number of the vectors in training
        word_dropout: probability to take a word as unknown in training

    Raises:
        ModelError: the inputs are no sentences.
        UsageError: a size below 1, or a probability outside [0, 1).
    """
    sizes = (words, ends, shapes)
    return _made("cnn", shape, outputs, sizes, embed, hidden, layers, False, window, dropout, word_dropout)


def recurrent_tagger(
    cell: Cell,
    shape: tuple[int, ...],
    outputs: int,
    words: int = 0,
    ends: int = 0,
    shapes: int = 0,
    embed: int = 100,
    hidden: int = 128,
    layers: int = 1,
    both_ways: bool = True,
    dropout: float = 0.5,
    word_dropout: float = 0.1,
) -> Tagger:
    """A recurrent network that tags the words of a sentence.

    Args:
        cell: rnn, lstm or gru.
        shape: (words, 3).
        outputs: tags.
        words: numbers that a word can have; known from the data
        ends: numbers that a word's end can have; known from the data
        shapes: numbers that a word's shape can have; known from the data
        embed: length of a word's vector
        hidden: units of each layer, in each direction
        layers: layers, one above the other
        both_ways: whether each layer also reads backwards
        dropout: probability to drop a number of the vectors in training
        word_dropout: probability to take a word as unknown in training

    Raises:
        ModelError: the inputs are no sentences.
        UsageError: a size below 1, or a probability outside [0, 1).
    """
    sizes = (words, ends, shapes)
    return _made(cell, shape, outputs, sizes, embed, hidden, layers, both_ways, 1, dropout, word_dropout)


_SIZES = {"words": 50, "ends": 20, "shapes": 10, "embed": 8}
_VECTORS = 50 * 8 + 20 * END_SIZE + 10 * SHAPE_SIZE
_INPUTS = 8 + END_SIZE + SHAPE_SIZE
_GATES: dict[Cell, int] = {"rnn": 1, "lstm": 4, "gru": 3}

TAGGERS: MappingProxyType[str, Entry] = MappingProxyType(
    {
        f"tag-{cell}": Entry(
            name=f"tag-{cell}",
            build=partial(recurrent_tagger, cell),
            kinds=("tags",),
            title=f"{cell.upper()} in both directions with a tag at every word",
            paper="Huang, Xu, Yu, Bidirectional LSTM-CRF models for sequence tagging, 2015 (without the CRF)",
            minimum=1,
            references=(
                Reference(
                    (20, 3),
                    5,
                    _VECTORS + gates * (16 * _INPUTS + 16 * 16 + 2 * 16) + 17 * 5,
                    f"50·8 + 20·32 + 10·16 + {gates}·(16·56 + 16² + 2·16) + 17·5",
                    {**_SIZES, "hidden": 16, "both_ways": False},
                ),
            ),
        )
        for cell, gates in _GATES.items()
    }
    | {
        "tag-cnn": Entry(
            name="tag-cnn",
            build=tag_cnn,
            kinds=("tags",),
            title="convolutions over words with a tag at every word",
            paper="Collobert and others, Natural language processing (almost) from scratch, 2011",
            minimum=1,
            references=(
                Reference(
                    (20, 3),
                    5,
                    _VECTORS + (3 * _INPUTS + 1) * 16 + (3 * 16 + 1) * 16 + 17 * 5,
                    "50·8 + 20·32 + 10·16 + (3·56 + 1)·16 + (3·16 + 1)·16 + 17·5",
                    {**_SIZES, "hidden": 16, "layers": 2},
                ),
            ),
        )
    }
)
