"""One-to-many: recurrent networks that are told one thing, a vector or a picture, and say a sequence of values."""

from __future__ import annotations

from functools import partial
from math import prod

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.flatten import FlattenInputs
from glassnet.zoo.options import check_dropout
from glassnet.zoo.recurrent import CELLS, Cell, remember
from glassnet.zoo.text_shape import at_least_one


class EachStep(nn.Module):
    """The same linear layer at every step: (batch, steps · features) → (batch, steps · values).

    Args:
        features: of a step.
        values: of a step.
    """

    def __init__(self, features: int, values: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, values)

    def forward(self, x: Tensor) -> Tensor:
        """V h_t + c for every t."""
        return self.linear(x.reshape(x.shape[0], -1, self.linear.in_features)).flatten(1)  # type: ignore[no-any-return]


class UnrolledNet(nn.Module):
    """A decoder that unrolls from one vector x.

    With f one of the cells of :class:`glassnet.zoo.recurrent.RecurrentNet`::

        v = tanh(W x + b),   h_0 = v,   h_t = f(h_{t−1}, v),   y_t = V h_t + c,   t = 1 … T

    The vector is told again at every step, as to the decoder of Cho and others 2014, section 2.2. The value said before is not told: y_{t−1} is a linear function of
    h_{t−1}, which the cell has. So training and use are one computation, and V is the same for all steps, whose number adds no parameters.

    Args:
        cell: rnn, lstm or gru.
        inputs: numbers in one input.
        hidden: units of each layer.
        layers: how many there are, one above the other.
        steps: T.
        values: numbers that are said at each step.
        dropout: probability to drop a number between the layers and before V.
    """

    stages = ("start", "recurrent")

    def __init__(
        self, cell: Cell, inputs: int, hidden: int, layers: int, steps: int, values: int, dropout: float
    ) -> None:
        super().__init__()
        self.steps, self.layers, self.cell = steps, layers, cell
        self.flatten = FlattenInputs(inputs, f"unrolled-{cell}")
        self.start = nn.Linear(inputs, hidden)
        between = dropout if layers > 1 else 0.0
        self.recurrent = CELLS[cell](hidden, hidden, layers, batch_first=True, dropout=between)
        self.drop = nn.Dropout(dropout)
        self.head = EachStep(hidden, values)
        if cell == "lstm":
            remember(self.recurrent)

    def features(self, x: Tensor) -> Tensor:
        """(batch, …) → the states h_1 … h_T side by side, (batch, steps · hidden)."""
        told = torch.tanh(self.start(self.flatten(x)))  # (batch, hidden)
        first = told.expand(self.layers, -1, -1).contiguous()
        begin = (first, torch.zeros_like(first)) if self.cell == "lstm" else first
        states, _ = self.recurrent(told.unsqueeze(1).expand(-1, self.steps, -1), begin)
        return self.drop(states).flatten(1)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, steps · values), the values of one step side by side."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def unrolled(
    cell: Cell,
    shape: tuple[int, ...],
    outputs: int,
    hidden: int = 128,
    layers: int = 1,
    values: int = 1,
    dropout: float = 0.0,
) -> UnrolledNet:
    """A net that says a sequence of values of one vector or picture.

    Args:
        cell: rnn, lstm or gru.
        shape: of one input.
        outputs: values of the whole sequence.
        hidden: units of each layer
        layers: layers, one above the other
        values: numbers that are said at each step, which stand side by side in the targets
        dropout: probability to drop a number between layers and before the last one in training

    Raises:
        UsageError: a size below 1, a dropout outside [0, 1), or targets that do not come out even.
    """
    name = f"unrolled-{cell}"
    at_least_one(name, hidden=hidden, layers=layers, values=values)
    check_dropout(name, dropout)
    if outputs % values:
        raise UsageError(
            "the targets are no whole number of steps",
            where=f"net {name}, option values",
            got=f"{outputs} targets, {values} values a step",
            expected=f"a divisor of {outputs}",
        )
    return UnrolledNet(cell, prod(shape), hidden, layers, outputs // values, values, dropout)


_GATES: dict[Cell, int] = {"rnn": 1, "lstm": 4, "gru": 3}

UNROLLED_NETS: dict[str, Entry] = {
    f"unrolled-{cell}": Entry(
        name=f"unrolled-{cell}",
        build=partial(unrolled, cell),
        kinds=("table", "array", "image"),
        title=f"one-to-many: {cell.upper()} that says a sequence of values of one vector or picture",
        paper="Cho and others, Learning phrase representations using RNN encoder-decoder, 2014 (its decoder)",
        minimum=1,
        references=(
            Reference(
                (14,),
                24,
                15 * 16 + gates * (2 * 16 * 16 + 2 * 16) + 17,
                f"15·16 + {gates}·(2·16² + 2·16) + 17, whatever the number of steps",
                {"hidden": 16},
            ),
            Reference(
                (1, 8, 8),
                24,
                65 * 16 + gates * (2 * 16 * 16 + 2 * 16) + 17 * 2,
                f"65·16 + {gates}·(2·16² + 2·16) + 17·2",
                {"hidden": 16, "values": 2},
            ),
        ),
    )
    for cell, gates in _GATES.items()
}
