"""The recursion as a table: the lecture's two neurons, and a net of dense layers against the recursion in NumPy."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest
import torch
from torch import nn

from glassnet.gates import Graph, Sigmoid, Square, apply, inputs, parameter
from glassnet.glassbox import open_module, recursion
from glassnet.glassbox.table import as_text


def test_two_neurons_by_the_formulas_of_the_lecture() -> None:
    w10, w11, w20, w21, x = 0.5, -1.0, 0.25, 1.5, 2.0
    (input_,) = inputs("x")
    a1 = (parameter("w10", w10) + parameter("w11", w11) * input_).named("a1")
    a2 = (parameter("w20", w20) + parameter("w21", w21) * apply(Sigmoid(), a1, name="h1")).named("a2")
    graph = Graph(apply(Square(), apply(Sigmoid(), a2, name="h2") - 1.0, name="E"))
    graph.forward(x=x)
    graph.backward()
    h1 = 1 / (1 + exp(-(w10 + w11 * x)))
    h2 = 1 / (1 + exp(-(w20 + w21 * h1)))
    d2 = 2 * (h2 - 1) * h2 * (1 - h2)
    d1 = d2 * w21 * h1 * (1 - h1)
    rows = {row.target: row for row in recursion(graph)}
    assert rows["a2"].norm == pytest.approx(abs(d2))
    assert rows["w20"].norm == pytest.approx(abs(d2))
    assert rows["w21"].norm == pytest.approx(abs(d2 * h1))
    assert rows["w10"].norm == pytest.approx(abs(d1))
    assert rows["w11"].norm == pytest.approx(abs(d1 * x))
    assert rows["a1"].rule == "d ← d ⊙ g′(a)"
    assert rows["a1"].slope == pytest.approx(h1 * (1 - h1))


def test_a_net_of_dense_layers_follows_the_recursion_with_penalty() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    x, t = torch.randn(2, 4, dtype=torch.float64), torch.tensor([0, 2])
    opened = open_module(net, x, t)
    opened.graph.backward()
    rows = recursion(opened.graph, l2=0.01, l1=0.1)
    assert [(row.what, row.target) for row in rows] == [
        ("d", "2"),
        ("∇", "2.weight"),
        ("∇", "2.bias"),
        ("d", "1"),
        ("d", "0"),
        ("∇", "0.weight"),
        ("∇", "0.bias"),
        ("d", "x"),
    ]
    W1, W2 = net[0].weight.detach().numpy(), net[2].weight.detach().numpy()
    h = net[1](net[0](x)).detach().numpy()
    p = torch.softmax(net(x), 1).detach().numpy()
    d = (p - np.eye(3)[t]) / 2
    by_target = {row.target: row for row in rows}

    def same(target: str, gradient: np.ndarray) -> None:  # type: ignore[type-arg]
        assert by_target[target].norm == pytest.approx(np.linalg.norm(gradient), rel=1e-12)

    same("2", d)
    same("2.weight", d.T @ h)
    same("2.bias", d.sum(0))
    assert by_target["2.weight"].total == pytest.approx(np.linalg.norm(d.T @ h + 0.02 * W2 + 0.1 * np.sign(W2)))
    assert by_target["2.weight"].penalty == pytest.approx(np.linalg.norm(0.02 * W2 + 0.1 * np.sign(W2)))
    assert by_target["2.bias"].penalty is None
    d = d @ W2
    same("1", d)
    d = d * (1 - h**2)
    same("0", d)
    same("0.weight", d.T @ x.numpy())
    assert by_target["0.weight"].total == pytest.approx(np.linalg.norm(d.T @ x.numpy() + 0.02 * W1 + 0.1 * np.sign(W1)))
    same("x", d @ W1)


def test_the_text_has_a_line_for_each_step_and_names_a_layer_once() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
    opened = open_module(net, torch.randn(1, 1, 6, 6), torch.tensor([1]))
    opened.graph.backward()
    lines = as_text(recursion(opened.graph, l2=0.1, on=["4.*"])).splitlines()
    assert lines[0].split() == [
        "layer",
        "step",
        "gradient",
        "of",
        "shape",
        "norm",
        "rms",
        "rms",
        "g′(a)",
        "λ∇Ω",
        "with",
        "it",
    ]
    assert [line.split("  ")[0] for line in lines[1:] if not line.startswith(" ")] == ["loss", "4", "3", "2", "1", "0"]
    assert "∇W = d·hᵀ + λ∇Ω" in lines[2]
    assert "∇b = d + λ∇Ω" in lines[3], "patterns choose biases too"
    assert "d ← d at the largest of each window, else 0" in "\n".join(lines)
    assert "λ∇Ω" not in as_text(recursion(opened.graph))
