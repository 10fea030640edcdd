"""Backpropagation on a page: the steps hold the textbook's numbers, and a network's are those of autograd."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from glassnet.data.image_schema import ImageSchema
from glassnet.data.preprocess import Normalise
from glassnet.errors import UsageError
from glassnet.model import Model
from glassnet.web import stepper


def numbers(told: dict[str, Any]) -> float:
    return float(told["rows"][0][0])


def test_the_multiply_gate_by_hand() -> None:
    """(x + y) · z at x = −2, y = 5, z = −4: forward 3 and −12; backward dq = z, dz = q, dx = dy = dq."""
    walk = stepper.formula_steps("(x + y) * z", ["x=-2", "y=5", "z=-4"])
    assert [step["direction"] for step in walk["steps"]] == ["forward"] * 2 + ["backward"] * 2
    assert [numbers(step["value"]) for step in walk["steps"]] == [3, -12, -12, 3]
    multiply, add = walk["steps"][2:]
    assert numbers(multiply["upstream"]) == 1
    assert [(numbers(each["local"]), numbers(each["handed"])) for each in multiply["inputs"]] == [(-4, -4), (3, 3)]
    assert numbers(add["upstream"]) == -4
    assert [numbers(each["handed"]) for each in add["inputs"]] == [-4, -4]
    assert {leaf["name"]: numbers(leaf["gradient"]) for leaf in walk["nodes"]} == {"x": -4, "y": -4, "z": 3}
    assert "−12" in walk["sentence"]


def test_local_times_upstream_is_what_is_handed_back() -> None:
    walk = stepper.formula_steps("(sigmoid(w * x + b) - 1) ** 2", ["w=0.5", "x=2", "b=-0.3"])
    for step in walk["steps"][walk["gates"] :]:
        for each in step["inputs"]:
            if each["local"] is not None and each["handed"] is not None:
                assert numbers(each["handed"]) == pytest.approx(
                    numbers(each["local"]) * numbers(step["upstream"]), rel=1e-5
                )


def test_what_feeds_two_gates_collects_the_sum() -> None:
    walk = stepper.formula_steps("x * x + x", ["x=3"])
    assert numbers(walk["nodes"][0]["gradient"]) == 7
    collected = [
        numbers(each["collected"])
        for step in walk["steps"]
        if step["direction"] == "backward"
        for each in step["inputs"]
        if each["name"] == "x"
    ]
    assert collected[-1] == 7
    assert 1 in collected


def test_small_arrays_are_printed_and_large_ones_summarised() -> None:
    assert stepper.array(np.arange(6.0).reshape(2, 3)) == {"shape": [2, 3], "rows": [[0, 1, 2], [3, 4, 5]]}
    assert stepper.array(np.array(np.nan)) == {"shape": [], "rows": [[None]]}
    large = stepper.array(np.concatenate([np.zeros(50), np.full(50, 4.0)]))
    assert large == {"shape": [100], "mean": 2, "std": 2, "min": 0, "max": 4, "zeros": 0.5}
    assert stepper.array(None) is None
    json.dumps(stepper.array(np.full(100, np.inf)), allow_nan=False)


def test_a_network_steps_to_the_gradients_of_autograd() -> None:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3)).double().eval()
    model = Model(
        net=net,
        net_json={},
        preprocess=Normalise("standardise", 255.0, torch.zeros(1, 1, 1), torch.ones(1, 1, 1), (1, 8, 8)).double(),
        schema=ImageSchema(1, 8, 8),
        task="classes",
        classes=("a", "b", "c"),
        outputs=("class",),
    )
    raw = torch.randint(0, 256, (1, 1, 8, 8), dtype=torch.uint8)
    walk = stepper.model_steps(model, raw, "b")
    loss = functional.cross_entropy(net(model.preprocess(raw)), torch.tensor([1]))
    loss.backward()
    assert numbers(walk["output"]["value"]) == pytest.approx(loss.item(), rel=1e-5)
    gradients = {leaf["name"]: leaf["gradient"] for leaf in walk["nodes"] if leaf["kind"] == "parameter"}
    assert set(gradients) == {name for name, _ in net.named_parameters()}
    for name, parameter in net.named_parameters():
        told = gradients[name]
        assert parameter.grad is not None
        if "rows" in told:
            np.testing.assert_allclose(
                np.array(told["rows"]).reshape(parameter.shape), parameter.grad, rtol=1e-4, atol=1e-7
            )
        else:
            assert told["mean"] == pytest.approx(float(parameter.grad.mean()), rel=1e-4, abs=1e-9)
            assert told["max"] == pytest.approx(float(parameter.grad.max()), rel=1e-4)
    assert all(parameter.grad is not None for parameter in net.parameters())
    with pytest.raises(UsageError):
        stepper.model_steps(model, raw, "no such class")


def test_formulas_of_strangers_are_words_and_no_code(served: Any) -> None:
    status, _, body = served.post("/stepper.json", {"formula": "(x + y) * z", "values": "x=-2 y=5 z=-4"})
    assert status == 200
    assert json.loads(body)["gates"] == 2
    for formula, values in [
        ("__import__('os').system('true')", ""),
        ("x.__class__", "x=1"),
        ("open('/etc/passwd')", ""),
        ("x" * 501, ""),
        ("(" * 400 + "x" + ")" * 400, "x=1"),
        ("+".join(["x"] * 250), "x=1e999"),
        ("x ** 9 ** 9 ** 9 ** 9", "x=9"),
        ("x + y", "x=1"),
        ("x", "x=[1,2,3]"),
        ("x *", "x=1"),
        ("", ""),
        ("x + 1", "x=" + "[" * 500),
    ]:
        status, _, body = served.post("/stepper.json", {"formula": formula, "values": values})
        assert status in (200, 422), (formula, body)
        assert b"Traceback" not in body
    assert served.post("/stepper.json", {"formula": 5, "values": "x=1"})[0] == 422
    assert served.post("/stepper.json", {"formula": "x+1", "values": {}})[0] == 422
