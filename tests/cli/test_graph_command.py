"""``glassnet graph`` as people meet it: formulas, a trained network, mistakes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import glassnet
from glassnet import cli
from glassnet.cli import graph_command
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.errors import GlassnetError, ModelError, UsageError

LECTURE = ["(x + y) * z", "x=-2", "y=5", "z=-4"]


def run(*arguments: str) -> str:
    """What the command prints; its errors as they are."""
    result = CliRunner().invoke(cli.cli, ["graph", *arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A run folder and an image."""
    folder = tmp_path_factory.mktemp("graph")
    settings = {
        "net.hidden": [12],
        "train.epochs": 2,
        "train.threads": 1,
        "train.precision": "float32",
        "train.measure": "never",
        "regularise.l2": 0.01,
    }
    glassnet.train("digits", net="mlp", out=str(folder / "run"), check=False, settings=settings)
    image = open_data("digits", ReadOptions()).train.inputs.take(torch.tensor([0]))[0, 0]
    Image.fromarray(image.numpy().astype(np.uint8)).save(folder / "digit.png")
    return str(folder / "run"), str(folder / "digit.png")


def test_a_formula_says_its_value_and_gradients() -> None:
    lines = run(*LECTURE).splitlines()
    assert lines[0].startswith("multiply1 = -12")
    assert lines[1:4] == ["∂multiply1/∂x = -4", "∂multiply1/∂y = -4", "∂multiply1/∂z = 3"]


def test_the_first_gate_that_is_not_finite_is_named() -> None:
    printed = run("exp(log(x) + y)", "x=-1", "y=2")
    assert "log1 is the first that is not finite (log of -1)" in printed
    assert "not finite" not in run(*LECTURE)


def test_a_formula_is_walked_through_without_waiting_where_nobody_types() -> None:
    printed = run(*LECTURE, "--step")
    assert printed.index("forward  1/2") < printed.index("forward  2/2") < printed.index("backward 1/2")
    assert "numbers   dadd1" not in printed
    assert "dz = 3 · 1 = 3" in printed
    assert "Enter" not in printed


def test_on_a_terminal_enter_goes_on_and_q_leaves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Typing:
        answers = iter(["\n", "\n", "q\n"])

        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return next(self.answers)

    monkeypatch.setattr(graph_command.sys, "stdin", Typing())
    monkeypatch.setattr(graph_command.sys.stdout, "isatty", lambda: True, raising=False)
    graph_command.tell(iter(["one\n  a", "two", "three", "four"]))
    printed = capsys.readouterr().out
    assert "three" in printed
    assert "four" not in printed
    assert printed.count("Enter: on, q: leave") == 3


def test_other_forms_of_a_formula(tmp_path: Path) -> None:
    about = json.loads(run(*LECTURE, "--json"))
    assert about["output"] == "multiply1"
    assert about["nodes"][0]["gradient"]["numbers"] == -4
    assert "fine" in run(*LECTURE, "--check")
    assert "d ← " in run(*LECTURE, "--table")
    file = tmp_path / "graph.svg"
    run(*LECTURE, "--svg", str(file))
    ET.fromstring(file.read_text(encoding="utf-8"))
    arrays = run("x @ y", "x=[[1,2],[3,4]]", "y=[1,-1]")
    assert "∂Σ product1/∂x = [ 1  -1]  [ 1  -1]" in arrays


def test_a_network_in_a_few_lines(trained: tuple[str, str]) -> None:
    lines = run(*trained).splitlines()
    assert lines[0].startswith("digit.png: mlp says ")
    assert lines[0].endswith("as predicted")
    assert "4 parameter arrays of 910 numbers; loss" in lines[1]
    assert "--step" in lines[-1]


def test_a_network_in_every_form(trained: tuple[str, str], tmp_path: Path) -> None:
    table = run(*trained, "--table", "--target", "3")
    assert "λ∇Ω" in table.splitlines()[0], "the penalty that it was trained with"
    assert "d ← ∇L" in table
    steps = run(*trained, "--step")
    assert "what came out" in steps
    about = json.loads(run(*trained, "--json", "--target", "3"))
    assert next(node for node in about["nodes"] if node["name"] == "target")["value"]["numbers"] == [3.0]
    checked = run(*trained, "--check")
    assert checked.count("fine") >= 4
    assert "wrong" not in checked
    run(*trained, "--svg", str(tmp_path / "net.svg"))
    drawn = (tmp_path / "net.svg").read_text(encoding="utf-8")
    ET.fromstring(drawn)
    assert "digit.png: mlp says" in drawn


def test_the_asked_class_changes_the_gradient(trained: tuple[str, str]) -> None:
    def loss(target: str) -> float:
        about = json.loads(run(*trained, "--json", "--target", target))
        return float(about["nodes"][-1]["value"]["numbers"])

    assert len({round(loss(str(digit)), 6) for digit in range(10)}) == 10


@pytest.mark.parametrize(
    ("arguments", "words", "kind"),
    [
        (["(x + y) * z", "x=1"], "y, z", UsageError),
        (["x + y"], "x, y", UsageError),
        (["runs/digits-404"], "there is no such folder", UsageError),
        (["(x + y", "x=1"], "this is no formula", UsageError),
        (["sgm(x)", "x=1"], "unknown function 'sgm'", UsageError),
        (["x * y", "1", "2"], "NAME=VALUE", UsageError),
        (["x @ y", "x=1", "y=2"], "do not fit the gate", ModelError),
        (["x * y", "x=1", "y=2", "--step", "--json"], "exclude each other", UsageError),
        (["x * y", "x=1", "y=2", "--target", "3"], "--target and --row are for networks", UsageError),
        (["x * y", "x=[1,2]", "y=2", "--check"], "one number", UsageError),
        (["nowhere", "digit.png"], "there is no model here", ModelError),
        (["RUN"], "one input is needed", UsageError),
        (["RUN", "FILE", "FILE"], "one input at a time", UsageError),
        (["RUN", "nowhere.png"], "nowhere.png", GlassnetError),
        (["RUN", "FILE", "--target", "x"], "unknown class 'x'", UsageError),
        (["RUN", "FILE", "--row", "1"], "not so many inputs", UsageError),
        (["x * y", "x=1", "y=2", "--setp"], "--setp", click.NoSuchOption),
    ],
)
def test_mistakes_are_told_in_words(
    arguments: Sequence[str], words: str, kind: type[Exception], trained: tuple[str, str]
) -> None:
    names = {"RUN": trained[0], "FILE": trained[1]}
    with pytest.raises(kind) as caught:
        run(*(names.get(each, each) for each in arguments))
    told = caught.value.format_message() if isinstance(caught.value, click.ClickException) else str(caught.value)
    assert words in told


def test_a_row_of_a_table(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 2))
    table = tmp_path / "values.csv"
    table.write_text("\n".join(["a,b,y", *(f"{a},{b},{5 + 2 * a - b}" for a, b in x)]), encoding="utf-8")
    settings = {"epochs": 1, "threads": 1, "precision": "float32", "measure": "never"}
    glassnet.train(
        str(table), net="linear", target="y", task="values", out=str(tmp_path / "run"), check=False, **settings
    )
    place = str(tmp_path / "run")
    first, second = run(place, str(table)), run(place, str(table), "--row", "1")
    assert "gradients are those of the output" in first
    assert "the file holds 80 inputs" in first
    assert first.splitlines()[0] != second.splitlines()[0]
    assert "squared-error" in run(place, str(table), "--target", "7", "--json")
    with pytest.raises(UsageError, match="the target is not what this model predicts"):
        run(place, str(table), "--target", "seven")
