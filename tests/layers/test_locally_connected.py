"""Locally connected layers against loops over every position, and against the convolution that they become with equal weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from glassnet.errors import ModelError
from glassnet.layer_table import layer_table
from glassnet.layers import LocallyConnected1d, LocallyConnected2d


@pytest.mark.parametrize(("stride", "padding", "bias"), [(1, 0, True), (2, 1, True), (3, 2, False)])
def test_one_dimension_with_loops(stride, padding, bias):
    torch.manual_seed(0)
    layer = LocallyConnected1d(2, 3, 9, 4, stride, padding, bias).double()
    x = torch.randn(2, 2, 9, dtype=torch.float64)
    out = layer(x).detach().numpy()
    assert out.shape == (2, 3, (9 + 2 * padding - 4) // stride + 1)
    w = layer.weight.detach().numpy()  # (positions, out, in, window)
    around = np.pad(x.numpy(), ((0, 0), (0, 0), (padding, padding)))
    for sample, o, t in np.ndindex(*out.shape):
        expected = layer.bias[o, t].item() if bias else 0.0
        for c, k in np.ndindex(2, 4):
            expected += w[t, o, c, k] * around[sample, c, stride * t + k]
        assert out[sample, o, t] == pytest.approx(expected, rel=1e-12)
    assert gradcheck(layer, x.requires_grad_())


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), ((2, 1), (0, 2))])
def test_two_dimensions_with_loops(stride, padding):
    torch.manual_seed(1)
    layer = LocallyConnected2d(2, 3, (5, 6), (3, 2), stride, padding).double()
    x = torch.randn(2, 2, 5, 6, dtype=torch.float64)
    out = layer(x).detach().numpy()
    (down, across), (above, left) = layer.stride, layer.padding
    w = layer.weight.detach().numpy()  # (rows, columns, out, in, window rows, window columns)
    around = np.pad(x.numpy(), ((0, 0), (0, 0), (above, above), (left, left)))
    assert out.shape == nn.Conv2d(2, 3, (3, 2), stride, padding)(x.float()).shape
    for sample, o, i, j in np.ndindex(*out.shape):
        expected = layer.bias[o, i, j].item()
        for c, u, v in np.ndindex(2, 3, 2):
            expected += w[i, j, o, c, u, v] * around[sample, c, down * i + u, across * j + v]
        assert out[sample, o, i, j] == pytest.approx(expected, rel=1e-12)
    assert gradcheck(layer, x.requires_grad_())
    assert gradcheck(lambda weight: torch.func.functional_call(layer, {"weight": weight}, (x,)), layer.weight)


def test_equal_weights_everywhere_are_a_convolution():
    torch.manual_seed(2)
    conv = nn.Conv2d(3, 4, 3, stride=2, padding=1).double()
    local = LocallyConnected2d(3, 4, (7, 8), 3, stride=2, padding=1).double()
    with torch.no_grad():
        local.weight.copy_(conv.weight.expand_as(local.weight))
        local.bias.copy_(conv.bias[:, None, None].expand_as(local.bias))
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(local(x), conv(x))


def test_parameters_and_products_by_hand():
    # 10 positions a side; each output unit has its own 3·9 weights and one bias
    table = layer_table(LocallyConnected2d(3, 8, (12, 12), 3), (3, 12, 12))
    assert table.parameters == 10 * 10 * 8 * (3 * 9 + 1)
    assert table.multiply_adds == 10 * 10 * 8 * 3 * 9
    assert table.connections == 10 * 10 * 8 * (3 * 9 + 1)
    assert layer_table(LocallyConnected1d(2, 3, 9, 4, bias=False), (2, 9)).connections == 6 * 3 * 8


def test_start_is_bounded_as_a_convolution_s():
    layer = LocallyConnected1d(3, 50, 40, 5)
    bound = 1 / np.sqrt(3 * 5)
    assert 0.99 * bound < layer.weight.abs().max().item() <= bound
    assert 0.9 * bound < layer.bias.abs().max().item() <= bound


def test_sizes_that_do_not_fit():
    with pytest.raises(ModelError, match="larger than its input"):
        LocallyConnected2d(1, 1, (4, 9), 5)
    with pytest.raises(ModelError, match="one size of input alone") as told:
        LocallyConnected1d(1, 1, 9, 3)(torch.zeros(2, 1, 8))
    assert told.value.expected == "1×9"
