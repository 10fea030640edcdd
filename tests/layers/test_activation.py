"""Every activation against its formula, its derivative against differences and the lectures' places −10, 0 and 10."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck

from glassnet.errors import UsageError
from glassnet.layers import ACTIVATIONS, activation, activation_curve


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


FORMULAS = {
    "identity": lambda x: x,
    "sigmoid": sigmoid,
    "tanh": lambda x: 2 * sigmoid(2 * x) - 1,
    "scaled-tanh": lambda x: 1.7159 * (2 * sigmoid(4 * x / 3) - 1),
    "relu": lambda x: max(0.0, x),
    "leaky-relu": lambda x: x if x > 0 else 0.01 * x,
    "prelu": lambda x: x if x > 0 else 0.25 * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "gelu": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "silu": lambda x: x * sigmoid(x),
    "softmax": lambda x: math.exp(x) / (math.exp(x) + math.exp(0)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_derivative(name):
    x = torch.tensor([-10.0, -3, -0.7, 0.4, 2, 10], dtype=torch.float64)
    values, slopes = activation_curve(name, x)
    formula, h = FORMULAS[name], 1e-6
    assert values.tolist() == pytest.approx([formula(v) for v in x.tolist()], rel=1e-9, abs=1e-12)
    differences = [(formula(v + h) - formula(v - h)) / (2 * h) for v in x.tolist()]
    assert slopes.tolist() == pytest.approx(differences, rel=1e-4, abs=1e-8)


# Values and derivatives at −10, 0 and 10; at a kink the derivative is that of the left side, which PyTorch takes.
AT = {
    "sigmoid": ([4.5398e-5, 0.5, 0.9999546], [4.5396e-5, 0.25, 4.5396e-5]),
    "tanh": ([-1, 0, 1], [8.2446e-9, 1, 8.2446e-9]),
    "relu": ([0, 0, 10], [0, 0, 1]),
    "leaky-relu": ([-0.1, 0, 10], [0.01, 0.01, 1]),
    "elu": ([-0.9999546, 0, 10], [4.5400e-5, 1, 1]),
}


@pytest.mark.parametrize("name", AT)
def test_table_of_the_lectures(name):
    values, slopes = activation_curve(name, torch.tensor([-10.0, 0, 10], dtype=torch.float64))
    assert values.tolist() == pytest.approx(AT[name][0], rel=1e-4)
    assert slopes.tolist() == pytest.approx(AT[name][1], rel=1e-3)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient(name):
    x = torch.randn(4, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert gradcheck(activation(name).double(), x)


def test_softmax_is_over_channels():
    out = activation("softmax")(torch.randn(2, 5, 3, 3))
    torch.testing.assert_close(out.sum(1), torch.ones(2, 3, 3))


def test_curve_keeps_shape_and_the_input_as_it_was():
    x = torch.linspace(-3, 3, 12).reshape(3, 4)
    before = x.clone()
    values, slopes = activation_curve("tanh", x)
    assert values.shape == slopes.shape == (3, 4)
    assert torch.equal(x, before)
    assert not x.requires_grad
    with pytest.raises(UsageError, match="did you mean 'leaky-relu'"):
        activation("leaky_relu")
