"""Recurrent layers as gates, unrolled through time: stacked, in both directions, with the batch or the time first.

The arguments are those of PyTorch's kernels behind ``nn.RNN``, ``nn.LSTM``, ``nn.GRU`` and their cells.
"""

# ruff: noqa: A002 - arguments carry PyTorch's names, since calls may give them by name

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from glassnet import gates
from glassnet.errors import ModelError
from glassnet.gates import Gate, Node, Weights, apply
from glassnet.gates.recurrent import Cell, State


def lstm(
    input: Node,
    hx: Any,
    params: Any,
    has_biases: Any = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Node, ...]:
    """Outputs, last h, last c."""
    _check(params, has_biases, dropout, train, num_layers, kernels=4)
    return layers(gates.lstm_step, input, tuple(hx), params, has_biases, num_layers, bidirectional, batch_first)


def gru(
    input: Node,
    hx: Any,
    params: Any,
    has_biases: Any = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Node, ...]:
    """Outputs, last h."""
    _check(params, has_biases, dropout, train, num_layers, kernels=3)
    return layers(gates.gru_step, input, (hx,), params, has_biases, num_layers, bidirectional, batch_first)


def rnn(squash: Callable[[], Gate]) -> Callable[..., tuple[Node, ...]]:
    """Elman's network with tanh or ReLU: outputs, last h."""

    def handler(
        input: Node,
        hx: Any,
        params: Any,
        has_biases: Any = True,
        num_layers: int = 1,
        dropout: float = 0.0,
        train: bool = False,
        bidirectional: bool = False,
        batch_first: bool = False,
    ) -> tuple[Node, ...]:
        _check(params, has_biases, dropout, train, num_layers, kernels=1)
        cell = partial(gates.rnn_step, squash=squash)
        return layers(cell, input, (hx,), params, has_biases, num_layers, bidirectional, batch_first)

    return handler


def layers(
    cell: Cell,
    x: Node,
    starts: tuple[Node, ...],
    params: Sequence[Node],
    biases: bool,
    count: int,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Node, ...]:
    """All layers and directions, one after another.

    Args:
        cell: one step.
        x: (batch, time, features) or (time, batch, features).
        starts: states before the first step, each (layers · directions, batch, units).
        params: of each layer and direction in turn: w_ih, w_hh and, where there are biases, b_ih, b_hh.
        biases: whether there are.
        count: layers.
        bidirectional: whether each layer also reads from the end.
        batch_first: how x is laid out.

    Returns:
        The outputs of the last layer, then the last states as PyTorch stacks them.
    """
    directions, each = 2 if bidirectional else 1, 4 if biases else 2
    time_axis = 1 if batch_first else 0
    assert x.shape is not None
    steps = x.shape[time_axis]
    last: list[State] = []
    for layer in range(count):
        sides: list[Node] = []
        for direction in range(directions):
            number = layer * directions + direction
            weights = Weights(*params[number * each : (number + 1) * each])
            name = f"layer{layer}" + ("r" if direction else "")
            state = tuple(_first(start, number) for start in starts)
            outputs, state = gates.unroll(
                cell, x, steps, state, weights, time_axis=time_axis, backwards=bool(direction), name=name
            )
            sides.append(outputs)
            last.append(state)
        x = sides[0] if len(sides) == 1 else apply(gates.Concatenate(axis=2), *sides, name=f"layer{layer}.both")
    ends = (apply(gates.Stack(axis=0), *(state[kind] for state in last)) for kind in range(len(starts)))
    return (x, *ends)


def _first(start: Node, number: int) -> Node:
    """The state of one layer and direction before the first step; zeros stay a constant."""
    if start.kind == "constant" and start.value is not None:
        return gates.constant(start.value[number], f"layer{number}.start")
    return start[number]


def lstm_cell(
    input: Node, hx: Any, w_ih: Node, w_hh: Node, b_ih: Node | None = None, b_hh: Node | None = None
) -> tuple[Node, ...]:
    """One step: h and c."""
    return gates.lstm_step(input, tuple(hx), Weights(w_ih, w_hh, b_ih, b_hh), "step")


def gru_cell(input: Node, hx: Node, w_ih: Node, w_hh: Node, b_ih: Node | None = None, b_hh: Node | None = None) -> Node:
    """One step: h."""
    return gates.gru_step(input, (hx,), Weights(w_ih, w_hh, b_ih, b_hh), "step")[0]


def rnn_cell(squash: Callable[[], Gate]) -> Callable[..., Node]:
    """One step of Elman's network: h."""

    def handler(
        input: Node, hx: Node, w_ih: Node, w_hh: Node, b_ih: Node | None = None, b_hh: Node | None = None
    ) -> Node:
        return gates.rnn_step(input, (hx,), Weights(w_ih, w_hh, b_ih, b_hh), "step", squash=squash)[0]

    return handler


def _check(params: Any, has_biases: Any, dropout: float, train: bool, layers: int, *, kernels: int) -> None:
    if not isinstance(has_biases, bool):
        raise ModelError(
            "packed sequences of different lengths have no gates",
            fix="give sequences of one length, without pack_padded_sequence",
        )
    if dropout and train and layers > 1:
        raise ModelError(
            "dropout between the layers of a recurrent module cannot be seen", fix="open it in evaluation mode"
        )
    each = len(params) // max(layers, 1)
    if each not in (2, 4, 8) or params[1].shape[0] != kernels * params[1].shape[1]:
        raise ModelError("a recurrent layer with a projection has no gates", got="proj_size above 0")
