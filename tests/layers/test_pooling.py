"""Poolings: the worked example, and the Gaussian and norm poolings against loops over every window."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from glassnet.errors import UsageError
from glassnet.layers import GaussianPool2d, NormPool2d

SETTINGS = [
    (2, 2, 0),
    (3, 2, 0),
    (3, 2, 1),
    (4, 1, 2),
]  # window, step, padding; the second is AlexNet's overlapping one


def windows(x: np.ndarray, kernel: int, stride: int, padding: int):
    """(place in the output, the window's values, which of them lie inside the image)."""
    around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    inside = np.pad(np.ones_like(x), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = ((side - kernel) // stride + 1 for side in around.shape[2:])
    for sample, channel, i, j in np.ndindex(*x.shape[:2], rows, columns):
        at = (sample, channel, slice(i * stride, i * stride + kernel), slice(j * stride, j * stride + kernel))
        yield (sample, channel, i, j), around[at], inside[at]


def test_worked_example_of_max_pooling():
    image = torch.tensor([[12.0, 20, 30, 0], [8, 12, 2, 0], [34, 70, 37, 4], [112, 100, 25, 12]])
    assert nn.MaxPool2d(2)(image[None, None])[0, 0].tolist() == [[20, 30], [112, 37]]
    assert NormPool2d(math.inf, 2)(image[None, None])[0, 0].tolist() == [[20, 30], [112, 37]]


def test_overlapping_pooling_and_global_average():
    x = torch.arange(25.0).reshape(1, 1, 5, 5)
    assert nn.MaxPool2d(3, 2)(x)[0, 0].tolist() == [[12, 14], [22, 24]]
    assert nn.AdaptiveAvgPool2d(1)(x).item() == 12


@pytest.mark.parametrize(("kernel", "stride", "padding"), SETTINGS)
@pytest.mark.parametrize("p", [1, 2, 2.5, 3, math.inf])
def test_norm_pooling_window_by_window(kernel, stride, padding, p):
    x = torch.randn(2, 3, 7, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer = NormPool2d(p, kernel, stride, padding)
    out = layer(x).numpy()
    count = 0
    for place, values, _ in windows(x.numpy(), kernel, stride, padding):
        expected = np.abs(values).max() if p == math.inf else sum(abs(v) ** p for v in values.flat) ** (1 / p)
        assert out[place] == pytest.approx(expected, rel=1e-12)
        count += 1
    assert count == out.size
    assert gradcheck(layer, x.requires_grad_())


def test_norm_pooling_where_pytorch_s_is_right_and_where_it_is_not():
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(NormPool2d(2, 2)(x), nn.LPPool2d(2, 2)(x))
    torch.testing.assert_close(NormPool2d(3, 2)(x.abs()), nn.LPPool2d(3, 2)(x.abs()))
    assert not torch.allclose(NormPool2d(3, 2)(x), nn.LPPool2d(3, 2)(x))


@pytest.mark.parametrize("p", [1, 2, 3])
def test_window_of_zeros_has_a_finite_gradient(p):
    x = torch.zeros(1, 1, 2, 2, requires_grad=True)
    out = NormPool2d(p, 2)(x)
    out.backward()
    assert out.item() == 0
    assert not x.grad.any()


def test_order_below_one_is_refused():
    for p in (0.5, 0, -1, math.nan):
        with pytest.raises(UsageError, match="order of a norm"):
            NormPool2d(p, 2)


@pytest.mark.parametrize(("kernel", "stride", "padding"), SETTINGS)
@pytest.mark.parametrize("sigma", [0.7, None])
def test_gaussian_pooling_window_by_window(kernel, stride, padding, sigma):
    x = torch.randn(2, 3, 7, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer = GaussianPool2d(kernel, stride, sigma, padding)
    out = layer(x).numpy()
    centre, spread = (kernel - 1) / 2, sigma or kernel / 2
    weights = np.array(
        [
            [math.exp(-((u - centre) ** 2 + (v - centre) ** 2) / (2 * spread**2)) for v in range(kernel)]
            for u in range(kernel)
        ]
    )
    count = 0
    for place, values, inside in windows(x.numpy(), kernel, stride, padding):
        expected = (weights * values).sum() / (weights * inside).sum()
        assert out[place] == pytest.approx(expected, rel=1e-9)
        count += 1
    assert count == out.size
    assert gradcheck(layer, x.requires_grad_())


def test_gaussian_pooling_keeps_constants_and_becomes_the_plain_average():
    flat = torch.full((1, 2, 6, 6), 3.0)
    torch.testing.assert_close(GaussianPool2d(3, 2, padding=1)(flat), torch.full((1, 2, 3, 3), 3.0))
    x = torch.randn(1, 2, 6, 6)
    torch.testing.assert_close(GaussianPool2d(3, sigma=1e4)(x), nn.AvgPool2d(3)(x))
