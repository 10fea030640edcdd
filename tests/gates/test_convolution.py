"""Convolutions of one, two and three dimensions, and those that do not share their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from parity import agrees, close, numbers
from torch.nn import functional as F

from glassnet import gates
from glassnet.gates import Graph, Node, apply
from glassnet.layers import ConnectionTableConv2d, LocallyConnected1d, LocallyConnected2d
from glassnet.layers.connection_table import LENET5_TABLE

SEEDS = st.integers(0, 2**32 - 1)
FUNCTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[int, tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    """Dimensions, shape of the input, shape of the weight, and settings under which at least one window fits."""
    dimensions = draw(st.integers(1, 3))
    each = st.integers(1, 3)
    groups = draw(each)
    channels, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel = [draw(each) for _ in range(dimensions)]
    stride = tuple(draw(each) for _ in range(dimensions))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(dimensions))
    padding = tuple(draw(st.integers(0, 3)) for _ in range(dimensions))
    size = [
        max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 3))
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    ]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return dimensions, (draw(st.integers(1, 2)), channels, *size), (outputs, channels // groups, *kernel), options


@settings(max_examples=120, deadline=None)
@given(convolutions(), st.booleans(), SEEDS)
def test_convolution(case: tuple[int, tuple[int, ...], tuple[int, ...], dict[str, Any]], bias: bool, seed: int) -> None:
    dimensions, x, w, options = case
    arrays = numbers(seed, x, w, (w[0],))[: 2 + bias]
    agrees(gates.Convolution(**options), lambda x, w, b=None: FUNCTIONS[dimensions](x, w, b, **options), *arrays)


def naive(x: NDArray[np.float64], w: NDArray[np.float64], padding: int) -> NDArray[np.float64]:
    """The definition, one multiplication at a time; one channel in, one out."""
    x = np.pad(x, padding)
    rows, columns = x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1
    y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for u in range(w.shape[0]):
                for v in range(w.shape[1]):
                    y[i, j] += w[u, v] * x[i + u, j + v]
    return y


IMAGE = [
    [2, 3, 4, 4, 3, 3],
    [1, 3, 3, 4, 3, 2],
    [0, 1, 2, 3, 4, 4],
    [0, 0, 1, 1, 2, 2],
    [1, 1, 2, 2, 3, 2],
    [1, 2, 3, 3, 2, 1],
]
LINE = [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]
VALID = [[2, 3, 0, -3], [-2, 0, 4, 8], [-5, -7, -8, -8], [1, 0, 2, 3]]
PADDED = [
    [6, 11, 12, 12, 11, 7],
    [2, 2, 3, 0, -3, -4],
    [-2, -2, 0, 4, 8, 7],
    [-3, -5, -7, -8, -8, -5],
    [1, 1, 0, 2, 3, 3],
    [4, 8, 11, 9, 5, 1],
]


@pytest.mark.parametrize(("padding", "expected"), [(0, VALID), (1, PADDED)])
def test_the_worked_example(padding: int, expected: list[list[int]]) -> None:
    image, line = np.array(IMAGE, float), np.array(LINE, float)
    gate = gates.Convolution(padding=padding)
    y = gate.forward(image[None, None], line[None, None])[0, 0]
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(y, naive(image, line, padding))


def test_unequal_padding_before_and_after() -> None:
    pairs = ((1, 0), (0, 2))
    agrees(
        gates.Convolution(padding=pairs),
        lambda x, w: F.conv2d(F.pad(x, (0, 2, 1, 0)), w),
        *numbers(4, (2, 3, 4, 5), (2, 3, 2, 3)),
    )


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("kernel", [(1, 4), (2, 3), (5, 5)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_padding_by_name(kernel: tuple[int, int], dilation: int) -> None:
    arrays = numbers(4, (2, 3, 9, 10), (2, 3, *kernel))
    agrees(
        gates.Convolution(padding="same", dilation=dilation),
        lambda x, w: F.conv2d(x, w, padding="same", dilation=dilation),
        *arrays,
    )
    agrees(gates.Convolution(padding="valid"), lambda x, w: F.conv2d(x, w, padding="valid"), *arrays)


def test_padding_with_the_values_of_the_edge() -> None:
    agrees(
        lambda x, w: apply(gates.Convolution(), apply(gates.Pad(((0, 0), (0, 0), (1, 1), (1, 1)), "edge"), x), w),
        lambda x, w: F.conv2d(F.pad(x, (1, 1, 1, 1), "replicate"), w),
        *numbers(4, (2, 3, 4, 5), (2, 3, 3, 3)),
    )


@pytest.mark.parametrize(
    ("x", "w", "groups"),
    [
        ((1, 3, 5, 5), (2, 2, 3, 3), 1),
        ((1, 3, 5, 5), (2, 1, 3, 3), 2),
        ((1, 3, 2, 2), (2, 3, 3, 3), 1),
        ((1, 3, 5), (2, 3, 3, 3), 1),
    ],
)
def test_shapes_that_do_not_fit_are_named(x: tuple[int, ...], w: tuple[int, ...], groups: int) -> None:
    from glassnet.errors import ModelError

    graph = Graph(apply(gates.Convolution(groups=groups), *gates.inputs("x w"), name="conv1"))
    with pytest.raises(ModelError, match="conv1"):
        graph.forward(x=np.zeros(x), w=np.zeros(w))


def test_the_local_gradient_of_a_convolution_is_the_dense_layer_it_stands_for() -> None:
    """Weight sharing (requirement V7): a dense layer that does the same has a weight for each pair of input and output."""
    n = 6
    w = np.array([1.0, -1.0]).reshape(1, 1, 1, 2)
    x = gates.inputs("x")[0]
    (step, *_) = Graph(apply(gates.Convolution(), x, w)).step(
        x=np.zeros((1, 1, n, n)), upstream=np.ones((1, 1, n, n - 1))
    )
    matrix = step.local[0].value
    assert matrix is not None
    assert matrix.shape == (n * (n - 1), n * n)
    assert np.count_nonzero(matrix) == 2 * n * (n - 1)
    assert set(np.unique(matrix)) == {-1.0, 0.0, 1.0}


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, list[list[int]]]:
    """Channels, and which of them each map sees."""
    channels = draw(st.integers(1, 4))
    row = st.lists(st.integers(0, channels - 1), min_size=1, max_size=channels, unique=True)
    return channels, draw(st.lists(row, min_size=1, max_size=5))


@settings(max_examples=25, deadline=None)
@given(tables(), SEEDS)
def test_connection_tables(case: tuple[int, list[list[int]]], seed: int) -> None:
    channels, table = case
    layer = ConnectionTableConv2d(channels, table, (2, 3)).double()
    x, random = numbers(seed, (2, channels, 4, 5), (len(table), channels, 2, 3))
    tensor = torch.tensor(x, requires_grad=True)
    expected = layer(tensor)
    expected.square().sum().backward()
    dense, bias = layer.dense_weight().detach().numpy(), layer.bias.detach().numpy()

    graph = Graph(apply(gates.TableConvolution(table), *gates.inputs("x w b")))
    # What stands where the table has no connection must not matter, and gets no gradient.
    y = graph.forward(x=x, w=np.where(dense == 0, random, dense), b=bias)
    close(y, expected.detach().numpy())
    found = graph.backward(2 * y)
    assert tensor.grad is not None
    assert layer.bias.grad is not None
    close(found["x"], tensor.grad.numpy())
    close(found["b"], layer.bias.grad.numpy())
    assert np.all(found["w"][dense == 0] == 0)

    kernels = [gates.parameter(f"k{n}", w.detach().numpy()) for n, w in enumerate(layer.weights())]
    placed = apply(gates.ConnectedKernels(table, channels), *kernels)
    graph = Graph(apply(gates.Convolution(), gates.inputs("x")[0], placed, bias))
    close(graph.forward(x=x), expected.detach().numpy())
    gradients = graph.backward(2 * y)
    for n, weight in enumerate(layer.weights()):
        assert weight.grad is not None
        close(gradients[f"k{n}"], weight.grad.numpy())


def test_lenet5s_third_layer_has_1516_parameters_that_matter() -> None:
    gate = gates.TableConvolution(LENET5_TABLE)
    rng = np.random.default_rng(0)
    gate.forward(rng.standard_normal((1, 6, 14, 14)), rng.standard_normal((16, 6, 5, 5)), rng.standard_normal(16))
    _, dw, db = gate.backward(rng.standard_normal((1, 16, 10, 10)))
    assert dw is not None
    assert db is not None
    assert np.count_nonzero(dw) + np.count_nonzero(db) == 1516


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 2), st.integers(0, 1), st.booleans(), SEEDS)
def test_locally_connected_layers(kernel: int, stride: int, padding: int, bias: bool, seed: int) -> None:
    options: dict[str, Any] = {"stride": stride, "padding": padding, "bias": bias}
    for layer, size in (
        (LocallyConnected1d(2, 3, 5, kernel, **options), (5,)),
        (LocallyConnected2d(2, 3, (4, 5), kernel, **options), (4, 5)),
    ):
        layer = layer.double()
        x, w = numbers(seed, (2, 2, *size), tuple(layer.weight.shape))
        b = [] if layer.bias is None else [layer.bias.detach().numpy()]

        def reference(x: torch.Tensor, *parameters: torch.Tensor, layer: torch.nn.Module = layer) -> torch.Tensor:
            return torch.func.functional_call(layer, dict(zip(["weight", "bias"], parameters, strict=False)), (x,))  # type: ignore[no-any-return]

        agrees(gates.LocallyConnected(stride, padding), reference, x, w, *b)


def test_maxout_of_dense_and_convolutional_inputs() -> None:
    from glassnet.layers import MaxoutConv2d, MaxoutLinear

    dense = MaxoutLinear(4, 3, pieces=2).double()
    agrees(
        lambda x, w, b: gates.maxout(x, w, b, 2, name="h"),
        lambda x, w, b: torch.func.functional_call(dense, {"linear.weight": w, "linear.bias": b}, (x,)),
        *numbers(1, (5, 4), (6, 4), (6,)),
    )
    conv = MaxoutConv2d(2, 3, 3, pieces=4, padding=1).double()

    def build(x: Node, w: Node, b: Node) -> Node:
        return gates.maxout(x, w, b, 4, convolution=gates.Convolution(padding=1))

    agrees(
        build,
        lambda x, w, b: torch.func.functional_call(conv, {"conv.weight": w, "conv.bias": b}, (x,)),
        *numbers(2, (2, 2, 5, 4), (12, 2, 3, 3), (12,)),
    )
