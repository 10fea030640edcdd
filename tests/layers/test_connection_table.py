"""Convolution with a connection table: against loops, table I of the 1998 paper, and the counts there."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.nn import functional as F

from glassnet.errors import UsageError
from glassnet.layer_table import layer_table
from glassnet.layers import ConnectionTableConv2d
from glassnet.layers.connection_table import LENET5_TABLE

# Table I as it is printed: a row for each map of S2, a column for each map of C3.
PRINTED = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""
TABLE = ((2,), (0, 3), (1, 2, 3), (0, 1), (3,))  # sizes in no order


def slow(layer, x):
    """One product at a time, in the order of the table."""
    kernels = {}
    for count in {len(row) for row in TABLE}:
        rows = [out for out, row in enumerate(TABLE) if len(row) == count]
        for place, out in enumerate(rows):
            kernels[out] = getattr(layer, f"weight{count}")[place].tolist()
    kh, kw = layer.kernel_size
    height, width = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    y = torch.zeros(len(x), len(TABLE), height, width, dtype=x.dtype)
    values = x.tolist()
    for b, out, r, c in (
        (b, o, r, c) for b in range(len(x)) for o in kernels for r in range(height) for c in range(width)
    ):
        total = layer.bias[out].item()
        for kernel, below in zip(kernels[out], TABLE[out], strict=True):
            for i in range(kh):
                for j in range(kw):
                    total += kernel[i][j] * values[b][below][r + i][c + j]
        y[b, out, r, c] = total
    return y


def test_against_loops():
    torch.manual_seed(0)
    layer = ConnectionTableConv2d(4, TABLE, (3, 2)).double()
    x = torch.randn(2, 4, 5, 4, dtype=torch.float64)
    torch.testing.assert_close(layer(x), slow(layer, x), rtol=1e-12, atol=1e-12)


def test_gradients():
    torch.manual_seed(0)
    layer = ConnectionTableConv2d(4, TABLE, 2).double()
    names = [name for name, _ in layer.named_parameters()]
    assert names == ["weight1", "weight2", "weight3", "bias"]

    def run(x, *parameters):
        return torch.func.functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    x = torch.randn(2, 4, 3, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(run, (x, *layer.parameters()))


def test_lenet5_table_is_table_one():
    rows = PRINTED.split()
    columns = [tuple(below for below in range(6) if rows[below][out] == "X") for out in range(16)]
    assert tuple(map(tuple, LENET5_TABLE)) == tuple(columns)
    assert sum(map(len, columns)) == 60


def test_lenet5_has_1516_parameters_and_151600_connections():
    layer = ConnectionTableConv2d(6, LENET5_TABLE, 5)
    # 6 maps see 3, 9 see 4, 1 sees 6
    assert sum(p.numel() for p in layer.parameters()) == 6 * 76 + 9 * 101 + 151 == 1_516
    (row,) = layer_table(layer, (6, 14, 14)).rows
    assert (row.output, row.kernel, row.parameters, row.connections) == ((16, 10, 10), (5, 5), 1_516, 151_600)
    assert row.receptive_field == (5, 5)


def test_a_full_table_is_an_ordinary_convolution():
    layer = ConnectionTableConv2d(3, [range(3)] * 4, 3)
    x = torch.randn(2, 3, 6, 7)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight3, layer.bias))
    torch.testing.assert_close(layer.dense_weight(), layer.weight3)


def test_a_map_does_not_see_what_is_not_in_its_row():
    layer = ConnectionTableConv2d(4, TABLE, 2)
    x = torch.randn(1, 4, 3, 3)
    for below in range(4):
        changed = x.clone()
        changed[:, below] += 1
        moved = (layer(changed) != layer(x)).flatten(2).any(2)[0].tolist()
        assert moved == [below in row for row in TABLE]


def test_start_is_that_of_a_convolution_with_as_many_inputs():
    torch.manual_seed(0)
    layer = ConnectionTableConv2d(8, [(0, 1)] * 200 + [range(8)] * 200, 5)
    for weight, seen in ((layer.weight2, 2), (layer.weight8, 8)):
        bound = 1 / math.sqrt(seen * 25)
        assert 0.98 * bound < weight.abs().max() <= bound
        assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.03)
    like = nn.Conv2d(8, 200, 5)
    assert layer.weight8.std().item() == pytest.approx(like.weight.std().item(), rel=0.03)
    assert 0.95 / math.sqrt(50) < layer.bias[:200].abs().max() <= 1 / math.sqrt(50)
    assert 0.95 / math.sqrt(200) < layer.bias[200:].abs().max() <= 1 / math.sqrt(200)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ([(0,), ()], "map 1.*\n.*nothing"),
        ([(0, 0)], "0, 0"),
        ([(4,)], "0 to 3"),
        ([(-1,)], "0 to 3"),
        ([], "at least one"),
    ],
)
def test_tables_that_do_not_fit_are_refused(table, told):
    with pytest.raises(UsageError, match=told):
        ConnectionTableConv2d(4, table, 3)


def test_maps_are_scaled_each_by_its_own_number():
    layer = ConnectionTableConv2d(6, LENET5_TABLE, 5)
    factors = torch.arange(1.0, 17)
    before = layer.dense_weight().clone()
    layer.scale_maps(factors)
    torch.testing.assert_close(layer.dense_weight(), before * factors[:, None, None, None])
