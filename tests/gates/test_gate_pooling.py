"""Every pooling against PyTorch, or against this project's layer where PyTorch has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from parity import agrees, numbers
from torch.nn import functional as F

from glassnet import gates
from glassnet.layers import ChannelMaxPool, GaussianPool2d, NormPool2d, Subsampling

SEEDS = st.integers(0, 2**32 - 1)
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@st.composite
def pools(draw: st.DrawFn, dilated: bool) -> tuple[int, tuple[int, ...], dict[str, Any]]:
    """Dimensions, shape of the input and settings that PyTorch allows; windows overlap, touch or leave gaps.

    Its average pooling of volumes wants an input that is not smaller than the window, whatever the padding.
    """
    dimensions = draw(st.integers(1, 3))
    each = st.integers(1, 3)
    kernel = tuple(draw(each) for _ in range(dimensions))
    dilation = tuple(draw(st.integers(1, 2 if dilated else 1)) for _ in range(dimensions))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = tuple(
        max(1, d * (k - 1) + 1 - 2 * p if dilated else k) + draw(st.integers(0, 4))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    )
    options = {
        "stride": tuple(draw(each) for _ in range(dimensions)),
        "padding": padding,
        "ceil_mode": draw(st.booleans()),
    }
    if dilated:
        options["dilation"] = dilation
    return dimensions, (draw(each), draw(each), *size), {"kernel": kernel, **options}


def theirs(options: dict[str, Any]) -> dict[str, Any]:
    return {("kernel_size" if key == "kernel" else key): value for key, value in options.items()}


@settings(max_examples=120, deadline=None)
@given(pools(dilated=True), SEEDS)
def test_max_pool(case: tuple[int, tuple[int, ...], dict[str, Any]], seed: int) -> None:
    dimensions, shape, options = case
    # A dilated window may see nothing but padding; PyTorch then gives the gradient of −∞ to some number.
    assume(np.isfinite(gates.MaxPool(**options).forward(np.zeros(shape))).all())
    agrees(gates.MaxPool(**options), lambda x: MAX[dimensions](x, **theirs(options)), *numbers(seed, shape))


@settings(max_examples=120, deadline=None)
@given(pools(dilated=False), st.booleans(), SEEDS)
def test_average_pool(case: tuple[int, tuple[int, ...], dict[str, Any]], count: bool, seed: int) -> None:
    dimensions, shape, options = case
    agrees(
        gates.AveragePool(**options, count_include_pad=count),
        lambda x: AVERAGE[dimensions](x, **theirs(options), count_include_pad=count),
        *numbers(seed, shape),
    )


def test_the_worked_example() -> None:
    image = np.array([[12, 20, 30, 0], [8, 12, 2, 0], [34, 70, 37, 4], [112, 100, 25, 12]], float)[None, None]
    gate = gates.MaxPool(2)
    np.testing.assert_array_equal(gate.forward(image)[0, 0], [[20, 30], [112, 37]])
    (dx,) = gate.backward(np.array([[1.0, 2.0], [3.0, 4.0]])[None, None])
    assert dx is not None
    np.testing.assert_array_equal(dx[0, 0], [[0, 1, 2, 0], [0, 0, 0, 0], [0, 0, 4, 0], [3, 0, 0, 0]])


def test_of_equal_numbers_the_first_wins_as_in_pytorch() -> None:
    agrees(gates.MaxPool(3, 2), lambda x: F.max_pool2d(x, 3, 2), np.ones((1, 2, 7, 7)))
    agrees(gates.AdaptiveMaxPool((2, 3)), lambda x: F.adaptive_max_pool2d(x, (2, 3)), np.ones((1, 2, 5, 7)))


def test_overlapping_windows_add_up_their_gradients() -> None:
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 2, 2] = 1.0  # the centre lies in all four windows
    gate = gates.MaxPool(3, 2)
    gate.forward(x)
    (dx,) = gate.backward(np.ones((1, 1, 2, 2)))
    assert dx is not None
    assert dx[0, 0, 2, 2] == 4
    assert dx.sum() == 4


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 5), st.integers(1, 3), st.integers(1, 3), st.integers(0, 1), SEEDS)
def test_norm_pool(p: float, kernel: int, stride: int, padding: int, seed: int) -> None:
    assume(2 * padding <= kernel)
    layer = NormPool2d(p, kernel, stride, padding)
    agrees(gates.NormPool(p, kernel, stride, padding), layer, *numbers(seed, (2, 2, 5, 4)))


def test_norm_pool_of_zeros_has_no_gradient() -> None:
    agrees(gates.NormPool(2, 2), NormPool2d(2, 2), np.zeros((1, 1, 4, 4)))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.floats(0.3, 4), st.integers(0, 2), SEEDS)
def test_gaussian_pool(kernel: int, stride: int, sigma: float, padding: int, seed: int) -> None:
    assume(padding < kernel)
    layer = GaussianPool2d(kernel, stride, sigma, padding)
    agrees(gates.GaussianPool(kernel, stride, sigma, padding), layer, *numbers(seed, (2, 2, 5, 6)))


def test_gaussian_pool_keeps_a_constant_signal_of_one_dimension_and_of_three() -> None:
    for shape in ((1, 1, 7), (1, 1, 4, 5, 6)):
        y = gates.GaussianPool(3, 1, padding=1).forward(np.full(shape, 2.5))
        np.testing.assert_allclose(y, np.full(shape, 2.5), rtol=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 5), st.integers(1, 5), SEEDS)
def test_adaptive_pools(height: int, width: int, rows: int, columns: int, seed: int) -> None:
    (x,) = numbers(seed, (2, 3, height, width))
    agrees(gates.AdaptiveAveragePool((rows, columns)), lambda x: F.adaptive_avg_pool2d(x, (rows, columns)), x)
    agrees(gates.AdaptiveMaxPool((rows, columns)), lambda x: F.adaptive_max_pool2d(x, (rows, columns)), x)


def test_adaptive_pools_of_signals_and_volumes() -> None:
    agrees(gates.AdaptiveAveragePool((3,)), lambda x: F.adaptive_avg_pool1d(x, 3), *numbers(1, (2, 2, 7)))
    agrees(gates.AdaptiveMaxPool((3,)), lambda x: F.adaptive_max_pool1d(x, 3), *numbers(2, (2, 2, 7)))
    agrees(
        gates.AdaptiveAveragePool((2, 3, 1)),
        lambda x: F.adaptive_avg_pool3d(x, (2, 3, 1)),
        *numbers(3, (1, 2, 4, 5, 3)),
    )


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 4)])
def test_global_average(shape: tuple[int, ...]) -> None:
    agrees(gates.GlobalAveragePool(), lambda x: x.flatten(2).mean(2), *numbers(1, shape))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.lists(st.integers(1, 3), max_size=2), SEEDS)
def test_pooling_across_maps(pieces: int, maps: int, size: list[int], seed: int) -> None:
    agrees(gates.ChannelMaxPool(pieces), ChannelMaxPool(pieces), *numbers(seed, (2, pieces * maps, *size)))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), SEEDS)
def test_subsampling(channels: int, size: int, copies: int, seed: int) -> None:
    layer = Subsampling(channels, size, copies)
    count = (copies * channels,)
    agrees(
        gates.Subsampling(size, copies),
        lambda x, w, b: torch.func.functional_call(layer, {"coefficient": w, "bias": b}, (x,)),
        *numbers(seed, (2, channels, 7, 6), count, count),
    )


@pytest.mark.parametrize("gate", [gates.MaxPool(2), gates.AveragePool(2), gates.NormPool(2, 2), gates.GaussianPool(2)])
def test_there_must_be_something_to_slide_over(gate: gates.Gate) -> None:
    with pytest.raises(ValueError, match="one dimension to slide over"):
        gate.forward(np.zeros((2, 3)))
