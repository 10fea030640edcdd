"""ResNet-20 against the paper's description."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from glassnet.layers import SubsampleAndPad
from glassnet.zoo import build


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_layers_with_weights_outside_the_shortcuts_are_the_depth(depth, shortcut):
    with torch.device("meta"):
        net = build(f"resnet{depth}", (3, 32, 32), 10, {"shortcut": shortcut}, seed=0)
    weighted = [
        n for n, module in net.named_modules() if isinstance(module, nn.Conv2d | nn.Linear) and "shortcut" not in n
    ]
    assert len(weighted) == depth


def test_twenty_weighted_layers_and_the_paper_s_maps():
    net = build("resnet20", (3, 32, 32), 10, seed=0)
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in net.modules()) == 20
    x = torch.randn(2, 3, 32, 32)
    seen = []
    for stage in net.stages:
        x = net.get_submodule(stage)(x)
        seen.append(tuple(x.shape[1:]))
    assert seen == [(16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8)]


def test_block_is_the_formula():
    block = build("resnet20", (3, 32, 32), 10, seed=0).get_submodule("group2.0").eval()
    x = torch.randn(2, 16, 8, 8)
    inner = F.relu(F.conv2d(x, block.conv1.weight, stride=2, padding=1) / (1 + 1e-5) ** 0.5)
    inner = F.conv2d(inner, block.conv2.weight, padding=1) / (1 + 1e-5) ** 0.5
    shortcut = torch.zeros(2, 32, 4, 4)
    for row in range(4):
        for column in range(4):
            shortcut[:, 8:24, row, column] = x[:, :, 2 * row, 2 * column]
    torch.testing.assert_close(block(x), F.relu(inner + shortcut), rtol=1e-4, atol=1e-5)


def test_subsample_and_pad_keeps_every_pixel_it_should():
    x = torch.arange(2 * 3 * 5 * 5.0).reshape(2, 3, 5, 5)
    y = SubsampleAndPad(3, 6, 2)(x)
    assert y.shape == (2, 6, 3, 3)
    assert torch.equal(y[:, 1:4], x[:, :, [0, 2, 4]][:, :, :, [0, 2, 4]])
    assert not y[:, [0, 4, 5]].any()


def test_projection_shortcuts():
    net = build("resnet20", (3, 32, 32), 10, {"shortcut": "B"}, seed=0)
    projections = [name for name, module in net.named_modules() if isinstance(module, nn.Conv2d) and "shortcut" in name]
    assert projections == ["group2.0.shortcut.0", "group3.0.shortcut.0"]


def test_weights_start_from_he_over_the_fan_out():
    net = build("resnet20", (3, 32, 32), 10, seed=0)
    weight = net.get_submodule("group3.0.conv1").weight  # from 32 to 64 channels
    assert abs(weight.std().item() / (2 / (64 * 9)) ** 0.5 - 1) < 0.02
