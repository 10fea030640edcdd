"""``glassnet.open`` on a trained model and on modules: inputs, classes and values as people give them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import glassnet
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.errors import GlassnetError, UsageError
from glassnet.glassbox import open_model
from glassnet.model import Model


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    short = {"epochs": 1, "threads": 1, "precision": "float32", "measure": "never"}
    return glassnet.train(
        "digits", net="mlp", out=str(folder), check=False, settings={"net.hidden": [12]}, **short
    ).model


def raw() -> torch.Tensor:
    part = open_data("digits", ReadOptions()).train
    return part.inputs.take(torch.arange(3))


def test_a_model_is_opened_behind_its_preprocessing(digits: Model) -> None:
    x = raw()
    opened = open_model(digits, x, ["3", "0", "9"])
    logits = digits.net(digits.preprocess(x)).detach().numpy()
    np.testing.assert_allclose(opened.output.value, logits, atol=1e-5)  # type: ignore[arg-type]
    assert opened.values["target"].tolist() == [3, 0, 9]
    found = opened.graph.backward()
    assert {name for name, _ in digits.net.named_parameters()} <= set(found)
    same = open_model(digits, x.numpy(), 3)
    assert same.values["target"].tolist() == [3, 3, 3]


def test_what_does_not_fit_a_model(digits: Model) -> None:
    with pytest.raises(UsageError, match="unknown class 'x'"):
        open_model(digits, raw(), "x")
    with pytest.raises(UsageError, match="another shape"):
        open_model(digits, torch.zeros(1, 5))
    with pytest.raises(GlassnetError):
        open_model(digits, "nowhere.png")
    with pytest.raises(UsageError, match="this is no model"):
        open_model("digits", raw())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no tensor"):
        open_model(nn.Linear(2, 2), [[1, 2], [3]])


def test_modules_take_arrays_and_several_inputs() -> None:
    net = nn.Linear(2, 2)
    opened = open_model(net, np.array([[1.0, 2.0]]), np.array([1]))
    assert opened.graph.output.name == "loss"
    cell = open_model(Sum(), (np.ones((1, 2)), np.full((1, 2), 3.0)))
    assert cell.output.value is not None
    assert cell.output.value.tolist() == [[4.0, 4.0]]


class Sum(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a + b


def test_a_model_of_values_scales_its_targets(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 3))
    rows = ["a,b,c,y", *(f"{a},{b},{c},{100 + 20 * a - b}" for a, b, c in x)]
    (tmp_path / "values.csv").write_text("\n".join(rows), encoding="utf-8")
    settings = {"epochs": 1, "threads": 1, "precision": "float32", "measure": "never"}
    model = glassnet.train(
        str(tmp_path / "values.csv"),
        net="linear",
        target="y",
        task="values",
        out=str(tmp_path / "run"),
        check=False,
        **settings,
    ).model
    (tmp_path / "new.csv").write_text("a,b,c\n1,2,3\n", encoding="utf-8")
    opened = open_model(model, str(tmp_path / "new.csv"), 120.0)
    assert model.target_scale is not None
    wanted = float(model.target_scale.encode(torch.tensor([[120.0]])))
    assert float(opened.values["target"].item()) == pytest.approx(wanted)
    assert opened.graph.output.gate is not None
    assert opened.graph.output.gate.name == "squared-error"
