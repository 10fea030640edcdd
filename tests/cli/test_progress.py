"""What is printed while training: lines, JSON for programs, or nothing."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest
import torch

from glassnet import cli
from glassnet.cli import garbage
from glassnet.cli.progress import Progress, clock
from glassnet.events import Epoch, Event, Finding, Finished, Started, Step, Timing, from_json

EVENTS: list[Event] = [
    Started(100, 10, 12, 5),
    Step(0, 1, 0.1, 10, loss=2.0),
    Epoch(0, 10, 0.05, 1.25, 0.25, 0.3, {"loss": 1.1, "accuracy": 0.5}, {"loss": 1.2, "accuracy": 0.4}, best=True),
    Timing(0, 2.0, 0.1, 1234.5),
    Finding("overfitting", "warning", 10, "[what]", "why", "advice", {}),
    Finished("early stop", 1, 10, 0, 0.4),
]


def show(how: str) -> None:
    with Progress(how) as progress:
        for event in EVENTS:
            progress.see(event)
        progress.say("a word")


def test_an_epoch_is_one_plain_line_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    show("lines")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "epoch  1/12  cost 1.5000  (penalty 0.2500)  train 0.5000  val 0.4000  lr 5.00e-02  1,234/s  clipped 30%  *"
    )
    assert lines[1:] == [
        "  warning: [what]",
        "    why: why",
        "    do:  advice",
        "ended by early stop after 1 epochs",
        "a word",
    ]


def test_programs_get_every_event_as_a_line_of_json_and_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    show("json")
    lines = capsys.readouterr().out.splitlines()
    assert [from_json(line) for line in lines] == EVENTS
    assert all(json.loads(line) for line in lines)


def test_quiet_means_nothing_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    show("quiet")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


def test_where_no_terminal_listens_lines_are_printed_without_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show("auto")
    assert "\x1b" not in capsys.readouterr().out


def test_a_live_line_shows_the_state_and_leaves_the_lines_of_the_epochs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    show("live")
    out = capsys.readouterr().out
    assert "epoch 1/12" in out
    assert "loss 2.0000" in out
    assert "ended by early stop" in out


def test_a_training_looks_for_garbage_as_usual_however_it_is_told() -> None:
    usual = gc.get_threshold()
    try:
        for how in ("lines", "json", "quiet"):
            garbage.look_rarely()
            assert gc.get_threshold() == garbage.RARE
            show(how)
            assert gc.get_threshold() == garbage.USUAL
    finally:
        gc.set_threshold(*usual)


@pytest.mark.parametrize(
    "command",
    [
        ["check", "digits", "--net", "linear", "--only", "initial-loss"],
        ["experiment", "activation-curves"],
    ],
)
def test_so_do_commands_that_train_in_their_own_ways(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    usual, threads = gc.get_threshold(), torch.get_num_threads()
    try:
        garbage.look_rarely()
        assert cli.run(command) == 0
        assert gc.get_threshold() == garbage.USUAL
    finally:
        gc.set_threshold(*usual)
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00"), (36061, "10:01:01")]
)  # fmt: skip
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
