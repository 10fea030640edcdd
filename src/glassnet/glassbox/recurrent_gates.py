"""Recurrent layers as gates, unrolled through time: stacked, in both directions, with the batch or the time first, or packed.

The arguments are those of PyTorch's kernels behind ``nn.RNN``, ``nn.LSTM``, ``nn.GRU`` and their cells.
"""

# ruff: noqa: A002 - arguments carry PyTorch's names, since calls may give them by name

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from glassnet import gates
from glassnet.errors import ModelError
from glassnet.gates import Array, Gate, Node, Weights, apply
from glassnet.gates.recurrent import Cell, State
from glassnet.glassbox.shape_gates import at_places, evaluated, reshape, shape_of, transpose

Run: TypeAlias = Callable[..., tuple[Node, State]]


def sequence(cell: Cell, *, kernels: int) -> Callable[..., tuple[Node, ...]]:
    """A recurrent module of one kind of cell: outputs, then the last states.

    Args:
        cell: one step.
        kernels: gates of the cell, whose weights lie one after another.
    """

    def handler(
        input: Node,
        hx: Any,
        params: Any,
        has_biases: Any = True,
        num_layers: Any = 1,
        dropout: Any = 0.0,
        train: Any = False,
        bidirectional: Any = False,
        batch_first: bool = False,
    ) -> tuple[Node, ...]:
        run: Run = partial(gates.unroll, steps=_steps(input, batch_first), time_axis=1 if batch_first else 0)
        if not isinstance(has_biases, bool):  # PyTorch's call for packed sequences: their sizes come second
            run = partial(gates.unroll_packed, sizes=_sizes(hx))
            hx, params, has_biases = params, has_biases, num_layers
            num_layers, dropout, train, bidirectional = dropout, train, bidirectional, batch_first
        _check(params, dropout, train, num_layers, kernels)
        starts = tuple(hx) if isinstance(hx, list | tuple) else (hx,)
        return layers(cell, input, starts, params, has_biases, num_layers, bidirectional, run)

    return handler


lstm = sequence(gates.lstm_step, kernels=4)
gru = sequence(gates.gru_step, kernels=3)


def rnn(squash: Callable[[], Gate]) -> Callable[..., tuple[Node, ...]]:
    """Elman's network with tanh or ReLU: outputs, last h."""
    return sequence(partial(gates.rnn_step, squash=squash), kernels=1)


def layers(
    cell: Cell,
    x: Node,
    starts: tuple[Node, ...],
    params: Sequence[Node],
    biases: bool,
    count: int,
    bidirectional: bool,
    run: Run,
) -> tuple[Node, ...]:
    """All layers and directions, one after another.

    Args:
        cell: one step.
        x: (batch, time, features) or (time, batch, features), or the rows of packed sequences.
        starts: states before the first step, each (layers · directions, batch, units).
        params: of each layer and direction in turn: w_ih, w_hh and, where there are biases, b_ih, b_hh.
        biases: whether there are.
        count: layers.
        bidirectional: whether each layer also reads from the end.
        run: one layer in one direction, which knows how x is laid out.

    Returns:
        The outputs of the last layer, then the last states as PyTorch stacks them.
    """
    directions, each = 2 if bidirectional else 1, 4 if biases else 2
    last: list[State] = []
    for layer in range(count):
        sides: list[Node] = []
        for direction in range(directions):
            number = layer * directions + direction
            weights = Weights(*params[number * each : (number + 1) * each])
            name = f"layer{layer}" + ("r" if direction else "")
            state = tuple(_first(start, number) for start in starts)
            outputs, state = run(cell, x, state=state, weights=weights, backwards=bool(direction), name=name)
            sides.append(outputs)
            last.append(state)
        features = len(shape_of(x)) - 1
        x = sides[0] if len(sides) == 1 else apply(gates.Concatenate(axis=features), *sides, name=f"layer{layer}.both")
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


def pack(input: Node, lengths: Node, batch_first: bool) -> tuple[Node, None]:
    """The steps of padded sequences, the longest first, one after another: all first steps, then all second ones and so on."""
    x = input if batch_first else transpose(input, 0, 1)
    _, time, *features = shape_of(x)
    found = [int(length) for length in _numbers(lengths)]
    places = [number * time + t for t in range(max(found)) for number in range(len(found)) if t < found[number]]
    return at_places(reshape(x, (-1, *features)), np.array(places), name="packed"), None


def unpack(
    data: Node, batch_sizes: Node, batch_first: bool, padding_value: float, total_length: int
) -> tuple[Node, None]:
    """Packed steps back at the places of their sequences, with padding behind the ends."""
    sizes = _sizes(batch_sizes)
    rows, *features = shape_of(data)
    padding = gates.constant(np.full((1, *features), float(padding_value)), "padding")
    places = np.full((max(total_length, len(sizes)), sizes[0]), rows)
    for t, size in enumerate(sizes):
        places[t, :size] = sum(sizes[:t]) + np.arange(size)
    padded = apply(gates.Concatenate(axis=0), data, padding, name="with_padding")
    return apply(gates.Select(places.T if batch_first else places), padded, name="padded"), None


def _steps(input: Node, batch_first: bool) -> int:
    return shape_of(input)[1 if batch_first and len(shape_of(input)) > 2 else 0]


def _sizes(batch_sizes: Node) -> list[int]:
    return [int(size) for size in _numbers(batch_sizes)]


def _numbers(node: Node) -> Array:
    value = evaluated(node).value
    assert value is not None
    return value


def _check(params: Any, dropout: float, train: bool, layers: int, kernels: int) -> None:
    if dropout and train and layers > 1:
        raise ModelError(
            "dropout between the layers of a recurrent module cannot be seen", fix="open it in evaluation mode"
        )
    each = len(params) // max(layers, 1)
    if each not in (2, 4, 8) or params[1].shape[0] != kernels * params[1].shape[1]:
        raise ModelError(
            "a recurrent layer with a projection has no gates", got="proj_size above 0", expected="proj_size=0"
        )
