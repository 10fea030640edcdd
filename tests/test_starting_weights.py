"""The initialisation that a recipe asks for, as it arrives in the network of a run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from glassnet.data.dataset import Data
from glassnet.data.preprocess import fit
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.data.split import split
from glassnet.initialise import INITS, initialise
from glassnet.network import INIT_SAMPLES, make_net
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.zoo import build


def arrays(*shape: int) -> Data:
    generator = np.random.default_rng(0)
    inputs = (30 * generator.normal(size=(200, *shape)) + 7).astype(np.float32)
    return split(data_from_arrays(inputs, np.arange(200) % 3), seed=0)


def images() -> Data:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, size=(200, 3, 16, 16), dtype=np.uint8)
    return split(data_from_arrays(pixels, np.arange(200) % 4), seed=0)


def net_of(data: Data, **settings: object) -> tuple[nn.Module, torch.Tensor]:
    """The network of a run before its first step, and the inputs that its weights have looked at."""
    named = {key.replace("__", "."): value for key, value in settings.items()}
    recipe, _ = resolve(Recipe().changed(named), data)
    preprocess = fit(recipe.preprocess.name, data.train, data.schema)
    return make_net(recipe, data, preprocess, None)[0], preprocess(data.train.some(INIT_SAMPLES))


def spreads(net: nn.Module, x: torch.Tensor) -> list[float]:
    found: list[float] = []
    for module in net.modules():
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd) and module.weight.requires_grad:
            module.register_forward_hook(lambda module, _, out: found.append(out.var().item()))
    with torch.no_grad():
        net.eval()(x)
    return found


@pytest.mark.parametrize(
    ("data", "layers"), [(arrays(9), 3), (arrays(2, 40), 4), (images(), 7)], ids=["table", "signals", "images"]
)
def test_lsuv_looks_at_the_preprocessed_training_part(data, layers):
    net, x = net_of(data, net__init="lsuv")
    found = spreads(net, x)
    assert len(found) == layers
    assert all(abs(variance - 1) < 0.11 for variance in found)


def test_whitening_filters_come_first():
    # The layers above the whitening are scaled to what the whitening really lets through.
    net, x = net_of(images(), net__init="lsuv")
    plain, _ = net_of(images())
    assert torch.equal(net.whiten.weight, plain.whiten.weight)
    assert max(spreads(net, x)) < 1.11


@pytest.mark.parametrize("init", ["default", "he", "lsuv"])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_biases_of_zero_or_one(init, value):
    net, _ = net_of(arrays(9), net__init=init, net__init_bias=value)
    biases = [p for name, p in net.named_parameters() if name.endswith("bias")]
    assert len(biases) == 3
    assert all((bias == value).all() for bias in biases)


def test_without_a_word_about_biases_the_net_s_own_stay():
    first, again = (net_of(arrays(9))[0] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert any(p.any() for name, p in first.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize(("preprocess", "name"), [("standardise", "conv1d"), ("pca", "mlp"), ("whiten", "mlp")])
def test_components_of_signals_are_no_signals(preprocess, name):
    recipe, _ = resolve(Recipe().changed({"preprocess.name": preprocess}), arrays(2, 40))
    assert recipe.net.name == name
    net, x = net_of(arrays(2, 40), preprocess__name=preprocess)
    assert net(x[:2]).shape == (2, 3)


NETS = {
    "mlp": (6,),
    "lenet5": (1, 12, 12),
    "lenet5-1998": (1, 28, 28),
    "small-vgg": (1, 8, 8),
    "resnet20": (1, 8, 8),
    "all-conv": (1, 9, 9),
    "conv1d": (2, 16),
    "conv3d": (1, 4, 4, 4),
}


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("name", NETS)
def test_every_rule_reaches_every_family(name, init):
    net = build(name, NETS[name], 3, {"width": 0.1} if name == "all-conv" else {}, seed=0)
    before = {key: value.clone() for key, value in net.named_parameters()}
    x = torch.randn(12, *NETS[name], generator=torch.Generator().manual_seed(1))
    initialise(net, init, torch.Generator().manual_seed(2), inputs=x)
    assert net.eval()(x).isfinite().all()
    weights = {key: p for key, p in net.named_parameters() if p.dim() >= 2 and p.requires_grad}
    assert weights
    assert all(not torch.equal(weight, before[key]) for key, weight in weights.items())
