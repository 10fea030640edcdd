"""AlexNet against the figures of its paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.errors import ModelError, UsageError
from glassnet.layer_table import layer_table
from glassnet.layers import LocalResponseNorm
from glassnet.zoo import build

FULL = (3, 224, 224)
NARROW = {"width": 0.125}


def unmade(name: str, options: dict[str, object] | None = None, shape: tuple[int, ...] = FULL) -> nn.Module:
    """Without memory for its weights."""
    with torch.device("meta"):
        return build(name, shape, 1000, options, seed=0)


def maps(net: nn.Module, shape: tuple[int, ...] = FULL) -> dict[str, tuple[int, ...]]:
    return {row.path: row.output for row in layer_table(net, shape).rows}


def test_neurons_of_every_layer_as_section_3_5_counts_them():
    seen = maps(unmade("alexnet"))
    neurons = [torch.Size(seen[f"block{number}.conv"]).numel() for number in range(1, 6)]
    # The paper prints 253,440 for the first layer, which is none of the sizes that its figure or its text lead to.
    assert neurons == [55 * 55 * 96, 186_624, 64_896, 64_896, 43_264]
    assert [seen[name] for name in ("dense6.linear", "dense7.linear", "head")] == [(4096,), (4096,), (1000,)]


@pytest.mark.parametrize(
    ("overlapping", "side", "sides"),
    [
        (True, 224, [55, 27, 13, 6]),
        (False, 224, [55, 27, 13, 6]),  # "produces output of equivalent dimensions", section 3.4
        (True, 227, [56, 27, 13, 6]),
        (True, 63, [15, 7, 3, 1]),
    ],
)
def test_maps_after_the_first_convolution_and_the_poolings(overlapping, side, sides):
    shape = (3, side, side)
    seen = maps(unmade("alexnet", {"overlapping": overlapping}, shape), shape)
    assert [seen[name][1] for name in ("block1.conv", "block1.pool", "block2.pool", "block5.pool")] == sides


def test_columns_meet_in_the_third_convolution_and_in_the_dense_layers_alone():
    net = build("alexnet", (3, 63, 63), 5, {**NARROW, "lrn": False}, seed=0).eval()
    x = torch.randn(2, 12, 15, 15)
    other = x.clone()
    other[:, 6:] = torch.randn(2, 6, 15, 15)
    first, second = net.block2(x), net.block2(other)
    assert torch.equal(first[:, :16], second[:, :16])
    assert not torch.equal(first[:, 16:], second[:, 16:])
    groups = [net.get_submodule(f"block{number}.conv").groups for number in range(1, 6)]
    assert groups == [1, 2, 1, 2, 2]
    single = build("alexnet-single", (3, 63, 63), 5, NARROW, seed=0)
    assert {module.groups for module in single.modules() if isinstance(module, nn.Conv2d)} == {1}


def test_weights_and_biases_start_as_section_5_says():
    net = build("alexnet", (3, 63, 63), 1000, {"width": 0.25}, seed=0)
    biases = {}
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            assert abs(module.weight.std() / 0.01 - 1) < 0.05, name
            assert abs(module.weight.mean()) < 1e-3, name
            biases[name] = set(module.bias.tolist())
    assert biases == {
        "block1.conv": {0.0},
        "block2.conv": {1.0},
        "block3.conv": {0.0},
        "block4.conv": {1.0},
        "block5.conv": {1.0},
        "dense6.linear": {1.0},
        "dense7.linear": {1.0},
        "head": {0.0},
    }


def test_order_of_the_first_block_and_what_can_be_switched():
    def kinds(options):
        net = build("alexnet", (3, 63, 63), 5, NARROW | options, seed=0)
        return [type(module).__name__ for module in net.block1], net

    names, net = kinds({})
    assert names == ["Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"]
    assert sum(isinstance(module, LocalResponseNorm) for module in net.modules()) == 2
    assert net.block1.lrn.k == 2
    assert [type(module).__name__ for module in net.dense6] == ["Linear", "ReLU", "Dropout"]
    assert net.block1.pool.kernel_size == 3
    names, net = kinds({"lrn": False, "activation": "tanh", "overlapping": False, "batch_norm": True})
    assert names == ["Conv2d", "BatchNorm2d", "Tanh", "MaxPool2d"]
    assert not any(isinstance(module, nn.ReLU | LocalResponseNorm) for module in net.modules())
    assert net.block1.conv.bias is None
    assert {module.kernel_size for module in net.modules() if isinstance(module, nn.MaxPool2d)} == {2}


def test_another_size_is_refused_by_the_dense_layer_and_names_the_one_it_needs():
    net = build("alexnet", (3, 63, 63), 5, NARROW, seed=0)
    with pytest.raises(ModelError) as told:
        net(torch.randn(1, 3, 127, 127))
    assert told.value.where == "alexnet.dense6 (dense layer with 32 inputs)"
    assert "63×63" in told.value.expected
    assert net.get_submodule("dense6")[0].in_features == 32


def test_a_width_that_leaves_nothing_is_refused():
    with pytest.raises(UsageError, match="option width"):
        build("alexnet", FULL, 5, {"width": 0.001}, seed=0)
    assert build("alexnet", (3, 63, 63), 5, {"width": 0.03}, seed=0)(torch.randn(2, 3, 63, 63)).shape == (2, 5)
