"""A kill between two writes of the study's file: what was asked for is not lost, and what has ended is not made again."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from glassnet.searching import Range, Study, Trial

SPACE = (Range("x", 0.0, 1.0), Range("y", 1e-4, 1.0, log=True))


def study(folder: Path) -> Study:
    return Study(folder / "search.db", 1, SPACE, "random", "none", 0, 3)


def settings(folder: Path) -> list[dict[str, float]]:
    of = study(folder)
    for _ in range(3):
        number, drawn = of.ask()
        of.tell(Trial(1, number, drawn, "done", 0.5, 1, 0.0))
    return [trial.settings for trial in of.ended()]


class Killed(BaseException):
    pass


def kill(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_trial_that_was_enqueued_and_not_begun_is_begun_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    (tmp_path / "whole").mkdir()
    of = study(tmp_path)
    for _ in range(when):
        of.ask()
    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "ask", kill)
        with pytest.raises(Killed):
            of.ask()
    again = study(tmp_path)
    found = dict(again.begun())
    assert len(found) == when
    while again.asked < again.trials:
        number, drawn = again.ask()
        assert number not in found
        found[number] = drawn
    assert [found[number] for number in range(3)] == settings(tmp_path / "whole")


def test_a_trial_whose_end_was_written_down_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = study(tmp_path)
    number, drawn = of.ask()
    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "tell", kill)
        with pytest.raises(Killed):
            of.tell(Trial(1, number, drawn, "done", 0.7, 4, 1.0))
    again = study(tmp_path)
    assert again.begun() == []
    assert [(trial.number, trial.value, trial.settings) for trial in again.ended()] == [(0, 0.7, drawn)]


def test_a_figure_that_was_told_before_a_kill_may_be_told_again(tmp_path: Path) -> None:
    """Optuna warns of it, and warnings are errors here."""
    space = (Range("x", 0.0, 1.0),)
    number, _ = (before := Study(tmp_path / "search.db", 1, space, "random", "median", 0, 5)).ask()
    before.report(number, 1, 0.5)
    after = Study(tmp_path / "search.db", 1, space, "random", "median", 0, 5)
    assert after.report(number, 1, 0.5)
    assert [begun for begun, _ in after.begun()] == [number]
