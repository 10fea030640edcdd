"""Searches over networks and data of a user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import glassnet
from glassnet.errors import GlassnetError
from glassnet.hyperparameters import Found, reopened, run
from glassnet.hyperparameters.asked import Stage
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder

RNG = np.random.default_rng(0)
X = RNG.normal(size=(160, 8)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)


class Net(nn.Module):
    """With options that are searched."""

    def __init__(self, width: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(nn.Linear(8, width), nn.Tanh(), nn.Dropout(dropout), nn.Linear(width, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)  # type: ignore[no-any-return]


def search(out: Path, net: Any = Net, data: Any = (X, Y), **how: Any) -> Found:
    usual: dict[str, Any] = {
        "space": "net.width=4|16, net.dropout=0..0.5, lr=1e-3..1e-1 log",
        "stages": (Stage(4, 2),),
        "finalists": 1,
        "repeats": 2,
        "settings": {"train.epochs": 3},
    }
    return glassnet.search(data, net, out=out / "search", **usual | how)


def test_a_class_of_ones_own_is_searched(tmp_path: Path) -> None:
    found = search(tmp_path)
    assert [trial.end for trial in found.trials] == ["done"] * 4
    for trial in found.trials:  # each was the network that its settings say
        recipe = Recipe.from_toml(tmp_path / "search" / f"trials/1-{trial.number:04d}" / "recipe.toml")
        assert recipe.net.options["width"] == trial.settings["net.width"]
    options = {key.removeprefix("net."): value for key, value in found.winner.items() if key.startswith("net.")}
    model = glassnet.load(tmp_path / "search" / "winner", net=Net(**options))
    assert model.predict_proba(X[:3]).shape == (3, 2)
    again = search(tmp_path)  # nothing is made twice
    assert [trial.value for trial in again.trials] == [trial.value for trial in found.trials]


def test_other_processes_find_the_same(tmp_path: Path) -> None:
    one, two = search(tmp_path / "one"), search(tmp_path / "two", jobs=2)
    told = [[(trial.number, trial.settings, trial.value) for trial in found.trials] for found in (one, two)]
    assert sorted(told[0], key=str) == sorted(told[1], key=str)
    assert one.finalists == two.finalists
    assert one.winner == two.winner


def test_seeds_draw_the_weights_of_what_is_made_and_leave_a_module_its_own(tmp_path: Path) -> None:
    def weights(found: Found) -> list[Tensor]:
        runs = [
            RunFolder(path) for path in sorted((found.folder / "finalists").iterdir()) if path.name.startswith("0-")
        ]
        return [glassnet.load(run.path, net=Net()).net.state_dict()["layers.0.weight"] for run in runs]

    still = {"train.epochs": 1, "optimizer.lr": 1e-12}
    first, second = weights(search(tmp_path / "made", space="loss.label_smoothing=0|0.1", settings=still))
    assert not torch.allclose(first, second)
    torch.manual_seed(3)
    own = Net()
    for kept in weights(search(tmp_path / "own", own, space="loss.label_smoothing=0|0.1", settings=still)):
        torch.testing.assert_close(kept, own.layers[0].weight.detach())


def test_named_data_and_parts_are_searched_over_too(tmp_path: Path) -> None:
    def images(width: int = 8) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))

    assert search(tmp_path / "digits", images, "digits", space="net.width=4|8").figures["samples"] > 0
    parts = {"train": (X[:100], Y[:100]), "val": (X[100:130], Y[100:130]), "test": (X[130:], Y[130:])}
    assert search(tmp_path / "parts", Net, parts).figures["samples"] == 30


@pytest.mark.parametrize(
    ("net", "how", "told"),
    [
        (Net(), {"space": "net.width=4|8"}, ["no options to search", "net.width", "net=Net"]),
        (
            lambda width: Net(width),
            {"space": "net.width=4|8"},
            ["makes no network", "missing 1 required", "default values"],
        ),
        (lambda **_: 3, {}, ["makes no network", "int", "a module"]),
        (lambda width=4: Net(width), {"jobs": 2, "space": "net.width=4|8"}, ["other processes", "leave out jobs"]),
        (Net, {"cluster": "local"}, ["a cluster", "leave it out"]),
        (Net, {"space": "net.depth=1|2"}, ["came to its end", "unexpected keyword argument 'depth'"]),
    ],
)
def test_mistakes_are_told(net: Any, how: dict[str, Any], told: list[str], tmp_path: Path) -> None:
    with pytest.raises(GlassnetError) as caught:
        search(tmp_path, net, **how)
    for words in told:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"trials": 5}, ["unknown argument", "'trials'"]),
        ({"stages": (3, 2)}, ["no stages", "((24, 5), (12, 10))"]),
        ({"stages": ((0, 1),)}, ["no stages"]),
        ({"budget": "10s", "jobs": 0, "finalists": -1}, ["3 mistakes", "'10s'", "jobs", "finalists"]),
    ],
)
def test_arguments_that_cannot_be_are_told(how: dict[str, Any], told: list[str], tmp_path: Path) -> None:
    with pytest.raises(GlassnetError) as caught:
        search(tmp_path, **how)
    for words in told:
        assert words in str(caught.value)


def test_another_search_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    search(tmp_path)
    with pytest.raises(GlassnetError, match="another search in this folder"):
        search(tmp_path, space="lr=1e-3..1e-2 log")


def test_the_best_of_all_stages_comes_to_the_finals(tmp_path: Path) -> None:
    found = search(tmp_path, stages=((5, 3), (2, 3)), space="lr=1e-5..1e-1 log", finalists=2)
    best = sorted((trial for trial in found.trials if trial.end == "done"), key=lambda trial: -trial.value)
    assert {str(one["settings"]) for one in found.finalists if one["settings"]} == {
        str(one.settings) for one in best[:2]
    }


SCRIPT = """
import glassnet
print("script runs")
found = glassnet.search("digits", "mlp", space="lr=1e-4..1e-1 log", stages=((2, 1),), finalists=0, winner=False, jobs=2, out="s")
print(len(found.trials), "trials", {trial.end for trial in found.trials})
"""


def test_a_script_without_guard_runs_once(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    ended = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert ended.stdout.splitlines() == ["script runs", "2 trials {'done'}"], ended.stderr


def test_a_search_of_ones_own_asks_for_the_network_again(tmp_path: Path) -> None:
    search(tmp_path)
    with pytest.raises(GlassnetError, match="network is of your own"):
        run(reopened(tmp_path / "search"), tmp_path / "search")
