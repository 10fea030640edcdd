"""Cross-validation from end to end: what every fold says of what it has not seen, stopped, killed and gone on with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV
from sklearn.metrics import accuracy_score, r2_score
from torch import nn

import glassnet
from glassnet.cli import run as cli
from glassnet.data.dataset import InMemory, Part
from glassnet.data.graph import nodes_of
from glassnet.data.split import pooled
from glassnet.errors import GlassnetError
from glassnet.evaluate import classification_report, over_folds, regression_report, rivals_over_folds
from glassnet.evaluate.rival_inputs import node_features
from glassnet.events import Event, Step
from glassnet.reading import read_data
from glassnet.recipe import Recipe
from whole_runs import BARE, wait_for

SETTINGS: dict[str, Any] = BARE | {"net.hidden": [16], "optimizer.lr": 0.01, "train.effort": "quick"}
FLAGS = [
    *("--net", "mlp", "--lr", "0.01", "--threads", "1", "--precision", "float32", "--set", "train.measure=never"),
    *("--set", "net.hidden=[16]", "--no-check", "--quiet", "--effort", "quick"),
]
COMMAND = [sys.executable, "-c", "from glassnet.cli import main; main()"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folds of the digits, trained in processes of their own."""
    out = tmp_path_factory.mktemp("folds") / "whole"
    assert cli(["train", "digits", *FLAGS, "--folds", "3", "--epochs", "6", "--out", str(out)]) == 0
    return out


def result(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "result.json").read_text())
    return content


def told(run: Path) -> dict[str, Any]:
    """The result without what the clock decides."""
    content = result(run)
    return content | {"rivals": [each | {"seconds": 0} for each in content["rivals"]]}


def test_every_sample_is_judged_once_by_a_network_that_had_not_seen_it(whole: Path) -> None:
    once = read_data(Recipe().changed({"data.path": "digits"}))
    pool = {
        bytes(once.parts[part].inputs.take(torch.tensor([row])).numpy().tobytes()): int(once.parts[part].targets[row])
        for part in ("train", "val")
        for row in range(len(once.parts[part]))
    }
    said: list[int] = []
    true: list[int] = []
    trained: list[set[bytes]] = []
    for fold in (1, 2, 3):
        recipe = Recipe.from_toml(whole / "folds" / str(fold) / "recipe.toml")
        data = read_data(recipe)
        model = glassnet.load(whole / "folds" / str(fold))
        rows = data.val.inputs.take(torch.arange(len(data.val)))
        said += model.raw_outputs(data.val.inputs).argmax(1).tolist()
        true += data.val.targets.tolist()
        seen = {row.numpy().tobytes() for row in data.train.inputs.take(torch.arange(len(data.train)))}
        trained.append({row.numpy().tobytes() for row in rows})
        assert not seen & trained[-1]
    assert sum(map(len, trained)) >= len(set.union(*trained)) == len(pool)
    figures = result(whole)
    assert figures["samples"] == len(true) == len(once.train) + len(once.val)
    assert figures["figures"]["accuracy"] == pytest.approx(accuracy_score(true, said))
    assert [row["support"] for row in figures["figures"]["per_class"]] == np.bincount(true).tolist()


def test_mean_and_spread_are_those_of_the_folds(whole: Path) -> None:
    found = result(whole)["folds"]
    each = [result(whole / "folds" / str(fold))["figures"]["accuracy"] for fold in (1, 2, 3)]
    assert [fold["accuracy"] for fold in found["each"]] == each
    assert found["mean"] == pytest.approx(np.mean(each))
    assert found["std"] == pytest.approx(np.std(each, ddof=1))
    rivals = [result(whole / "folds" / str(fold))["rivals"] for fold in (1, 2, 3)]
    assert found["rivals"][1] == {"name": "linear model", "each": [fold[1]["figure"] for fold in rivals]}


def test_no_fold_looks_at_the_test_part(whole: Path) -> None:
    assert not list(whole.rglob("test_uses.jsonl"))
    assert {result(run.parent)["part"] for run in whole.rglob("result.json")} == {"val"}


def test_it_has_a_report_and_no_model(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (whole / "report.html").read_text()
    assert "Fold by fold" in page
    assert "The worst mistakes" in page
    assert "each time on all but one of 3 folds of 1,438 images" in page
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page), "when the last fold was trained"
    assert cli(["report", str(whole)]) == 0
    assert (whole / "report.html").read_text() == page, "written again from the folder and the data"
    with pytest.raises(GlassnetError, match=r"(?s)no model here.*a model for each fold: take .*folds.1"):
        glassnet.load(whole)
    capsys.readouterr()
    assert cli(["resume", str(whole)]) == 0
    said = capsys.readouterr().out
    assert "all 3 folds, 1,438 samples, each judged by the network that had not seen it" in said
    assert "(the network is ahead in 3 of 3 folds)" in said


def test_its_recipe_repeats_it(whole: Path, tmp_path: Path) -> None:
    assert cli(["train", "--recipe", str(whole / "recipe.toml"), "--quiet", "--out", str(tmp_path / "again")]) == 0
    assert told(tmp_path / "again") == told(whole)


def test_a_kill_in_the_middle_loses_nothing(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    asked = [*FLAGS, "--folds", "3", "--epochs", "6", "--out", str(out), "--set", "train.checkpoint_seconds=0"]
    process = subprocess.Popen([*COMMAND, "train", "digits", *asked], stderr=subprocess.PIPE)
    wait_for(lambda: any((out / "folds").glob("*/checkpoints/*/manifest.json")), process)
    process.kill()
    process.communicate(timeout=60)
    assert not (out / "result.json").exists()
    assert cli(["resume", str(out), "--quiet"]) == 0
    assert told(out) == told(whole)


def test_data_and_a_module_of_ones_own_in_folds(tmp_path: Path) -> None:
    """In this process, stopped in the second fold: the first is not trained again, and the module that was handed over is left as it is."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(90, 4, generator=generator)
    targets = inputs @ torch.tensor([[1.0, 0.5], [-1.0, 0.0], [0.0, 2.0], [0.3, -0.3]]) + 0.1 * torch.randn(
        90, 2, generator=generator
    )
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    before = [parameter.detach().clone() for parameter in net.parameters()]
    settings = SETTINGS | {"train.epochs": 4, "train.batch_size": 16, "data.folds": 3}
    settings.pop("net.hidden")
    steps = 0

    def leave(event: Event) -> None:
        nonlocal steps
        steps += isinstance(event, Step)
        if steps == 16:
            raise KeyboardInterrupt

    data = (inputs.numpy(), targets.numpy())
    with pytest.raises(KeyboardInterrupt):
        glassnet.train(data, net, out=tmp_path / "cut", settings=settings, listen=leave)
    first = (tmp_path / "cut" / "folds" / "1" / "result.json").stat().st_mtime_ns
    cut = glassnet.resume(tmp_path / "cut", net=net, data=data)
    once = glassnet.train(data, net, out=tmp_path / "once", settings=settings)
    assert (tmp_path / "cut" / "folds" / "1" / "result.json").stat().st_mtime_ns == first
    assert told(tmp_path / "cut") == told(tmp_path / "once")
    assert cut.model is None
    assert once.figures["folds"]["figure"] == "r2"
    assert "not finished" not in repr(once)
    assert all(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))
    recipes = [Recipe.from_toml(tmp_path / "once" / "folds" / str(fold) / "recipe.toml") for fold in (1, 2)]
    assert recipes[0].changed({"data.fold": 2}) == recipes[1], "every fold is trained in the same way"


def test_a_series_is_cut_into_stretches_beside_plain_forecasts(tmp_path: Path) -> None:
    steps = np.arange(400)
    values = np.sin(steps / 5) + 0.01 * np.random.default_rng(0).normal(size=400)
    (tmp_path / "wave.csv").write_text(
        "day,level\n"
        + "".join(
            f"{np.datetime64('2020-01-01') + int(n)},{value:.4f}\n" for n, value in zip(steps, values, strict=True)
        )
    )
    settings = SETTINGS | {
        "train.epochs": 4,
        "data.folds": 3,
        "data.horizon": 2,
        "data.window": 8,
        "ensemble.workers": 1,
    }
    made = glassnet.train(str(tmp_path / "wave.csv"), "mlp", out=tmp_path / "run", settings=settings)
    column = made.figures["forecast"]["columns"][0]
    parts = [read_data(Recipe.from_toml(tmp_path / "run" / "folds" / str(fold) / "recipe.toml")) for fold in (1, 2, 3)]
    assert [len(data.train) for data in parts] == sorted(len(data.train) for data in parts)
    before = [next(each for each in column["plain"] if each["name"] == "same as the day before")]
    true = np.concatenate([data.val.targets.numpy() for data in parts])
    last = np.concatenate([data.val.inputs.take(torch.arange(len(data.val)))[:, 0, -1].numpy() for data in parts])
    assert before[0]["mae"] == pytest.approx(np.abs(true - last[:, None]).mean(), rel=1e-4)
    assert made.figures["samples"] == len(true)
    assert "each time on what came before one of 3 stretches" in (tmp_path / "run" / "report.html").read_text()


def test_figures_of_rivals_over_all_folds_are_those_of_all_their_answers() -> None:
    """Against the figures of pooled answers: a ridge regression fitted anew in folds of different sizes."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(120, 3))
    targets = inputs @ [1.0, -2.0, 0.5] + rng.normal(size=120)
    folds = np.split(np.arange(120), [30, 80])
    said, each, true = [], [], []
    for fold in folds:
        rest = np.setdiff1d(np.arange(120), fold)
        answers = RidgeCV().fit(inputs[rest], targets[rest]).predict(inputs[fold])
        said.append(answers)
        true.append(targets[fold])
        each.append(
            [
                {"name": "always the mean", "figure": 0.0, "metric": "r2", "seconds": 1.0},
                {"name": "ridge", "figure": r2_score(targets[fold], answers), "metric": "r2", "seconds": 2.0},
            ]
        )
    found = rivals_over_folds(each, [torch.tensor(part)[:, None] for part in true])
    assert [rival.name for rival in found] == ["always the mean", "ridge"]
    assert found[1].figure == pytest.approx(r2_score(np.concatenate(true), np.concatenate(said)))
    assert found[1].seconds == 6.0


def test_figures_of_classes_weigh_folds_by_their_size_and_leave_out_who_was_not_everywhere() -> None:
    each = [
        [
            {"name": "always “a”", "figure": 0.5, "metric": "accuracy", "seconds": 0.0},
            {"name": "slow", "figure": 0.9, "metric": "accuracy", "seconds": 0.0},
        ],
        [{"name": "always “b”", "figure": 0.2, "metric": "accuracy", "seconds": 0.0}],
    ]
    found = rivals_over_folds(each, [torch.zeros(30, dtype=torch.int64), torch.zeros(10, dtype=torch.int64)])
    assert [(rival.name, rival.figure) for rival in found] == [("always the most frequent class", pytest.approx(0.425))]
    assert rivals_over_folds([[], []], [torch.zeros(3), torch.zeros(3)]) == []


def test_spread_over_folds_by_hand() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]])
    each = [classification_report(logits, torch.tensor(true), ("a", "b")) for true in ([0, 1, 0, 0], [0, 1, 1, 0])]
    found = over_folds(each)
    assert (found["figure"], found["mean"], found["rivals"]) == ("accuracy", 0.875, [])
    assert found["std"] == pytest.approx(0.25 / 2**0.5)
    values = torch.tensor([[0.0], [1.0], [2.0]])
    assert over_folds([regression_report(values, values + 1, ("y",))] * 2)["each"][0] == {
        "samples": 3,
        "r2": pytest.approx(1 - 3 / 2),
        "loss": pytest.approx(1.0),
    }


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Sixty nodes of two classes, whose features are words of which each row has two."""
    rng = np.random.default_rng(0)
    place = tmp_path / "graph"
    place.mkdir()
    rows = []
    for node in range(60):
        words = np.zeros(12, dtype=int)
        words[rng.choice(6, 2, replace=False) + 6 * (node % 2)] = 1
        rows.append(f"{node}\t" + "\t".join(map(str, words)) + f"\t{'ab'[node % 2]}")
    (place / "g.content").write_text("\n".join(rows) + "\n")
    (place / "g.cites").write_text("".join(f"{node}\t{(node + 2) % 60}\n" for node in range(60)))
    return place


def test_nodes_of_a_graph_are_pooled_as_nodes(graph: Path) -> None:
    recipe = Recipe().changed({"data.path": str(graph), "data.folds": 3, "data.fold": 2})
    data = read_data(recipe)
    both = pooled([data.train, data.val])
    found, parts = nodes_of(both.inputs), [nodes_of(part.inputs) for part in (data.train, data.val)]
    assert found is not None
    assert found[1].tolist() == [node for part in parts if part is not None for node in part[1].tolist()]


def test_a_linear_model_is_not_held_back_by_the_size_of_nodes_features(graph: Path) -> None:
    """Rows that sum to 1, among 12 words or among a thousand, are as large for it as any others."""
    data = read_data(Recipe().changed({"data.path": str(graph)}))
    rows = data.train.inputs.take(torch.arange(len(data.train)))
    small = node_features(lambda raw: raw)(rows)
    assert float(small.square().mean()) == pytest.approx(1.0, rel=0.3)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"data.folds": 3, "ensemble.members": 2}, "folds are of single trainings"),
        ({"data.folds": 3, "ensemble.snapshots": 2}, "folds are of single trainings"),
        ({"data.folds": 3, "ensemble.together": "stacked"}, "cannot be trained with one pass for all"),
        ({"data.folds": 500}, "cannot be made"),
        ({"data.fold": 2}, "one training is of one fold"),
    ],
)
def test_what_cannot_be_cut_is_told_and_leaves_nothing_behind(
    settings: dict[str, Any], words: str, tmp_path: Path
) -> None:
    data = (np.arange(80, dtype=np.float32).reshape(40, 2), np.arange(40, dtype=np.float32))
    with pytest.raises(GlassnetError, match=words):
        glassnet.train(data, "mlp", out=tmp_path / "run", settings=SETTINGS | settings)
    assert not (tmp_path / "run").exists()


def test_parts_held_in_different_ways_are_pooled_in_their_order() -> None:
    held = InMemory(torch.arange(6.0)[:, None])
    first, second = (
        Part(held, torch.zeros(6), list("abcdef")),
        Part(InMemory(torch.arange(6.0, 9.0)[:, None]), torch.ones(3), list("ghi")),
    )
    both = pooled([first, second])
    assert both.inputs.take(torch.tensor([7, 0, 5])).flatten().tolist() == [7.0, 0.0, 5.0]
    assert both.names == list("abcdefghi")
    assert pooled([first]) is first
