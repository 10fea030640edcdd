"""Studies and workers: the same trials on any number of workers, nothing run twice after a kill, nobody ended by one noisy figure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from glassnet.errors import DataError, UsageError
from glassnet.searching import Choice, Job, Pool, Range, Study, Trial

SPACE = (Range("x", 0.0, 1.0), Range("y", 1e-4, 1.0, log=True))
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def study(folder: Path, method: str = "random", pruner: str = "none", trials: int = 6) -> Study:
    return Study(folder / "search.db", 1, SPACE, method, pruner, 0, trials)


def jobs(of: Study) -> Iterator[Job]:
    for number, settings in of.begun():
        yield Job(1, number, settings, {})
    while of.asked < of.trials:
        number, settings = of.ask()
        yield Job(1, number, settings, {})


def searched(folder: Path, workers: int, **config: Any) -> list[Trial]:
    of = study(folder, config.pop("method", "random"), config.pop("pruner", "none"))
    with Pool("toy:maker", {"folder": str(folder), **config}, workers) as pool:
        for job, record in pool.run(jobs(of), lambda job, epoch, value: of.report(job.number, epoch, value)):
            of.tell(
                Trial(
                    1,
                    job.number,
                    job.settings,
                    record["end"],
                    record["value"] or 0.0,
                    record["epochs"],
                    record["seconds"],
                    record["why"],
                )
            )
    return of.ended()


def test_one_worker_and_three_make_the_same_trials(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, three = searched(tmp_path / "a", 1), searched(tmp_path / "b", 3, pause=0.01)
    assert one == three
    assert [trial.number for trial in one] == list(range(6))
    assert [trial.value for trial in one] == [pytest.approx(-((trial.settings["x"] - 0.3) ** 2)) for trial in one]


def test_a_worker_that_dies_is_replaced_and_its_trial_made_again(tmp_path: Path) -> None:
    found = searched(tmp_path, 2, dies=2)
    assert [(trial.number, trial.end) for trial in found] == [(number, "done") for number in range(6)]
    made = (tmp_path / "made.txt").read_text().split()
    assert sorted(made) == sorted([*(f"1-{number}" for number in range(6)), "1-2"])


def test_data_that_cannot_be_read_are_an_error_and_not_six_failed_trials(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the data are gone"):
        searched(tmp_path, 1, broken=True)


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
import test_study
if __name__ == "__main__":
    test_study.searched(Path(sys.argv[1]), 1, pause=0.05)
"""


def test_kill_9_in_the_middle_loses_no_trial_and_makes_none_twice(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(here=str(HERE)))
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path)], start_new_session=True)
    made = tmp_path / "made.txt"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not made.exists() or len(made.read_text().split()) < 3):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = study(tmp_path).ended()
    assert 1 <= len(before) < 6
    found = searched(tmp_path, 1)
    assert found[: len(before)] == before
    (tmp_path / "again").mkdir()
    assert [(trial.number, trial.settings, trial.value) for trial in found] == [
        (trial.number, trial.settings, trial.value) for trial in searched(tmp_path / "again", 1)
    ]
    again = [name for name in set(made.read_text().split()) if made.read_text().split().count(name) > 1]
    assert len(again) <= 1, "only the trial that was running may be begun anew"


def test_one_bad_figure_ends_no_trial_and_two_in_a_row_do(tmp_path: Path) -> None:
    of = study(tmp_path, pruner="median", trials=20)
    for _ in range(6):
        number, settings = of.ask()
        for epoch in range(1, 5):
            assert of.report(number, epoch, 0.8)
        of.tell(Trial(1, number, settings, "done", 0.8, 4, 1.0))
    number, _ = of.ask()
    assert of.report(number, 1, 0.1), "one figure may be noise"
    assert of.report(number, 2, 0.9)
    other, _ = of.ask()
    assert of.report(other, 1, 0.1)
    assert not of.report(other, 2, 0.1)


def test_tpe_is_optunas_own(tmp_path: Path) -> None:
    """The same seed and the same answers give what Optuna gives when it is asked directly."""
    of = study(tmp_path, "tpe", trials=15)
    sampler = optuna.samplers.TPESampler(seed=1, constant_liar=True, multivariate=True)
    theirs = optuna.create_study(direction="maximize", sampler=sampler)
    spread = {
        "x": optuna.distributions.FloatDistribution(0, 1),
        "y": optuna.distributions.FloatDistribution(1e-4, 1, log=True),
    }
    for _ in range(15):
        number, settings = of.ask()
        asked = theirs.ask(spread)
        assert settings == asked.params
        value = -((settings["x"] - 0.3) ** 2)
        of.tell(Trial(1, number, settings, "done", value, 1, 0.0))
        theirs.tell(asked, value)


def test_what_matters_is_what_was_made_to_matter(tmp_path: Path) -> None:
    of = study(tmp_path, trials=40)
    for _ in range(40):
        number, settings = of.ask()
        of.tell(Trial(1, number, settings, "done", -((settings["x"] - 0.3) ** 2), 1, 0.0))
    importances = of.importances()
    assert importances["x"] > 0.8
    assert sum(importances.values()) == pytest.approx(1)


def test_unknown_methods_and_pruners_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown method 'randon'"):
        study(tmp_path, "randon")
    with pytest.raises(UsageError, match="unknown pruner"):
        study(tmp_path, pruner="mediam")


def test_random_draws_of_few_choices_do_not_repeat_themselves(tmp_path: Path) -> None:
    space = (Choice("a", (1, 2)), Choice("b", ("x", "y", "z")))
    study = Study(tmp_path / "s.db", 1, space, "random", "none", 0, 8)
    drawn = [study.ask()[1] for _ in range(8)]
    assert len({str(point) for point in drawn[:6]}) == 6  # all that there are, and only then some again
