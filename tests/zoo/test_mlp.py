"""The multilayer perceptron against its formula."""

from __future__ import annotations

import pytest
import torch

from glassnet.errors import UsageError
from glassnet.zoo import build


def test_forward_is_the_formula():
    net = build("mlp", (2, 3), 2, {"hidden": (4, 3), "activation": "tanh"}, seed=0).double()
    state = net.state_dict()
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    h = x.reshape(5, 6)
    for layer in ("hidden1", "hidden2"):
        h = torch.tanh(h @ state[f"{layer}.linear.weight"].T + state[f"{layer}.linear.bias"])
    torch.testing.assert_close(net(x), h @ state["head.weight"].T + state["head.bias"])


def test_no_hidden_layer_is_linear_regression():
    net, linear = build("mlp", (6,), 2, {"hidden": ()}, seed=0), build("linear", (6,), 2, seed=0)
    x = torch.randn(3, 6)
    assert torch.equal(net(x), linear(x))
    assert net.stages == ("flatten",)


def test_batch_norm_takes_the_bias_away():
    net = build("mlp", (6,), 2, {"hidden": (4,), "batch_norm": True}, seed=0)
    assert sum(p.numel() for p in net.parameters()) == 6 * 4 + 2 * 4 + (4 + 1) * 2


@pytest.mark.parametrize("options", [{"hidden": (4, 0)}, {"dropout": 1.0}, {"dropout": -0.1}, {"activation": "rellu"}])
def test_impossible_options(options):
    with pytest.raises(UsageError):
        build("mlp", (6,), 2, options, seed=0)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_maxout_is_the_larger_of_two_linear_functions(batch_norm):
    net = build("mlp", (6,), 2, {"hidden": (4,), "activation": "maxout", "batch_norm": batch_norm}, seed=0).eval()
    x = torch.randn(5, 6)
    answers = net.get_submodule("hidden1.linear")(x)  # (5, 8), two neighbours a unit
    answers = net.get_submodule("hidden1.norm")(answers) if batch_norm else answers
    expected = torch.stack([torch.maximum(answers[:, 2 * i], answers[:, 2 * i + 1]) for i in range(4)], 1)
    torch.testing.assert_close(net.features(x), expected)
