"""The node test cases that the onnx wheel generates, for the operators that the gates can spell, and for the optimisers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from glassnet.gates import Graph, Node
from glassnet.training.optimizers import make_optimizer

onnx = pytest.importorskip("onnx", reason="the onnx wheel generates these cases: pip install onnx")

from onnx_operators import OPERATORS  # noqa: E402

OPTIMIZERS = ("Adam", "Adagrad", "Momentum")

INTEGERS = "integers are divided or raised to whole results; here everything is float64"
NO_LARGEST = "the largest of no numbers: NumPy and PyTorch refuse it, ONNX says −∞"
LEFT_OUT: dict[str, str] = {
    **{
        f"test_div_{kind}": INTEGERS for kind in ("int8", "int16", "int32_trunc", "uint8", "uint16", "uint32", "uint64")
    },
    **{f"test_reduce_{kind}_empty_set": NO_LARGEST for kind in ("max", "min")},
    "test_reduce_max_empty_set_bool": NO_LARGEST,
    "test_lstm_with_peepholes": "peephole connections: neither Glassnet's cell nor PyTorch's has them",
}
FOUR_DIGITS = {"test_averagepool_2d_ceil_last_window_starts_on_pad"}  # the expected output is written so
MINIMUM = 400  # cases that pass; with onnx 1.23 there are more


def spelled_out() -> dict[str, list[Any]]:
    """The cases of one operator each, by operator."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, about the overflows that some cases are about
        cases = collect_testcases(None)
    found: dict[str, list[Any]] = {}
    for case in cases:
        if case.model is not None and len(case.model.graph.node) == 1:
            found.setdefault(case.model.graph.node[0].op_type, []).append(case)
    return found


@pytest.fixture(scope="module")
def cases() -> dict[str, list[Any]]:
    return spelled_out()


def attributes(case: Any) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in case.model.graph.node[0].attribute}


def mistake(case: Any) -> str | None:
    """What is wrong with our answer to a case; None where nothing is."""
    node = case.model.graph.node[0]
    rtol = 1e-3 if case.name in FOUR_DIGITS else 1e-5  # the cases are in float32
    try:
        for given, expected in case.data_sets:
            values = iter(given)
            inputs = [
                Node("constant", f"x{n}", np.asarray(next(values), float)) if name else None
                for n, name in enumerate(node.input)
            ]
            outputs = OPERATORS[node.op_type](attributes(case), inputs)
            computed = [each for each in outputs if each is not None]
            Graph(computed[0], *computed[1:]).forward()
            wanted = iter(expected)
            for name, output in zip(node.output, outputs, strict=False):
                value = next(wanted) if name else None
                if value is not None and output is not None:
                    assert output.value is not None
                    assert output.value.shape == np.shape(value)
                    np.testing.assert_allclose(output.value, np.asarray(value, float), rtol=rtol, atol=1e-6)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_case_of_an_operator(operator: str, cases: Mapping[str, list[Any]]) -> None:
    assert cases[operator], "the wheel has no case of this operator"
    wrong = {case.name: mistake(case) for case in cases[operator] if case.name not in LEFT_OUT}
    assert {name: what for name, what in wrong.items() if what} == {}


class Weights(nn.Module):
    """Tensors as matrices of one row, since parameters of one dimension are exempt from weight decay."""

    def __init__(self, values: list[np.ndarray]) -> None:
        super().__init__()
        self.values = nn.ParameterList([torch.tensor(value, dtype=torch.float64)[None] for value in values])


@pytest.mark.parametrize("operator", OPTIMIZERS)
def test_optimizers_as_they_are_built_here(operator: str, cases: Mapping[str, list[Any]]) -> None:
    """One step from a given state; inputs are rate, count of steps, all X, all G, then all of each kind of state."""
    assert cases[operator]
    for case in cases[operator]:
        options = attributes(case)
        ((given, expected),) = case.data_sets
        lr, t, *tensors = given
        kinds = 4 if operator == "Adam" else 3
        count = len(tensors) // kinds
        xs, gs, *state = (tensors[count * kind : count * (kind + 1)] for kind in range(kinds))
        net = Weights(xs)
        optimizer, names, step = built(operator, options, net, float(lr), int(t))
        for number, parameter in enumerate(net.values):
            parameter.grad = torch.tensor(gs[number], dtype=torch.float64)[None]
            optimizer.state[parameter] = {
                name: torch.tensor(values[number], dtype=torch.float64)[None]
                for name, values in zip(names, state, strict=True)
            }
            if step is not None:
                optimizer.state[parameter]["step"] = torch.tensor(float(step))
        optimizer.step()
        ours = [p.detach()[0] for p in net.values]
        for name in names:
            ours += [optimizer.state[p][name][0] for p in net.values]
        for mine, theirs in zip(ours, expected, strict=True):
            np.testing.assert_allclose(mine.numpy(), theirs, rtol=1e-6, err_msg=case.name)


def built(
    operator: str, options: Mapping[str, Any], net: nn.Module, lr: float, t: int
) -> tuple[torch.optim.Optimizer, tuple[str, ...], int | None]:
    """Glassnet's optimiser, the names of its state in the order of the operator, and the steps that it has behind it."""
    rest: dict[str, Any] = {"lr": lr, "weight_decay": options["norm_coefficient"]}
    if operator == "Adam":
        assert t == 0
        more = {"betas": (options["alpha"], options["beta"]), "eps": options["epsilon"]}
        # With t = 0 ONNX corrects no bias; PyTorch always does, by 1 − β^step, which is 1 after many steps.
        return make_optimizer("adam", net, **rest, options=more), ("exp_avg", "exp_avg_sq"), 10**6
    if operator == "Adagrad":
        more = {"lr_decay": options["decay_factor"], "eps": options["epsilon"]}
        return make_optimizer("adagrad", net, **rest, options=more), ("sum",), t
    assert t == 0  # at the first step the gradient counts fully
    more = {"momentum": options["alpha"], "nesterov": options["mode"] == b"nesterov"}
    return make_optimizer("sgd", net, **rest, options=more), ("momentum_buffer",), None


def test_what_is_left_out_would_fail_and_the_rest_is_counted(cases: Mapping[str, list[Any]]) -> None:
    known = [case for operator in OPERATORS for case in cases[operator]]
    passing = [case.name for case in known if case.name in LEFT_OUT and mistake(case) is None]
    assert passing == [], "these cases pass and need no reason"
    assert set(LEFT_OUT) <= {case.name for case in known}, "these cases do not exist"
    count = len(known) - len(LEFT_OUT) + sum(len(cases[name]) for name in OPTIMIZERS)
    print(
        f"{count} cases of {len(OPERATORS) + len(OPTIMIZERS)} operators pass, {len(LEFT_OUT)} are left out with a reason"
    )
    assert count >= MINIMUM
