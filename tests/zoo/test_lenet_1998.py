"""LeNet-1, LeNet-4 and LeNet-5 against the figures of their papers, layer by layer."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from glassnet.errors import UsageError
from glassnet.layer_table import layer_table
from glassnet.layers import RBF, ConnectionTableConv2d, ScaledTanh, Subsampling
from glassnet.zoo import build
from glassnet.zoo.lenet_1998 import LENET1_TABLE, LENET4_TABLE, LENET4_UNITS


def layers(name, shape, options=None):
    """(path, output, parameters, connections) of the layers that count connections, without plain activations."""
    net = build(name, shape, 10, options, seed=0)
    table = layer_table(net, shape)
    assert table.failed is None
    assert table.unused == ()
    return [(r.path, r.output, r.parameters, r.connections) for r in table.rows if r.connections], table


def test_lenet5_is_the_paper_layer_by_layer():
    rows, table = layers("lenet5-1998", (1, 32, 32))
    assert rows == [
        ("c1.0", (6, 28, 28), 156, 122_304),
        ("s2.0", (6, 14, 14), 12, 5_880),
        ("c3.0", (16, 10, 10), 1_516, 151_600),
        ("s4.0", (16, 5, 5), 32, 2_000),
        ("c5.0", (120, 1, 1), 48_120, 48_120),
        ("f6.1", (84,), 10_164, 10_164),
        ("head", (10,), 0, 840),
    ]
    # "340,908 connections, but only 60,000 trainable free parameters because of the weight sharing"
    assert (table.connections, table.trainable) == (340_908, 60_000)


def test_receptive_fields_of_the_paper_reach_through_the_partial_table():
    table = layer_table(build("lenet5-1998", (1, 32, 32), 10, seed=0), (1, 32, 32))
    seen = {row.path: row.receptive_field for row in table.rows}
    assert [seen[path] for path in ("c1.0", "s2.0", "c3.0", "s4.0", "c5.0", "head")] == [
        (5, 5),
        (6, 6),
        (14, 14),
        (16, 16),
        (32, 32),
        (32, 32),
    ]


def test_lenet1_is_the_paper_layer_by_layer():
    rows, table = layers("lenet1", (1, 28, 28))
    assert rows == [
        ("c1.0", (4, 24, 24), 104, 59_904),
        ("s2.0", (4, 12, 12), 8, 2_880),
        ("c3.0", (12, 8, 8), 512, 32_768),
        ("s4.0", (12, 4, 4), 24, 960),
        ("head", (10,), 1_930, 1_930),
    ]
    # 1990: "4635 units, 98442 connections, and 2578 independent parameters"
    assert (table.connections, table.trainable) == (98_442, 2_578)
    assert 28 * 28 + 4 * 24 * 24 + 4 * 12 * 12 + 12 * 8 * 8 + 12 * 4 * 4 + 10 + 1 == 4_635  # one unit for the biases


def test_lenet1_table_is_that_of_1990():
    printed = ["XXX.XX......", ".XXXXX......", "......XXX.XX", ".......XXXXX"]  # a row for each map of H2
    columns = [tuple(below for below in range(4) if printed[below][out] == "X") for out in range(12)]
    assert list(LENET1_TABLE) == columns


def test_lenet4_meets_both_sums_of_the_paper():
    rows, table = layers("lenet4", (1, 32, 32))
    assert rows == [
        ("c1.0", (4, 28, 28), 104, 4 * 28 * 28 * 26),
        ("s2.0", (8, 14, 14), 16, 8 * 14 * 14 * 5),
        ("c3.0", (16, 10, 10), 1_516, 151_600),
        ("s4.0", (16, 5, 5), 32, 2_000),
        ("f5.0", (120, 1, 1), 14_120, 14_120),
        ("head", (10,), 1_210, 1_210),
    ]
    assert round(table.trainable, -3) == 17_000
    assert round(table.connections, -4) == 260_000


def test_lenet4_tables_use_every_map():
    for table, maps in ((LENET4_TABLE, 8), (LENET4_UNITS, 16)):
        used = [sum(below in row for row in table) for below in range(maps)]
        assert max(used) - min(used) <= 1
    assert (len(LENET4_TABLE), len(LENET4_UNITS)) == (16, 120)
    assert len(set(LENET4_TABLE)) == 16


def test_small_images_get_a_margin_of_their_edge():
    net = build("lenet5-1998", (1, 28, 28), 10, seed=0).eval()
    large = build("lenet5-1998", (1, 32, 32), 10, seed=0).eval()
    digits = torch.full((3, 1, 28, 28), -0.42)
    digits[:, :, 6:22, 6:22] = torch.randn(3, 1, 16, 16)
    on_background = torch.full((3, 1, 32, 32), -0.42)
    on_background[:, :, 2:-2, 2:-2] = digits
    torch.testing.assert_close(net(digits), large(on_background), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("shape", "maps"),
    # 28 + 4 − 4 = 28, 14, 10, 5; 12 + 4 − 4 = 12, 6, 2, 1; 40 − 4 = 36, 18, 14, 7; 33 − 4 = 29, 14, 10, 5
    [((1, 28, 28), (5, 5)), ((3, 12, 12), (1, 1)), ((1, 40, 33), (7, 5))],
)
def test_c5_sees_all_of_s4(shape, maps):
    net = build("lenet5-1998", shape, 10, seed=0)
    c5 = net.get_submodule("c5.0")
    assert c5.kernel_size == maps
    assert net.features(torch.randn(2, *shape)).shape == (2, 84)


def test_weights_start_within_the_range_of_appendix_a():
    net = build("lenet5-1998", (1, 32, 32), 10, seed=0)
    fans = {"c1.0.weight": 25, "c3.0.weight3": 75, "c3.0.weight4": 100, "c3.0.weight6": 150, "c5.0.weight": 400}
    fans |= {"f6.1.weight": 120, "s2.0.coefficient": 4, "s4.0.coefficient": 4}
    parameters = dict(net.named_parameters())
    assert parameters.keys() - fans.keys() == {f"{p}.bias" for p in ("c1.0", "s2.0", "c3.0", "s4.0", "c5.0", "f6.1")}
    for name, parameter in parameters.items():
        if name in fans:
            bound = 2.4 / fans[name]
            assert 0.5 * bound < parameter.abs().max() <= bound, name
            if parameter.numel() > 100:
                assert parameter.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.15), name
        else:
            assert not parameter.any(), name


def test_every_sum_of_lenet5_is_squashed():
    kinds = [type(module) for module in build("lenet5-1998", (1, 32, 32), 10, seed=0).modules()]
    assert kinds.count(ScaledTanh) == 6
    assert kinds.count(Subsampling) == 2
    x = torch.randn(4, 1, 32, 32)
    assert build("lenet5-1998", (1, 32, 32), 10, seed=0).features(100 * x).abs().max() <= 1.7159


def test_options():
    options = {"table": "full", "subsampling": "average", "output": "dense", "activation": "relu"}
    net = build("lenet5-1998", (1, 32, 32), 10, options, seed=0)
    kinds = [type(module) for module in net.modules()]
    assert kinds.count(nn.AvgPool2d) == 2
    assert kinds.count(nn.ReLU) == 4  # plain pooling is not squashed
    assert kinds.count(nn.Conv2d) == 3
    assert not {RBF, ConnectionTableConv2d, Subsampling, ScaledTanh} & set(kinds)
    assert isinstance(net.head, nn.Linear)
    largest = build("lenet1", (1, 28, 28), 10, {"subsampling": "max"}, seed=0)
    assert sum(isinstance(module, nn.MaxPool2d) for module in largest.modules()) == 2
    with pytest.raises(UsageError, match="one of partial, full"):
        build("lenet4", (1, 28, 28), 10, {"table": "half"})


def test_every_option_of_the_family_runs_forward_and_back():
    for name, options in [
        ("lenet5-1998", {"table": "full"}),
        ("lenet5-1998", {"subsampling": "max"}),
        ("lenet5-1998", {"output": "dense"}),
        ("lenet4", {"table": "full"}),
        ("lenet1", {"table": "full", "subsampling": "average", "activation": "tanh"}),
    ]:
        net = build(name, (1, 28, 28), 12, options, seed=0)
        nn.functional.cross_entropy(net(torch.randn(3, 1, 28, 28)), torch.tensor([0, 5, 11])).backward()
        assert all(p.grad is not None and p.grad.any() for p in net.parameters()), (name, options)
