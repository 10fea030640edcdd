"""Gates that work number by number, against PyTorch in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes
from parity import agrees, close, numbers
from torch import Tensor
from torch.nn import functional as F

from glassnet import gates
from glassnet.gates import Elementwise, Graph, Node, apply
from glassnet.layers import ScaledTanh, activation

SEEDS = st.integers(0, 2**32 - 1)

ONE: dict[str, tuple[Callable[[], Elementwise], Callable[[Tensor], Tensor]]] = {
    "identity": (gates.Identity, lambda x: x * 1),
    "sigmoid": (gates.Sigmoid, torch.sigmoid),
    "tanh": (gates.Tanh, torch.tanh),
    "scaled-tanh": (gates.ScaledTanh, ScaledTanh()),
    "relu": (gates.ReLU, F.relu),
    "leaky-relu": (gates.LeakyReLU, F.leaky_relu),
    "leaky-relu 0.1": (lambda: gates.LeakyReLU(0.1), lambda x: F.leaky_relu(x, 0.1)),
    "elu": (gates.ELU, F.elu),
    "elu 0.5": (lambda: gates.ELU(0.5), lambda x: F.elu(x, 0.5)),
    "selu": (gates.SELU, F.selu),
    "gelu": (gates.GELU, F.gelu),
    "tanh-gelu": (gates.TanhGELU, lambda x: F.gelu(x, approximate="tanh")),
    "silu": (gates.SiLU, F.silu),
    "softplus": (gates.Softplus, F.softplus),
    "softplus 3": (lambda: gates.Softplus(3.0), lambda x: F.softplus(x, 3, threshold=100)),
    "relu6": (lambda: gates.Clip(0, 6), F.relu6),
    "clip": (lambda: gates.Clip(-0.5, 0.7), lambda x: x.clamp(-0.5, 0.7)),
    "exp": (gates.Exp, torch.exp),
    "square": (gates.Square, torch.square),
    "abs": (gates.Absolute, torch.abs),
    "reciprocal": (gates.Reciprocal, torch.reciprocal),
    "sin": (gates.Sin, torch.sin),
    "cos": (gates.Cos, torch.cos),
    "negate": (gates.Negate, torch.neg),
}
POSITIVE: dict[str, tuple[Callable[[], Elementwise], Callable[[Tensor], Tensor]]] = {
    "log": (gates.Log, torch.log),
    "sqrt": (gates.Sqrt, torch.sqrt),
}
TWO: dict[str, tuple[Callable[[], Elementwise], Callable[[Tensor, Tensor], Tensor]]] = {
    "add": (gates.Add, torch.add),
    "subtract": (gates.Subtract, torch.sub),
    "multiply": (gates.Multiply, torch.mul),
    "divide": (gates.Divide, torch.div),
    "maximum": (gates.Maximum, torch.maximum),
    "minimum": (gates.Minimum, torch.minimum),
}


@pytest.mark.parametrize("name", ONE)
@settings(max_examples=15, deadline=None)
@given(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5), SEEDS)
def test_functions_of_one_number(name: str, shape: tuple[int, ...], seed: int) -> None:
    gate, reference = ONE[name]
    agrees(gate(), reference, *(3 * x for x in numbers(seed, shape)))


@pytest.mark.parametrize("name", POSITIVE)
@settings(max_examples=15, deadline=None)
@given(array_shapes(min_dims=0, max_dims=3, max_side=5), SEEDS)
def test_functions_of_one_positive_number(name: str, shape: tuple[int, ...], seed: int) -> None:
    gate, reference = POSITIVE[name]
    agrees(gate(), reference, *(0.1 + np.abs(x) for x in numbers(seed, shape)))


@pytest.mark.parametrize("name", TWO)
@settings(max_examples=25, deadline=None)
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4), SEEDS)
def test_functions_of_two_numbers_broadcast_as_in_pytorch(name: str, shapes: object, seed: int) -> None:
    gate, reference = TWO[name]
    agrees(gate(), reference, *numbers(seed, *shapes.input_shapes))  # type: ignore[attr-defined]


@settings(max_examples=25, deadline=None)
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4), SEEDS)
def test_power(shapes: object, seed: int) -> None:
    x, y = numbers(seed, *shapes.input_shapes)  # type: ignore[attr-defined]
    agrees(gates.Power(), torch.pow, np.abs(x) + 0.1, y)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0, -1.0])
def test_power_of_negative_numbers_and_zero(exponent: float) -> None:
    x = np.array([-2.0, -0.5, 1.5]) if exponent < 0 else np.array([-2.0, 0.0, 1.5])
    agrees(lambda x: x**exponent, lambda x: x**exponent, x)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.booleans(), SEEDS)
def test_prelu_with_one_slope_or_one_for_each_channel(n: int, c: int, side: int, shared: bool, seed: int) -> None:
    x, a = numbers(seed, (n, c, side, side), (1,) if shared else (c,))
    node = [Node("input", "x"), Node("input", "a")]
    graph = Graph(apply(gates.PReLU(), node[0], apply(gates.Reshape((-1, 1, 1)), node[1])))
    value = graph.forward(x=x, a=a)
    tx, ta = torch.tensor(x, requires_grad=True), torch.tensor(a, requires_grad=True)
    expected = F.prelu(tx, ta)
    close(value, expected.detach().numpy())
    expected.sum().backward()
    found = graph.backward(np.ones_like(value))
    assert tx.grad is not None
    assert ta.grad is not None
    close(found["x"], tx.grad.numpy())
    close(found["a"], ta.grad.numpy())


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softplus", "silu", "gelu", "elu", "selu", "tanh-gelu"])
def test_far_out_nothing_overflows(name: str) -> None:
    gate, reference = ONE[name]
    agrees(gate(), reference, np.array([-800.0, -40.0, 0.0, 40.0, 800.0]))


@pytest.mark.parametrize(
    ("gate", "at_kink"),
    [
        (gates.ReLU(), 0.0),
        (gates.LeakyReLU(0.1), 0.1),
        (gates.Absolute(), 0.0),
        (gates.Clip(0, 6), 1.0),
        (gates.ELU(), 1.0),
    ],
)
def test_the_slope_at_a_kink_is_pytorchs(gate: Elementwise, at_kink: float) -> None:
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    reference = {
        "relu": F.relu,
        "leaky-relu": lambda x: F.leaky_relu(x, 0.1),
        "abs": torch.abs,
        "clip": lambda x: x.clamp(0, 6),
        "elu": F.elu,
    }[gate.name]
    (theirs,) = torch.autograd.grad(reference(x).sum(), x)
    gate.forward(np.zeros(1))
    (slope,) = gate.local()
    assert slope is not None
    assert slope.item() == theirs.item() == at_kink


def test_equal_inputs_of_a_maximum_share_the_gradient_as_in_pytorch() -> None:
    agrees(gates.Maximum(), torch.maximum, np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    agrees(gates.Minimum(), torch.minimum, np.array([1.0, 2.0]), np.array([1.0, 3.0]))


@pytest.mark.parametrize(
    "name", ["identity", "sigmoid", "tanh", "scaled-tanh", "relu", "leaky-relu", "elu", "gelu", "silu"]
)
def test_every_activation_of_the_networks_has_its_gate(name: str) -> None:
    agrees(ONE[name][0](), activation(name), *numbers(5, (3, 4)))


def test_the_table_of_values_and_slopes_at_minus_ten_zero_and_ten() -> None:
    places = np.array([-10.0, 0.0, 10.0])
    expected = {  # computed by hand: σ(10) = 0.9999546, σ′(10) = 4.5396e-5, 1 − tanh²(10) = 8.2446e-9
        gates.Sigmoid(): ([4.539787e-05, 0.5, 0.9999546], [4.539581e-05, 0.25, 4.539581e-05]),
        gates.Tanh(): ([-1.0, 0.0, 1.0], [8.244615e-09, 1.0, 8.244615e-09]),
        gates.ReLU(): ([0.0, 0.0, 10.0], [0.0, 0.0, 1.0]),
        gates.LeakyReLU(): ([-0.1, 0.0, 10.0], [0.01, 0.01, 1.0]),
        gates.ELU(): ([-0.9999546, 0.0, 10.0], [4.539993e-05, 1.0, 1.0]),
    }
    for gate, (values, slopes) in expected.items():
        np.testing.assert_allclose(gate.forward(places), values, rtol=1e-6, atol=1e-8)
        (slope,) = gate.local()
        np.testing.assert_allclose(slope, slopes, rtol=1e-6)  # type: ignore[arg-type]
