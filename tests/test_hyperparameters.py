"""A search as people make one: trials that can be repeated, a kill in the middle, an honest end."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from rich.console import Console

import glassnet
from glassnet import cli
from glassnet.cli.search_board import Board
from glassnet.cli.search_command import called, line_of, sure_of
from glassnet.events import Epoch
from glassnet.model import load
from glassnet.runs import RunFolder
from glassnet.searching import Trial

SMALL = [
    *(
        "search",
        "digits",
        "--net",
        "linear",
        "--space",
        "lr=1e-4..10 log, opt=sgd|adamw",
        "--trials",
        "5",
        "--stage-epochs",
        "2",
    ),
    *("--precision", "float32", "--set", "train.epochs=3", "--finalists", "1", "--repeats", "1"),
]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search") / "whole"
    assert cli.run([*SMALL, "--jobs", "2", "--out", str(folder), "--quiet"]) == 0
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "trials.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def test_everything_is_in_plain_files(done: Path) -> None:
    found = rows(done)
    assert [row["number"] for row in found] == ["0", "1", "2", "3", "4"]
    assert {row["end"] for row in found} <= {"done", "pruned", "exploded"}
    (stage,) = json.loads((done / "stages.json").read_text())
    best = max((row for row in found if row["end"] == "done"), key=lambda row: float(row["value"]))
    assert stage["best"]["number"] == int(best["number"])
    finalists = json.loads((done / "finalists.json").read_text())
    assert [] in [list(one["settings"]) for one in finalists], "the recipe without any change is among them"
    assert (done / "winner" / "result.json").exists()
    assert (done / "plots" / "settings.png").read_bytes()[:4] == b"\x89PNG"


def test_the_best_finalists_answer_together(done: Path) -> None:
    finalists = {
        path.name: json.loads((path / "result.json").read_text())["figures"]["accuracy"]
        for path in (done / "finalists").iterdir()
    }
    result = json.loads((done / "together" / "result.json").read_text())
    assert sorted(result["ensemble"]["members"]) == sorted(finalists)  # two trainings, fewer than five
    each = result["ensemble"]["parts"]["val"]["each"]
    assert [one["accuracy"] for one in each] == pytest.approx(sorted(finalists.values(), reverse=True))
    assert load(done / "together").predict_proba(torch.zeros(1, 1, 8, 8, dtype=torch.uint8)).shape == (1, 10)


def test_a_trial_is_a_run_that_its_recipe_repeats(done: Path, tmp_path: Path) -> None:
    number = next(int(row["number"]) for row in rows(done) if row["end"] == "done")
    trial = RunFolder(done / "trials" / f"1-{number:04d}")
    assert cli.run(["train", "--recipe", str(trial.recipe), "--out", str(tmp_path / "again"), "--quiet"]) == 0
    again = [event for event in RunFolder(tmp_path / "again").events() if isinstance(event, Epoch)]
    assert again == [event for event in trial.events() if isinstance(event, Epoch)]


def test_the_test_part_is_looked_at_once_by_each_of_the_two_models_that_are_handed_over(done: Path) -> None:
    uses = sorted(path.relative_to(done).parts[0] for path in done.rglob("test_uses.jsonl"))
    assert uses == ["together", "winner"]
    assert len((done / "winner" / "test_uses.jsonl").read_text().splitlines()) == 1


def test_a_finished_search_is_gone_on_with_in_no_time_and_a_second_one_is_refused(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rows(done)
    assert cli.run(["search", "--resume", str(done)]) == 0
    assert rows(done) == before
    assert "winner" in capsys.readouterr().out
    assert cli.run([*SMALL, "--jobs", "2", "--out", str(done)]) == 0, "the same command goes on as well"
    assert rows(done) == before
    assert cli.run([*SMALL, "--method", "tpe", "--out", str(done)]) == 2
    assert "--resume" in capsys.readouterr().err


def test_a_gain_is_held_against_the_spread_of_its_seeds() -> None:
    one, other = {"values": [0.9, 0.92], "std": 0.014}, {"values": [0.88, 0.9], "std": 0.014}
    assert sure_of(0.1, one, other) == "more than what 2 seeds differ by (0.0280)"  # 2 · √(0.014²/2 + 0.014²/2)
    assert sure_of(0.02, one, other).startswith("within")
    assert "says little" in sure_of(0.02, {"values": [0.9], "std": 0.0}, other)


def test_the_best_trials_stay_in_sight() -> None:
    board = Board(line_of, called)
    trials = [
        Trial(1, n, {"optimizer.lr": 0.1 * (n + 1)}, "done", value, 5, 1.0, "")
        for n, value in enumerate([0.4, 0.9, math.nan])
    ]
    board._trials = trials
    board.console = Console(width=60, file=io.StringIO())
    board.console.print(board._drawn(1, 10, "accuracy"))
    bar, first, second = board.console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "stage 1: 3 of 10 trials" in bar
    assert first.split() == ["accuracy", "0.9000", "lr", "0.2", "(trial", "2)"]
    assert second.split() == ["accuracy", "0.4000", "lr", "0.1", "(trial", "1)"]


def test_mistakes_are_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["--space", "seed=1..9"], "cannot be searched"),
        (["--space", "hiden=1..9", "--trials", "3", "--stage-epochs", "1"], "unknown setting 'hiden'"),
        (["--trials", "3"], "--stage-epochs"),
        (["--trials", "3,x", "--stage-epochs", "1"], "whole numbers"),
        (["--method", "randon", "--trials", "3", "--stage-epochs", "1"], "unknown method"),
    ):
        assert cli.run(["search", "digits", "--net", "linear", *arguments, "--out", str(tmp_path / "none")]) == 2
        assert words in capsys.readouterr().err
    assert cli.run(["search", "--resume", str(tmp_path)]) == 2


def test_a_setting_of_one_optimiser_fails_no_trial_of_another_also_after_a_stop(tmp_path: Path) -> None:
    folder = tmp_path / "search"
    asked = {
        "space": "opt=adam|sgd, momentum=0.5..0.9",
        "stages": ((6, 1),),
        "finalists": 0,
        "winner": False,
        "jobs": 1,
        "pruner": "none",
    }
    found = glassnet.search("digits", "linear", out=folder, **asked)
    assert {trial.end for trial in found.trials} == {"done"}
    for trial in found.trials:
        assert ("optimizer.momentum" in trial.settings) == (trial.settings["optimizer.name"] == "sgd")
    assert len({trial.settings["optimizer.name"] for trial in found.trials}) == 2
    assert (folder / "plots" / "settings.png").exists()
    again = glassnet.search("digits", "linear", out=folder, **asked)
    assert [vars(each) for each in again.trials] == [vars(each) for each in found.trials]


def test_what_would_be_ignored_beside_resume_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["search", "digits", "--resume", str(tmp_path), "--lr", "0.1"]) == 2
    assert "DATA, --lr beside it" in capsys.readouterr().err


@pytest.mark.slow
def test_kill_9_in_the_middle_changes_nothing_in_the_end(done: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    command = [
        sys.executable,
        "-c",
        "from glassnet.cli import main; main()",
        *SMALL,
        "--jobs",
        "2",
        "--out",
        str(folder),
        "--quiet",
    ]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not (folder / "trials.csv").exists():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "stages.json").exists()
    assert cli.run(["search", "--resume", str(folder), "--quiet"]) == 0
    assert rows(folder) == rows(done)
    assert json.loads((folder / "finalists.json").read_text()) == json.loads((done / "finalists.json").read_text())
