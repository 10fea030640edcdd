"""What every gate promises, one suite over all of them: a numerical check that knows neither PyTorch nor the chain rule."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from parity import numbers

from glassnet import gates
from glassnet.gates import Elementwise, Gate, Graph, Node, apply, lines
from glassnet.layers.connection_table import LENET5_TABLE

TABLE = [[0], [1, 2], [0, 2], [0, 1, 2]]
CLASSES = np.array([0.0, 2.0, 1.0, 2.0])
IMAGE = (2, 3, 5, 6)

# A gate, and the shapes of its inputs, or the inputs themselves.
EXAMPLES: list[tuple[Gate, list[Any]]] = [
    *((gate(), [(3, 4), (4,)]) for gate in (gates.Add, gates.Subtract, gates.Multiply, gates.Divide)),
    *((gate(), [(3, 4), (4,)]) for gate in (gates.Maximum, gates.Minimum)),
    (gates.Power(), [np.array([0.5, 1.5, 2.0]), np.array([2.0, -1.0, 0.3])]),
    *((gate(), [(3, 4)]) for gate in (gates.Negate, gates.Exp, gates.Square, gates.Reciprocal, gates.Absolute)),
    *((gate(), [(3, 4)]) for gate in (gates.Sin, gates.Cos, gates.Identity, gates.Sigmoid, gates.Tanh)),
    *((gate(), [(3, 4)]) for gate in (gates.ScaledTanh, gates.ReLU, gates.LeakyReLU, gates.ELU, gates.SELU)),
    *((gate(), [(3, 4)]) for gate in (gates.Softplus, gates.SiLU, gates.GELU, gates.TanhGELU)),
    *((gate(), [np.array([0.3, 1.0, 2.5])]) for gate in (gates.Log, gates.Sqrt)),
    (gates.Clip(-0.5, 0.5), [(3, 4)]),
    (gates.PReLU(), [(3, 4), (4,)]),
    (gates.Dropout(0.4), [(3, 2), np.array([[1.0, 0], [0, 1], [1, 1]])]),
    (gates.ClassicDropout(), [(3, 2), np.array([[1.0, 0], [0, 1], [1, 1]])]),
    *((gate(1), [(3, 4)]) for gate in (gates.Softmax, gates.LogSoftmax, gates.Sum, gates.Mean, gates.Max, gates.Min)),
    (gates.MatrixProduct(), [(2, 3, 4), (4, 2)]),
    (gates.Dense(), [(3, 4), (2, 4), (2,)]),
    (gates.Convolution(2, 1, 1, 3), [IMAGE, (3, 1, 3, 2), (3,)]),
    (gates.TableConvolution(TABLE), [IMAGE, (4, 3, 2, 2), (4,)]),
    (gates.ConnectedKernels(TABLE, 3), [(1, 1, 2, 2), (2, 2, 2, 2), (1, 3, 2, 2)]),
    (gates.LocallyConnected(2), [IMAGE, (2, 2, 2, 3, 3, 3), (2, 2, 2)]),
    (gates.MaxPool(3, 2), [IMAGE]),
    (gates.ChannelMaxPool(3), [IMAGE]),
    (gates.AveragePool(3, 2, 1), [IMAGE]),
    (gates.GaussianPool(3, 2, 1.0, 1), [IMAGE]),
    (gates.GlobalAveragePool(), [IMAGE]),
    (gates.NormPool(3, 2), [IMAGE]),
    (gates.AdaptiveAveragePool((2, 4)), [IMAGE]),
    (gates.AdaptiveMaxPool((2, 4)), [IMAGE]),
    (gates.Subsampling(2), [IMAGE, (3,), (3,)]),
    (gates.BatchNorm(), [IMAGE, (3,), (3,)]),
    (gates.BatchNormEvaluation(), [IMAGE, (3,), np.array([0.5, 1.0, 2.0]), (3,), (3,)]),
    (gates.LayerNorm(), [IMAGE, (6,), (6,)]),
    (gates.GroupNorm(3), [IMAGE, (3,), (3,)]),
    (gates.LocalResponseNorm(3, 0.5), [IMAGE]),
    (gates.Embedding(), [CLASSES, (3, 4)]),
    (gates.Reshape((6, -1)), [IMAGE]),
    (gates.Flatten(), [IMAGE]),
    (gates.Transpose((1, 3, 0, 2)), [IMAGE]),
    (gates.Slice((slice(None), 1, slice(1, 4, 2))), [IMAGE]),
    (gates.Select(np.array([[2, 0], [2, 2]]), 1), [IMAGE]),
    (gates.Fill(-np.inf), [(3, 4), np.array([0.0, 0.0, 0.0, 0.0])]),
    (gates.Fill(0.7), [(3, 4), np.array([[1.0], [0.0], [1.0]])]),
    (gates.Pad(((0, 0), (1, 2)), "edge"), [(3, 4)]),
    (gates.Expand((2, 3, 4)), [(3, 1)]),
    (gates.Concatenate(), [(2, 1), (2, 3), (2, 2)]),
    (gates.Stack(1), [(2, 3), (2, 3)]),
    (gates.CrossEntropy(0.1), [(4, 3), CLASSES]),
    (gates.NegativeLogLikelihood(), [(4, 3), CLASSES, np.array([1.0, 2.0, 0.5])]),
    (gates.BinaryCrossEntropy(), [(4,), np.array([1.0, 0.0, 0.3, 1.0])]),
    (gates.Hinge(), [(4, 3), CLASSES]),
    (gates.SquaredError(), [(3, 2), (3, 2)]),
    (gates.AbsoluteError(), [(3, 2), (3, 2)]),
    (gates.Huber(0.7), [(3, 2), (3, 2)]),
    (gates.RBF(), [(3, 4), (2, 4)]),
    (gates.MapCriterion(0.5), [(4, 3), CLASSES]),
    (gates.L1Penalty(0.1), [(3, 2), (4,)]),
    (gates.L2Penalty(0.1), [(3, 2), (4,)]),
]


def arrays(given: list[Any]) -> list[np.ndarray]:
    return [numbers(number + 7, each)[0] if isinstance(each, tuple) else each for number, each in enumerate(given)]


def test_the_table_holds_every_gate() -> None:
    exported = {getattr(gates, name) for name in gates.__all__}
    every = {
        each for each in exported if inspect.isclass(each) and issubclass(each, Gate) and not inspect.isabstract(each)
    }
    assert every == {type(gate) for gate, _ in EXAMPLES}


@pytest.mark.parametrize(("gate", "given"), EXAMPLES, ids=[repr(gate) for gate, _ in EXAMPLES])
class TestEveryGate:
    """The promises of :class:`glassnet.gates.Gate`."""

    def test_backward_is_the_slope_of_forward(self, gate: Gate, given: list[Any]) -> None:
        """Central differences along a random direction of each input, in float64: relative error below 1e-6."""
        values = arrays(given)
        upstream = np.random.default_rng(1).standard_normal(np.shape(gate.forward(*values)))
        gradients = gate.backward(upstream)
        for number, gradient in enumerate(gradients[: len(values)]):
            if gradient is None:
                continue
            assert gradient.shape == values[number].shape
            direction = np.random.default_rng(number).standard_normal(values[number].shape)
            ends = []
            for step in (1e-6, -1e-6):
                moved = [value + step * direction if n == number else value for n, value in enumerate(values)]
                ends.append((gate.forward(*moved) * upstream).sum())
            numerical = (ends[0] - ends[1]) / 2e-6
            assert (gradient * direction).sum() == pytest.approx(numerical, rel=1e-6, abs=1e-8)

    def test_backward_changes_nothing_and_forward_leaves_its_inputs_alone(self, gate: Gate, given: list[Any]) -> None:
        values = arrays(given)
        before = [value.copy() for value in values]
        upstream = np.ones(np.shape(gate.forward(*values)))
        first, second = gate.backward(upstream), gate.backward(upstream)
        for one, other in zip(first, second, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                np.testing.assert_array_equal(one, other)  # type: ignore[arg-type]
        for value, old in zip(values, before, strict=True):
            np.testing.assert_array_equal(value, old)
        np.testing.assert_array_equal(upstream, np.ones(upstream.shape))

    def test_it_says_what_it_does(self, gate: Gate, given: list[Any]) -> None:
        values = arrays(given)
        node = apply(gate, *(Node("input", f"v{number}", value) for number, value in enumerate(values)), name="out")
        left, right = gate.formula.split(" = ", 1)
        assert left.isidentifier()
        assert right
        assert lines.forward_line(node).startswith("out = ")
        gradients = gate.backward(np.ones(np.shape(gate.forward(*values))))
        chain = lines.backward_lines(node)
        assert len(chain) == len(values)
        for number, (line, gradient) in enumerate(zip(chain, gradients, strict=False)):
            assert line == "" if gradient is None else line.startswith(f"dv{number} = ")

    def test_a_local_gradient_times_the_upstream_gradient_is_what_goes_back(self, gate: Gate, given: list[Any]) -> None:
        """Slopes number by number, or the Jacobian as a matrix."""
        values = arrays(given)
        node = apply(gate, *(Node("input", f"v{number}", value) for number, value in enumerate(values)), name="out")
        shape = Graph(node).forward().shape
        upstream = np.random.default_rng(2).standard_normal(shape)
        expected = gate.backward(upstream)
        for local, gradient in zip(gates.local_gradients(node), expected, strict=False):
            assert (local.kind == "none") == (gradient is None)
            if local.value is None:
                continue
            assert gradient is not None
            if isinstance(gate, Elementwise):
                np.testing.assert_allclose((local.value * upstream).sum(), gradient.sum(), rtol=1e-12, atol=1e-12)
            else:
                np.testing.assert_allclose(upstream.ravel() @ local.value, gradient.ravel(), rtol=1e-10, atol=1e-12)


def test_the_table_of_lenet5_fits_the_gate_of_connected_kernels() -> None:
    kernels = numbers(0, (6, 3, 5, 5), (9, 4, 5, 5), (1, 6, 5, 5))
    w = gates.ConnectedKernels(LENET5_TABLE, 6).forward(*kernels)
    assert w.shape == (16, 6, 5, 5)
    assert np.count_nonzero(w) == 1500
