"""Losses against PyTorch and against those that Glassnet trains with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from parity import agrees, numbers
from torch.nn import functional as F

from glassnet import gates
from glassnet.errors import ModelError
from glassnet.gates import Graph, apply, inputs
from glassnet.layers import RBF, digit_codes, map_criterion
from glassnet.training import losses

SEEDS = st.integers(0, 2**32 - 1)
COUNT = st.integers(1, 6)


def classes(seed: int, shape: tuple[int, ...], count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, count, shape).astype(float)


@settings(max_examples=40, deadline=None)
@given(COUNT, COUNT, array_shapes(min_dims=0, max_dims=2, max_side=3), st.floats(0, 0.9), SEEDS)
def test_cross_entropy_with_class_indices(n: int, count: int, places: tuple[int, ...], eps: float, seed: int) -> None:
    (s,) = numbers(seed, (n, count, *places))
    t = classes(seed, (n, *places), count)
    agrees(gates.CrossEntropy(eps), lambda s, t: F.cross_entropy(s, t, label_smoothing=eps), s, t, fixed=(1,))
    if not places:
        agrees(gates.CrossEntropy(eps), lambda s, t: losses.cross_entropy(s, t, label_smoothing=eps), s, t, fixed=(1,))


@settings(max_examples=30, deadline=None)
@given(COUNT, st.integers(2, 6), st.floats(0, 0.9), SEEDS)
def test_cross_entropy_with_probabilities(n: int, count: int, eps: float, seed: int) -> None:
    s, t = numbers(seed, (n, count), (n, count))
    t = np.exp(t) / np.exp(t).sum(1, keepdims=True)
    agrees(gates.CrossEntropy(eps), lambda s, t: F.cross_entropy(s, t, label_smoothing=eps), s, t)
    agrees(gates.CrossEntropy(eps), lambda s, t: F.cross_entropy(s, t, label_smoothing=eps), s, 1.7 * t)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@settings(max_examples=20, deadline=None)
@given(COUNT, COUNT, array_shapes(min_dims=0, max_dims=2, max_side=3), st.booleans(), SEEDS)
def test_negative_log_likelihood(
    reduction: str, n: int, count: int, places: tuple[int, ...], weighted: bool, seed: int
) -> None:
    q, v = numbers(seed, (n, count, *places), (count,))
    t = classes(seed, (n, *places), count)
    t.flat[0] = 0
    arrays = [q, t, np.abs(v) + 0.1][: 2 + weighted]
    agrees(
        gates.NegativeLogLikelihood(reduction, ignore=1),  # type: ignore[arg-type]
        lambda q, t, v=None: F.nll_loss(q, t, v, ignore_index=1, reduction=reduction),
        *arrays,
        fixed=(1, 2),
    )


@settings(max_examples=30, deadline=None)
@given(COUNT, st.booleans(), SEEDS)
def test_binary_cross_entropy_of_one_logit(n: int, column: bool, seed: int) -> None:
    (s,) = numbers(seed, (n, 1) if column else (n,))
    agrees(gates.BinaryCrossEntropy(), losses.binary, 10 * s, classes(seed, (n,), 2) * 0.9)


@settings(max_examples=30, deadline=None)
@given(COUNT, st.integers(2, 6), SEEDS)
def test_hinge(n: int, count: int, seed: int) -> None:
    (s,) = numbers(seed, (n, count))
    agrees(gates.Hinge(), losses.hinge, s, classes(seed, (n,), count), fixed=(1,))


def test_hinge_by_hand() -> None:
    """Scores 3.2, 5.1, −1.7 with class 0 right: max(0, 5.1 − 3.2 + 1) + max(0, −1.7 − 3.2 + 1) = 2.9."""
    gate = gates.Hinge()
    assert gate.forward(np.array([[3.2, 5.1, -1.7]]), np.array([0.0])) == pytest.approx(2.9)
    np.testing.assert_array_equal(gate.backward(np.array(1.0))[0], [[-1, 1, 0]])  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(array_shapes(max_dims=3, max_side=5), st.floats(0.1, 3), SEEDS)
def test_regression(shape: tuple[int, ...], delta: float, seed: int) -> None:
    arrays = numbers(seed, shape, shape)
    agrees(gates.SquaredError(), losses.squared, *arrays)
    agrees(gates.AbsoluteError(), losses.absolute, *arrays)
    agrees(gates.Huber(delta), lambda y, t: losses.huber(y, t, delta=delta), *arrays)


@settings(max_examples=20, deadline=None)
@given(COUNT, COUNT, COUNT, st.floats(0.1, 20), SEEDS)
def test_rbf_outputs_and_their_loss(n: int, codes: int, features: int, j: float, seed: int) -> None:
    x, w, s = numbers(seed, (n, features), (codes, features), (n, codes))
    agrees(gates.RBF(), lambda x, w: torch.func.functional_call(RBF(w), {"codes": w}, (x,)), x, w)
    agrees(gates.MapCriterion(j), lambda s, t: map_criterion(s, t, j), -(s**2), classes(seed, (n,), codes), fixed=(1,))


def test_the_right_digits_code_scores_nought() -> None:
    codes = digit_codes().double().numpy()
    s = gates.RBF().forward(codes[[7]], codes)
    assert s.argmax() == 7
    assert s[0, 7] == 0


def test_an_untrained_classifier_of_ten_classes_starts_at_ln_10() -> None:
    assert gates.CrossEntropy().forward(np.zeros((4, 10)), np.arange(4.0)) == pytest.approx(np.log(10))


@pytest.mark.parametrize("wrong", [[0.0, 3.0], [0.0, -1.0], [0.0, 1.5], [0.0]])
def test_targets_that_are_no_classes(wrong: list[float]) -> None:
    graph = Graph(apply(gates.CrossEntropy(), *inputs("s t"), name="loss"))
    with pytest.raises(ModelError, match="loss"):
        graph.forward(s=np.zeros((2, 3)), t=wrong)


def test_targets_of_another_shape_are_not_broadcast() -> None:
    graph = Graph(apply(gates.SquaredError(), *inputs("y t"), name="loss"))
    with pytest.raises(ModelError, match="targets of shape"):
        graph.forward(y=np.zeros((3, 1)), t=np.zeros(3))
