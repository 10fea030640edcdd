"""Trainable subsampling: against loops, average pooling, and the counts of the 1998 paper."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional as F

from glassnet.layer_table import layer_table
from glassnet.layers import Subsampling


def filled(channels, size, copies=1):
    layer = Subsampling(channels, size, copies).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(parameter.numel()))
        layer.bias.add_(1)
    return layer


@pytest.mark.parametrize(("size", "copies"), [(2, 1), (3, 1), (2, 2), (2, 3)])
def test_against_loops(size, copies):
    layer = filled(3, size, copies)
    x = torch.randn(2, 3, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows, columns = 7 // size, 9 // size
    expected = torch.zeros(2, 3 * copies, rows, columns, dtype=torch.float64)
    for b in range(2):
        for out in range(3 * copies):
            for r in range(rows):
                for c in range(columns):
                    total = 0.0
                    for i in range(size):
                        for j in range(size):
                            total += x[b, out // copies, r * size + i, c * size + j].item()
                    expected[b, out, r, c] = layer.coefficient[out] * total + layer.bias[out]
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("copies", [1, 2])
def test_gradients(copies):
    layer = filled(2, 2, copies)

    def run(x, coefficient, bias):
        return torch.func.functional_call(layer, {"coefficient": coefficient, "bias": bias}, (x,))

    x = torch.randn(2, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(run, (x, layer.coefficient, layer.bias))


def test_starts_as_average_pooling():
    x = torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(Subsampling(3)(x), F.avg_pool2d(x, 2))


@pytest.mark.parametrize(
    ("channels", "side", "parameters", "connections"), [(6, 28, 12, 5_880), (16, 10, 32, 2_000)], ids=["S2", "S4"]
)
def test_figures_of_the_paper(channels, side, parameters, connections):
    (row,) = layer_table(Subsampling(channels), (channels, side, side)).rows
    assert row.output == (channels, side // 2, side // 2)
    assert (row.parameters, row.connections, row.kernel) == (parameters, connections, (2, 2))
    assert row.receptive_field == (2, 2)


def test_pairs_double_the_count():
    (row,) = layer_table(Subsampling(4, copies=2), (4, 28, 28)).rows
    assert (row.output, row.parameters, row.connections) == ((8, 14, 14), 16, 8 * 14 * 14 * 5)
    assert row.receptive_field == (2, 2)
