"""Encoder and decoder: a sequence is read, and another one is written, with or without attention to what was read."""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from glassnet.errors import ModelError
from glassnet.layers.token_embedding import TokenEmbedding, lengths_of, within
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.options import check_dropout
from glassnet.zoo.recurrent import CELLS, remember
from glassnet.zoo.shape import written
from glassnet.zoo.text_shape import at_least_one

Gated = Literal["lstm", "gru"]
Attention = Literal["none", "bahdanau", "luong"]
State = tuple[Tensor, ...]  # (1, batch, hidden) each: h, and of an LSTM c


class Memory(NamedTuple):
    """What the encoder made of what was read.

    Attributes:
        states: its states, both directions side by side: (batch, time, 2·hidden).
        keys: what attention compares with: (batch, time, hidden).
        inside: which times are no padding: bool (batch, time).
        start: of the decoder.
    """

    states: Tensor
    keys: Tensor
    inside: Tensor
    start: State

    def rows(self, index: Tensor) -> Memory:
        """Those of some samples, each as often as it is named."""
        return Memory(self.states[index], self.keys[index], self.inside[index], tuple(s[:, index] for s in self.start))


class Translator(nn.Module):
    """An encoder and a decoder.

    One net reads x_1 … x_S in both directions, and another says y_1 … y_T, each from what it has said before::

        h̄_s  = the encoder's states of both directions at s          (Schuster and Paliwal 1997)
        start = tanh(W_0 [h̄_→S ; h̄_←1])                              (Bahdanau, Cho, Bengio 2015, appendix A.2.2, both ends)

        none      h_t = f(h_{t−1}, y_{t−1}),   P(y_t) = softmax(V tanh(W_c h_t))          Sutskever, Vinyals, Le 2014
        luong     h_t = f(h_{t−1}, y_{t−1}),   a_ts = softmax_s(h_tᵀ W_a h̄_s)             Luong, Pham, Manning 2015,
                  c_t = Σ_s a_ts h̄_s,          P(y_t) = softmax(V tanh(W_c [c_t ; h_t]))  equations 5 to 8, score "general"
        bahdanau  a_ts = softmax_s(vᵀ tanh(W_q h_{t−1} + W_a h̄_s)),  c_t = Σ_s a_ts h̄_s   Bahdanau, Cho, Bengio 2015,
                  h_t = f(h_{t−1}, [y_{t−1} ; c_t]),                                      equations 4 to 6
                  P(y_t) = softmax(V tanh(W_c [c_t ; h_t]))                               (a tanh layer for the paper's maxout)

    f is an LSTM or a GRU. In training y_{t−1} is what should have been said (teacher forcing, Williams and Zipser 1989). Padding is packed away in
    the encoder and has no part in the attention.

    Args:
        cell: lstm or gru.
        reads: numbers that a token can have that is read.
        writes: numbers that a token can have that is written.
        embed: length of a token's vector.
        hidden: units of the decoder, and of the encoder in each direction.
        attention: which of the three.
        dropout: probability to drop a number of the vectors and before the classifier.
    """

    def __init__(
        self, cell: Gated, reads: int, writes: int, embed: int, hidden: int, attention: Attention, dropout: float
    ) -> None:
        super().__init__()
        self.stages: tuple[str, ...] = ("encoder", "decoder")
        self.attention: Attention = attention
        self.embed_read = TokenEmbedding(reads, embed)
        self.embed_written = TokenEmbedding(writes, embed)
        self.encoder = CELLS[cell](embed, hidden, batch_first=True, bidirectional=True)
        self.bridge = nn.ModuleList([nn.Linear(2 * hidden, hidden) for _ in range(2 if cell == "lstm" else 1)])
        context = 0 if attention == "none" else 2 * hidden
        self.decoder = CELLS[cell](embed + (context if attention == "bahdanau" else 0), hidden, batch_first=True)
        if attention != "none":
            self.key = nn.Linear(2 * hidden, hidden, bias=False)
        if attention == "bahdanau":
            self.query = nn.Linear(hidden, hidden)
            self.score = nn.Linear(hidden, 1, bias=False)
        self.mix = nn.Linear(hidden + context, hidden)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, writes)
        if cell == "lstm":
            remember(self.encoder)
            remember(self.decoder)

    def encode(self, read: Tensor) -> Memory:
        """Read int64 (batch, time)."""
        lengths = lengths_of(read)
        packed = pack_padded_sequence(
            self.drop(self.embed_read(read)), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        states, end = self.encoder(packed)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=read.shape[1])
        ends = end if isinstance(end, tuple) else (end,)
        both = [each.transpose(0, 1).flatten(1) for each in ends]  # (batch, 2·hidden)
        start = tuple(torch.tanh(layer(one))[None] for layer, one in zip(self.bridge, both, strict=True))
        keys = states if self.attention == "none" else self.key(states)
        return Memory(states, keys, within(lengths, read.shape[1]), start)

    def say(self, memory: Memory, before: Tensor, state: State) -> tuple[Tensor, State, Tensor | None]:
        """What comes behind each of the tokens said before.

        Args:
            memory: of what was read.
            before: int64 (batch, steps), the first behind the state.
            state: of the decoder.

        Returns:
            The features (batch, steps, hidden) that the classifier reads, the state behind the last, and how attention was divided, (batch, steps, time).
        """
        vectors = self.drop(self.embed_written(before))
        if self.attention != "bahdanau":
            outputs, state = self._run(vectors, state)
            shares = None
            if self.attention == "luong":
                shares = self._divided(torch.bmm(outputs, memory.keys.transpose(1, 2)), memory)
                outputs = torch.cat([torch.bmm(shares, memory.states), outputs], dim=2)
            return self.drop(torch.tanh(self.mix(outputs))), state, shares
        made, looked = [], []
        for step in range(before.shape[1]):
            compared = torch.tanh(self.query(state[0].transpose(0, 1)) + memory.keys)  # (batch, time, hidden)
            share = self._divided(self.score(compared).transpose(1, 2), memory)  # (batch, 1, time)
            context = torch.bmm(share, memory.states)
            output, state = self._run(torch.cat([vectors[:, step : step + 1], context], dim=2), state)
            made.append(torch.cat([context, output], dim=2))
            looked.append(share)
        return self.drop(torch.tanh(self.mix(torch.cat(made, dim=1)))), state, torch.cat(looked, dim=1)

    def _run(self, vectors: Tensor, state: State) -> tuple[Tensor, State]:
        outputs, end = self.decoder(vectors, (state[0], state[1]) if len(state) == 2 else state[0])
        return outputs, (end if isinstance(end, tuple) else (end,))

    @staticmethod
    def _divided(scores: Tensor, memory: Memory) -> Tensor:
        return torch.softmax(scores.masked_fill(~memory.inside[:, None], float("-inf")), dim=2)

    def features(self, x: Tensor) -> Tensor:
        """int64 (batch, 2, time), what is read and what is written before each step → (batch, steps, hidden)."""
        memory = self.encode(x[:, 0])
        steps = max(int((x[:, 1] != 0).sum(dim=1).max()), 1)
        return self.say(memory, x[:, 1, :steps], memory.start)[0]

    def forward(self, x: Tensor) -> Tensor:
        """int64 (batch, 2, time) → (batch, steps, tokens that can be written); as many steps as the longest in the batch has."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def translator(
    cell: Gated,
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int = 0,
    embed: int = 64,
    hidden: int = 128,
    attention: Attention = "luong",
    dropout: float = 0.1,
) -> Translator:
    """An encoder and a decoder.

    Args:
        cell: lstm or gru.
        shape: (2, tokens of the longest).
        outputs: numbers that a token can have that is written.
        vocabulary: numbers that a token can have that is read; known from the data
        embed: length of a token's vector
        hidden: units of the decoder, and of the encoder in each direction
        attention: none, bahdanau (adds, before each step) or luong (multiplies, behind each step)
        dropout: probability to drop a number of the vectors and before the classifier in training

    Raises:
        ModelError: the inputs are no pairs of sequences.
        UsageError: a size below 1, or a dropout outside [0, 1).
    """
    if len(shape) != 2 or shape[0] != 2 or vocabulary < 1:
        raise ModelError(
            "this net translates, and these inputs are no pairs of texts",
            where=f"translator-{cell}",
            got=f"inputs of shape {written(shape)}",
            expected="a table of two columns of texts",
        )
    at_least_one(f"translator-{cell}", embed=embed, hidden=hidden)
    check_dropout(f"translator-{cell}", dropout)
    return Translator(cell, vocabulary, outputs, embed, hidden, attention, dropout)


_SIZES: tuple[tuple[Gated, int, int], ...] = (("lstm", 4, 2), ("gru", 3, 1))  # gates, and states that a cell hands on

TRANSLATORS: dict[str, Entry] = {
    f"translator-{cell}": Entry(
        name=f"translator-{cell}",
        build=partial(translator, cell),
        kinds=("pairs",),
        title="reads a sequence and writes another, with attention to what it read",
        paper="Luong, Pham, Manning, Effective approaches to attention-based neural machine translation, 2015",
        minimum=1,
        references=(
            Reference(
                (2, 12),
                9,
                20 * 4 + 9 * 4 + 3 * gates * (6 * 4 + 6 * 6 + 2 * 6) + ends * 13 * 6 + 12 * 6 + 19 * 6 + 7 * 9,
                f"20·4 + 9·4 + 3·{gates}·(6·4 + 6² + 2·6) + {ends}·13·6 + 12·6 + 19·6 + 7·9",
                {"vocabulary": 20, "embed": 4, "hidden": 6},
            ),
        ),
    )
    for cell, gates, ends in _SIZES
}
