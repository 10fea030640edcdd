"""Maxout against its definition, written out with loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from glassnet.layer_table import layer_table
from glassnet.layers import ChannelMaxPool, MaxoutConv2d, MaxoutLinear


def test_pooling_across_maps_by_hand():
    x = torch.tensor([[[1.0, 5], [4, 2], [-3, -1], [-2, -9]]])  # (1, 4 channels, 2)
    assert ChannelMaxPool(2)(x).tolist() == [[[4, 5], [-2, -1]]]
    assert ChannelMaxPool(4)(x).tolist() == [[[4, 5]]]


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_dense_maxout_is_the_largest_of_its_linear_functions(pieces):
    torch.manual_seed(0)
    layer, x = MaxoutLinear(5, 4, pieces).double(), torch.randn(6, 5, dtype=torch.float64)
    w, b = layer.linear.weight.detach().numpy(), layer.linear.bias.detach().numpy()
    expected = [
        [max(w[pieces * i + j] @ row + b[pieces * i + j] for j in range(pieces)) for i in range(4)] for row in x.numpy()
    ]
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=1e-12)
    assert gradcheck(layer, x.requires_grad_())


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_convolutional_maxout_pixel_by_pixel(stride, padding):
    torch.manual_seed(1)
    layer = MaxoutConv2d(2, 3, (3, 2), pieces=2, stride=stride, padding=padding).double()
    x = torch.randn(2, 2, 6, 5, dtype=torch.float64)
    out = layer(x).detach().numpy()
    w, b = layer.conv.weight.detach().numpy(), layer.conv.bias.detach().numpy()
    around = np.pad(x.numpy(), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    for index in np.ndindex(*out.shape):
        sample, unit, i, j = index
        window = around[sample, :, i * stride : i * stride + 3, j * stride : j * stride + 2]
        pieces = [(w[2 * unit + piece] * window).sum() + b[2 * unit + piece] for piece in (0, 1)]
        assert out[index] == pytest.approx(max(pieces), rel=1e-12)
    assert gradcheck(layer, x.requires_grad_())


def test_one_piece_at_zero_is_relu():
    layer = MaxoutLinear(3, 2)
    with torch.no_grad():
        layer.linear.weight[1::2] = 0
        layer.linear.bias.zero_()
    x = torch.randn(7, 3)
    torch.testing.assert_close(layer(x), torch.relu(x @ layer.linear.weight[::2].T))


def test_table_tells_parameters_and_field():
    table = layer_table(MaxoutConv2d(3, 8, 5, pieces=4), (3, 12, 12))
    assert table.parameters == 4 * 8 * (3 * 25 + 1)
    assert {row.receptive_field for row in table.rows} == {(5, 5)}
    assert table.rows[-1].output == (8, 8, 8)
