"""The convolutional nets for signals, volumes and images of any size: their shapes, worked by hand, and that other sizes fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.errors import ModelError, UsageError
from glassnet.layer_table import layer_table
from glassnet.zoo import build


def test_signal_net_keeps_short_signals_long_and_sees_what_the_paper_s_sees():
    table = layer_table(build("conv1d", (3, 60), 5, seed=0), (3, 60))
    convolutions = [row for row in table.rows if row.kind == "Conv1d"]
    assert [row.output for row in convolutions] == [(128, 60), (256, 60), (128, 60)]
    assert [row.kernel for row in convolutions] == [(8,), (5,), (3,)]
    assert convolutions[-1].receptive_field == (8 + 4 + 2,)
    assert not any(row.kind == "MaxPool1d" for row in table.rows)


@pytest.mark.parametrize(
    ("length", "pool", "left"),
    [(64, 1, 64), (65, 2, 9), (512, 2, 64), (513, 3, 19), (16_000, 7, 47)],  # ⌈⌈⌈length / pool⌉ / pool⌉ / pool⌉
)
def test_long_signals_are_pooled_to_some_64_positions(length, pool, left):
    net = build("conv1d", (1, length), 2, {"widths": (4, 4, 4)}, seed=0).eval()
    pools = [module.kernel_size for module in net.modules() if isinstance(module, nn.MaxPool1d)]
    assert pools == [pool] * 3 * (pool > 1)
    x = torch.randn(1, 1, length)
    for stage in net.stages:
        x = net.get_submodule(stage)(x)
    assert x.shape == (1, 4, left)


def test_signal_net_is_the_formula():
    net = build("conv1d", (2, 9), 3, {"widths": (4,), "kernels": (4,), "activation": "tanh"}, seed=0).double().eval()
    x = torch.randn(5, 2, 9, dtype=torch.float64)
    w, b = net.get_submodule("block1.conv").weight, net.get_submodule("block1.conv").bias
    around = torch.zeros(5, 2, 12, dtype=torch.float64)
    around[:, :, 1:10] = x  # one zero before, two behind
    hidden = torch.stack([torch.einsum("bck,ock->bo", around[:, :, t : t + 4], w) + b for t in range(9)], 2)
    hidden = torch.tanh(hidden / (1 + 1e-5) ** 0.5).mean(2)
    torch.testing.assert_close(net(x), hidden @ net.head.weight.T + net.head.bias)


def test_volume_net_halves_every_side():
    net = build("conv3d", (1, 12, 20, 9), 2, {"widths": (2, 3, 4)}, seed=0).eval()
    x = torch.randn(1, 1, 12, 20, 9)
    seen = []
    for stage in net.stages:
        x = net.get_submodule(stage)(x)
        seen.append(tuple(x.shape[1:]))
    assert seen == [(2, 6, 10, 5), (3, 3, 5, 3), (4, 2, 3, 2)]


def test_all_conv_maps_are_the_paper_s():
    table = layer_table(build("all-conv", (3, 32, 32), 10, {"batch_norm": False}, seed=0), (3, 32, 32))
    convolutions = [row for row in table.rows if row.kind == "Conv2d"]
    sides = [(96, 32), (96, 32), (96, 16), (192, 16), (192, 16), (192, 8), (192, 6), (192, 6)]
    assert [row.output for row in convolutions] == [(channels, side, side) for channels, side in sides]
    assert [row.kernel for row in convolutions] == [(3, 3)] * 7 + [(1, 1)]
    # 3, 5, 7; then steps of 2: 11, 15, 19; then steps of 4: 27
    assert [row.receptive_field[0] for row in convolutions] == [3, 5, 7, 11, 15, 19, 27, 27]


def test_class_maps_average_to_the_logits():
    net = build("all-conv", (3, 32, 32), 10, {"width": 0.1}, seed=0).eval()
    x = torch.randn(2, 3, 40, 29)
    maps = net.class_maps(x)
    assert maps.shape == (2, 10, 8, 6)
    torch.testing.assert_close(maps.mean((2, 3)), net(x))


@pytest.mark.parametrize(
    ("name", "shape", "others"),
    [
        ("all-conv", (3, 32, 32), [(3, 9, 9), (3, 50, 21)]),
        ("conv1d", (2, 100), [(2, 1), (2, 37), (2, 500)]),
        ("conv3d", (1, 8, 8, 8), [(1, 1, 1, 1), (1, 5, 12, 7)]),
    ],
)
def test_once_built_inputs_of_other_sizes_fit(name, shape, others):
    net = build(name, shape, 4, {"width": 0.1} if name == "all-conv" else {}, seed=0).eval()
    for other in others:
        assert net(torch.randn(2, *other)).shape == (2, 4)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("conv1d", (3, 32, 32)), ("conv1d", (3,)), ("conv1d", (3, 0)), ("conv3d", (3, 32, 32)), ("conv3d", (5, 4))],
)
def test_inputs_of_another_kind_are_refused(name, shape):
    with pytest.raises(ModelError, match="this net reads") as told:
        build(name, shape, 2, seed=0)
    assert "channels×" in told.value.expected
    assert "mlp" in told.value.fix


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("conv1d", {"widths": (4, 4)}),
        ("conv1d", {"widths": (4, 0, 4)}),
        ("conv1d", {"kernels": (3, 0, 3)}),
        ("conv1d", {"widths": (), "kernels": ()}),
        ("conv1d", {"pool": -1}),
        ("conv3d", {"widths": ()}),
        ("conv3d", {"widths": (4, 0)}),
        ("all-conv", {"width": 0.001}),
        ("all-conv", {"input_dropout": 1.0}),
    ],
)
def test_impossible_options(name, options):
    shape = {"conv1d": (2, 20), "conv3d": (1, 4, 4, 4), "all-conv": (3, 12, 12)}[name]
    with pytest.raises(UsageError, match=r"net|dropout"):
        build(name, shape, 2, options, seed=0)
