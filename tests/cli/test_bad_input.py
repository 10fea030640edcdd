"""Bad input, as people meet it on the command line: one clear message, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from bad_files import bomb, idx, images, npz, spoil, table, values

from glassnet import cli
from glassnet.data.dataset import Data
from glassnet.runs import RunFolder

Capture = pytest.CaptureFixture[str]

TINY = ["--net", "mlp", "--set", "net.hidden=8", "--epochs", "1", "--threads", "1"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLASSNET_DEBUG", raising=False)
    threads = torch.get_num_threads()
    yield
    torch.set_flush_denormal(False)  # a training sets both for its whole process
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on a small table. Read only: a test that changes it takes a copy."""
    place = tmp_path_factory.mktemp("trained")
    table(place / "good.csv")
    assert cli.run(["train", str(place / "good.csv"), *TINY, "--out", str(place / "run"), "--quiet"]) == 0
    return place


def refused(arguments: list[str], code: int, *words: str, capsys: Capture) -> str:
    """Run, and hold that it is refused with this code, in Glassnet's own words, with these among them; returns what was said."""
    capsys.readouterr()
    assert cli.run(arguments) == code
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert "fault of Glassnet" not in err
    for word in words:
        assert word in err, f"{word!r} is not in:\n{err}"
    return err


DATA: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a missing folder": (lambda at: at / "nosuch", "no such file, folder or data set"),
    "a name that is too long": (lambda at: at / ("a" * 300), "no such file, folder or data set"),
    "an empty folder": (lambda at: images(at / "empty", a=0).parent / "empty" / "a", "an empty folder"),
    "one class": (lambda at: images(at / "one", a=5), "there is only one class"),
    "a class with one image": (lambda at: images(at / "few", a=9, b=1), "'b' has 1"),
    "a class without images": (lambda at: images(at / "none", a=9, b=9, c=0), "class 'c' has no readable image"),
    "wrong magic": (lambda at: idx(at / "idx", magic=1234), "train-images-idx3-ubyte"),
    "counts that disagree": (lambda at: idx(at / "idx", labels=30), "images and labels do not agree"),
    "fewer images than declared": (lambda at: idx(at / "idx", declared=2**32 - 1), "shorter than it says"),
    "an npz with objects": (lambda at: npz(at / "o.npz", [{}] * 40, [0, 1] * 20), "holds Python objects"),
    "an npz whose counts disagree": (lambda at: npz(at / "c.npz", np.ones((40, 2)), [0, 1] * 19), "38 rows"),
    "NaN in an array": (lambda at: npz(at / "n.npz", np.full((40, 2), np.nan), [0, 1] * 20), "key 'x', row 0"),
    "NaN in an array's targets": (lambda at: npz(at / "n.npz", np.ones((4, 2)), [0.5, 1, np.nan, 2]), "key 'y', row 2"),
    "an empty table": (lambda at: table(at / "t.csv", rows=0), "a header and no rows"),
    "ragged rows": (lambda at: table(at / "t.csv", more=("1,2,u", "1,2,u,yes,5")), "line 62 (3), line 63 (5)"),
    "an infinite input": (lambda at: values(at / "t.csv", "inf,2,1"), "column 'a': 'inf' in row 62"),
    "an infinite target": (lambda at: values(at / "t.csv", "1,2,inf"), "1 target is no finite number"),
    "the same column twice": (lambda at: table(at / "t.csv", header="a,a,c,target"), "'a'"),
}


@pytest.mark.parametrize("case", DATA)
def test_bad_data_are_told_and_leave_no_run_behind(case: str, tmp_path: Path, capsys: Capture) -> None:
    make, words = DATA[case]
    path = make(tmp_path)
    refused(["train", str(path), *TINY], 3, words, "where:", capsys=capsys)
    assert not list(tmp_path.glob("runs/*"))


def test_damaged_and_hostile_images_are_left_out_by_name_and_the_rest_is_read(tmp_path: Path, capsys: Capture) -> None:
    place = images(tmp_path / "host", a=8, b=8) / "a"
    (place / "zero.png").write_bytes(b"")
    (place / "half.png").write_bytes((place / "0.png").read_bytes()[:200])
    (place / "page.jpg").write_text("<!doctype html>", encoding="utf-8")
    (place / "photo.jpg").write_bytes((place / "1.png").read_bytes())
    bomb(place / "bomb.png")
    (place / "loop.png").symlink_to("loop.png")
    os.mkfifo(place / "pipe.png")
    assert cli.run(["data", str(tmp_path / "host")]) == 0
    out = capsys.readouterr().out
    for name in ("zero.png", "half.png", "page.jpg", "bomb.png", "loop.png", "pipe.png"):
        assert f"left out: a/{name}: " in out
    assert "left out: a/photo.jpg" not in out
    assert "1 file is of another format" in out


def test_a_target_that_is_not_there_offers_the_nearest(tmp_path: Path, capsys: Capture) -> None:
    refused(["train", str(table(tmp_path / "t.csv")), "--target", "targte"], 3, "did you mean 'target'?", capsys=capsys)


def test_names_are_checked_all_at_once_before_any_data_are_read(tmp_path: Path, capsys: Capture) -> None:
    wrong = ["--net", "lenet", "--opt", "adm", "--sched", "cosin", "--loss", "crossentropy", "--init", "xavir"]
    wrong += ["--preprocess", "pcaa", "--set", "stop.monitor=acuracy"]
    meant = ("lenet5", "adam", "cosine", "cross-entropy", "xavier", "pca", "accuracy")
    refused(["train", "nosuch", *wrong], 2, "7 mistakes", *(f"did you mean '{name}'?" for name in meant), capsys=capsys)
    assert not list(tmp_path.glob("runs/*"))


def test_options_of_net_and_schedule_are_checked_all_at_once(capsys: Capture) -> None:
    settings = ["net.hiden=[3]", "net.dropout=x", "schedule.multiply=0.5", "schedule.period=0", "schedule.foo=1"]
    arguments = ["train", "digits", "--net", "mlp", "--sched", "warm-restarts"]
    arguments += [part for setting in settings for part in ("--set", setting)]
    refused(
        arguments, 2, "5 mistakes", "did you mean 'hidden'?", "a number ≥ 1", "a number > 0", "'foo'", capsys=capsys
    )


@pytest.mark.parametrize(
    "setting",
    [
        "step.every=0",
        "step.every=abc",
        "cyclic.period=0",
        "one-cycle.peak=2",
        "plateau.patience=-1",
        "cosine.final=true",
    ],
)
def test_schedule_options_out_of_range_are_refused(setting: str, capsys: Capture) -> None:
    name, _, option = setting.partition(".")
    refused(["train", "digits", *TINY, "--sched", name, "--set", f"schedule.{option}"], 2, "expected:", capsys=capsys)


MISFITS = {
    "a net without dropout": (["--net", "linear", "--dropout", "0.3"], 2, "the net linear has no dropout"),
    "a net for larger images": (["--net", "lenet5"], 4, "at least 12×12"),
    "two classes only": (["--net", "linear", "--loss", "binary"], 2, "10 classes"),
    "a loss for values": (["--net", "linear", "--loss", "squared"], 2, "squared for classes"),
    "a figure for values": (["--net", "linear", "--set", "stop.monitor=r2"], 2, "r2 for classes"),
    "more threads than can be": (["--threads", "100000"], 2, "≤ 256"),
    "no threads": (["--threads", "0"], 2, "≥ 1"),
    "all of the data kept back": (["--set", "data.val_fraction=1"], 2, "> 0 and < 1"),
    "no such device": (["--device", "tpu", "--net", "linear"], 2, "unknown device 'tpu'"),
    "preprocessing of tables": (["--preprocess", "quantile"], 2, "unknown image preprocessing 'quantile'"),
    "no name for the run": (["--out", ""], 2, "the run folder has no name"),
    "more memory than there is": (["--net", "mlp", "--set", "net.hidden=[100000000,100000000]"], 8, "a smaller net"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_settings_that_do_not_fit_digits_are_told_and_leave_no_run_behind(
    case: str, tmp_path: Path, capsys: Capture
) -> None:
    settings, code, words = MISFITS[case]
    refused(["train", "digits", "--epochs", "1", *settings], code, words, capsys=capsys)
    assert not list(tmp_path.glob("runs/*"))


def test_a_net_of_images_on_a_table(tmp_path: Path, capsys: Capture) -> None:
    refused(["train", str(table(tmp_path / "t.csv")), "--net", "resnet20"], 4, "this net reads images", capsys=capsys)


def test_no_data_named(capsys: Capture) -> None:
    for command in ("train", "data"):
        refused([command, " "], 2, "which data?", capsys=capsys)


@pytest.mark.parametrize("place", ["file", "file/run", "/proc/nosuch/run", "x" * 300])
def test_a_run_folder_that_cannot_be_made(place: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    refused(["train", "digits", *TINY, "--out", place], 6, "where:", "--out", capsys=capsys)


def test_a_run_is_not_written_over(trained: Path, capsys: Capture) -> None:
    refused(
        ["train", "digits", "--out", str(trained / "run")], 2, "holds a run already", "glassnet resume", capsys=capsys
    )


def test_what_else_lies_in_the_run_folder_survives_bad_data(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me", encoding="utf-8")
    refused(["train", "nosuch", "--out", "mine"], 3, "no such file", capsys=capsys)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "change", ["no weights", "short weights", "half a json", "deep json", "a list", "newer", "temperature", "classes"]
)
def test_a_damaged_model_is_refused(change: str, trained: Path, tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    spoil(tmp_path / "run" / "model", change)
    err = refused(["predict", "run", str(trained / "good.csv")], 4, "where:", capsys=capsys)
    assert "None is missing" not in err


@pytest.mark.parametrize("what", ["nosuch", "file"])
def test_no_model_there(what: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    refused(["predict", what, "file"], 4, "there is no model here", capsys=capsys)


def test_predicting_what_does_not_fit(trained: Path, tmp_path: Path, capsys: Capture) -> None:
    run = str(trained / "run")
    refused(["predict", run, str(values(tmp_path / "v.csv"))], 3, "no column 'c'", capsys=capsys)
    refused(["predict", run, "nosuch.csv"], 3, "no such file", capsys=capsys)
    refused(["predict", run, str(images(tmp_path / "i", a=1) / "a" / "0.png")], 3, "0.png", capsys=capsys)
    refused(["predict", run, str(trained / "good.csv"), "--out", "nosuch/x.csv"], 6, "nosuch/x.csv", capsys=capsys)


def test_more_columns_than_the_model_reads_do_no_harm(trained: Path, tmp_path: Path, capsys: Capture) -> None:
    text = (trained / "good.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "more.csv").write_text(
        "\n".join(f"{'new' if i == 0 else i},{line}" for i, line in enumerate(text)), encoding="utf-8"
    )
    said = []
    for path in (trained / "good.csv", tmp_path / "more.csv"):
        assert cli.run(["predict", str(trained / "run"), str(path), "--format", "csv"]) == 0
        said.append([line.split(",")[1:] for line in capsys.readouterr().out.splitlines()])
    assert said[0] == said[1]


@pytest.mark.parametrize("command", ["resume", "report", "evaluate", "predict"])
def test_a_run_whose_name_no_folder_can_have(command: str, capsys: Capture) -> None:
    files = ["x.csv"] if command == "predict" else []
    refused([command, "x" * 300, *files], 4 if command == "predict" else 2, "where:", capsys=capsys)


def test_evaluating_on_other_columns(trained: Path, tmp_path: Path, capsys: Capture) -> None:
    refused(
        ["evaluate", str(trained / "run"), str(values(tmp_path / "v.csv"))], 3, "without 'c', 'target'", capsys=capsys
    )


def test_a_mistyped_run_offers_the_nearest(trained: Path, capsys: Capture) -> None:
    for command in ("resume", "report", "evaluate"):
        refused([command, str(trained / "rum")], 2, "did you mean", "run'?", capsys=capsys)


def test_what_is_printed_as_json_holds_no_nan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    from glassnet.data import audit as room

    honest = room.audit

    def with_nan(data: Data) -> room.Audit:
        return replace(honest(data), ranges=(room.Range("a", math.nan, math.inf, -math.inf, 60),))

    monkeypatch.setattr(room, "audit", with_nan)
    table(tmp_path / "t.csv")
    assert cli.run(["data", "t.csv", "--json"]) == 0

    def never(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads(capsys.readouterr().out, parse_constant=never)
    assert found["ranges"] == [{"name": "a", "least": None, "mean": None, "greatest": None, "missing": 60, "levels": 0}]


@pytest.mark.parametrize(("sheet", "code"), [("sheet.foo", 2), ("nosuch/sheet.png", 6)])
def test_a_contact_sheet_that_cannot_be_written(sheet: str, code: int, capsys: Capture) -> None:
    refused(["data", "digits", "--sheet", sheet], code, sheet, capsys=capsys)


def test_nets_take_options_as_train_does(capsys: Capture) -> None:
    assert cli.run(["nets", "mlp", "--input", "5", "--set", "net.hidden=3"]) == 0
    assert "58 parameters" in capsys.readouterr().out
    refused(["nets", "mlp", "--set", "hidden"], 2, "OPTION=VALUE", capsys=capsys)
    refused(["nets", "mlp", "--input", "9999999x9999999x9999999"], 8, "out of memory", capsys=capsys)


def test_a_reader_that_goes_away_ends_the_run_with_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from glassnet.cli.progress import Progress

    def gone(self: Progress, event: object) -> None:
        self._write(_broken)

    monkeypatch.setattr(Progress, "see", gone)
    monkeypatch.setattr(cli, "_reader_has_left", lambda: 141)
    assert cli.run(["train", str(table(tmp_path / "t.csv")), *TINY, "--epochs", "2", "--out", "run"]) == 141
    monkeypatch.undo()
    assert RunFolder(tmp_path / "run").recipe.exists()
    assert list((tmp_path / "run" / "checkpoints").glob("step-*"))
    capsys.readouterr()
    assert cli.run(["resume", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "going on from step-" in out
    assert "epoch 1/2  " in out, "of how many epochs is known although the run began in another process"


def test_a_run_that_was_stopped_before_its_first_checkpoint_says_that_it_begins_anew(
    tmp_path: Path, capsys: Capture
) -> None:
    run = tmp_path / "run"
    assert cli.run(["train", str(table(tmp_path / "t.csv")), *TINY, "--epochs", "2", "--out", str(run)]) == 0
    whole = (run / "metrics.jsonl").read_bytes()
    shutil.rmtree(run / "checkpoints")
    shutil.rmtree(run / "model")
    for name in ("result.json", "findings.jsonl"):
        (run / name).unlink(missing_ok=True)
    (run / "metrics.jsonl").write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    assert cli.run(["resume", str(run)]) == 0
    assert (
        capsys.readouterr().out.count("no checkpoint had been written when this run was stopped: it begins anew") == 1
    )
    assert (run / "metrics.jsonl").read_bytes() == whole


def test_python_m_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "glassnet", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("glassnet, version ")


def _broken() -> None:
    raise BrokenPipeError
