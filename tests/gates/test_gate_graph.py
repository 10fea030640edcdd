"""The graph itself: the worked examples of the lectures, order, names, walking, mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet import gates
from glassnet.errors import ModelError, UsageError
from glassnet.gates import Add, Graph, Multiply, Sigmoid, apply, constant, inputs, parameter


def test_the_multiply_gate_of_requirement_g1() -> None:
    x, y = inputs("x y")
    graph = Graph(x * y)
    graph.forward(x=[3.0, -1.0], y=[2.0, 5.0])
    found = graph.backward(upstream=[10.0, 100.0])
    np.testing.assert_array_equal(found["x"], [20.0, 500.0])  # y · dz
    np.testing.assert_array_equal(found["y"], [30.0, -100.0])  # x · dz


def test_x_plus_y_times_z() -> None:
    x, y, z = inputs("x y z")
    graph = Graph((x + y) * z)
    assert graph.forward(x=-2, y=5, z=-4) == -12
    assert graph.backward() == {"x": -4, "y": -4, "z": 3}


def test_the_sigmoid_of_a_weighted_sum() -> None:
    w0, x0, w1, x1, w2 = inputs("w0 x0 w1 x1 w2")
    graph = Graph(apply(Sigmoid(), w0 * x0 + w1 * x1 + w2))
    assert graph.forward(w0=2, x0=-1, w1=-3, x1=-2, w2=-3) == pytest.approx(0.73, abs=0.005)
    found = graph.backward()
    expected = {"w0": -0.2, "x0": 0.39, "w1": -0.39, "x1": -0.59, "w2": 0.2}
    assert found == pytest.approx(expected, abs=0.005)


def test_the_same_out_of_its_single_gates() -> None:
    w0, x0, w1, x1, w2 = inputs("w0 x0 w1 x1 w2")
    a = w0 * x0 + w1 * x1 + w2
    graph = Graph(1 / (1 + apply(gates.Exp(), -a)))
    assert graph.forward(w0=2, x0=-1, w1=-3, x1=-2, w2=-3) == pytest.approx(0.73, abs=0.005)
    assert graph.backward()["x1"] == pytest.approx(-0.59, abs=0.005)


def test_two_units_in_a_row_by_the_formulas_of_requirement_g3() -> None:
    """f(x) = σ(w20 + w21·σ(w10 + w11·x)), E = (h2 − 1)²."""
    x, w10, w11, w20, w21 = inputs("x w10 w11 w20 w21")
    h1 = apply(Sigmoid(), w10 + w11 * x, name="h1")
    h2 = apply(Sigmoid(), w20 + w21 * h1, name="h2")
    graph = Graph((h2 - 1) ** 2)
    values = {"x": 0.7, "w10": -0.3, "w11": 1.2, "w20": 0.4, "w21": -0.8}
    loss = graph.forward(values)

    def sigma(a: float) -> float:
        return float(1 / (1 + np.exp(-a)))

    a1 = -0.3 + 1.2 * 0.7
    a2 = 0.4 - 0.8 * sigma(a1)
    slope1, slope2 = sigma(a1) * (1 - sigma(a1)), sigma(a2) * (1 - sigma(a2))
    w20_ = 2 * (sigma(a2) - 1) * slope2
    w10_ = 2 * -0.8 * (sigma(a2) - 1) * slope2 * slope1
    expected = {"w20": w20_, "w21": w20_ * sigma(a1), "w10": w10_, "w11": w10_ * 0.7}
    assert loss == pytest.approx((sigma(a2) - 1) ** 2, rel=1e-14)
    found = graph.backward()
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-13)


def test_a_node_that_goes_into_several_gates_gets_the_sum() -> None:
    (x,) = inputs("x")
    graph = Graph(x * x + 3 * x)
    assert graph.forward(x=5) == 40
    assert graph.backward() == {"x": 13}
    assert graph.backward() == {"x": 13}, "a second backward step must not add to the first"


def test_constants_get_no_gradient_and_no_line() -> None:
    (x,) = inputs("x")
    graph = Graph((x**2).named("y"))
    last = list(graph.step(x=-3.0))[-1]  # ∂y/∂2 would be 9 · ln −3
    assert (last.line, last.numbers) == ("dx = 2 · x^(2 − 1) · dy", "dx = 2 · (-3)^(2 − 1) · 1 = -6")
    assert last.gradients == (-6, None)
    assert [local.kind for local in last.local] == ["elementwise", "none"]
    assert graph["2"].gradient is None


def test_operators_with_numbers_on_either_side() -> None:
    (x,) = inputs("x")
    graph = Graph(2 - x / 4 + 2**x - (-x) ** 2 + (8 / x) * 1)
    assert graph.forward(x=2) == pytest.approx(2 - 0.5 + 4 - 4 + 4)
    slope = -0.25 + 4 * np.log(2) - 4 - 2
    assert graph.backward()["x"] == pytest.approx(slope)


def test_arrays_of_numpy_may_stand_on_the_left() -> None:
    (x,) = inputs("x")
    for expression in (np.ones((2, 3)) * x, np.ones((2, 3)) + x, np.eye(2) @ x):
        assert Graph(expression).forward(x=np.ones((2, 3))).shape == (2, 3)


def test_nodes_stand_behind_what_they_depend_on() -> None:
    x, y = inputs("x y")
    a = x + y
    graph = Graph(a * x - a / (y + a))
    place = {node: number for number, node in enumerate(graph.nodes)}
    assert all(place[below] < place[node] for node in graph.nodes for below in node.inputs)
    assert len(place) == len(graph.nodes)


def test_a_graph_deeper_than_pythons_stack() -> None:
    x = node = inputs("x")[0]
    for _ in range(5000):
        node = node + x
    graph = Graph(node)
    assert graph.forward(x=1) == 5001
    assert graph.backward() == {"x": 5001}


def test_the_walk_tells_everything_at_every_gate() -> None:
    x, y, z = inputs("x y z")
    q = (x + y).named("q")
    graph = Graph((q * z).named("f"))
    steps = list(graph.step(x=-2, y=5, z=-4))
    assert [(step.direction, step.node.name) for step in steps] == [
        ("forward", "q"),
        ("forward", "f"),
        ("backward", "f"),
        ("backward", "q"),
    ]
    last = steps[2]
    assert (steps[1].formula, steps[1].line, steps[1].numbers) == ("z = x · y", "f = q · z", "f = 3 · (-4) = -12")
    assert (last.formula, last.shape) == ("z = x · y", ())
    assert (last.line, last.numbers) == ("dq = z · df, dz = q · df", "dq = -4 · 1 = -4, dz = 3 · 1 = 3")
    assert steps[3].numbers == "dx = -4, dy = -4"
    assert [local.value for local in last.local] == [-4, 3]
    assert last.upstream == 1
    assert last.gradients == (-4, 3)
    assert steps[3].upstream == -4
    assert graph.gradients == {"x": -4, "y": -4, "z": 3}


def test_the_walk_gives_what_the_two_passes_give() -> None:
    rng = np.random.default_rng(0)
    x, t = inputs("x t")
    w, b = parameter("w", rng.standard_normal((3, 4))), parameter("b", rng.standard_normal(3))
    h = apply(gates.Tanh(), apply(gates.Dense(), x, w, b))
    graph = Graph(apply(gates.CrossEntropy(), h, t))
    values = {"x": rng.standard_normal((5, 4)), "t": [0, 1, 2, 1, 0]}
    loss = graph.forward(values)
    expected = {name: value.copy() for name, value in graph.backward().items()}
    assert set(expected) == {"x", "w", "b"}, "class indices have no gradient"
    for step in graph.step(values):
        assert step.value.shape == step.shape
    assert graph.output.value == loss
    for name, value in graph.gradients.items():
        np.testing.assert_array_equal(value, expected[name])


def test_local_gradients_are_slopes_small_matrices_or_words() -> None:
    x, t = inputs("x t")
    graph = Graph(apply(gates.Hinge(), apply(gates.Softmax(), apply(gates.ReLU(), x)), t))
    relu, softmax, hinge = (s.local for s in graph.step(x=[[1.0, -2.0, 0.5]], t=[0]) if s.direction == "forward")
    assert relu[0].kind == "elementwise"
    np.testing.assert_array_equal(relu[0].value, [[1, 0, 1]])  # type: ignore[arg-type]
    y = graph["softmax1"].value
    assert y is not None
    np.testing.assert_allclose(softmax[0].value, np.diag(y[0]) - np.outer(y[0], y[0]), atol=1e-15)  # type: ignore[arg-type]
    assert [local.kind for local in hinge] == ["jacobian", "none"]

    big = Graph(apply(gates.Sum(), apply(gates.Convolution(), *inputs("x w"), name="conv")))
    first = next(iter(big.step(x=np.ones((1, 1, 20, 20)), w=np.ones((1, 1, 3, 3)))))
    assert [local.kind for local in first.local] == ["described", "described"]
    assert first.local[0].line == "dx = d[conv] spread with w"


def test_formulas_leave_out_what_is_not_there() -> None:
    from glassnet.gates.lines import backward_lines, formula, forward_line

    x, w, b = inputs("x w b")
    assert formula(apply(gates.Dense(), x, w)) == "y = x · wᵀ"
    assert forward_line(apply(gates.Dense(), x, w, b, name="h")) == "h = x · wᵀ + b"
    assert forward_line(apply(gates.Concatenate(), x, w, b, name="h")) == "h = [x, w, b]"
    norm = apply(gates.BatchNorm(), w, name="h")
    assert forward_line(norm) == "h = (w − mean) / √(var + eps)"
    assert backward_lines(apply(gates.L2Penalty(0.1), w, b, name="p")) == ("dw = 2 · λ · w · dp", "db = 2 · λ · b · dp")


def test_numbers_in_formulas_are_not_mistaken_for_symbols() -> None:
    (x,) = inputs("x")
    steps = list(Graph(apply(gates.Exp(), x)).step(x=-1.5))
    assert steps[0].numbers == "exp1 = e^(-1.5) = 0.22313"
    steps = list(Graph(x - 2).step(x=-1.5))
    assert steps[0].numbers == "subtract1 = -1.5 − 2 = -3.5"
    assert next(Graph(apply(gates.ReLU(), x)).step(x=-1.5)).numbers == "relu1 = max(0, (-1.5)) = 0"


def test_the_backward_step_in_numbers() -> None:
    (x,) = inputs("x")
    *_, last = Graph(apply(Sigmoid(), x, name="h")).step(x=1.0)
    assert last.line == "dx = h · (1 − h) · dh"
    assert last.numbers == "dx = 0.731059 · (1 − 0.731059) · 1 = 0.196612"
    *_, last = Graph(apply(gates.ReLU(), x, name="h")).step(x=-1.0, upstream=-2)
    assert last.numbers == "dx = -2 where (-1) > 0, else 0 = 0"
    *_, last = Graph(apply(gates.ReLU(), x, name="h")).step(x=[-1.0, 1.0], upstream=[1, 1])
    assert last.numbers is None


def test_gradient_descent_walks_down() -> None:
    w = parameter("w", [3.0, -2.0])
    graph = Graph(apply(gates.Sum(), w**2))
    for _ in range(3):
        graph.forward()
        graph.backward()
        graph.update(lr=0.25)  # w ← w − 0.25 · 2w = w / 2
    np.testing.assert_allclose(w.value, [0.375, -0.25])  # type: ignore[arg-type]


def test_an_array_changed_outside_does_not_reach_into_the_graph() -> None:
    given = np.ones(2)
    w = parameter("w", given)
    given[:] = 7
    np.testing.assert_array_equal(w.value, [1, 1])  # type: ignore[arg-type]


def test_infinite_values_are_values_and_no_warnings() -> None:
    x, y = inputs("x y")
    graph = Graph(x / y)
    assert graph.forward(x=1, y=0) == np.inf
    assert np.isnan(graph.forward(x=0, y=0))
    list(graph.step(x=1, y=0))


def test_every_mistake_in_the_values_is_told_at_once() -> None:
    x, hidden = inputs("x hidden")
    graph = Graph(x * hidden)
    with pytest.raises(UsageError, match="3 mistakes") as caught:
        graph.forward(x="three", hiden=1)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "did you mean 'hidden'?" in text
    assert "no array of numbers" in text
    assert "'hidden' has no value" in text
    graph.forward(x=1, hidden=2)
    with pytest.raises(UsageError):
        graph.forward(x=5, hiden=1)
    assert graph.forward() == 2, "a refused call changes nothing"


def test_values_that_do_not_fit_name_the_gate_and_the_shapes() -> None:
    x, y = inputs("x y")
    graph = Graph((x + y).named("total"))
    with pytest.raises(ModelError) as caught:
        graph.forward(x=np.ones(2), y=np.ones(3))
    assert "total: z = x + y" in str(caught.value)
    assert "x (2,), y (3,)" in str(caught.value)


def test_backward_needs_a_number_to_start_from_and_a_forward_step() -> None:
    (x,) = inputs("x")
    graph = Graph(x * 2)
    with pytest.raises(UsageError, match="nothing to go back"):
        graph.backward()
    graph.forward(x=[1.0, 2.0])
    with pytest.raises(UsageError, match="starts from one number"):
        graph.backward()
    with pytest.raises(UsageError, match="another shape"):
        graph.backward(upstream=[1.0, 2.0, 3.0])


def test_names_are_given_and_kept_apart() -> None:
    x, y = inputs("x y")
    graph = Graph((x + y) * (x + 2) + 2)
    assert [node.name for node in graph.nodes if node.kind == "gate"] == ["add1", "add2", "multiply1", "add3"]
    assert graph["multiply1"].inputs[1].name == "add2"
    with pytest.raises(UsageError, match="did you mean"):
        graph["multiply2"]
    with pytest.raises(UsageError, match="a name of its own"):
        Graph(inputs("x")[0] + inputs("x")[0])


def test_a_gate_belongs_to_one_node() -> None:
    x, y = inputs("x y")
    gate = Add()
    with pytest.raises(UsageError, match="a gate of its own"):
        Graph(apply(gate, apply(gate, x, y), y))


def test_the_wrong_number_of_inputs() -> None:
    with pytest.raises(UsageError, match="does not take 3 inputs"):
        apply(Multiply(), *inputs("x y z"))


def test_a_node_is_no_list() -> None:
    with pytest.raises(TypeError):
        list(constant([1.0, 2.0]))  # type: ignore[call-overload]
