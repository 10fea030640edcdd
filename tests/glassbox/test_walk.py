"""The walk in words, and arrays as people read them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from glassnet.gates import Convolution, Graph, MaxPool, Slice, apply, inputs
from glassnet.glassbox import graph_of_formula, open_module, walk
from glassnet.glassbox.figures import figure, lines, norm_of, settings, shape, size_of, summary


def test_the_example_of_the_lecture_gate_by_gate() -> None:
    start, add, multiply, back_multiply, back_add, ending = walk(
        graph_of_formula("q = x + y; f = q * z"), {"x": -2, "y": 5, "z": -4}
    )
    assert start.splitlines() == ["what goes in", "  x = -2", "  y = 5", "  z = -4"]
    assert add.splitlines()[:4] == [
        "forward  1/2   q   Add()",
        "  formula   z = x + y",
        "  here      q = x + y",
        "  numbers   q = -2 + 5 = 3",
    ]
    assert multiply.splitlines()[3:] == ["  numbers   f = 3 · (-4) = -12", "  local ∂f/∂q: -4", "  local ∂f/∂z: 3"]
    assert back_multiply.splitlines() == [
        "backward 1/2   f   Multiply()",
        "  here      dq = z · df",
        "  here      dz = q · df",
        "  numbers   dq = -4 · 1 = -4, dz = 3 · 1 = 3",
        "  upstream gradient: 1",
        "  local ∂f/∂q: -4",
        "  local ∂f/∂z: 3",
    ]
    assert "upstream gradient: -4" in back_add
    assert ending.splitlines() == ["what came out", "  f = -12", "  ∂f/∂x = -4", "  ∂f/∂y = -4", "  ∂f/∂z = 3"]


def test_what_goes_into_two_gates_collects_from_both() -> None:
    texts = list(walk(graph_of_formula("x * y + x"), {"x": 3, "y": 4}))
    assert "x has collected so far: 5" in texts[-2]


def test_a_network_is_walked_with_its_matrices_summarised() -> None:
    net = nn.Sequential(nn.Linear(20, 3), nn.ReLU())
    opened = open_module(net, torch.randn(2, 20), torch.tensor([0, 1]))
    texts = list(walk(opened.graph, opened.values))
    gates = [node for node in opened.graph.nodes if node.kind == "gate"]
    assert len(texts) == 2 + 2 * len(gates)
    assert "  x: 2×20: mean " in texts[1]
    assert "  value:\n      [" in texts[1], "a matrix of 2×3 is printed"
    assert "handed back to 0.weight: 3×20: mean" in texts[-2]
    assert texts[-1].splitlines()[-1].startswith("  ∂loss/∂0.bias = [")
    np.testing.assert_allclose(opened.graph["0.bias"].gradient, opened.graph.gradients["0.bias"])


def test_arrays_as_text() -> None:
    assert lines(np.array(-0.0)) == ["0"]
    assert lines(np.array([1.0, -2.5])) == ["[   1  -2.5]"]
    assert lines(np.eye(2)) == ["[1  0]", "[0  1]"]
    assert lines(np.zeros((0, 3))) == ["0×3: no numbers"]
    assert summary(np.array([[0.0, 4.0], [0.0, 0.0]])) == "2×2: mean 1, std 1.732, from 0 to 4, 75% zeros"
    assert len(lines(np.ones((9, 10)))) == 1
    assert len(lines(np.ones((8, 10)))) == 8
    assert lines(np.ones((2, 2, 2))) == ["2×2×2: mean 1, std 0, from 1 to 1"]
    assert "nan" in summary(np.array([np.nan, *np.ones(20)]))
    assert figure(1234567.0) == "1.235e+06"
    assert shape(()) == "one number"
    assert size_of(np.array([3.0, 4.0])) == np.sqrt(12.5)
    assert norm_of(np.array([3.0, 4.0])) == 5
    assert size_of(None) == norm_of(None) == 0


def test_settings_that_are_usual_are_not_told() -> None:
    assert settings(Convolution((1, 1), (2, 2), (1, 1), 1)) == "Convolution(padding=(2, 2))"
    assert settings(MaxPool(2)) == "MaxPool(kernel=2)"
    (x,) = inputs("x")
    assert settings(Graph(x + 1).output.gate) == "Add()"  # type: ignore[arg-type]
    assert apply(Convolution(), x, x).gate is not None


def test_a_part_is_written_as_in_brackets() -> None:
    assert settings(Slice((slice(None), 2, slice(3, 9, 2)))) == "Slice(place=[:, 2, 3:9:2])"
