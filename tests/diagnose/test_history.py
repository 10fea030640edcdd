"""What the doctor remembers does not grow with the run, and is what rules look at."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from streams import described, look, step

from glassnet.diagnose import Doctor
from glassnet.diagnose.history import FIRST, KEPT, LAST, MOST, History
from glassnet.events import Epoch, Started


def test_losses_are_those_of_all_finite_steps() -> None:
    random = Random(0)
    losses = [math.nan, *(random.gauss(2.0, 1.0) for _ in range(1000)), math.inf, 0.5]
    history = History()
    for number, loss in enumerate(losses, start=1):
        history.see(step(number, loss))
    finite = [loss for loss in losses if math.isfinite(loss)]
    told = history.losses
    assert (told.count, told.first, told.lowest, told.highest) == (1001, finite[0], min(finite), max(finite))
    assert told.last[-KEPT:] == finite[-KEPT:]
    assert history.first is not None
    assert history.first.step == 1
    assert [each.step for each in history.steps[-KEPT:]] == list(range(len(losses) - KEPT + 1, len(losses) + 1))


def test_a_long_run_is_remembered_by_its_beginning_its_end_and_some_of_what_lay_between() -> None:
    doctor = Doctor()
    for event in (Started(10**6, 10**4, 100, 1000), described()):
        list(doctor.see(event))
    for number in range(1, 5001):
        list(doctor.see(look(number, lr=0.5 if number == 2500 else 0.1)))
        list(doctor.see(step(number, 2.3 * 0.9999**number)))
    history = doctor.history
    seen = [each.step for each in history.measured]
    assert len(seen) <= MOST
    assert len(history.steps) < 2 * KEPT
    assert len(history.losses.last) < 2 * KEPT
    assert seen[:FIRST] == list(range(1, FIRST + 1))
    assert seen[-LAST:] == list(range(5001 - LAST, 5001))
    assert seen == sorted(seen)
    between = {b - a for a, b in pairwise(seen[FIRST + 1 : -LAST])}
    assert len(between) == 1, "evenly"
    assert between.pop() <= 2 * 5000 / (MOST - FIRST - LAST)
    assert history.highest_rate == 0.5


def test_of_many_epochs_the_lowest_and_its_neighbours_are_left() -> None:
    history = History()
    for number in range(5000):
        loss = 1.0 + abs(number - 1111) / 1000
        history.see(Epoch(number, number + 1, 0.1, loss, 0.0, 0.0, {"loss": loss}, {"loss": loss}, False))
    left = [each.epoch for each in history.epochs]
    assert len(left) <= MOST
    assert {1110, 1111, 1112} <= set(left)
    assert left[:FIRST] == list(range(FIRST))
    assert left[-LAST:] == list(range(5000 - LAST, 5000))
    assert [each.epoch for each in history.last_epochs(7)] == list(range(4993, 5000))
    assert left == sorted(left)
