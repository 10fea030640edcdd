"""Recurrent networks that read a sequence and say one thing of it: Elman's RNN, LSTM and GRU, stacked and in both directions."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from glassnet.errors import ModelError
from glassnet.layers.through_time import in_pieces
from glassnet.layers.token_embedding import TokenEmbedding, lengths_of, within
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import written
from glassnet.zoo.text_shape import at_least_one

Cell = Literal["rnn", "lstm", "gru"]
Pool = Literal["last", "mean", "max"]

CELLS = MappingProxyType({"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU})
FORGET_BIAS = 1.0


class RecurrentNet(nn.Module):
    """Embedding (of tokens) or the numbers themselves (of signals), recurrent layers, pooling over time, classifier.

    The cells, in the letters of the course (U on the input, W on the state before, b a bias; ⊙ number by number, σ the logistic function)::

        rnn    h_t = tanh(b + W h_{t−1} + U x_t)                              Elman 1990
        lstm   z = tanh(b_z + W_z h_{t−1} + U_z x_t)                          Hochreiter and Schmidhuber 1997,
               i, f, q = σ(b + W h_{t−1} + U x_t), each with its own          Gers and others 2000 (forget gate)
               c_t = z ⊙ i + c_{t−1} ⊙ f,   h_t = tanh(c_t) ⊙ q
        gru    r, u = σ(b + W h_{t−1} + U x_t), each with its own             Cho and others 2014
               n = tanh(b_n + U_n x_t + r ⊙ (W_n h_{t−1} + b'_n)),   h_t = (1 − u) ⊙ n + u ⊙ h_{t−1}

    PyTorch calls U ``weight_ih`` and W ``weight_hh``, and its rows stand in the order i, f, z (there g), q (there o), and r, u (there z), n. It has two
    biases, ``bias_ih`` and ``bias_hh``, of which only the sum counts (in the GRU's n it does not). The forget gate's bias begins at 1, so
    that a cell remembers before it has learned to (Jozefowicz, Zaremba, Sutskever 2015).

    Sequences of different lengths are packed, so that no step is spent on padding and none changes an answer.

    Args:
        cell: rnn, lstm or gru.
        vocabulary: numbers that a token can have; 0 for signals.
        inputs: length of a token's vector, or the signals' channels.
        hidden: units of each layer, in each direction.
        layers: how many there are, one above the other.
        both_ways: whether each layer also reads backwards.
        pool: ``last`` takes the state at the end (of the backward direction: at the beginning), ``mean`` and ``max`` what they say over all times.
        outputs: classes or values.
        dropout: probability to drop a number of the vectors, between the layers and before the classifier.

    Attributes:
        through_time: steps through which a gradient flows at most in training, in one direction; 0 for all. See :mod:`glassnet.layers.through_time`.
        says_steps: whether the net answers behind every step in training, in one direction, for :func:`glassnet.training.losses.with_steps`.
    """

    def __init__(
        self,
        cell: Cell,
        vocabulary: int,
        inputs: int,
        hidden: int,
        layers: int,
        both_ways: bool,
        pool: Pool,
        outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.stages: tuple[str, ...] = ("recurrent",)
        self.embed: TokenEmbedding | None = None
        if vocabulary:
            self.embed = TokenEmbedding(vocabulary, inputs)
            self.stages = ("embed", "recurrent")
        self.embed_drop = nn.Dropout(dropout)
        between = dropout if layers > 1 else 0.0
        self.recurrent = CELLS[cell](inputs, hidden, layers, batch_first=True, dropout=between, bidirectional=both_ways)
        self.pool = pool
        self.through_time, self.says_steps = 0, False
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden * (2 if both_ways else 1), outputs)
        if cell == "lstm":
            remember(self.recurrent)

    def features(self, x: Tensor) -> Tensor:
        """int64 (batch, time) or float (batch, channels, time) → (batch, hidden of both directions)."""
        return self.drop(self._pooled(*self._read(x)))  # type: ignore[no-any-return]

    def _read(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The last layer's states (batch, time, units), its state at the end (of the backward direction: at the beginning), and the lengths."""
        if self.embed is None:
            steps, lengths = x.transpose(1, 2), torch.full((x.shape[0],), x.shape[2], device=x.device)
        else:
            steps, lengths = self.embed_drop(self.embed(x)), lengths_of(x)
        if self.through_time and self.training:
            # In one direction what lies behind the end of a sequence changes nothing before it, so nothing is packed.
            states = in_pieces(self.recurrent, steps, self.through_time)
            return states, states[torch.arange(len(states), device=x.device), lengths - 1], lengths
        if self.embed is None:
            states, end = self.recurrent(steps)
        else:
            packed = pack_padded_sequence(steps, lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed_states, end = self.recurrent(packed)
            states, _ = pad_packed_sequence(packed_states, batch_first=True)
        last = end[0] if isinstance(end, tuple) else end  # (layers · directions, batch, hidden)
        ways = 2 if self.recurrent.bidirectional else 1
        return states, last[-ways:].transpose(0, 1).flatten(1), lengths

    def _pooled(self, states: Tensor, end: Tensor, lengths: Tensor) -> Tensor:
        if self.pool == "last":
            return end
        inside = within(lengths, states.shape[1]).unsqueeze(-1)  # (batch, time, 1)
        if self.pool == "mean":
            return (states * inside).sum(dim=1) / lengths.unsqueeze(1)
        return states.masked_fill(~inside, float("-inf")).amax(dim=1)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """int64 (batch, time) or float (batch, channels, time) → (batch, outputs).

        In training with ``says_steps`` a tuple: that, what would have been said behind every step, (batch, time, outputs), and which steps are no padding, bool
        (batch, time).
        """
        if not (self.says_steps and self.training):
            return self.head(self.features(x))  # type: ignore[no-any-return]
        states, _, lengths = self._read(x)
        every = self.head(self.drop(states))
        last = every[torch.arange(len(every), device=x.device), lengths - 1]
        return last, every, within(lengths, every.shape[1])


def remember(lstm: nn.Module) -> None:
    """Let the forget gates of an LSTM begin with a bias of 1; PyTorch's rows are in the order input, forget, cell, output."""
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if "bias" in name:
                hidden = len(parameter) // 4
                parameter[hidden : 2 * hidden] = FORGET_BIAS if "bias_ih" in name else 0.0


def recurrent(
    cell: Cell,
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int = 0,
    embed: int = 128,
    hidden: int = 128,
    layers: int = 1,
    both_ways: bool = True,
    pool: Pool = "last",
    dropout: float = 0.5,
) -> RecurrentNet:
    """A recurrent network for texts, or for signals of shape (channels, time).

    Args:
        cell: rnn, lstm or gru.
        shape: (tokens,) of texts, or (channels, time).
        outputs: classes or values.
        vocabulary: numbers that a token can have; known from the data
        embed: length of a token's vector
        hidden: units of each layer, in each direction
        layers: layers, one above the other
        both_ways: whether each layer also reads backwards
        pool: what is said of the whole: last, mean or max over the times
        dropout: probability to drop a number of the vectors, between layers and before the classifier in training

    Raises:
        ModelError: the inputs are neither texts nor signals.
        UsageError: a size below 1, or a dropout outside [0, 1).
    """
    if len(shape) != (1 if vocabulary else 2):
        raise ModelError(
            "this net reads sequences, and these inputs are none",
            where=cell,
            got=f"inputs of shape {written(shape)}",
            expected="texts, or signals of shape channels×time",
            fix="choose a net that reads any shape, such as mlp",
        )
    at_least_one(cell, embed=embed, hidden=hidden, layers=layers)
    check_dropout(cell, dropout)
    inputs = embed if vocabulary else shape[0]
    return RecurrentNet(cell, vocabulary, inputs, hidden, layers, both_ways, pool, outputs, dropout)


_TITLES: dict[Cell, tuple[str, str]] = {
    "rnn": ("Elman's recurrent net", "Elman, Finding structure in time, 1990"),
    "lstm": ("long short-term memory", "Hochreiter, Schmidhuber, Long short-term memory, 1997"),
    "gru": (
        "gated recurrent units",
        "Cho and others, Learning phrase representations using RNN encoder-decoder, 2014",
    ),
}
_GATES: dict[Cell, int] = {"rnn": 1, "lstm": 4, "gru": 3}

RECURRENT_NETS: dict[str, Entry] = {
    cell: Entry(
        name=cell,
        build=partial(recurrent, cell),
        kinds=("text", "array", "series"),
        title=f"{title}, for texts and signals (channels, time)",
        paper=paper,
        minimum=1,
        references=(
            Reference(
                (5, 40),
                3,
                _GATES[cell] * (16 * 5 + 16 * 16 + 2 * 16) + 17 * 3,
                f"{_GATES[cell]}·(16·5 + 16² + 2·16) + 17·3",
                {"hidden": 16, "both_ways": False},
            ),
        ),
    )
    for cell, (title, paper) in _TITLES.items()
}
