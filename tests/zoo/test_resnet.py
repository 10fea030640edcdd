"""Residual networks against table 1 of their paper, and their blocks against the formula."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from glassnet.layer_table import layer_table
from glassnet.layers import BasicBlock, Bottleneck, SubsampleAndPad, make_shortcut
from glassnet.zoo import ZOO, build

NARROW = {"width": 0.125}
FULL = (3, 224, 224)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_layers_maps_and_multiply_adds_of_table_1(depth):
    name = f"resnet{depth}"
    with torch.device("meta"):
        net = build(name, FULL, 1000, seed=0)
    table = layer_table(net, FULL)
    weighted = [row for row in table.rows if row.kind in ("Conv2d", "Linear") and "shortcut" not in row.path]
    assert len(weighted) == depth
    last = {row.path.split(".")[0]: row.output for row in table.rows}
    factor = 4 if depth >= 50 else 1
    assert last["stem"] == (64, 56, 56)
    assert [last[f"group{number}"] for number in (1, 2, 3, 4)] == [
        (64 * factor, 56, 56),
        (128 * factor, 28, 28),
        (256 * factor, 14, 14),
        (512 * factor, 7, 7),
    ]
    stated = float(ZOO[name].references[0].stated_multiply_adds.removesuffix("G"))
    assert abs(table.multiply_adds / 1e9 - stated) < 0.1


@pytest.mark.parametrize(
    ("name", "sees"), [("resnet50", 483), ("resnet101", 1027), ("resnet152", 1507), ("alexnet", 195), ("vgg16", 212)]
)
def test_receptive_fields_published_by_araujo_norris_and_sim_2019(name, sees):
    with torch.device("meta"):
        net = build(name, FULL, 1000, seed=0)
    assert max(row.receptive_field for row in layer_table(net, FULL).rows if row.kernel) == (sees, sees)


@pytest.mark.parametrize(("strided", "first", "second"), [("1x1", 2, 1), ("3x3", 1, 2)])
def test_bottleneck_is_the_formula(strided, first, second):
    block = Bottleneck(6, 4, 2, "B", strided).double().eval()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.uniform_(-1, 1)
    x = torch.randn(2, 6, 7, 8, dtype=torch.float64)

    def norm(y, layer):
        return y / (1 + layer.eps) ** 0.5 * layer.weight[:, None, None] + layer.bias[:, None, None]

    y = F.relu(norm(F.conv2d(x, block.conv1.weight, stride=first), block.norm1))
    y = F.relu(norm(F.conv2d(y, block.conv2.weight, stride=second, padding=1), block.norm2))
    y = norm(F.conv2d(y, block.conv3.weight), block.norm3)
    projected = torch.einsum("oi,bihw->bohw", block.shortcut[0].weight[:, :, 0, 0], x[:, :, ::2, ::2])
    torch.testing.assert_close(block(x), F.relu(y + norm(projected, block.shortcut[1])))


@pytest.mark.parametrize(
    ("option", "same", "changed"),
    [("A", nn.Identity, SubsampleAndPad), ("B", nn.Identity, nn.Sequential), ("C", nn.Sequential, nn.Sequential)],
)
def test_shortcuts_of_table_3(option, same, changed):
    assert type(make_shortcut(8, 8, 1, option)) is same
    assert type(make_shortcut(8, 16, 2, option)) is changed
    assert type(make_shortcut(8, 16, 1, option)) is changed
    net = build("resnet34", (3, 32, 32), 5, NARROW | {"shortcut": option}, seed=0)
    projections = sum(
        isinstance(block.shortcut, nn.Sequential) for block in net.modules() if isinstance(block, BasicBlock)
    )
    assert projections == {"A": 0, "B": 3, "C": 16}[option]


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_with_zero_gamma_every_block_starts_as_its_shortcut(name):
    net = build(name, (3, 64, 64), 5, NARROW | {"zero_gamma": True}, seed=0)
    blocks = [module for module in net.modules() if isinstance(module, BasicBlock | Bottleneck)]
    assert len(blocks) == {"resnet18": 8, "resnet50": 16}[name]
    for block in blocks:
        x = torch.randn(2, block.conv1.in_channels, 8, 8)
        assert torch.equal(block.train()(x), F.relu(block.shortcut(x)))
        norms = [block.norm1, block.norm2, *([block.norm3] if isinstance(block, Bottleneck) else [])]
        assert [bool(norm.weight.any()) for norm in norms] == [True] * (len(norms) - 1) + [False]
    plain = build(name, (3, 64, 64), 5, NARROW, seed=0)
    assert all(bool((m.weight == 1).all()) for m in plain.modules() if isinstance(m, nn.BatchNorm2d))


def test_weights_start_from_he_over_the_fan_out():
    weight = build("resnet18", (3, 32, 32), 5, {"width": 0.5}, seed=0).get_submodule("group4.0.conv1").weight
    assert weight.shape[:2] == (256, 128)
    assert abs(weight.std().item() / (2 / (256 * 9)) ** 0.5 - 1) < 0.02


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "googlenet"])
def test_images_of_other_sizes_pass_a_built_network(name):
    net = build(name, (3, 64, 64), 5, {"width": 0.25}, seed=0).eval()
    for size in ((32, 32), (33, 97), (128, 64)):
        assert net(torch.randn(1, 3, *size)).shape == (1, 5)
