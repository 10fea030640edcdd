"""Starting weights: against the lectures' figures, PyTorch's own rules and the definitions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from glassnet.errors import ModelError, UsageError
from glassnet.initialise import INITS, fans_of, initialise, left_as_drawn, set_biases
from glassnet.initialise.between_layers import change_rates
from glassnet.layers import RBF, ConnectionTableConv2d, LocallyConnected1d, LocallyConnected2d, digit_codes
from glassnet.zoo import build

BY_DATA = ("lsuv", "data-dependent", "between-layer")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Standard deviation of the activations at layers 1 to 10: 1000 Gaussian inputs, ten layers of 500 (requirements, part I).
STATISTICS = [
    ("normal001", nn.Tanh, [0.2131, 0.0476, 0.0106, 0.0024, 0.00053, None, None, None, None, 0.0]),
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
    # The lectures' figures are one draw. Ours are several, and theirs must lie where a further draw of ours may be expected:
    # within 4 standard deviations at every layer (of the logarithm, as the spread is a product over layers), and the figure's own
    # rounding. With ReLU the spread drifts by some 5 % a layer from draw to draw; with tanh it hardly does.
    logs = torch.tensor([spreads(name, activation, seed) for seed in range(8)]).log()
    for layer, figure in enumerate(expected):
        mean, sampling = logs[:, layer].mean().item(), logs[:, layer].std().item()
        if figure == 0.0:
            assert f"{math.exp(mean):.6f}" == "0.000000"
        elif figure is not None:
            rounding = 0.5 * 10 ** -len(str(figure).split(".")[1]) / figure
            off = abs(math.log(figure) - mean)
            assert off <= 4 * sampling * math.sqrt(1 + 1 / 8) + rounding, f"layer {layer + 1}"
            assert off < (0.03 if activation is nn.Tanh else 0.35), f"layer {layer + 1}"


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
    drawn = {"zero", "normal001", "normal1", "uniform", "xavier", "glorot", "he", "orthogonal"}
    assert set(INITS) == drawn | set(BY_DATA)


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
        for layer, seed in ((first, 1), (second, 1), (third, 2)):
            initialise(layer, name, generator(seed), inputs=torch.eye(4))
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


def answers(net: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What every dense, convolutional and locally connected layer answers, channels first."""
    kinds = (nn.Linear, nn.modules.conv._ConvNd, LocallyConnected1d, LocallyConnected2d, ConnectionTableConv2d)
    found: dict[str, torch.Tensor] = {}
    handles = [
        module.register_forward_hook(
            lambda m, _, out, name=name: found.__setitem__(name, out.movedim(-1 if isinstance(m, nn.Linear) else 1, 0))
        )
        for name, module in net.named_modules()
        if isinstance(module, kinds)
    ]
    was_training = net.training
    with torch.no_grad():
        net.eval()(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return {name: out.flatten(1).double() for name, out in found.items()}


class Branched(nn.Module):
    """Two paths, batch norm, dropout, and every kind of layer that can be adjusted."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2)
        self.norm = nn.BatchNorm2d(8)
        self.left = nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False)
        self.right = nn.Conv2d(8, 8, 1)
        self.up = nn.ConvTranspose2d(8, 6, 2, stride=2, groups=2)
        self.local = LocallyConnected2d(6, 5, (14, 14), 3, stride=2)
        self.drop = nn.Dropout(0.9)
        self.head = nn.Linear(5 * 36, 4)

    def forward(self, x):
        x = self.norm(self.stem(x)).relu()
        x = (self.left(x) + self.right(x)).tanh()
        x = self.local(self.up(x).relu()).relu()
        return self.head(self.drop(x).flatten(1))


def images() -> torch.Tensor:
    return 5 * torch.randn(64, 3, 16, 16, generator=generator(7)) + 2


def test_lsuv_brings_every_layer_to_unit_variance_by_scaling_alone():
    net, x = Branched(), images()
    initialise(net, "orthogonal", generator(1))
    orthogonal = {name: p.clone() for name, p in net.named_parameters()}
    assert max(abs(out.var().item() - 1) for out in answers(net, x).values()) > 0.5
    initialise(net, "lsuv", generator(1), inputs=x)
    found = answers(net, x)
    assert set(found) == {"stem", "left", "right", "up", "local", "head"}
    for name, out in found.items():
        assert abs(out.var().item() - 1) < 0.1, name
    for name, parameter in net.named_parameters():
        if name.endswith("weight") and not name.startswith("norm"):
            ratio = parameter / orthogonal[name]
            torch.testing.assert_close(ratio, ratio.flatten()[0].expand_as(ratio), rtol=1e-3, atol=0)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_data_dependent_start_gives_every_channel_mean_and_variance(bias):
    net, x = Branched(), images()
    initialise(net, "data-dependent", generator(1), bias=bias, inputs=x)
    for name, out in answers(net, x).items():
        torch.testing.assert_close(out.var(1, correction=0), torch.ones(len(out)).double(), rtol=1e-3, atol=0)
        if name != "left":  # it has no bias to shift its mean
            torch.testing.assert_close(out.mean(1), torch.full((len(out),), bias).double(), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv1d(3, 4, 3), (3, 20)),
        (nn.Conv3d(2, 4, 2), (2, 5, 6, 7)),
        (nn.ConvTranspose1d(4, 6, 3, groups=2), (4, 9)),
        (LocallyConnected1d(3, 4, 20, 5), (3, 20)),
        (nn.Linear(6, 4), (3, 6)),  # a sequence of three
        (ConnectionTableConv2d(3, [[0], [1, 2], [0, 1, 2], [2], [0, 2]], 3), (3, 8, 9)),
    ],
)
def test_layers_of_every_dimension_are_adjusted(layer, shape):
    net, x = nn.Sequential(layer), 3 * torch.randn(50, *shape, generator=generator(2)) - 1
    initialise(net, "lsuv", generator(1), inputs=x)
    assert abs(answers(net, x)["0"].var().item() - 1) < 0.1
    initialise(net, "data-dependent", generator(1), inputs=x)
    out = answers(net, x)["0"]
    torch.testing.assert_close(out.var(1, correction=0), torch.ones(len(out)).double(), rtol=1e-3, atol=0)
    torch.testing.assert_close(out.mean(1), torch.zeros(len(out)).double(), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", BY_DATA)
def test_what_looking_at_data_leaves_alone(name):
    net = Branched().train()
    net.right.eval()
    net.stem.weight.requires_grad_(False)
    kept = {
        key: value.clone() for key, value in net.state_dict().items() if key.startswith("norm") or key == "stem.weight"
    }
    before = torch.random.get_rng_state()
    initialise(net, name, generator(1), inputs=images())
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(net.state_dict()[key], value) for key, value in kept.items())
    assert net.training
    assert net.drop.training
    assert not net.right.training
    assert not any(module._forward_hooks for module in net.modules())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("name", ["lsuv", "data-dependent"])
def test_weight_that_serves_twice_is_adjusted_at_its_first_call(name):
    shared = nn.Linear(6, 6)
    net, x = nn.Sequential(shared, nn.ReLU(), shared), torch.randn(200, 6, generator=generator(3)) * 4
    initialise(net, name, generator(1), inputs=x)
    with torch.no_grad():
        assert abs(shared(x).var().item() - 1) < 0.1


@pytest.mark.parametrize("name", BY_DATA)
def test_inputs_that_do_not_vary_and_inputs_that_are_missing_or_broken(name):
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    initialise(net, name, generator(1), inputs=torch.zeros(8, 3))
    assert all(p.isfinite().all() for p in net.parameters())
    with pytest.raises(UsageError, match="looks at data"):
        initialise(net, name)
    with pytest.raises(ModelError, match="cannot be fitted"):
        initialise(net, name, inputs=torch.full((8, 3), float("nan")))


def test_locally_connected_layers_start_as_one_dense_layer_a_position():
    layer = LocallyConnected2d(3, 8, (9, 9), 3)
    initialise(layer, "orthogonal", generator(1))
    for rows in layer.weight.double().reshape(49, 8, 27):
        torch.testing.assert_close(rows @ rows.T, torch.eye(8, dtype=torch.float64), atol=1e-5, rtol=0)
    initialise(layer, "he", generator(1), bias=1.0)
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 27), rel=0.03)
    assert (layer.bias == 1).all()


def test_biases_alone():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    set_biases(net, 1.0)
    changed = {key for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"0.bias", "3.bias"}
    assert (net[0].bias == 1).all()


def test_unit_variance_holds_through_a_deep_net_where_small_weights_die():
    net = nn.Sequential(*(layer for _ in range(10) for layer in (nn.Linear(100, 100), nn.Tanh())))
    x = torch.randn(500, 100, generator=generator(5))
    spread = {}
    for name in ("normal001", "lsuv"):
        initialise(net, name, generator(1), inputs=x)
        with torch.no_grad():
            spread[name] = net(x).std().item()
    assert spread["normal001"] < 1e-6
    assert 0.5 < spread["lsuv"] < 0.7  # tanh of a standard normal number has the spread 0.628


def test_rates_of_change_by_hand():
    # z = w₂ᵀ(W₁x), ℓ = ηz: ∂ℓ/∂W₁ = η w₂ xᵀ and ∂ℓ/∂w₂ = η W₁x, summed over the batch with an η for each answer.
    first, last = nn.Linear(3, 4, bias=False), nn.Linear(4, 1, bias=False)
    x = torch.randn(5, 3, generator=generator(2))
    eta = torch.randn(5, 1, generator=generator(3))
    rates = change_rates(nn.Sequential(first, last), x, generator(3))
    slopes = {first: last.weight.T @ (eta * x).sum(0, keepdim=True), last: (eta * (x @ first.weight.T)).sum(0)}
    for layer, slope in slopes.items():
        expected = (slope.square().mean() / layer.weight.square().mean()).sqrt()
        torch.testing.assert_close(rates[layer], expected.detach(), rtol=1e-5, atol=0)


def spread_of_rates(net: nn.Module, x: torch.Tensor) -> float:
    """Standard deviation of the layers' log rates, averaged over draws of η so that what is left is not the sampling's."""
    logs = [torch.stack(list(change_rates(net, x, generator(seed)).values())).log() for seed in range(100, 110)]
    return torch.stack(logs).mean(0).std().item()


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (nn.Sequential(*(m for _ in range(6) for m in (nn.Linear(50, 50), nn.ReLU())), nn.Linear(50, 5)), (50,)),
        (nn.Sequential(*(m for _ in range(6) for m in (nn.Linear(50, 50), nn.Tanh())), nn.Linear(50, 5)), (50,)),
        (Branched(), (3, 16, 16)),
        (build("lenet5-1998", (1, 12, 12), 10, seed=0), (1, 12, 12)),
    ],
    ids=["relu", "tanh", "branched", "lenet5-1998"],
)
def test_between_layers_all_change_at_the_same_rate_and_the_answers_keep_their_spread(net, shape):
    x = torch.randn(128, *shape, generator=generator(4))
    initialise(net, "data-dependent", generator(1), inputs=x)
    before, answers_before = spread_of_rates(net, x), net.eval()(x).std(0).mean().item()
    initialise(net, "between-layer", generator(1), inputs=x)
    assert before > 0.35
    assert spread_of_rates(net, x) < 0.25 * before
    assert net(x).std(0).mean().item() == pytest.approx(answers_before, rel=0.1)


def test_between_layers_a_chain_of_rectifiers_computes_what_it_did():
    # Biases too are scaled, so that the whole function stays: the product of all factors is 1.
    net = nn.Sequential(*(m for _ in range(3) for m in (nn.Linear(20, 20), nn.ReLU())), nn.Linear(20, 4))
    x = torch.randn(200, 20, generator=generator(4))
    initialise(net, "data-dependent", generator(1), bias=0.3, inputs=x)
    before = net(x)
    weights = net[0].weight.clone()
    initialise(net, "between-layer", generator(1), bias=0.3, inputs=x)
    assert (net[0].weight / weights).mean().item() != pytest.approx(1, abs=0.2)
    torch.testing.assert_close(net(x), before, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", BY_DATA)
def test_the_further_classifiers_of_googlenet_are_fitted_too(name):
    net = build("googlenet", (3, 32, 32), 10, {"width": 0.125}, seed=0)
    x = torch.randn(32, 3, 32, 32, generator=generator(4))
    initialise(net, name, generator(1), inputs=x)
    net.eval().training = True  # the further classifiers, without dropout
    with torch.no_grad():
        for logits in net(x)[1:]:
            assert logits.var().item() == pytest.approx(1, abs=0.15)


def test_what_cannot_be_fitted_is_told_in_words():
    told = left_as_drawn(build("lenet5-1998", (1, 28, 28), 10, seed=0))
    assert told == "head (RBF: its codes are places to reach, not weights)"
    assert left_as_drawn(Branched()) == ""
    told = left_as_drawn(nn.ModuleDict({"memory": nn.LSTM(3, 4), "look": nn.MultiheadAttention(4, 2)}))
    assert "memory (LSTM: its gates" in told
    assert "look (MultiheadAttention: " in told


@pytest.mark.parametrize("name", INITS)
def test_the_codes_of_an_rbf_output_are_no_weights(name):
    head = RBF(digit_codes(), trainable=True)
    net = nn.Sequential(nn.Linear(3, 84), nn.Tanh(), head)
    initialise(net, name, generator(1), inputs=torch.randn(50, 3, generator=generator(2)))
    assert torch.equal(head.codes, digit_codes())
