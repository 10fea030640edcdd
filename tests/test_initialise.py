"""Starting weights: against the lectures' figures, PyTorch's own rules and the definitions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from glassnet.errors import UsageError
from glassnet.initialise import INITS, fans_of, initialise


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Standard deviation of the activations at layers 1 to 10: 1000 Gaussian inputs, ten layers of 500 (requirements, part I).
STATISTICS = [
    ("normal001", nn.Tanh, [0.2131, 0.0476, 0.0106, 0.0024, 0.00053]),
    ("normal1", nn.Tanh, [0.982] * 10),
    ("xavier", nn.Tanh, [0.628, 0.486, 0.408, 0.357, 0.321, 0.292, 0.273, 0.255, 0.239, 0.228]),
    ("xavier", nn.ReLU, [0.582, 0.403, 0.277, 0.199, 0.140, 0.103, 0.073, 0.052, 0.039, 0.026]),
    ("he", nn.ReLU, [0.825, 0.828, 0.814, 0.827, 0.834, 0.860, 0.871, 0.889, 0.845, 0.845]),
]


def spreads(name: str, activation: type[nn.Module], seed: int) -> list[float]:
    layers = [nn.Linear(500, 500) for _ in range(10)]
    initialise(nn.ModuleList(layers), name, generator(seed))
    h = torch.randn(1000, 500, generator=generator(seed + 100))
    found = []
    with torch.no_grad():
        for layer in layers:
            h = activation()(layer(h))
            found.append(h.std().item())
    return found


@pytest.mark.parametrize(("name", "activation", "expected"), STATISTICS)
def test_activation_statistics_of_the_lectures(name, activation, expected):
    # With ReLU the spread drifts from draw to draw, by some 5 % a layer, in the lectures' one draw too.
    draws, tolerance = (1, 0.03) if activation is nn.Tanh else (6, 0.25)
    logs = torch.tensor([spreads(name, activation, seed) for seed in range(draws)]).log().mean(0)
    found = logs.exp().tolist()[: len(expected)]
    assert found[0] == pytest.approx(expected[0], rel=0.02)
    assert found == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(
    ("name", "spread", "bound"),
    [
        ("zero", 0, 0),
        ("normal001", 0.01, None),
        ("normal1", 1, None),
        ("uniform", 1 / math.sqrt(300) / math.sqrt(3), 1 / math.sqrt(300)),
        ("xavier", 1 / math.sqrt(300), None),
        ("glorot", math.sqrt(2 / 500), math.sqrt(6 / 500)),
        ("he", math.sqrt(2 / 300), None),
        ("orthogonal", 1 / math.sqrt(300), None),
    ],
)
def test_spread_and_bound_of_every_rule(name, spread, bound):
    layer = nn.Linear(300, 200)
    initialise(layer, name, generator())
    assert layer.weight.std().item() == pytest.approx(spread, rel=0.02)
    assert layer.weight.mean().abs().item() <= 4 * spread / math.sqrt(300 * 200)
    if bound is not None:
        assert layer.weight.abs().max().item() <= bound
        assert layer.weight.abs().max().item() >= 0.99 * bound
    assert not layer.bias.any()


def test_every_rule_is_tested_above():
    assert set(INITS) == {"zero", "normal001", "normal1", "uniform", "xavier", "glorot", "he", "orthogonal"}


def test_orthogonal_rows_or_columns():
    for rows, columns in ((20, 50), (50, 20)):
        layer = nn.Linear(columns, rows)
        initialise(layer, "orthogonal", generator())
        w = layer.weight.double()
        product = w @ w.T if rows < columns else w.T @ w
        torch.testing.assert_close(product, torch.eye(20, dtype=torch.float64), atol=1e-5, rtol=0)


@pytest.mark.parametrize("module", [nn.Linear(7, 5), nn.Conv1d(4, 6, 3), nn.Conv2d(4, 6, (3, 5)), nn.Conv3d(2, 3, 2)])
def test_fans_are_pytorch_s(module):
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(module.weight)
    fans = fans_of(module, module.weight)
    assert (fans.fan_in, fans.fan_out) == (fan_in, fan_out)


def test_fans_of_groups_and_of_the_transposed_convolution_by_hand():
    grouped = nn.Conv2d(8, 12, 3, groups=4)  # an output sees 2 channels of 3×3; an input serves 3 channels
    assert fans_of(grouped, grouped.weight).fan_in == 2 * 9
    assert fans_of(grouped, grouped.weight).fan_out == 3 * 9
    transposed = nn.ConvTranspose2d(8, 12, 3, groups=4)
    assert fans_of(transposed, transposed.weight).fan_in == 2 * 9
    assert fans_of(transposed, transposed.weight).fan_out == 3 * 9


def test_norms_embeddings_and_frozen_weights_are_left_alone():
    net = nn.Sequential(
        nn.Embedding(5, 4), nn.LayerNorm((3, 4)), nn.GroupNorm(1, 3), nn.BatchNorm2d(3), nn.PReLU(), nn.Conv2d(3, 4, 2)
    )
    frozen = nn.Linear(4, 4)
    frozen.weight.requires_grad_(False)
    net.append(frozen)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    initialise(net, "normal1", generator(), bias=1.0)
    changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"5.weight", "5.bias", "6.bias"}
    assert (net[5].bias == 1).all()


def test_recurrent_and_attention_weights_are_reached():
    net = nn.ModuleList([nn.LSTM(3, 4), nn.MultiheadAttention(4, 2)])
    initialise(net, "zero")
    assert not any(parameter.any() for parameter in net.parameters())


def test_generator_decides_and_the_global_state_stays():
    before = torch.random.get_rng_state()
    first, second, third = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(4, 3)
    torch.random.set_rng_state(before)
    for name in INITS:
        initialise(first, name, generator(1))
        initialise(second, name, generator(1))
        initialise(third, name, generator(2))
        assert torch.equal(first.weight, second.weight)
        assert name == "zero" or not torch.equal(first.weight, third.weight)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_shared_weight_is_drawn_once():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    initialise(nn.ModuleList([first, second]), "normal1", generator(3))
    alone = nn.Linear(4, 4)
    initialise(alone, "normal1", generator(3))
    assert torch.equal(second.weight, alone.weight)


def test_unknown_rule():
    with pytest.raises(UsageError, match="did you mean 'xavier'"):
        initialise(nn.Linear(2, 2), "xavie")
