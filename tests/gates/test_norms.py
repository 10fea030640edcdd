"""Normalisations against PyTorch in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from parity import agrees, close, numbers
from torch.nn import functional as F

from glassnet import gates
from glassnet.layers import LocalResponseNorm

SEEDS = st.integers(0, 2**32 - 1)
PLACES = array_shapes(min_dims=0, max_dims=3, max_side=3) | st.just(())


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(1, 4), PLACES, st.booleans(), st.sampled_from([1e-5, 1e-3]), SEEDS)
def test_batch_norm_in_training(
    n: int, channels: int, places: tuple[int, ...], affine: bool, eps: float, seed: int
) -> None:
    arrays = numbers(seed, (n, channels, *places), (channels,), (channels,))[: 3 if affine else 1]
    agrees(
        gates.BatchNorm(eps),
        lambda x, w=None, b=None: F.batch_norm(x, None, None, w, b, training=True, eps=eps),
        *arrays,
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), PLACES, st.booleans(), SEEDS)
def test_batch_norm_in_evaluation(n: int, channels: int, places: tuple[int, ...], affine: bool, seed: int) -> None:
    x, mean, variance, w, b = numbers(seed, (n, channels, *places), *[(channels,)] * 4)
    arrays = [x, mean, variance**2 + 0.1, w, b][: 5 if affine else 3]
    agrees(
        gates.BatchNormEvaluation(),
        lambda x, mean, variance, w=None, b=None: F.batch_norm(x, mean, variance, w, b),
        *arrays,
        fixed=(1, 2),
    )


def test_batch_norm_can_undo_itself() -> None:
    (x,) = numbers(1, (50, 3, 4))
    gate = gates.BatchNorm(eps=0.0)
    gate.forward(x)
    close(gate.forward(x, np.sqrt(gate.variance), gate.mean), x)


@settings(max_examples=30, deadline=None)
@given(array_shapes(min_dims=2, max_dims=4, min_side=2, max_side=4), st.data(), st.booleans(), SEEDS)
def test_layer_norm(shape: tuple[int, ...], data: st.DataObject, affine: bool, seed: int) -> None:
    dimensions = data.draw(st.integers(1, len(shape)))
    last = shape[len(shape) - dimensions :]
    arrays = numbers(seed, shape, last, last)[: 3 if affine else 1]
    agrees(gates.LayerNorm(dimensions), lambda x, w=None, b=None: F.layer_norm(x, last, w, b), *arrays)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.lists(st.integers(2, 4), min_size=1, max_size=2), SEEDS)
def test_group_norm(groups: int, each: int, size: list[int], seed: int) -> None:
    channels = groups * each
    arrays = numbers(seed, (2, channels, *size), (channels,), (channels,))
    agrees(gates.GroupNorm(groups), lambda x, w, b: F.group_norm(x, groups, w, b), *arrays)
    agrees(gates.GroupNorm(channels), lambda x, w, b: F.instance_norm(x, weight=w, bias=b), *arrays)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 7), st.floats(1e-4, 2), st.floats(0.3, 2), st.floats(0.5, 3), SEEDS)
def test_local_response_norm_by_both_definitions(
    n: int, channels: int, alpha: float, beta: float, k: float, seed: int
) -> None:
    (x,) = numbers(seed, (2, channels, 2, 3))
    agrees(gates.LocalResponseNorm(n, alpha, beta, k), LocalResponseNorm(n, alpha, beta, k), x)
    agrees(
        gates.LocalResponseNorm(n, alpha, beta, k, "torch"), lambda x: F.local_response_norm(x, n, alpha, beta, k), x
    )


def test_local_response_norm_by_the_papers_sum() -> None:
    """b_i = a_i / (k + α Σ_{j=max(0, i−n/2)}^{min(N−1, i+n/2)} a_j²)^β, written as a loop."""
    a = np.arange(1.0, 8.0)
    expected = [
        a[i] / (2 + 0.5 * sum(a[j] ** 2 for j in range(max(0, i - 2), min(6, i + 2) + 1))) ** 0.75 for i in range(7)
    ]
    y = gates.LocalResponseNorm(5, 0.5, 0.75, 2.0).forward(a[None])
    assert y[0] == pytest.approx(expected, rel=1e-13)
