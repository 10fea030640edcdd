"""The VGG networks against tables 1 and 2 of their paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.errors import ModelError
from glassnet.layer_table import layer_table
from glassnet.layers import LocalResponseNorm
from glassnet.zoo import build

LAYERS = {"vgg11": 11, "vgg13": 13, "vgg16": 16, "vgg16-c": 16, "vgg19": 19}
NARROW = {"width": 0.125}
SMALL = (3, 32, 32)


@pytest.mark.parametrize(("name", "layers"), LAYERS.items())
def test_layers_with_weights_and_maps(name, layers):
    with torch.device("meta"):
        net = build(name, (3, 224, 224), 1000, seed=0)
    rows = layer_table(net, (3, 224, 224)).rows
    assert sum(row.kind in ("Conv2d", "Linear") for row in rows) == layers
    assert [row.output for row in rows if row.kind == "MaxPool2d"] == [
        (64, 112, 112),
        (128, 56, 56),
        (256, 28, 28),
        (512, 14, 14),
        (512, 7, 7),
    ]
    assert [row.output for row in rows if row.kind == "Linear"] == [(4096,), (4096,), (1000,)]


def test_configuration_c_has_windows_of_one_pixel_where_d_has_three():
    windows = {}
    for name in ("vgg16", "vgg16-c"):
        net = build(name, SMALL, 5, NARROW, seed=0)
        windows[name] = [m.kernel_size[0] for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert windows["vgg16"] == [3] * 13
    assert [place for place, window in enumerate(windows["vgg16-c"]) if window == 1] == [6, 9, 12]


def test_options():
    net = build("vgg11", SMALL, 5, NARROW | {"batch_norm": True, "lrn": True, "dropout": 0}, seed=0)
    assert [type(module).__name__ for module in net.block1] == [
        "Conv2d",
        "BatchNorm2d",
        "ReLU",
        "LocalResponseNorm",
        "MaxPool2d",
    ]
    assert sum(isinstance(module, LocalResponseNorm) for module in net.modules()) == 1
    assert sum(isinstance(module, nn.BatchNorm2d) for module in net.modules()) == 8
    assert not any(isinstance(module, nn.Dropout) for module in net.modules())
    plain = build("vgg11", SMALL, 5, NARROW, seed=0)
    assert [m.p for m in plain.modules() if isinstance(m, nn.Dropout)] == [0.5, 0.5]
    assert not any(isinstance(module, LocalResponseNorm | nn.BatchNorm2d) for module in plain.modules())


def test_spread_of_the_signal_is_kept_through_nineteen_layers():
    net = build("vgg19", (3, 64, 64), 5, {"width": 0.25}, seed=0).eval()
    x = torch.randn(4, 3, 64, 64)
    assert 0.1 < net.features(x).square().mean() / x.square().mean() < 30


def test_another_size_is_refused_by_the_dense_layer_and_names_the_one_it_needs():
    net = build("vgg16-c", (3, 64, 32), 5, NARROW, seed=0)
    assert net(torch.randn(2, 3, 64, 32)).shape == (2, 5)
    with pytest.raises(ModelError) as told:
        net(torch.randn(1, 3, 64, 64))
    assert told.value.where == "vgg16-c.dense1 (dense layer with 128 inputs)"
    assert told.value.expected == "maps of 64×2×1, from images of 64×32"
    assert "global average pooling" in told.value.fix
