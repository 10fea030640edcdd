"""Threads are watched: one where a neighbour slows them down, all again when it has gone, and nothing without need. Time is told, not measured."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from glassnet.events import Epoch, Event, Step, Threads
from glassnet.training.thread_watch import AGAIN, BACK, ThreadWatch


@dataclass
class Machine:
    """A machine on which a step takes as long as it is said, by the number of threads and whether a neighbour is at work."""

    seconds: Callable[[int, bool, float], float]
    busy: Callable[[float], bool] = lambda now: False
    now: float = 0.0
    threads: int = 2
    changes: list[tuple[float, int]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def change(self, threads: int) -> None:
        self.threads = threads
        self.changes.append((round(self.now, 1), threads))

    def train(self, steps: int, per_epoch: int = 10_000, evaluation: float = 5.0) -> Iterator[Event]:
        """Steps, and after each epoch an evaluation that takes long."""
        for step in range(1, steps + 1):
            self.now += self.seconds(self.threads, self.busy(self.now), self.now)
            yield Step(0, step, 0.1, step)
            if step % per_epoch == 0:
                self.now += evaluation
                yield Epoch(0, step, 0.1, 1.0, 0.0, 0.0, {}, {}, True)

    def watched(self, steps: int, begin: int = 2, **more: float) -> list[Threads]:
        self.threads = begin
        watch = ThreadWatch(2, now=begin, clock=self.clock, change=self.change)
        events = list(watch.watching(self.train(steps, **more)))  # type: ignore[arg-type]
        assert sum(isinstance(event, Step) for event in events) == steps
        return [event for event in events if isinstance(event, Threads)]


def with_neighbour(threads: int, busy: bool, now: float) -> float:
    return {(2, False): 0.01, (1, False): 0.018, (2, True): 0.04, (1, True): 0.02}[threads, busy]


def test_nothing_is_changed_on_a_quiet_machine() -> None:
    machine = Machine(with_neighbour)
    assert machine.watched(20_000) == []
    assert machine.changes == []


def test_a_neighbour_that_comes_is_noticed_within_two_seconds_and_one_that_goes_within_some() -> None:
    machine = Machine(with_neighbour, busy=lambda now: 20 <= now < 60)
    told = machine.watched(10_000)
    assert [each.threads for each in told] == [1, 2]
    first, last = machine.changes[0], machine.changes[-1]
    assert first[1] == 1
    assert 20 < first[0] < 22.5
    assert last[1] == 2
    assert 60 <= last[0] < 60 + 4 * BACK[0]
    assert told[0].gain == pytest.approx(2.0)
    assert told[1].gain == pytest.approx(1.8)


def test_a_neighbour_costs_little_more_than_one_thread_does() -> None:
    machine = Machine(with_neighbour, busy=lambda now: now >= 10)
    machine.watched(30_000)
    alone = 10 + (30_000 - 1_000) * 0.02
    assert machine.now < 1.05 * alone, "trials of all threads become rare"


def test_with_one_thread_chosen_beside_a_neighbour_all_are_tried_once_it_has_gone() -> None:
    machine = Machine(with_neighbour, busy=lambda now: now < 30)
    told = machine.watched(10_000, begin=1)
    assert [each.threads for each in told] == [2]
    assert machine.changes[0][0] >= BACK[0], "not at once: it was measured just now"
    assert 30 <= machine.changes[-1][0] < 30 + 4 * BACK[0]
    assert machine.threads == 2


def test_steps_that_are_slow_for_another_reason_bring_trials_that_become_rare() -> None:
    slower = Machine(lambda threads, busy, now: (0.01 if now < 10 else 0.03) * (1 if threads == 2 else 1.7))
    assert slower.watched(60_000) == []
    assert slower.threads == 2
    trials = [now for now, threads in slower.changes if threads == 1]
    gaps = [later - earlier for earlier, later in itertools.pairwise(trials)]
    assert gaps[0] == pytest.approx(2 * AGAIN[0], rel=0.25)  # and the windows themselves
    assert gaps[-1] == pytest.approx(AGAIN[1], rel=0.1)


def test_one_slow_window_is_no_neighbour() -> None:
    machine = Machine(with_neighbour, busy=lambda now: 20 <= now < 20.3)
    assert machine.watched(10_000) == []
    assert machine.changes == []


def test_evaluations_and_what_the_caller_does_are_not_counted() -> None:
    machine = Machine(with_neighbour)
    watch = ThreadWatch(2, clock=machine.clock, change=machine.change)
    for event in watch.watching(machine.train(5_000, per_epoch=100)):
        if isinstance(event, Step) and event.step % 70 == 0:
            machine.now += 30  # a checkpoint to a slow disk
    assert machine.changes == []


def test_the_watch_ends_with_the_training_and_passes_on_its_errors() -> None:
    def breaks() -> Iterator[Event]:
        yield Step(0, 1, 0.1, 1)
        raise ValueError("a loss of one's own")

    with pytest.raises(ValueError, match="one's own"):
        list(ThreadWatch(2).watching(breaks()))
