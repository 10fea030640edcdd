"""The command line as people meet it: help, mistakes, exit codes; every case through the function that `glassnet` calls."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

import glassnet
from glassnet import cli, errors
from glassnet.cli.flags import FLAGS, Flag, recipe_flags, seconds, settings_of
from glassnet.errors import GlassnetError, UsageError
from glassnet.recipe import Recipe, known_keys

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLASSNET_DEBUG", raising=False)


def test_help_lists_every_command_with_what_it_does(capsys: Capture) -> None:
    assert cli.run(["--help"]) == 0
    told = capsys.readouterr()
    for name, meaning in cli.COMMANDS.items():
        assert any(line.split()[:1] == [name] and meaning in line for line in told.out.splitlines()), name
    assert told.err == ""


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_exists_and_has_help(name: str, capsys: Capture) -> None:
    command = importlib.import_module(f"glassnet.cli.{name}_command").command
    assert isinstance(command, click.Command)
    assert command.name == name
    for flag in ("-h", "--help"):
        assert cli.run([name, flag]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"Usage: glassnet {name}")
        assert command.help is not None
        assert command.help.split("\n")[0].split()[0] in out


def test_every_file_of_a_command_is_in_the_table() -> None:
    folder = Path(cli.__file__).parent
    assert {path.stem.removesuffix("_command") for path in folder.glob("*_command.py")} == set(cli.COMMANDS)


def test_every_option_on_every_help_page_says_what_it_does() -> None:
    for name in cli.COMMANDS:
        command = importlib.import_module(f"glassnet.cli.{name}_command").command
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts}"


def test_the_version_is_told(capsys: Capture) -> None:
    assert cli.run(["--version"]) == 0
    assert glassnet.__version__ in capsys.readouterr().out


def test_without_a_command_help_is_shown(capsys: Capture) -> None:
    cli.run([])
    told = capsys.readouterr()
    assert "glassnet train digits" in told.out + told.err


@pytest.mark.parametrize(("word", "meant"), [("tarin", "train"), ("evalute", "evaluate"), ("Predict", "predict")])
def test_an_unknown_command_offers_the_nearest(word: str, meant: str, capsys: Capture) -> None:
    assert cli.run([word, "digits"]) == 2
    told = capsys.readouterr()
    assert f"unknown command '{word}'" in told.err
    assert f"did you mean '{meant}'?" in told.err
    assert told.out == ""


def test_a_word_that_resembles_nothing_gets_the_list(capsys: Capture) -> None:
    assert cli.run(["xyzzy"]) == 2
    err = capsys.readouterr().err
    assert all(name in err for name in cli.COMMANDS)


def test_all_mistakes_in_settings_are_told_at_once(capsys: Capture) -> None:
    wrong = ["optimizer.lrr=1", "train.epochs=0", "clip.norm=-1", "data.task=guess", "train.epochs.x=1"]
    arguments = [part for setting in wrong for part in ("--set", setting)]
    assert cli.run(["train", "digits", *arguments, "--lr", "fast"]) == 2
    err = capsys.readouterr().err
    assert "6 mistakes:" in err
    for key in ("optimizer.lrr", "train.epochs", "clip.norm", "data.task", "train.epochs.x", "optimizer.lr"):
        assert f"'{key}'" in err
    assert "did you mean 'optimizer.lr'?" in err
    assert "Traceback" not in err


def test_all_settings_that_cannot_be_read_are_told_at_once(capsys: Capture) -> None:
    assert cli.run(["train", "digits", "--set", "epochs", "--set", "lr=1", "--budget", "soon"]) == 2
    err = capsys.readouterr().err
    assert "3 mistakes:" in err
    assert "--set takes KEY=VALUE" in err
    assert "unknown recipe key 'lr'" in err
    assert "not a length of time" in err


def test_mistakes_leave_nothing_behind(tmp_path: Path) -> None:
    assert cli.run(["train", "digits", "--set", "optimizer.lrr=1"]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train"], 2, "which data?"),
        (["train", "--no-such-option"], 2, "--no-such-option"),
        (["train", "digits", "--folds", "1"], 2, "--folds"),
        (["train", "--recipe", "nowhere.toml"], 2, "cannot read the recipe"),
        (["train", "digits", "--recipe", "nowhere.toml"], 2, "cannot read the recipe"),
        (["resume", "nowhere"], 2, "no such folder"),
        (["resume"], 2, "missing argument"),
        (["evaluate", "nowhere"], 2, "no such folder"),
        (["report", "nowhere"], 2, "no such folder"),
        (["report", "."], 2, "there is no run here"),
    ],
)
def test_a_mistake_is_told_on_the_error_stream_with_its_exit_code(
    arguments: list[str], code: int, words: str, capsys: Capture
) -> None:
    assert cli.run(arguments) == code
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GlassnetError)]


def raising(error: BaseException) -> Any:
    def resolve(*_: object) -> None:
        raise error

    return resolve


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_ends_with_its_own_code(
    kind: type[GlassnetError], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    # The command first: imported after the other, it would keep what stands there for the test alone.
    monkeypatch.setattr("glassnet.cli.resume_command.open_run", raising(kind("it is so", fix="do this")))
    monkeypatch.setattr("glassnet.runs.open_run", raising(kind("it is so", fix="do this")))
    assert cli.run(["resume", "x"]) == kind.exit_code
    assert capsys.readouterr().err == "error: it is so\n  fix:      do this\n"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 8, "out of memory"),
        (ZeroDivisionError("by zero"), 1, "a fault of Glassnet's own: ZeroDivisionError: by zero"),
    ],
)
def test_what_is_not_the_users_mistake_is_told_without_a_traceback(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("glassnet.cli.resume_command.open_run", raising(error))
    assert cli.run(["resume", "x"]) == code
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_the_place_of_a_fault_is_shown_to_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSNET_DEBUG", "1")
    monkeypatch.setattr("glassnet.cli.resume_command.open_run", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.run(["resume", "x"])


def test_a_reader_that_leaves_early_is_no_error() -> None:
    program = f"import sys; sys.path.insert(0, {str(Path(cli.__file__).parents[2])!r}); import glassnet.cli as c; sys.argv[0] = 'glassnet'; c.main()"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", program, "train", "--keys"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_the_keys_of_a_recipe_are_listed(capsys: Capture) -> None:
    assert cli.run(["train", "--keys"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == known_keys()


def test_every_flag_stands_for_a_key_that_exists_and_no_two_share_a_spelling() -> None:
    keys = set(known_keys())
    assert {flag.key for flag in FLAGS} - keys == set()
    spellings = [name for flag in FLAGS for name in flag.names]
    assert len(set(spellings)) == len(spellings)


VALUES = {
    "net.name": ("3", "3"),
    "train.epochs": ("3", 3),
    "train.budget": ("1.5m", 90.0),
    "train.batch_size": ("full", "full"),
    "optimizer.lr": ("1e-3", 0.001),
    "optimizer.name": ("lbfgs", "lbfgs"),
    "schedule.name": ("step", "step"),
    "data.target": ("2", "2"),
    "train.seed": ("7", 7),
}


def given(*arguments: str) -> dict[str, Any]:
    """The recipe keys that these arguments set, by way of click."""
    seen: list[dict[str, Any]] = []

    @click.command()
    @recipe_flags
    def command(**flags: Any) -> None:
        seen.append(settings_of(flags))

    command.main(list(arguments), standalone_mode=False)
    return seen[0]


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.key)
def test_every_spelling_of_every_flag_sets_its_key(flag: Flag) -> None:
    text = "7s" if flag.key == "train.budget" else "7"
    for spelling in flag.names:
        assert list(given(spelling, text)) == [flag.key], spelling
    assert given() == {}


@pytest.mark.parametrize("key", VALUES)
def test_every_spelling_of_a_flag_means_the_same_as_its_setting(key: str) -> None:
    from glassnet.cli.train_command import command

    text, value = VALUES[key]
    shown = "90" if key == "train.budget" else text
    by_setting = settings_of({"settings": (f"{key}={shown}",)})
    for spelling in next(flag for flag in FLAGS if flag.key == key).names:
        # Through click itself: a flag with two spellings once reached nothing, because click named it after the other one.
        by_flag = settings_of(command.make_context("train", ["digits", spelling, text]).params)
        assert by_flag == {key: value}, spelling
        assert Recipe().changed(by_setting) == Recipe().changed(by_flag)


def test_a_setting_wins_over_a_flag_and_may_hold_an_equals_sign() -> None:
    settings = ["train.epochs = 5", "data.path=a=b", "net.hidden=[2, 3]"]
    by_click = given("--epochs", "3", *(part for setting in settings for part in ("--set", setting)))
    assert by_click == {"train.epochs": 5, "data.path": "a=b", "net.hidden": [2, 3]}


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("90s", 90), ("1.5m", 90), (" 2 h ", 7200), ("0.5s", 0.5), ("1h", 3600)]
)
def test_lengths_of_time(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "m", "-1s", "1d", "1h30m", "1e3", "1,5m", "nan"])
def test_what_is_no_length_of_time_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="not a length of time"):
        seconds(text)


def test_the_shown_keys_are_valid_toml_when_written_out() -> None:
    assert set(tomllib.loads(Recipe().to_toml())) == {key.split(".")[0] for key in known_keys()}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("train --epoch 5", "unknown option --epoch\n  where:    glassnet train\n  fix:      did you mean --epochs?"),
        ("train --xyzzy", "unknown option --xyzzy\n  where:    glassnet train\n  fix:      glassnet train --help"),
        (
            "predict",
            "missing argument 'RUN'\n  expected: glassnet predict [OPTIONS] RUN [FILES]...\n  fix:      glassnet predict --help",
        ),
        (
            "evaluate run --part tets",
            "wrong value for --part\n  where:    glassnet evaluate\n  got:      'tets'\n  expected: one of 'test', 'val', 'train'\n  fix:      did you mean 'test'?",
        ),
    ],
)
def test_what_click_says_of_options_has_the_form_of_all_errors(arguments: str, told: str, capsys: Capture) -> None:
    assert cli.run(arguments.split()) == 2
    assert capsys.readouterr().err == f"error: {told}\n"
