"""Members, snapshots and joined runs from end to end, as the command line makes them: killed, gone on with, measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import glassnet
from glassnet.cli import run as cli
from glassnet.combined import Ensemble
from glassnet.events import Epoch
from glassnet.members.several import shared_out
from glassnet.members.side_by_side import ended
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder
from whole_runs import wait_for

SMALL = [
    *("--net", "mlp", "--lr", "0.01", "--threads", "1", "--precision", "float32", "--set", "train.measure=10"),
    *("--set", "net.hidden=[16]", "--no-check", "--quiet"),
]
IN_TURN = ["--set", "ensemble.workers=1"]
COMMAND = [sys.executable, "-c", "from glassnet.cli import main; main()"]


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three members, trained in turn."""
    out = tmp_path_factory.mktemp("members") / "trio"
    assert cli(["train", "digits", "--members", "3", *SMALL, *IN_TURN, "--epochs", "3", "--out", str(out)]) == 0
    return out


def result(run: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((run / "result.json").read_text())
    return content


def bits(run: Path) -> list[bytes]:
    """What has to be the same, byte for byte: all weights and all metrics."""
    paths = [run / "model" / "weights.safetensors"]
    for member in sorted((run / "members").iterdir()):
        paths += [member / "model" / "weights.safetensors", member / "metrics.jsonl"]
    return [path.read_bytes() for path in paths]


def test_members_are_ordinary_runs_on_the_same_parts_from_different_seeds(trio: Path) -> None:
    recipes = [Recipe.from_toml(trio / "members" / str(n) / "recipe.toml") for n in (1, 2, 3)]
    assert [recipe.train.seed for recipe in recipes] == [0, 1, 2]
    assert {recipe.data.split_seed for recipe in recipes} == {0}
    assert len({recipe.changed({"train.seed": 0}).to_toml() for recipe in recipes}) == 1, "nothing but the seed differs"
    prints = {RunFolder(trio / "members" / str(n)).read_json("data")["fingerprint"] for n in (1, 2, 3)}
    assert prints == {RunFolder(trio).read_json("data")["fingerprint"]}
    weights = [load_file(trio / "members" / str(n) / "model" / "weights.safetensors") for n in (1, 2, 3)]
    name = next(key for key in weights[0] if key.endswith("weight"))
    assert not torch.equal(weights[0][name], weights[1][name])


def test_the_test_part_is_looked_at_once_and_by_the_whole(trio: Path) -> None:
    assert len((trio / "test_uses.jsonl").read_text().splitlines()) == 1
    for member in (trio / "members").iterdir():
        assert not (member / "test_uses.jsonl").exists()
        told = json.loads((member / "result.json").read_text())
        assert told["part"] == "val"
        assert told["rivals"] == []
        assert "left alone" in (member / "report.html").read_text()


def test_the_gain_is_what_counting_gives(trio: Path) -> None:
    data = glassnet.open_data("digits")
    model = glassnet.load(trio)
    from glassnet.data.split import split

    part = split(data, seed=0).test
    assert part is not None
    singles = [glassnet.load(trio / "members" / str(n)) for n in (1, 2, 3)]
    shares = [one.predict_proba(part).double() for one in singles]
    right = [(share.argmax(1) == part.targets).numpy() for share in shares]
    joint = torch.stack(shares).mean(0)
    mine = (joint.argmax(1) == part.targets).numpy()
    found = result(trio)["ensemble"]["parts"]["test"]  # type: ignore[index]
    assert [one["accuracy"] for one in found["each"]] == pytest.approx([float(r.mean()) for r in right])
    assert found["gain"] == pytest.approx(mine.mean() - np.mean([r.mean() for r in right]))
    assert found["std"] == pytest.approx(np.std([r.mean() for r in right], ddof=1))
    chosen = right[found["chosen"]]
    assert found["over_chosen"]["gained"] == sum(a and not b for a, b in zip(mine, chosen, strict=True))
    assert found["over_chosen"]["lost"] == sum(b and not a for a, b in zip(mine, chosen, strict=True))
    sharpened = torch.softmax(torch.log(joint) / model.temperature, dim=1)
    loss = -sharpened.gather(1, part.targets[:, None]).log().mean()
    assert found["ensemble"]["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert result(trio)["figures"]["loss"] == pytest.approx(loss.item(), rel=1e-5)  # type: ignore[index]
    low, high = found["interval"]
    assert low <= found["gain"] <= high


def test_an_ensemble_is_a_run_like_any_other(trio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["evaluate", str(trio), "--part", "val", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["accuracy"] > 0.6
    values = glassnet.open_data("digits").train.inputs.take(torch.arange(3)).numpy()
    np.save(tmp_path / "three.npy", values)
    assert cli(["predict", str(trio), str(tmp_path / "three.npy"), "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    (trio / "report.html").unlink()
    assert cli(["report", str(trio)]) == 0
    assert "an ensemble of 3 networks (mlp)" in (trio / "report.html").read_text()
    before = {path: path.stat().st_mtime_ns for path in trio.rglob("*")}
    assert cli(["resume", str(trio)]) == 0
    said = capsys.readouterr().out
    assert "come to its end" in said
    assert "what 3 networks together gain" in said
    assert before == {path: path.stat().st_mtime_ns for path in trio.rglob("*")}


def test_an_ensemble_is_opened_gate_by_gate_like_any_model(trio: Path) -> None:
    model = glassnet.load(trio)
    values = glassnet.open_data("digits").train.inputs.take(torch.arange(2))
    opened = glassnet.open(model, values, ["3", "1"])
    opened.graph.backward()
    loss = nn.functional.cross_entropy(model.net(model.preprocess(values)), torch.tensor([3, 1]))
    assert float(opened.graph.forward(opened.values)) == pytest.approx(loss.item(), rel=1e-5)


def test_the_recipe_repeats_all_members_bit_for_bit(trio: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert cli(["train", "--recipe", str(trio / "recipe.toml"), "--no-check", "--quiet", "--out", str(again)]) == 0
    assert bits(again) == bits(trio)


def test_side_by_side_or_in_turn_makes_no_difference(trio: Path, tmp_path: Path) -> None:
    out = tmp_path / "beside"
    asked = ["--members", "3", "--set", "ensemble.workers=2", "--epochs", "3", "--out", str(out)]
    assert cli(["train", "digits", *SMALL, *asked]) == 0
    assert bits(out) == bits(trio)


LONG = ["--epochs", "16", "--members", "3", "--set", "train.checkpoint_seconds=0.1"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three members trained at once to the end."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert cli(["train", "digits", *SMALL, *IN_TURN, *LONG, "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("workers", [1, 2])
def test_a_kill_in_the_middle_loses_nothing_and_trains_nothing_twice(whole: Path, tmp_path: Path, workers: int) -> None:
    out = tmp_path / "killed"
    asked = [*SMALL, *LONG, "--set", f"ensemble.workers={workers}", "--out", str(out)]
    process = subprocess.Popen([*COMMAND, "train", "digits", *asked], stderr=subprocess.PIPE)
    second = out / "members" / "2"
    wait_for(
        lambda: (second / "checkpoints").exists() and any((second / "checkpoints").glob("*/manifest.json")), process
    )
    process.kill()
    process.communicate(timeout=60)
    first = out / "members" / "1"
    done = (first / "report.html").exists()  # the last thing that a run writes
    assert done == (workers == 1) or workers == 2
    before = stamps(first) if done else {}
    assert cli(["resume", str(out), "--quiet"]) == 0
    assert bits(out) == bits(whole)
    assert (stamps(first) if done else {}) == before, "what was finished is left as it was"
    epochs = [event.epoch for event in RunFolder(second).events() if isinstance(event, Epoch)]
    assert epochs == list(range(16))
    assert len((out / "test_uses.jsonl").read_text().splitlines()) == 1


def test_ctrl_c_saves_all_members_and_resuming_goes_on(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "stopped"
    asked = [*SMALL, *LONG, "--set", "ensemble.workers=2", "--out", str(out)]
    process = subprocess.Popen([*COMMAND, "train", "digits", *asked], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    second = out / "members" / "2"
    wait_for(
        lambda: (second / "checkpoints").exists() and any((second / "checkpoints").glob("*/manifest.json")), process
    )
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130, complaints
    assert b"Traceback" not in complaints
    assert not (out / "model").exists()
    assert cli(["resume", str(out), "--quiet"]) == 0
    assert bits(out) == bits(whole)


def test_snapshots_are_the_weights_at_the_cycles_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "snapshots"
    asked = ["--snapshots", "4", "--set", "ensemble.last=3", "--epochs", "8", "--out", str(out)]
    assert cli(["train", "digits", *[flag for flag in SMALL if flag != "--quiet"], *asked]) == 0
    said = capsys.readouterr().out
    assert "snapshot 2" in said or "snapshot 3" in said or "snapshot 4" in said
    steps = 39 * 8  # 1,238 training samples, 32 a step
    ends = [78, 156, 234, 312]
    assert ends[-1] == steps
    files = sorted((out / "snapshots").iterdir())
    assert [path.name for path in files] == [f"step-{end:08d}.safetensors" for end in ends]
    rates = {event.step: event.lr for event in RunFolder(out).events() if isinstance(event, Epoch)}
    assert all(rates[end] < 1e-5 < rates[end - 39] for end in ends)
    model = glassnet.load(out)
    assert isinstance(model.net, Ensemble)
    for member, path in zip(model.net.members.children(), files[1:], strict=True):
        for name, tensor in load_file(path).items():
            assert torch.equal(member.get_submodule("net").state_dict()[name], tensor), name
    # The last one is what training came to in the end.
    kept = json.loads((out / "result.json").read_text())["ensemble"]["parts"]["val"]["each"]
    last = [event for event in RunFolder(out).events() if isinstance(event, Epoch)][-1]
    assert kept[-1]["accuracy"] == pytest.approx(last.val["accuracy"])


def test_a_killed_snapshot_training_goes_on_exactly(tmp_path: Path) -> None:
    asked = ["--snapshots", "3", "--epochs", "18", "--set", "train.checkpoint_seconds=0.1"]
    assert cli(["train", "digits", *SMALL, *asked, "--out", str(tmp_path / "whole")]) == 0
    out = tmp_path / "killed"
    process = subprocess.Popen([*COMMAND, "train", "digits", *SMALL, *asked, "--out", str(out)], stderr=subprocess.PIPE)
    wait_for(lambda: (out / "snapshots").exists() and len(list((out / "snapshots").glob("step*"))) >= 1, process)
    process.kill()
    process.communicate(timeout=60)
    assert cli(["resume", str(out), "--quiet"]) == 0
    for path in [
        *sorted((tmp_path / "whole" / "snapshots").iterdir()),
        tmp_path / "whole" / "model" / "weights.safetensors",
    ]:
        assert (out / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes(), path.name


def test_finished_runs_are_joined(trio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "linear"
    flags = ["--net", "linear", "--epochs", "2", "--threads", "1", "--preprocess", "none", "--no-check", "--quiet"]
    assert cli(["train", "digits", *flags, "--out", str(other)]) == 0
    out = tmp_path / "joined"
    assert cli(["ensemble", str(trio / "members" / "2"), str(other), "--votes", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "counting votes" in said
    assert "trio/members/2" in said
    assert len(glassnet.load(out).net.members) == 2  # type: ignore[arg-type]
    again = tmp_path / "again"
    assert cli(["train", "--recipe", str(out / "recipe.toml"), "--quiet", "--out", str(again)]) == 0
    assert (again / "model" / "weights.safetensors").read_bytes() == (
        out / "model" / "weights.safetensors"
    ).read_bytes()
    assert result(again)["figures"] == result(out)["figures"]


def test_runs_on_other_parts_of_the_data_are_joined_without_figures(
    trio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    assert cli(["train", "digits", *SMALL, "--epochs", "1", "--seed", "9", "--out", str(other)]) == 0
    out = tmp_path / "joined"
    assert cli(["ensemble", str(trio), str(other), "--out", str(out)]) == 0
    assert "other parts of the data" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"model.json", "weights.safetensors"}
    assert cli(["evaluate", str(out), "digits", "--part", "train"]) == 0


def test_what_cannot_be_joined_is_told(trio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["ensemble", str(trio)]) == 2
    assert "two finished runs" in capsys.readouterr().err
    assert cli(["ensemble", str(trio), str(tmp_path / "nowhere"), str(tmp_path / "nothing")]) == 4
    said = capsys.readouterr().err
    assert "nowhere" in said
    assert "nothing" in said


def test_members_from_python_with_a_network_of_ones_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    made = glassnet.train("digits", net, members=2, epochs=2, lr=0.01, check=False, threads=1, out=tmp_path / "own")
    assert made.model is not None
    assert isinstance(made.model.net, Ensemble)
    first, second = (member.get_submodule("net").state_dict() for member in made.model.net.members.children())
    assert not torch.equal(first["1.weight"], second["1.weight"])
    again = glassnet.load(tmp_path / "own", net=net)
    part = made.data.val
    assert torch.equal(again.raw_outputs(part.inputs), made.model.raw_outputs(part.inputs))


def test_members_of_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(300, 4)).astype(np.float32)
    targets = np.sin(inputs[:, :1] * 2) * 5 + inputs[:, 1:2]
    made = glassnet.train((inputs, targets), members=3, epochs=8, check=False, threads=1, out=tmp_path / "values")
    found = made.figures["ensemble"]["parts"]["test"]
    assert found["metric"] == "r2"
    assert found["ensemble"]["r2"] == pytest.approx(made.figures["figures"]["r2"], abs=1e-5)
    assert found["interval"][0] <= found["gain"] <= found["interval"][1]
    assert cli(["resume", str(tmp_path / "values")]) == 0
    assert "of R²" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "cores", "expected"),
    [
        ({"ensemble.members": 5}, 4, ("processes", 4, 1)),
        ({"ensemble.members": 3}, 8, ("processes", 3, 1)),
        ({"ensemble.members": 5}, 1, ("in-turn", 1, "auto")),
        ({"ensemble.members": 5, "train.threads": 2}, 4, ("processes", 2, 2)),
        ({"ensemble.members": 5, "ensemble.workers": 1}, 4, ("in-turn", 1, "auto")),
        ({"ensemble.members": 2, "ensemble.workers": 9}, 4, ("processes", 2, 1)),
        ({"ensemble.members": 5, "ensemble.together": "processes"}, 4, ("processes", 4, 1)),
        ({"ensemble.members": 5, "ensemble.together": "in-turn"}, 4, ("in-turn", 1, "auto")),
    ],
)
def test_how_members_share_the_cores(
    settings: dict[str, object], cores: int, expected: tuple[int, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    recipe = Recipe().changed({"train.device": "cpu", **settings})
    assert shared_out(recipe, recipe.ensemble.members, own=False) == expected
    assert shared_out(recipe, recipe.ensemble.members, own=True) == ("in-turn", 1, recipe.train.threads)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--snapshots", "5", "--epochs", "3"], "an epoch at least"),
        (["--snapshots", "5", "--average", "swa"], "kept apart"),
        (["--snapshots", "3", "--set", "ensemble.last=4"], "fewer snapshots"),
        (["--set", "ensemble.last=4"], "last of"),
        (["--set", "ensemble.answer=median"], "mean or votes"),
        (["--members", "0"], "members"),
        (["--members", "3", "--set", "ensemble.together=at-once"], "stacked"),
        (["--members", "3", "--set", "ensemble.together=stacked", "--set", "ensemble.workers=2"], "in processes alone"),
    ],
)
def test_what_cannot_be_an_ensemble_is_told_before_any_work(
    flags: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(["train", "digits", *flags, "--out", str(tmp_path / "run")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_member_is_told_by_the_epoch_whose_weights_are_kept() -> None:
    """The last one came to less, and what was told contradicted which member is the best."""

    def epoch(number: int, accuracy: float, *, best: bool) -> Epoch:
        return Epoch(number, number + 1, 0.1, 0.5, 0.0, 0.0, {}, {"accuracy": accuracy}, best)

    told = ended(epoch(19, 0.7, best=False), epoch(4, 0.9, best=True), time.monotonic())
    assert told.startswith("20 epochs, validation accuracy 0.9000, ")
    assert ended(epoch(0, 0.7, best=False), None, time.monotonic()).startswith("1 epoch, validation accuracy 0.7000, ")
