"""Matrix products, dense layers, softmax, sums and shapes, against PyTorch in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes
from parity import agrees, numbers
from torch.nn import functional as F

from glassnet import gates
from glassnet.gates import Graph, inputs

SEEDS = st.integers(0, 2**32 - 1)
SIDE = st.integers(1, 5)


@settings(max_examples=30, deadline=None)
@given(mutually_broadcastable_shapes(signature="(n,k),(k,m)->(n,m)", max_dims=2, max_side=4), SEEDS)
def test_products_of_stacks_of_matrices(shapes: object, seed: int) -> None:
    agrees(lambda x, y: x @ y, torch.matmul, *numbers(seed, *shapes.input_shapes))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("left", "right"), [((3,), (3,)), ((3,), (3, 2)), ((4, 3), (3,)), ((2, 4, 3), (3,)), ((3,), (2, 3, 4))]
)
def test_products_with_vectors(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    agrees(gates.MatrixProduct(), torch.matmul, *numbers(1, left, right))


@settings(max_examples=30, deadline=None)
@given(array_shapes(min_dims=0, max_dims=2, max_side=4), SIDE, SIDE, st.booleans(), SEEDS)
def test_dense(batch: tuple[int, ...], inputs: int, outputs: int, bias: bool, seed: int) -> None:
    shapes = [(*batch, inputs), (outputs, inputs), (outputs,)]
    agrees(gates.Dense(), F.linear, *numbers(seed, *shapes[: 2 + bias]))


@settings(max_examples=20, deadline=None)
@given(array_shapes(min_dims=1, max_dims=4, max_side=5), st.data(), SEEDS)
def test_softmax_and_its_logarithm(shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    (x,) = numbers(seed, shape)
    agrees(gates.Softmax(axis), lambda x: F.softmax(x, axis), 5 * x)
    agrees(gates.LogSoftmax(axis), lambda x: F.log_softmax(x, axis), 5 * x)


def test_softmax_of_huge_numbers_does_not_overflow() -> None:
    agrees(gates.LogSoftmax(), lambda x: F.log_softmax(x, 1), np.array([[1e4, -1e4, 0.0], [700.0, 710.0, 720.0]]))


@settings(max_examples=25, deadline=None)
@given(array_shapes(min_dims=1, max_dims=4, max_side=4), st.booleans(), st.data(), SEEDS)
def test_reductions(shape: tuple[int, ...], keepdims: bool, data: st.DataObject, seed: int) -> None:
    axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    (x,) = numbers(seed, shape)
    agrees(gates.Sum(axes, keepdims), lambda x: x.sum(axes, keepdim=keepdims), x)
    agrees(gates.Mean(axes, keepdims), lambda x: x.mean(axes, keepdim=keepdims), x)
    agrees(gates.Max(axes, keepdims), lambda x: x.amax(axes, keepdim=keepdims), x)
    agrees(gates.Min(axes, keepdims), lambda x: x.amin(axes, keepdim=keepdims), x)
    agrees(gates.Sum(), torch.sum, x)
    agrees(gates.Mean(), torch.mean, x)
    agrees(gates.Max(axes[0] - len(shape)), lambda x: x.amax(axes[0]), x)


def test_equal_largest_numbers_share_the_gradient_as_in_pytorch() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    agrees(gates.Max(1), lambda x: x.amax(1), x)
    agrees(gates.Min(1), lambda x: x.amin(1), x)


@settings(max_examples=20, deadline=None)
@given(array_shapes(min_dims=2, max_dims=4, max_side=4), st.data(), SEEDS)
def test_shapes_and_orders(shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    (x,) = numbers(seed, shape)
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    agrees(gates.Transpose(axes), lambda x: x.permute(axes), x)
    agrees(gates.Transpose(), lambda x: x.permute(tuple(reversed(range(len(shape))))), x)
    agrees(gates.Flatten(), lambda x: x.flatten(1), x)
    agrees(gates.Reshape((-1, shape[-1])), lambda x: x.reshape(-1, shape[-1]), x)
    agrees(gates.Expand((3, *shape)), lambda x: x.expand(3, *shape), x)
    agrees(gates.Expand((*shape[:-1], 5)), lambda x: x.expand(*shape[:-1], 5), x[..., :1])
    stop = data.draw(st.integers(1, shape[1]))
    agrees(lambda x: x[0, stop - 1 :], lambda x: x[0, stop - 1 :], x)
    agrees(lambda x: x[:, :stop], lambda x: x[:, :stop], x)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 1), st.integers(0, 1), SEEDS)
def test_padding(height: int, width: int, before: int, after: int, seed: int) -> None:
    (x,) = numbers(seed, (2, 3, height, width))
    widths = ((0, 0), (0, 0), (before, after), (after, before))
    around = (after, before, before, after)  # PyTorch counts from the last dimension
    agrees(gates.Pad(widths, value=1.5), lambda x: F.pad(x, around, value=1.5), x)
    agrees(gates.Pad(widths, "edge"), lambda x: F.pad(x, around, "replicate"), x)
    agrees(gates.Pad(widths, "reflect"), lambda x: F.pad(x, around, "reflect"), x)


@settings(max_examples=15, deadline=None)
@given(st.lists(SIDE, min_size=1, max_size=4), st.integers(0, 2), SEEDS)
def test_joining(sides: list[int], axis: int, seed: int) -> None:
    shapes = [tuple(side if dim == axis else 2 + dim for dim in range(3)) for side in sides]
    agrees(gates.Concatenate(axis), lambda *x: torch.cat(x, axis), *numbers(seed, *shapes))
    agrees(gates.Stack(axis), lambda *x: torch.stack(x, axis), *numbers(seed, *[(2, 3)] * len(sides)))


@settings(max_examples=20, deadline=None)
@given(array_shapes(min_dims=1, max_dims=3, max_side=5), st.integers(1, 6), SIDE, SEEDS)
def test_embedding(shape: tuple[int, ...], rows: int, features: int, seed: int) -> None:
    (w,) = numbers(seed, (rows, features))
    index = np.random.default_rng(seed).integers(0, rows, shape).astype(float)
    agrees(gates.Embedding(), F.embedding, index, w, fixed=(0,))
    padding = seed % rows
    agrees(gates.Embedding(padding), lambda i, table: F.embedding(i, table, padding), index, w, fixed=(0,))


@settings(max_examples=15, deadline=None)
@given(array_shapes(min_dims=1, max_dims=3, max_side=4), st.floats(0, 0.9), SEEDS)
def test_dropout_with_a_given_mask(shape: tuple[int, ...], p: float, seed: int) -> None:
    (x,) = numbers(seed, shape)
    mask = gates.keep_mask(shape, 1 - p, seed)
    agrees(gates.Dropout(p), lambda x, m: x * m / (1 - p), x, mask, fixed=(1,))
    agrees(gates.ClassicDropout(), lambda x, m: x * m, x, mask, fixed=(1,))


def test_the_expected_output_of_both_kinds_of_dropout() -> None:
    """Inverted: that of the input. Classic: keep times the input, which is what it computes at test."""
    mask = gates.keep_mask((200_000,), 0.7, 3)
    x = np.ones(200_000)
    assert gates.Dropout(0.3).forward(x, mask).mean() == pytest.approx(1.0, abs=0.01)
    assert gates.ClassicDropout().forward(x, mask).mean() == pytest.approx(0.7, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), SIDE, st.floats(0, 2), SEEDS)
def test_penalties_over_several_arrays(count: int, side: int, strength: float, seed: int) -> None:
    arrays = numbers(seed, *[(side, number + 1) for number in range(count)])
    agrees(gates.L2Penalty(strength), lambda *w: strength * sum(each.square().sum() for each in w), *arrays)
    agrees(gates.L1Penalty(strength), lambda *w: strength * sum(each.abs().sum() for each in w), *arrays)


def test_the_gradient_of_an_elastic_net() -> None:
    (w,) = inputs("w")
    graph = Graph(gates.apply(gates.L2Penalty(0.1), w) + gates.apply(gates.L1Penalty(0.5), w))
    assert graph.forward(w=[3.0, -2.0]) == pytest.approx(0.1 * 13 + 0.5 * 5)
    np.testing.assert_allclose(graph.backward()["w"], [0.2 * 3 + 0.5, 0.2 * -2 - 0.5])


def test_inputs_that_are_all_positive_give_a_units_weights_gradients_of_one_sign() -> None:
    """The zig-zag effect (requirement A): behind a sigmoid, all weights of a unit grow together or shrink together."""
    x, w, t = numbers(3, (1, 6), (4, 6), (1, 4))
    for squash, one_sign in ((gates.Sigmoid(), True), (gates.Tanh(), False)):
        nodes = inputs("x w t")
        y = gates.apply(gates.Dense(), gates.apply(squash, nodes[0]), nodes[1])
        graph = Graph(gates.apply(gates.SquaredError(), y, nodes[2]))
        graph.forward(x=x, w=w, t=t)
        signs = np.sign(graph.backward()["w"])
        assert bool((signs == signs[:, :1]).all()) is one_sign
