"""Recurrent networks that say at every step what comes next: language models of characters or words."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from glassnet.errors import ModelError
from glassnet.layers.through_time import cut_off
from glassnet.layers.token_embedding import PADDING, TokenEmbedding
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.options import check_dropout
from glassnet.zoo.recurrent import CELLS, Cell, remember
from glassnet.zoo.shape import written
from glassnet.zoo.text_shape import at_least_one


class LanguageNet(nn.Module):
    """Embedding, recurrent layers and a classifier at every step: s_t = V h_t + c, P(x_{t+1} | x_1 … x_t) = softmax(s_t).

    The cells are those of :class:`glassnet.zoo.recurrent.RecurrentNet`. In training the state at the end of a batch is where the same rows of the next begin
    (see :mod:`glassnet.layers.through_time`); a row whose first token is ``PADDING``, the beginning of a text, begins from zeros, and so does a batch with another
    number of rows.

    Args:
        cell: rnn, lstm or gru.
        vocabulary: numbers that a token can have, as input and as output.
        embed: length of a token's vector.
        hidden: units of each layer.
        layers: how many there are, one above the other.
        dropout: probability to drop a number between the layers and before the classifier.
    """

    carried: Tensor

    def __init__(self, cell: Cell, vocabulary: int, embed: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.stages: tuple[str, ...] = ("embed", "recurrent")
        self.embed = TokenEmbedding(vocabulary, embed, spread=1.0)  # few tokens, each met often: PyTorch's own spread
        between = dropout if layers > 1 else 0.0
        self.recurrent = CELLS[cell](embed, hidden, layers, batch_first=True, dropout=between)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, vocabulary)
        self.carrying = False
        kept = 2 if cell == "lstm" else 1  # h and c, or h alone
        self.register_buffer("carried", torch.zeros(kept, layers, 0, hidden), persistent=False)
        if cell == "lstm":
            remember(self.recurrent)

    def features(self, x: Tensor) -> Tensor:
        """int64 (batch, time) → (batch, time, hidden)."""
        carries = self.training or self.carrying
        states, end = self.recurrent(self.embed(x), self._start(x) if carries else None)
        if carries:
            ended = cut_off(end)
            ends = ended if isinstance(ended, tuple) else (ended,)
            self.carried = torch.stack(ends).to(self.carried.dtype)
        return self.drop(states)  # type: ignore[no-any-return]

    def _start(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor | None:
        if self.carried.shape[2] != len(x):
            return None
        states = self.carried * (x[:, 0] != PADDING)[:, None]  # (kept, layers, batch, hidden)
        return (states[0], states[1]) if len(states) == 2 else states[0]

    def forward(self, x: Tensor) -> Tensor:
        """int64 (batch, time) → (batch, time, vocabulary)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def language(
    cell: Cell,
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int = 0,
    embed: int = 64,
    hidden: int = 512,
    layers: int = 1,
    dropout: float = 0.2,
) -> LanguageNet:
    """A language model.

    Args:
        cell: rnn, lstm or gru.
        shape: (tokens of a window,).
        outputs: numbers that a token can have.
        vocabulary: likewise; known from the data
        embed: length of a token's vector
        hidden: units of each layer
        layers: layers, one above the other
        dropout: probability to drop a number between layers and before the classifier in training

    Raises:
        ModelError: the inputs are no stream of tokens.
        UsageError: a size below 1, or a dropout outside [0, 1).
    """
    if len(shape) != 1 or vocabulary != outputs:
        raise ModelError(
            "this net says what comes next in a text, and these inputs are none",
            where=f"language-{cell}",
            got=f"inputs of shape {written(shape)}",
            expected="one text, such as a file FILE.txt",
            fix=f"--net {cell} for a class or values",
        )
    at_least_one(f"language-{cell}", embed=embed, hidden=hidden, layers=layers)
    check_dropout(f"language-{cell}", dropout)
    return LanguageNet(cell, vocabulary, embed, hidden, layers, dropout)


_PAPERS: dict[Cell, str] = {
    "rnn": "Mikolov and others, Recurrent neural network based language model, 2010",
    "lstm": "Graves, Generating sequences with recurrent neural networks, 2013",
    "gru": "Chung, Gulcehre, Cho, Bengio, Empirical evaluation of gated recurrent neural networks, 2014",
}
_GATES: dict[Cell, int] = {"rnn": 1, "lstm": 4, "gru": 3}

LANGUAGE_NETS: dict[str, Entry] = {
    f"language-{cell}": Entry(
        name=f"language-{cell}",
        build=partial(language, cell),
        kinds=("stream",),
        title="says at every step what comes next in a text",
        paper=paper,
        minimum=1,
        references=(
            Reference(
                (20,),
                30,
                30 * 8 + _GATES[cell] * (16 * 8 + 16 * 16 + 2 * 16) + 17 * 30,
                f"30·8 + {_GATES[cell]}·(16·8 + 16² + 2·16) + 17·30",
                {"vocabulary": 30, "embed": 8, "hidden": 16},
            ),
        ),
    )
    for cell, paper in _PAPERS.items()
}
