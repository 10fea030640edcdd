"""A time budget shared out, with the clock in the test's hand."""

from __future__ import annotations

import pytest

from glassnet.hyperparameters import clock as module
from glassnet.hyperparameters.clock import Clock, seconds_of
from glassnet.searching import Trial


class Hand:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    made = Hand()
    monkeypatch.setattr(module, "time", made)
    return made


def trial(number: int, seconds: float, epochs: int = 5, **settings: object) -> Trial:
    return Trial(1, number, dict(settings), "done", 0.5, epochs, seconds, "")


def test_without_a_budget_there_is_always_time(hand: Hand) -> None:
    clock = Clock(None, whole=20, jobs=2, finals=12, winner=True)
    hand.now += 1e9
    assert clock.for_trial([trial(0, 50)], 5, 1, 2)
    assert clock.for_finalist([trial(0, 50)], {})


def test_what_an_epoch_takes_is_the_median() -> None:
    assert seconds_of([trial(0, 5), trial(1, 10), trial(2, 500)], 3) == 6
    assert seconds_of([trial(0, 5, epochs=0)], 3) == 0


def test_a_trial_is_begun_only_if_it_will_be_over_in_time(hand: Hand) -> None:
    """600 s; a whole training of 20 epochs takes 20 s, so 4 rounds of finalists and the winner take 100: 500 s for two stages."""
    clock = Clock(600, whole=20, jobs=2, finals=8, winner=True)
    ended = [trial(0, 5)]
    hand.now += 244
    assert clock.for_trial(ended, 5, 1, 2)
    hand.now += 2
    assert not clock.for_trial(ended, 5, 1, 2), "it would end behind 250"
    assert clock.for_trial(ended, 5, 2, 2)
    hand.now += 250
    assert not clock.for_trial(ended, 5, 2, 2)


def test_the_stages_keep_a_third_however_long_finalists_take(hand: Hand) -> None:
    clock = Clock(100, whole=100, jobs=1, finals=12, winner=True)
    hand.now += 29
    assert clock.for_trial([trial(0, 5)], 5, 1, 1)
    hand.now += 2
    assert not clock.for_trial([trial(0, 5)], 5, 1, 1)


def test_a_finalist_is_judged_by_what_its_own_settings_took(hand: Hand) -> None:
    clock = Clock(100, whole=20, jobs=1, finals=4, winner=True)
    ended = [trial(0, 5, size=1), trial(1, 10, size=2)]
    hand.now += 50
    assert clock.for_finalist(ended, {"size": 1}), "20 s, and the winner as long"
    assert not clock.for_finalist(ended, {"size": 2}), "40 s, and the winner as long"
