"""Requirement V7: what sparse connections and shared weights save."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.gates import Convolution, connectivity
from glassnet.gates.local import jacobians


@pytest.mark.parametrize("n", [3, 10, 100])
def test_edge_detection_in_an_image_of_n_by_n(n: int) -> None:
    counted = connectivity((n, n), (1, 2), padding=((0, 0), (1, 0)))
    assert counted.dense_weights == n**4
    assert counted.shared_weights == 2
    assert counted.window_operations == 3 * n**2


def test_the_figures_of_the_book() -> None:
    """Goodfellow et al., figure 9.6: 320 × 280 to 319 × 280 takes 267,960 operations; a matrix more than eight billion entries."""
    counted = connectivity((280, 320), (1, 2))
    assert counted.outputs == 280 * 319
    assert counted.window_operations == 267_960
    assert counted.dense_weights == 320 * 280 * 319 * 280 > 8e9


def test_lenet5s_first_layer() -> None:
    counted = connectivity((32, 32), (5, 5), maps=6)
    assert counted.shared_weights + 6 == 156
    assert counted.connections + counted.outputs == 122_304  # the paper counts a bias for each unit


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (1, 2)])
def test_connections_are_the_numbers_of_the_jacobian_that_are_not_zero(stride: int, padding: int) -> None:
    gate = Convolution(stride, padding)
    y = gate.forward(np.zeros((1, 3, 4, 5)), np.ones((2, 3, 2, 3)))
    matrix = jacobians(gate, y.shape)[0]
    assert matrix is not None
    counted = connectivity((4, 5), (2, 3), channels=3, maps=2, stride=stride, padding=padding)
    assert matrix.size == counted.dense_weights
    assert np.count_nonzero(matrix) == counted.connections
