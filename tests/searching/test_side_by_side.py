"""Which way to use the cores: the fastest that was measured, and none is measured where that takes longer than it saves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from glassnet.hyperparameters import Search, side_by_side
from glassnet.hyperparameters.side_by_side import Arrangement, arrangements, crew_for
from glassnet.recipe import Recipe
from glassnet.searching import Job, Pool
from glassnet.searching.crew import DIED


class Timed:
    """Workers whose rates are known: epochs a second of one of them, by its threads."""

    rates: ClassVar[dict[int, float]] = {}
    open: ClassVar[list[Timed]] = []

    def __init__(self, maker: str, config: dict[str, Any], jobs: int, threads: int = 1) -> None:
        assert maker == "glassnet.hyperparameters.objective:objective"
        assert config["threads"] == threads
        self.jobs, self.threads = jobs, threads
        Timed.open.append(self)

    def run(self, jobs: Iterator[Job], report: object) -> Iterator[tuple[Job, dict[str, Any]]]:
        for job in jobs:
            rate = self.rates[self.threads]
            yield job, dict(DIED) if math.isnan(rate) else {"epochs_per_second": rate}

    def close(self) -> None:
        if self in Timed.open:  # closing twice does nothing, as with real workers
            Timed.open.remove(self)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> type[Timed]:
    """A machine with four cores, and workers that only say how fast they are."""
    monkeypatch.setattr(side_by_side, "Pool", Timed)
    monkeypatch.setattr(side_by_side, "cores", lambda: 4)
    Timed.open = []
    return Timed


def asked(**how: Any) -> Search:
    return Search(Recipe(), **how)


def test_all_ways_use_every_core() -> None:
    assert [(way.jobs, way.threads) for way in arrangements(6)] == [(6, 1), (3, 2), (2, 3), (1, 6)]
    assert [(way.jobs, way.threads) for way in arrangements(1)] == [(1, 1)]


@pytest.mark.parametrize(
    ("rates", "order"),
    [
        ({1: 0.10, 2: 0.15, 4: 0.2}, [(4, 1), (2, 2), (1, 4)]),  # 0.4, 0.3, 0.2 together
        ({1: 0.10, 2: 0.30, 4: 0.5}, [(2, 2), (1, 4), (4, 1)]),  # 0.4, 0.6, 0.5
        ({1: 0.01, 2: 0.03, 4: 0.5}, [(1, 4), (2, 2), (4, 1)]),  # 0.04, 0.06, 0.5
    ],
)
def test_the_way_with_the_most_epochs_of_all_together_is_taken(
    four_cores: type[Timed], rates: dict[int, float], order: list[tuple[int, int]]
) -> None:
    four_cores.rates = rates
    crew, measured = crew_for(asked(), {}, epochs=1_000)
    assert [(way.jobs, way.threads) for way in measured] == order
    assert (crew.jobs, crew.threads) == order[0]  # type: ignore[attr-defined]
    assert four_cores.open == [crew]  # the others were ended


@pytest.mark.parametrize(
    ("epochs", "budget", "measured"), [(1_000, None, 3), (1_000, 60.0, 1), (10, None, 1), (10, 3600.0, 1)]
)
def test_a_search_of_less_than_two_minutes_is_not_measured(
    four_cores: type[Timed], epochs: int, budget: float | None, measured: int
) -> None:
    four_cores.rates = {1: 0.1, 2: 0.1, 4: 0.1}
    _, tried = crew_for(asked(budget=budget), {}, epochs=epochs)
    assert len(tried) == measured
    assert (tried[0].jobs, tried[0].threads) == (4, 1)


@pytest.mark.parametrize(
    ("how", "expected"),
    [({"jobs": 3}, (3, 1)), ({"threads": 2}, (2, 2)), ({"jobs": 1, "threads": 4}, (1, 4)), ({"threads": 9}, (1, 9))],
)
def test_what_was_asked_for_is_taken_without_measuring(
    four_cores: type[Timed], how: dict[str, int], expected: tuple[int, int]
) -> None:
    crew, tried = crew_for(asked(**how), {}, epochs=1_000_000)
    assert tried == [Arrangement(*expected)]
    assert (crew.jobs, crew.threads) == expected  # type: ignore[attr-defined]


def test_workers_that_die_while_they_are_timed_are_no_fault_of_the_user(four_cores: type[Timed]) -> None:
    four_cores.rates = {1: math.nan, 2: 0.3, 4: 0.5}  # NaN: its workers die
    crew, measured = crew_for(asked(), {}, epochs=1_000)
    assert [(way.jobs, way.threads) for way in measured] == [(2, 2), (1, 4), (4, 1)]
    assert four_cores.open == [crew]


def test_nothing_is_left_running_where_the_objective_cannot_be_made(four_cores: type[Timed]) -> None:
    four_cores.rates = {1: 0.1, 2: 0.1}  # nobody knows of four threads: that is an error
    with pytest.raises(KeyError):
        crew_for(asked(), {}, epochs=1_000)
    assert four_cores.open == []


def test_real_workers_tell_how_fast_they_train(tmp_path: Any) -> None:
    recipe = Recipe().changed({"data.path": "digits", "net.name": "linear", "train.threads": 1, "train.check": False})
    (tmp_path / "base.toml").write_text(recipe.to_toml())
    config = {"recipe": str(tmp_path / "base.toml"), "folder": str(tmp_path), "figure": "accuracy", "threads": 1}
    with Pool(side_by_side.MAKER, config, 2) as pool:
        ended = list(pool.run(iter([Job(0, number, {}, {"window": 0.0}) for number in range(2)]), lambda *_: True))
    assert sorted(job.number for job, _ in ended) == [0, 1]
    assert all(record["epochs_per_second"] > 0 for _, record in ended)
