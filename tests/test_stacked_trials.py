"""Trials of a search that go step by step together: they come to what they come to in turn, whatever becomes of the others."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from glassnet import cli
from glassnet.errors import DataError, UsageError
from glassnet.events import Epoch, Step
from glassnet.hyperparameters import Search, Stage, asked_before, in_lockstep, reopened, run, side_by_side, space_of
from glassnet.hyperparameters.folder import words_of
from glassnet.hyperparameters.in_lockstep import InLockstep
from glassnet.hyperparameters.side_by_side import crew_for
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder
from glassnet.searching import Job, Pool
from glassnet.training.execution import process_kept
from glassnet.training.stacked import Stack

FIXED = {
    "data.path": "digits",
    "net.name": "mlp",
    "net.hidden": [8],
    "train.precision": "float32",
    "train.record_every": 1,
    "train.epochs": 2,
    "augment.auto": False,
}


def search(space: str, **how: Any) -> Search:
    usual: dict[str, Any] = {"pruner": "none", "finalists": 0, "winner": False, "threads": 1}
    return Search(Recipe().changed(FIXED), **(usual | {"space": space_of(space)} | how))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "trials.csv").open() as file:
        return list(csv.DictReader(file))


def losses(folder: Path, trial: str) -> list[float]:
    events = RunFolder(folder / "trials" / trial).events()
    return [event.loss for event in events if isinstance(event, Step) and event.loss is not None]


def in_turn(asked: Search, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The independent reference: one trial after the other by the objective that workers have, in this process for its speed."""

    class OneByOne(Pool):
        def __init__(self, maker: str, config: dict[str, Any], jobs: int, threads: int = 1) -> None:
            assert (maker, jobs, threads) == (side_by_side.MAKER, 1, 1)
            from glassnet.hyperparameters.objective import objective

            self.jobs, self._make, self._jobs = 1, objective(config), list[Job]()

        def _begin(self, job: Job) -> None:
            self._jobs.append(job)

        def _ended(self, report: Any) -> Iterator[tuple[Job, dict[str, Any] | None]]:
            job = self._jobs.pop()
            yield job, self._make(job, lambda epoch, value: report(job, epoch, value))

        def close(self) -> None:
            pass

    with monkeypatch.context() as patch:
        patch.setattr(side_by_side, "Pool", OneByOne)
        run(asked, folder)


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.name.startswith("search.db"))


def alike(one: Path, other: Path) -> None:
    """The same search but for rounding and for how long it took: files, records, recipes, every loss, and who is best."""
    assert files_of(one) == files_of(other)
    mine, its = rows(one), rows(other)
    assert len(mine) == len(its) > 0
    for row, of_other in zip(mine, its, strict=True):
        assert list(row) == list(of_other)
        assert float(row.pop("value") or "nan") == pytest.approx(
            float(of_other.pop("value") or "nan"), abs=5e-3, nan_ok=True
        )
        for each in (row, of_other):
            assert float(each.pop("seconds")) >= 0
        assert row == of_other
        trial = f"{row['stage']}-{int(row['number']):04d}"
        recipes = [(folder / "trials" / trial / "recipe.toml").read_text() for folder in (one, other)]
        assert recipes[0] == recipes[1]
        assert len(losses(one, trial)) > 0
        assert losses(one, trial) == pytest.approx(losses(other, trial), rel=1e-3, abs=1e-3)
        epochs, others = (
            [event for event in RunFolder(folder / "trials" / trial).events() if isinstance(event, Epoch)]
            for folder in (one, other)
        )
        assert [event.epoch for event in epochs] == [event.epoch for event in others]
    stages, of_other_stages = (json.loads((folder / "stages.json").read_text()) for folder in (one, other))
    for stage, of_other_stage in zip(stages, of_other_stages, strict=True):
        assert list(stage) == list(of_other_stage)
        assert stage["best"]["number"] == of_other_stage["best"]["number"]
        assert stage["narrowed"] == of_other_stage["narrowed"]
    if (one / "finalists.json").exists():
        finals, others_finals = (json.loads((folder / "finalists.json").read_text()) for folder in (one, other))
        assert [each["place"] for each in finals] == [each["place"] for each in others_finals]
        for each, of_other in zip(finals, others_finals, strict=True):
            assert each["values"] == pytest.approx(of_other["values"], abs=5e-3)


def test_stacked_trials_are_those_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nets of two sizes, and of a loss that differs from trial to trial; three at a time, so that some begin when others have ended; two stages."""
    shared: list[int] = []
    right = Stack.learn

    def counted(self: Stack, waiting: Any) -> Any:
        shared.append(len(waiting))
        return right(self, waiting)

    monkeypatch.setattr(Stack, "learn", counted)
    space, stages = (
        "lr=1e-3..3e-2 log, label-smoothing=0..0.2, opt=adamw|sgd, hidden=[8]|[12]",
        (Stage(5, 1), Stage(2, 2)),
    )
    few = {"stages": stages, "finalists": 1, "repeats": 1}
    in_turn(search(space, **few, jobs=1), tmp_path / "in-turn", monkeypatch)
    assert shared == []
    told: list[str] = []
    found = run(search(space, **few, jobs=3, together="stacked"), tmp_path / "stacked", tell=told.append)
    assert len(shared) > 40, "a whole epoch of two trials at least"
    assert max(shared) >= 2
    assert "trials stacked as asked" in told
    assert any("3 at a time, step by step together" in line for line in told)
    alike(tmp_path / "stacked", tmp_path / "in-turn")
    assert [trial.end for trial in found.trials] == ["done"] * 7
    assert reopened(tmp_path / "stacked").together == "stacked"


def test_a_search_that_was_stopped_goes_on_from_the_trials_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = search("lr=1e-3..3e-2 log", stages=(Stage(4, 1),), jobs=3, together="stacked")
    large = asked.recipe.changed({"train.batch_size": 128})
    saving = replace(asked, recipe=large.changed({"train.checkpoint_seconds": 0.0}))
    in_turn(replace(asked, recipe=large, jobs=1, together="auto"), tmp_path / "whole", monkeypatch)
    times: list[int] = []
    folder = tmp_path / "stopped"
    found = run(saving, folder, stop=lambda: times.append(1) or len(times) > 12)  # type: ignore[func-returns-value]
    assert found.stopped
    assert not (folder / "stages.json").exists()
    before = [len(losses(folder, f"1-{number:04d}")) for number in range(3)]
    assert all(0 < steps < 9 for steps in before), before
    told: list[str] = []
    again = run(reopened(folder), folder, tell=told.append)
    assert "trials stacked as asked" in told
    assert [trial.number for trial in again.trials] == [0, 1, 2, 3]
    for number in range(4):
        mine, its = (losses(each, f"1-{number:04d}") for each in (folder, tmp_path / "whole"))
        assert mine == pytest.approx(its, rel=1e-3, abs=1e-3)  # no step is made twice, and none left out


def test_trials_that_explode_or_fail_leave_the_others_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begins: list[int] = []
    right = in_lockstep.trials

    def sometimes(config: dict[str, Any]) -> Any:
        begin = right(config)

        def maybe(job: Job, report: Any, *, waits: bool) -> Any:
            begins.append(job.number)
            if job.number == 2 or (job.number == 3 and begins.count(3) == 1):
                raise torch.OutOfMemoryError("no room\nat all")
            return (yield from begin(job, report, waits=waits))

        return maybe

    monkeypatch.setattr(in_lockstep, "trials", sometimes)
    asked = search("lr=0.01|1e18", method="grid", stages=(Stage(2, 1),), jobs=2, together="stacked")
    exploding = run(asked, tmp_path / "exploding")
    assert [trial.end for trial in exploding.trials] == ["done", "exploded"]
    begins.clear()
    failing = run(search("lr=1e-3..3e-2 log", stages=(Stage(5, 1),), jobs=2, together="stacked"), tmp_path / "failing")
    assert [trial.end for trial in failing.trials] == ["done", "done", "failed", "done", "done"]
    assert failing.trials[2].why == "it failed 2 times: OutOfMemoryError: no room"
    assert [begins.count(number) for number in range(5)] == [1, 1, 2, 2, 1]


def test_data_that_cannot_be_read_are_an_error_and_not_so_many_failed_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(config: dict[str, Any]) -> Any:
        raise DataError("the data are gone", where="here")

    monkeypatch.setattr(in_lockstep, "trials", broken)
    with pytest.raises(DataError, match="the data are gone"):
        run(search("lr=1e-3..3e-2 log", stages=(Stage(2, 1),), together="stacked"), tmp_path / "none")


def test_the_processs_own_settings_are_put_back(tmp_path: Path) -> None:
    with process_kept():
        torch.set_num_threads(2)
        with InLockstep({"threads": 1, "recipe": str(tmp_path / "none")}, 2, measure=False) as crew:
            with pytest.raises(UsageError, match="cannot read the recipe"):
                list(crew.run(iter([Job(1, 0, {}, {})]), lambda *_: True))
            torch.set_num_threads(1)
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("device", "how", "jobs", "expected"),
    [
        ("cpu", {}, None, "processes"),
        ("cpu", {"together": "stacked"}, 8, "stacked"),
        ("cuda", {}, 8, "measured"),
        ("cuda", {"jobs": 3}, 3, "measured"),
        ("cuda", {"jobs": 1}, 1, "processes"),
        ("cuda", {"together": "stacked", "jobs": 5}, 5, "stacked"),
        ("cuda", {"together": "processes"}, 1, "processes"),
        ("cuda", {"together": "processes", "jobs": 3}, 3, "processes"),
    ],
)
def test_who_makes_the_trials(
    device: str, how: dict[str, Any], jobs: int | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Processes:
        def __init__(self, maker: str, config: dict[str, Any], jobs: int, threads: int = 1) -> None:
            self.jobs = jobs

    monkeypatch.setattr(side_by_side, "Pool", Processes)
    monkeypatch.setattr(side_by_side, "choose_device", lambda _: torch.device(device))
    crew, (way, *_) = crew_for(search("lr=1e-3..3e-2 log", **how), {}, epochs=1)
    assert way.together is (expected != "processes")
    assert jobs is None or crew.jobs == way.jobs == jobs
    assert isinstance(crew, InLockstep) is way.together
    if isinstance(crew, InLockstep):
        assert crew._steps._measure is (expected == "measured")
        crew.close()


def test_what_does_not_go_together_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["--together", "staked"], "did you mean 'stacked'?"),
        (["--together", "stacked", "--cluster", "local"], "--together, --cluster"),
    ):
        assert cli.run(["search", "digits", *words, "--out", str(tmp_path / "none")]) == UsageError.exit_code
        assert said in capsys.readouterr().err


def test_an_older_search_is_known_again_though_it_does_not_say_how_its_trials_are_made(tmp_path: Path) -> None:
    asked = search("lr=1e-3..3e-2 log")
    words = json.loads(words_of(asked))
    del words["together"]
    (tmp_path / "asked.json").write_text(json.dumps(words))
    assert asked_before(asked, tmp_path)
    assert not asked_before(search("lr=1e-3..3e-2 log", together="stacked"), tmp_path)
