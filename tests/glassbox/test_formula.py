"""Formulas as graphs: the lecture's examples, what is not understood, and what must never be run."""

from __future__ import annotations

import ast
import builtins
import math
from pathlib import Path

import numpy as np
import pytest

import glassnet.glassbox.formula as formula_module
from glassnet.errors import GlassnetError, ModelError, UsageError
from glassnet.glassbox import graph_of_formula, values_of


def test_the_example_of_the_lecture() -> None:
    graph = graph_of_formula("(x + y) * z")
    assert graph.forward(x=-2, y=5, z=-4) == -12
    assert graph.backward() == {"x": -4, "y": -4, "z": 3}
    assert [node.name for node in graph.nodes] == ["x", "y", "add1", "z", "multiply1"]


def test_the_sigmoid_of_the_lecture() -> None:
    graph = graph_of_formula("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))")
    assert float(graph.forward(w0=2, x0=-1, w1=-3, x1=-2, w2=-3)) == pytest.approx(1 / (1 + math.exp(-1)))
    found = graph.backward()
    rounded = {name: round(float(value), 2) for name, value in found.items()}
    assert rounded == {"w0": -0.20, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.20}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x^2 - -3", 19.0),
        ("q = x*y; q + q", 16.0),
        ("+x/y", 2.0),
        ("2**3**2 + 0*x + 0*y", 512.0),
        ("x - y - 1", 1.0),
        ("x / y / 2", 1.0),
        ("max(x, y) + min(x, y) * abs(-3)", 10.0),
        (" square(x) + sqrt(x) ; ", 18.0),
        ("sum(x) + mean(y)", 6.0),
        ("relu(-x) + leaky_relu(x)", 4.0),
        ("1e3 * x + .5", 4000.5),
    ],
)
def test_values(text: str, value: float) -> None:
    graph = graph_of_formula(text)
    assert float(graph.forward({name: {"x": 4.0, "y": 2.0}[name] for name in graph.inputs})) == pytest.approx(value)


def test_arrays() -> None:
    graph = graph_of_formula("sum(tanh(W @ x))")
    W, x = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([0.3, -0.1])
    assert float(graph.forward(W=W, x=x)) == pytest.approx(float(np.tanh(W @ x).sum()))
    np.testing.assert_allclose(graph.backward()["W"], np.outer(1 - np.tanh(W @ x) ** 2, x))
    assert graph_of_formula("softmax(x)").forward(x=[0, 0]).tolist() == [0.5, 0.5]


def test_every_mistake_is_told_at_once_with_the_nearest_spelling() -> None:
    with pytest.raises(UsageError) as caught:
        graph_of_formula("sgmoid(x) + tnah(y) + max(x) + 'a' + x[0]; x y")
    problems = [each.problem for each in caught.value.several]
    assert problems == [
        "unknown function 'sgmoid'",
        "unknown function 'tnah'",
        "max takes 2 numbers or arrays",
        "a formula holds numbers only",
        "this part of the formula is not understood",
        "this is no formula",
    ]
    assert caught.value.several[0].fix == "did you mean 'sigmoid'?"
    assert caught.value.several[4].got == "x[0]"
    assert "character 3" in str(caught.value.several[5].got)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ;  ",
        "x",
        "3",
        "x =",
        "x = y = z + 1",
        "a = x + y; a = x * y; a",
        "a * b; a = x + 1",
        "q = x + y; p = q; p * 2",
        "q = x",
        "(" * 300 + "x" + ")" * 300,
        "-" * 1500 + "x",
        "x" + "+x" * 2000,
        "1" * 400 + " + x",
        "x + \0",
        "x\ny",
        "x < y",
        "x and y",
        "not x",
        "x if y else z",
        "lambda: x",
        "[x for x in y]",
        "{x}",
        "x.real + 1",
        "f'{x}' + x",
        "1j * x",
        "True + x",
        "... + x",
        "(x := 3) + 1",
        "exp(x=1)",
        "exp(*x)",
        "x // y",
        "x % y",
        "x << y",
        "~x + 1",
        "await x",
        "x!",
        "0x",
        "import os",
        "def f(): pass",
        "exp",
        "exp(exp)(x)",
        "__import__('os').system('touch run')",
        "().__class__.__bases__[0].__subclasses__()",
        "open('run', 'w')",
    ],
)
def test_what_is_no_formula_is_told_and_nothing_is_run(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        graph_of_formula(text)
    assert list(tmp_path.iterdir()) == []


def test_python_evaluates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(formula_module.__file__).read_text(encoding="utf-8")
    called = {
        node.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"eval", "exec", "compile", "__import__", "globals"}

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("evaluated")

    monkeypatch.setattr(builtins, "eval", refuse)
    monkeypatch.setattr(builtins, "exec", refuse)
    assert graph_of_formula("x * 2 + 3").forward(x=2) == 7


def test_huge_powers_take_no_time_and_no_memory() -> None:
    assert graph_of_formula("9**9**9**9 * x").forward(x=1) == math.inf


def test_a_long_sum_is_not_deep() -> None:
    graph = graph_of_formula("x" + "+x" * 900)
    assert graph.forward(x=1) == 901
    assert graph.backward() == {"x": 901}


def test_values_are_read_and_their_mistakes_told_at_once() -> None:
    found = values_of(["x = -2", "y=[[1, 2.5], [3, 4]]", "z=1e3"], ["x", "y", "z"])
    assert found["x"] == -2
    assert found["y"].shape == (2, 2)
    assert found["z"] == 1000
    with pytest.raises(UsageError) as caught:
        values_of(["x=1", "x=2", "y=a", "nothing", "w=1"], ["x", "y", "z"])
    assert [each.problem for each in caught.value.several] == [
        "'x' is given twice",
        "the value of 'y' is no number and no array",
        "a value is given as NAME=VALUE",
        "unknown input 'w'",
        "some inputs have no value",
    ]
    assert caught.value.several[-1].got == "z"


@pytest.mark.parametrize("value", ["", "[]", "[1,[2]]", "[null]", "[true]", '["a"]', "1,2", "[" * 3000, "nan?", "{}"])
def test_what_is_no_number(value: str) -> None:
    with pytest.raises(UsageError, match="the value of 'x'"):
        values_of([f"x={value}"], ["x"])


def test_shapes_that_do_not_fit_are_told_by_the_gate() -> None:
    with pytest.raises(ModelError, match="do not fit the gate"):
        graph_of_formula("x @ y").forward(x=1, y=2)
    with pytest.raises(GlassnetError):
        graph_of_formula("x + y").forward(x=[1, 2], y=[1, 2, 3])


def test_a_name_for_what_is_not_understood_is_no_second_mistake() -> None:
    with pytest.raises(UsageError) as caught:
        graph_of_formula("q = foo(x); q * 2")
    assert caught.value.problem == "unknown function 'foo'"
    with pytest.raises(UsageError, match="another name for the same thing"):
        graph_of_formula("q = x; q * 2")


@pytest.mark.parametrize(
    ("text", "written"),
    [("2x", "2 * x"), ("3(x + 1)", "3 * (x + 1)"), ("x + 2.5y", "x + 2.5 * y"), ("2 x", "2 * x"), ("2e", "2 * e")],
)
def test_products_written_as_on_paper_are_told_with_their_sign(text: str, written: str) -> None:
    with pytest.raises(UsageError) as caught:
        graph_of_formula(text)
    assert caught.value.fix == f"write products with their sign: {written}"


@pytest.mark.parametrize("text", ["(x", "x +", "x @@ y"])
def test_other_mistakes_are_not_taken_for_products(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        graph_of_formula(text)
    assert caught.value.fix is None
