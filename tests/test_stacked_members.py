"""Members of an ensemble that are trained together, step by step: from end to end, beside the same members in turn."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from glassnet import finishing
from glassnet.cli import run as cli
from glassnet.combined import Ensemble
from glassnet.errors import LockedError
from glassnet.events import Epoch, Measured, Step
from glassnet.files import locked
from glassnet.members import from_seeds, run, several
from glassnet.members.several import Sharing, shared_out
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder
from glassnet.training import stacked
from whole_runs import wait_for

SMALL = [
    *("--net", "mlp", "--lr", "0.01", "--threads", "1", "--precision", "float32", "--set", "train.measure=40"),
    *("--set", "net.hidden=[16]", "--set", "train.record_every=1", "--no-check", "--members", "3"),
]
QUIET = [*SMALL, "--quiet"]
STACKED = ["--set", "ensemble.together=stacked"]
LONG = ["--epochs", "6"]
OFTEN = ["--set", "train.checkpoint_seconds=0.1"]
COMMAND = [sys.executable, "-c", "from glassnet.cli import main; main()"]


@pytest.fixture(scope="module", autouse=True)
def _without_reports_and_rivals() -> Iterator[None]:
    """What takes most of the time of so small a run and looks at finished models alone; ``tests/test_members.py`` has both."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finishing, "write_report", lambda *_: None)
        patch.setattr(finishing, "rivals_of", lambda *_, **__: [])
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three members, trained in turn."""
    out = tmp_path_factory.mktemp("in-turn") / "run"
    assert cli(["train", "digits", *QUIET, *LONG, "--set", "ensemble.together=in-turn", "--out", str(out)]) == 0
    return out


def alike(run: Path, other: Path) -> None:
    """The same training but for rounding: every step's loss, every epoch's figures, the looks, and the weights that were kept."""
    for place in ("1", "2", "3"):
        mine, its = ([*RunFolder(each / "members" / place).events()] for each in (run, other))
        losses, others = ([event.loss for event in events if isinstance(event, Step)] for events in (mine, its))
        assert len(losses) == len(others) == 6 * 39
        assert losses == pytest.approx(others, rel=1e-3, abs=1e-3)
        epochs, of_other = ([event for event in events if isinstance(event, Epoch)] for events in (mine, its))
        assert [event.epoch for event in epochs] == list(range(6))
        for one, two in zip(epochs, of_other, strict=True):
            assert one.val["loss"] == pytest.approx(two.val["loss"], rel=1e-3)
        looks, its_looks = ([event.step for event in events if isinstance(event, Measured)] for events in (mine, its))
        assert looks == its_looks
        weights, others_weights = (
            load_file(each / "members" / place / "model" / "weights.safetensors") for each in (run, other)
        )
        for name, tensor in weights.items():
            torch.testing.assert_close(tensor, others_weights[name], rtol=1e-2, atol=1e-3)


def ensemble_of(run: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((run / "recipe.toml").read_text())["ensemble"]
    return table


def test_stacked_or_in_turn_makes_no_difference_but_rounding(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "stacked"
    assert cli(["train", "digits", *SMALL, *LONG, *STACKED, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "step by step together" in said
    assert "train  stacked as asked" in said
    assert all(f"network {place} of 3, seed {place - 1}: 6 epochs, validation accuracy" in said for place in (1, 2, 3))
    alike(out, whole)
    assert ensemble_of(out)["together"] == "stacked"
    assert "workers" not in ensemble_of(out)
    for place in ("1", "2", "3"):
        recipes = [(each / "members" / place / "recipe.toml").read_text() for each in (out, whole)]
        assert recipes[0] == recipes[1], "how it was trained is no part of a member"
    figures = [json.loads((each / "result.json").read_text())["figures"] for each in (out, whole)]
    assert figures[0]["loss"] == pytest.approx(figures[1]["loss"], rel=1e-2)
    assert len((out / "test_uses.jsonl").read_text().splitlines()) == 1


def test_a_kill_loses_nothing_and_members_go_on_alone_or_stacked(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [*COMMAND, "train", "digits", *QUIET, *LONG, *OFTEN, *STACKED, "--out", str(out)], stderr=subprocess.PIPE
    )
    third = out / "members" / "3"
    wait_for(lambda: (third / "checkpoints").exists() and any((third / "checkpoints").glob("*/manifest.json")), process)
    process.kill()
    process.communicate(timeout=60)
    assert not (out / "model").exists()
    assert cli(["resume", str(out / "members" / "2"), "--quiet"]) == 0  # one of them by itself, to its end
    assert cli(["resume", str(out), "--quiet"]) == 0
    assert ensemble_of(out)["together"] == "stacked"
    alike(out, whole)
    assert len((out / "test_uses.jsonl").read_text().splitlines()) == 1


def test_a_signal_saves_all_members_and_resuming_goes_on(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "stopped"
    asked = [*COMMAND, "train", "digits", *QUIET, *LONG, *OFTEN, *STACKED, "--out", str(out)]
    process = subprocess.Popen(asked, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    third = out / "members" / "3"
    wait_for(lambda: (third / "checkpoints").exists() and any((third / "checkpoints").glob("*/manifest.json")), process)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 143, complaints
    assert b"Traceback" not in complaints
    for place in ("1", "2", "3"):
        assert any((out / "members" / place / "checkpoints").glob("*/manifest.json"))
    assert cli(["resume", str(out), "--quiet"]) == 0
    alike(out, whole)


def test_a_member_that_fails_ends_the_others_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    second = out / "members" / "2"
    second.mkdir(parents=True)
    with locked(second / "run.lock"):
        assert cli(["train", "digits", *SMALL, *STACKED, "--epochs", "2", "--out", str(out)]) == LockedError.exit_code
    said = capsys.readouterr()
    assert "members/2" in said.err
    assert any((out / "members" / "1" / "checkpoints").glob("*/manifest.json"))
    assert not RunFolder(out / "members" / "1").finished
    assert not (out / "members" / "3").exists(), "which had not begun"
    assert not (out / "result.json").exists()


class Reads(nn.Module):
    """Rows of an image, read by an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 6, batch_first=True), nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = self.head(self.lstm(x.flatten(1, 2))[0][:, -1])
        return said


@pytest.mark.parametrize("kind", ["perceptron", "lstm"])
def test_members_from_python_with_a_network_of_ones_own(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = (
        nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
        if kind == "perceptron"
        else Reads()
    )
    told: list[str] = []
    recipe = Recipe().changed(
        {
            "data.path": "digits",
            "net.name": "own",
            "ensemble.members": 2,
            "ensemble.together": "stacked",
            "train.epochs": 1,
            "train.threads": 1,
            "train.check": False,
        }
    )
    made = run(recipe, RunFolder(tmp_path / "own"), net=net, tell=told.append)
    assert made.model is not None
    assert isinstance(made.model.net, Ensemble)
    sentence = next(line for line in told if line.startswith(("train  stacked", "train  in turn")))
    if kind == "perceptron":
        assert sentence == "train  stacked as asked"
    else:
        assert "PyTorch cannot stack this network" in sentence
    assert ensemble_of(tmp_path / "own")["together"] == ("stacked" if kind == "perceptron" else "in-turn")
    first, second = (member.get_submodule("net").state_dict() for member in made.model.net.members.children())
    assert not any(torch.equal(one, two) for one, two in zip(first.values(), second.values(), strict=True))


@pytest.mark.parametrize(("gain", "way"), [(1.9, "stacked"), (0.8, "in-turn")])
def test_what_was_measured_is_told_kept_and_not_asked_again(
    gain: float, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``auto`` does on a GPU, on the CPU."""
    asked: list[str] = []

    def sharing(recipe: Recipe, count: int, *, own: bool) -> Sharing:
        asked.append(recipe.ensemble.together)
        found = shared_out(recipe, count, own=own)
        return Sharing("auto", None, 1) if recipe.ensemble.together == "auto" else found

    monkeypatch.setattr(from_seeds, "shared_out", sharing)
    monkeypatch.setattr(stacked, "_gain", lambda *_: gain)
    recipe = Recipe().changed(
        {
            "data.path": "digits",
            "net.name": "mlp",
            "net.hidden": [16],
            "ensemble.members": 2,
            "train.epochs": 3,
            "train.threads": 1,
            "train.check": False,
        }
    )
    folder, told, steps = RunFolder(tmp_path / "run"), list[str](), list[int]()
    stopped = run(recipe, folder, tell=told.append, listen=lambda event: steps.append(1), stop=lambda: len(steps) > 60)
    assert stopped.model is None
    words = "stacked: one pass for 2 networks is" if way == "stacked" else "in turn: one pass for 2 networks would be"
    assert f"train  {words} {gain} times as fast as 2 in turn" in told
    assert ensemble_of(folder.path)["together"] == way
    assert words in (folder.path / "recipe.toml").read_text()
    told.clear()
    again = run(Recipe.from_toml(folder.recipe), folder, tell=told.append)
    assert again.model is not None
    assert asked == ["auto", way]
    assert ensemble_of(folder.path)["together"] == way


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("auto", None, "auto")),
        ({"ensemble.together": "stacked"}, ("stacked", None, "auto")),
        ({"ensemble.together": "in-turn"}, ("in-turn", 1, "auto")),
        ({"ensemble.together": "processes"}, ("in-turn", 1, "auto")),
        ({"ensemble.workers": 1}, ("in-turn", 1, "auto")),
    ],
)
@pytest.mark.parametrize("own", [False, True])
def test_how_members_share_a_gpu(
    settings: dict[str, object], expected: tuple[object, ...], own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several, "choose_device", lambda _: torch.device("cuda"))
    assert shared_out(Recipe().changed(settings), 5, own=own) == expected
    if expected[0] != "stacked":  # which a recipe with folds may not ask for
        assert shared_out(Recipe().changed(settings), 5, own=own, stacks=False).way == "in-turn"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_gpu_stacked_and_in_turn_come_to_the_same(tmp_path: Path) -> None:
    asked = [*QUIET, "--epochs", "2", "--device", "cuda"]
    for way in ("stacked", "in-turn", "auto"):
        assert cli(["train", "digits", *asked, "--set", f"ensemble.together={way}", "--out", str(tmp_path / way)]) == 0
    assert ensemble_of(tmp_path / "stacked")["together"] == "stacked"
    assert ensemble_of(tmp_path / "auto")["together"] in ("stacked", "in-turn")
    losses = [
        [event.loss for event in RunFolder(tmp_path / way / "members" / "2").events() if isinstance(event, Step)]
        for way in ("stacked", "in-turn")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2, abs=1e-2)
