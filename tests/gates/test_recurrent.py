"""Recurrent cells and their unrolled sequences against PyTorch's, which know nothing of steps."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity import close, numbers
from torch import nn

from glassnet import gates
from glassnet.errors import UsageError
from glassnet.gates import Graph, Node, Weights, gru_step, inputs, lstm_step, parameter, rnn_step, unroll

SEEDS = st.integers(0, 2**32 - 1)
CELLS: dict[str, tuple[Any, type[nn.RNNBase], dict[str, Any]]] = {
    "rnn": (rnn_step, nn.RNN, {}),
    "rnn with relu": (partial(rnn_step, squash=gates.ReLU), nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (lstm_step, nn.LSTM, {}),
    "gru": (gru_step, nn.GRU, {}),
}


def states(kind: str) -> tuple[str, ...]:
    return ("h0", "c0") if kind == "lstm" else ("h0",)


def weights_of(layer: nn.RNNBase, suffix: str = "_l0") -> Weights:
    found = [
        parameter(name + suffix, getattr(layer, name + suffix).detach().numpy())
        for name in ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if layer.bias else ()))
    ]
    return Weights(*found)


@pytest.mark.parametrize("kind", CELLS)
@settings(max_examples=12, deadline=None)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.booleans(), SEEDS)
def test_a_sequence_and_all_its_gradients(
    kind: str, batch: int, time: int, features: int, units: int, bias: bool, batch_first: bool, seed: int
) -> None:
    cell, layer_type, options = CELLS[kind]
    torch.manual_seed(seed % 1000)
    layer = layer_type(features, units, bias=bias, batch_first=batch_first, **options).double()
    shape = (batch, time, features) if batch_first else (time, batch, features)
    x, *starts = numbers(seed, shape, *[(batch, units)] * len(states(kind)))

    nodes = [Node("input", name) for name in states(kind)]
    axis = 1 if batch_first else 0
    outputs, last = unroll(cell, inputs("x")[0], time, tuple(nodes), weights_of(layer), time_axis=axis)
    graph = Graph(outputs, *last)
    value = graph.forward({"x": x, **dict(zip(states(kind), starts, strict=True))})
    upstream = np.random.default_rng(0).standard_normal(value.shape)
    found = graph.backward(upstream)

    tx = torch.tensor(x, requires_grad=True)
    first = [torch.tensor(start[None], requires_grad=True) for start in starts]
    expected, end = layer(tx, tuple(first) if len(first) > 1 else first[0])
    expected.backward(torch.from_numpy(upstream))
    close(value, expected.detach().numpy(), "outputs")
    for ours, theirs in zip(last, end if isinstance(end, tuple) else (end,), strict=True):
        assert ours.value is not None
        close(ours.value, theirs[0].detach().numpy(), "last state")
    assert tx.grad is not None
    close(found["x"], tx.grad.numpy(), "x")
    for name, tensor in zip(states(kind), first, strict=True):
        assert tensor.grad is not None
        close(found[name], tensor.grad[0].numpy(), name)
    for name, weight in layer.named_parameters():
        assert weight.grad is not None
        close(found[name], weight.grad.numpy(), name)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_bidirectional_layer_is_two_sequences_side_by_side(kind: str) -> None:
    cell, layer_type, options = CELLS[kind]
    torch.manual_seed(1)
    layer = layer_type(3, 2, batch_first=True, bidirectional=True, **options).double()
    (x,) = numbers(2, (2, 5, 3))
    node = inputs("x")[0]
    zeros = tuple(gates.constant(np.zeros((2, 2))) for _ in states(kind))
    forwards, _ = unroll(cell, node, 5, zeros, weights_of(layer), name="forwards")
    backwards, _ = unroll(cell, node, 5, zeros, weights_of(layer, "_l0_reverse"), backwards=True, name="backwards")
    graph = Graph(gates.apply(gates.Concatenate(2), forwards, backwards))
    value = graph.forward(x=x)
    tx = torch.tensor(x, requires_grad=True)
    expected = layer(tx)[0]
    close(value, expected.detach().numpy())
    expected.sum().backward()
    found = graph.backward(np.ones_like(value))
    assert tx.grad is not None
    close(found["x"], tx.grad.numpy())
    for name, weight in layer.named_parameters():
        assert weight.grad is not None
        close(found[name], weight.grad.numpy(), name)


def test_the_papers_gru_resets_before_the_product() -> None:
    x, h, w_ih, w_hh, b_ih, b_hh = numbers(3, (2, 3), (2, 4), (12, 3), (12, 4), (12,), (12,))
    weights = Weights(*(parameter(f"p{n}", value) for n, value in enumerate((w_ih, w_hh, b_ih, b_hh))))
    (after,) = gru_step(*inputs("x"), inputs("h"), weights, "t", reset_first=True)
    graph = Graph(after)
    value = graph.forward(x=x, h=h)

    leaves = [torch.tensor(each, requires_grad=True) for each in (x, h, w_ih, w_hh, b_ih, b_hh)]
    tx, th, ui, uh, bi, bh = leaves
    r, z = (torch.sigmoid(tx @ ui[k].T + bi[k] + th @ uh[k].T + bh[k]) for k in (slice(0, 4), slice(4, 8)))
    n = torch.tanh(tx @ ui[8:].T + bi[8:] + (r * th) @ uh[8:].T + bh[8:])
    expected = (1 - z) * n + z * th
    close(value, expected.detach().numpy())
    expected.sum().backward()
    found = graph.backward(np.ones_like(value))
    for name, leaf in zip(("x", "h", "p0", "p1", "p2", "p3"), leaves, strict=True):
        assert leaf.grad is not None
        close(found[name], leaf.grad.numpy(), name)


def test_every_step_can_be_walked_through_by_name() -> None:
    torch.manual_seed(0)
    layer = nn.LSTM(2, 3, batch_first=True).double()
    zeros = tuple(gates.constant(np.zeros((1, 3))) for _ in range(2))
    outputs, _ = unroll(lstm_step, inputs("x")[0], 2, zeros, weights_of(layer), name="lstm")
    graph = Graph(gates.apply(gates.Sum(), outputs, name="loss"))
    steps = list(graph.step(x=np.ones((1, 2, 2))))
    forward = [step.node.name for step in steps if step.direction == "forward"]
    assert [step.node.name for step in steps if step.direction == "backward"] == forward[::-1]
    moments = [name.split(".")[1] for name in forward if name.startswith("lstm.t")]
    assert moments == sorted(moments), "all of a step before the next"
    (cell,) = (step for step in steps if step.direction == "forward" and step.node.name == "lstm.t1.kept")
    assert cell.line == "lstm.t1.kept = lstm.t1.f · lstm.t0.c"
    for number, part in enumerate(("a_i", "a_f", "a_g", "a_o")):  # the order of PyTorch's weights
        assert graph[f"lstm.t0.{part}"].gate.place == (slice(None), slice(3 * number, 3 * number + 3))  # type: ignore[union-attr]


def test_the_gradient_through_time_of_a_plain_cell_vanishes_and_an_lstms_does_not() -> None:
    """Requirement G5: ∂h_20/∂x_t by its norm, from the last step to the first."""
    steps, units = 20, 4
    norms = {}
    for kind in ("rnn", "lstm"):
        cell = CELLS[kind][0]
        rows = 4 * units if kind == "lstm" else units
        w_ih, w_hh = numbers(1, (rows, 2), (rows, units))
        bias = np.zeros(rows)
        if kind == "lstm":
            bias[units : 2 * units] = 5.0  # the forget gates are open
        weights = Weights(parameter("w_ih", 0.3 * w_ih), parameter("w_hh", 0.2 * w_hh), parameter("b", bias))
        zeros = tuple(gates.constant(np.zeros((1, units))) for _ in states(kind))
        _, last = unroll(cell, inputs("x")[0], steps, zeros, weights)
        graph = Graph(gates.apply(gates.Sum(), last[0]))
        graph.forward(x=numbers(2, (1, steps, 2))[0])
        dx = graph.backward()["x"][0]  # (time, inputs)
        norms[kind] = np.linalg.norm(dx, axis=1)
    assert norms["rnn"][0] / norms["rnn"][-1] < 1e-5
    assert norms["lstm"][0] / norms["lstm"][-1] > 1e-2


def test_weights_without_values_are_refused() -> None:
    w = [Node("input", name) for name in ("w_ih", "w_hh")]
    with pytest.raises(UsageError, match="need their values"):
        unroll(lstm_step, inputs("x")[0], 2, inputs("h c"), Weights(*w))
