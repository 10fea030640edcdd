"""The main job from end to end, as the command line does it: train, stop, resume, evaluate, predict."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import glassnet
from glassnet import finishing
from glassnet.cli import run as cli
from glassnet.evaluate.rivals import BUDGET_SECONDS
from glassnet.events import Epoch, Event, Step
from glassnet.runs import RunFolder
from whole_runs import wait_for

SMALL = [
    *(
        "--net",
        "mlp",
        "--lr",
        "0.01",
        "--epochs",
        "3",
        "--threads",
        "1",
        "--precision",
        "float32",
        "--set",
        "train.measure=10",
    ),
    *("--set", "net.hidden=[32]", "--quiet"),
]
COMMAND = [sys.executable, "-c", "from glassnet.cli import main; main()"]


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on the digits."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    assert cli(["train", "digits", *SMALL, "--out", str(out)]) == 0
    return out


def test_the_run_folder_is_complete(digits_run: Path) -> None:
    names = {path.name for path in digits_run.iterdir()}
    assert names >= {
        "asked.toml", "recipe.toml", "data.json", "environment.json", "net.json", "metrics.jsonl", "timing.jsonl",
        "checkpoints", "model", "result.json", "test_uses.jsonl", "report.html", "run.lock",
    }  # fmt: skip
    assert not [path for path in digits_run.rglob("*") if path.suffix in (".pt", ".pth", ".pkl") or ".tmp" in path.name]
    result = json.loads((digits_run / "result.json").read_text())
    assert result["part"] == "test"
    assert result["figures"]["accuracy"] > 0.8
    assert [rival["name"] for rival in result["rivals"]][1:] == ["linear model"]
    assert len((digits_run / "test_uses.jsonl").read_text().splitlines()) == 1
    epochs = [event for event in RunFolder(digits_run).events() if isinstance(event, Epoch)]
    assert len(epochs) == 3
    assert {"loss", "accuracy"} <= set(epochs[0].train) & set(epochs[0].val)


def test_the_resolved_recipe_repeats_the_run_bit_for_bit(digits_run: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert cli(["train", "--recipe", str(digits_run / "recipe.toml"), "--quiet", "--out", str(again)]) == 0
    for name in ("model/weights.safetensors", "metrics.jsonl"):
        assert (again / name).read_bytes() == (digits_run / name).read_bytes(), name


def test_resuming_a_finished_run_tells_its_result(digits_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in digits_run.rglob("*")}
    assert cli(["resume", str(digits_run)]) == 0
    assert "come to its end" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in digits_run.rglob("*")}


def test_training_into_a_used_folder_is_refused(digits_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["train", "digits", *SMALL, "--out", str(digits_run)]) == 2
    assert "resume" in capsys.readouterr().err


def test_evaluate_counts_the_looks_at_the_test_part(digits_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = json.loads((digits_run / "result.json").read_text())
    assert cli(["evaluate", str(digits_run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["figures"]["accuracy"] == result["figures"]["accuracy"]
    assert told["test_uses"] == 2
    assert cli(["evaluate", str(digits_run)]) == 0
    assert "looked at 3 times" in capsys.readouterr().out


def test_predict_reads_image_files(digits_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = glassnet.open_data("digits")
    for i in range(5):
        image = data.train.inputs.take(torch.tensor([i]))[0, 0].numpy()
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    files = [str(tmp_path / f"{i}.png") for i in range(5)]
    assert cli(["predict", str(digits_run), *files, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    said = [row["predicted"] for row in rows]
    true = [data.classes[int(data.train.targets[i])] for i in range(5)]
    assert sum(a == b for a, b in zip(said, true, strict=True)) >= 4
    assert all(abs(sum(row["probabilities"].values()) - 1) < 1e-9 for row in rows)
    assert cli(["predict", str(digits_run), *files, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("input,predicted,probability,p(0),p(1)")


def test_a_model_loads_in_a_fresh_process_without_the_training_data(digits_run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("weights.safetensors", "model.json"):
        (moved / name).write_bytes((digits_run / "model" / name).read_bytes())
    program = (
        "import glassnet, numpy as np; m = glassnet.load('elsewhere'); "
        "print(m.predict(np.zeros((2, 1, 8, 8), np.uint8))[1].label)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in "0123456789"


LONG = ["--epochs", "80", "--average", "ema", "--set", "net.dropout=0.2"]


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stopped."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    assert cli(["train", "digits", *SMALL, *LONG, "--out", str(out)]) == 0
    return out


def test_a_signal_saves_and_resume_goes_on_bit_for_bit(whole_run: Path, tmp_path: Path) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        out = tmp_path / name.name
        process = start("train", "digits", *SMALL, *LONG, "--set", "train.checkpoint_seconds=1000", "--out", str(out))
        wait_for(lambda out=out: size(out / "metrics.jsonl") > 5_000, process)
        process.send_signal(name)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 128 + name, told
        assert b"Traceback" not in told
        assert list((out / "checkpoints").glob("step-*/manifest.json"))
        assert not (out / "result.json").exists()
        assert cli(["resume", str(out), "--quiet"]) == 0
        same_result(out, whole_run)


def test_a_kill_loses_nothing(whole_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    process = start("train", "digits", *SMALL, *LONG, "--set", "train.checkpoint_seconds=0.01", "--out", str(out))
    wait_for(lambda: size(out / "metrics.jsonl") > 5_000 and any((out / "checkpoints").glob("step-*")), process)
    process.kill()
    process.communicate(timeout=60)
    with (out / "metrics.jsonl").open("a") as lines:
        lines.write('{"event": "step", "epo')  # a line that the kill tore
    assert cli(["resume", str(out), "--quiet"]) == 0
    same_result(out, whole_run)


def test_a_damaged_checkpoint_is_passed_over(
    whole_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "damaged"
    process = start("train", "digits", *SMALL, *LONG, "--set", "train.checkpoint_seconds=0.01", "--out", str(out))
    wait_for(lambda: len(list((out / "checkpoints").glob("step-*/manifest.json"))) >= 2, process)
    process.kill()
    process.communicate(timeout=60)
    newest = max(path.parent for path in (out / "checkpoints").glob("step-*/manifest.json"))
    content = bytearray((newest / "tensors.safetensors").read_bytes())
    content[len(content) // 2] ^= 1
    (newest / "tensors.safetensors").write_bytes(content)
    assert cli(["resume", str(out)]) == 0
    assert f"{newest.name} is damaged" in capsys.readouterr().out
    same_result(out, whole_run)


def test_two_trainings_in_one_folder(tmp_path: Path) -> None:
    out = tmp_path / "shared"
    first = start("train", "digits", *SMALL, *LONG, "--epochs", "2000", "--out", str(out))
    wait_for(lambda: size(out / "metrics.jsonl") > 1_000, first)
    second = subprocess.run([*COMMAND, "resume", str(out)], capture_output=True, text=True)
    first.kill()
    first.communicate(timeout=60)
    assert second.returncode == 7
    assert f"process {first.pid}" in second.stderr


def same_result(run: Path, whole: Path) -> None:
    for name in ("metrics.jsonl", "model/weights.safetensors"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name
    last, expected = (max((path / "checkpoints").glob("step-*")) for path in (run, whole))
    assert last.name == expected.name
    for name in ("tensors.safetensors", "state.json"):
        assert (last / name).read_bytes() == (expected / name).read_bytes(), name


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_python_trains_a_module_of_ones_own(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(400, 6)).astype(np.float32)
    targets = (inputs[:, 0] * inputs[:, 1] > 0).astype(int)
    net = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 2))
    result = glassnet.train((inputs, targets), net, out=tmp_path / "own", epochs=30, lr=0.01, seed=1)
    assert result.figures["figures"]["accuracy"] > 0.8
    with pytest.raises(glassnet.GlassnetError, match="class of your own"):
        glassnet.load(tmp_path / "own")
    fresh = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 2))
    loaded = glassnet.load(tmp_path / "own", net=fresh)
    assert result.model is not None
    assert torch.equal(loaded.predict_proba(inputs), result.model.predict_proba(inputs))


def test_going_on_with_another_network_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2

    def leave(event: Event) -> None:
        if isinstance(event, Step) and event.step == 3:
            raise KeyboardInterrupt

    settings = {"train.checkpoint_seconds": 0, "train.threads": 1}
    with pytest.raises(KeyboardInterrupt):
        glassnet.train(data, nn.Linear(3, 2), out=tmp_path, epochs=4, settings=settings, listen=leave)
    frozen = nn.Linear(3, 2)
    frozen.bias.requires_grad_(False)
    for other in (nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2)), frozen):
        with pytest.raises(glassnet.GlassnetError, match=r"(?s)does not fit this network.*train --recipe"):
            glassnet.resume(tmp_path, net=other, data=data)
    assert glassnet.resume(tmp_path, net=nn.Linear(3, 2), data=data).model is not None


def test_a_run_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        inputs, targets = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
        glassnet.train(
            (inputs, targets), nn.Linear(3, 2), out=tmp_path / "one", epochs=1, settings={"train.threads": 1}
        )
        assert torch.get_num_threads() == 2, "the next run has all of them to choose from"
        assert float(torch.tensor([1e-39]) * 0.5) != 0.0, "denormal numbers are what they were"
        states = []
        for name in ("two", "three"):
            torch.manual_seed(7)
            glassnet.train((inputs, targets), nn.Linear(3, 2), out=tmp_path / name, epochs=1)
            states.append(torch.rand(3))
        torch.manual_seed(7)
        nn.Linear(3, 2)
        assert all(torch.equal(drawn, states[0]) for drawn in (states[1], torch.rand(3))), "as if nobody had trained"
    finally:
        torch.set_num_threads(threads)


def test_a_module_that_does_not_fit_is_told_with_the_layer(tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    targets = np.arange(100) % 2
    net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(16, 2))
    with pytest.raises(glassnet.GlassnetError, match=r"2 \(Linear\)") as caught:
        glassnet.train((inputs, targets), net, out=tmp_path / "misfit", epochs=1)
    assert caught.value.exit_code == 4
    net = nn.Sequential(nn.Linear(6, 3))
    with pytest.raises(glassnet.GlassnetError, match="output has the wrong shape"):
        glassnet.train((inputs, targets), net, out=tmp_path / "outputs", epochs=1)


def test_a_rate_far_too_high_stops_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--lr", "1e6", "--opt", "sgd", "--sched", "constant", "--out", str(tmp_path / "hot")]
    assert cli(["train", "digits", *SMALL, *arguments]) == 5
    told = capsys.readouterr().err
    assert "learning rate" in told
    assert (tmp_path / "hot" / "findings.jsonl").exists()


def test_a_quick_run_spends_less_on_what_stands_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    monkeypatch.setattr(finishing, "rivals_of", lambda *_, budget_seconds, **__: given.append(budget_seconds) or [])
    for effort in ("full", "quick"):
        assert cli(["train", "digits", *SMALL, "--effort", effort, "--out", str(tmp_path / effort)]) == 0
    assert given == [BUDGET_SECONDS, 3.0]
