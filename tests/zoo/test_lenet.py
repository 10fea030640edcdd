"""LeNet-5's arithmetic, worked by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.zoo import build


@pytest.mark.parametrize(
    ("shape", "maps"),
    # 28 + 4 − 4 = 28, 14, 10, 5; 32 − 4 = 28; 12 + 4 − 4 = 12, 6, 2, 1; 40 − 4 = 36, 18, 14, 7; 33 − 4 = 29, 14, 10, 5
    [((1, 28, 28), (5, 5)), ((1, 32, 32), (5, 5)), ((3, 12, 12), (1, 1)), ((1, 40, 33), (7, 5))],
)
def test_maps_after_the_second_pooling(shape, maps):
    net = build("lenet5", shape, 10, seed=0)
    seen = net.block2(net.block1(torch.randn(2, *shape)))
    assert seen.shape[1:] == (16, *maps)
    assert net.get_submodule("dense1.0").in_features == 16 * maps[0] * maps[1]


def test_options():
    net = build("lenet5", (1, 28, 28), 10, {"pooling": "average", "activation": "tanh"}, seed=0)
    kinds = [type(module) for module in net.modules()]
    assert kinds.count(nn.AvgPool2d) == 2
    assert kinds.count(nn.Tanh) == 4
    assert nn.MaxPool2d not in kinds
    assert nn.ReLU not in kinds
