"""Stopped anywhere and gone on with, a training is bit for bit the training that was never stopped."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from identical import identical
from torch import Tensor, nn

from glassnet.events import Event, Timing
from glassnet.training import Plan, State, checkpoint, train
from glassnet.training.averaging import Averager
from glassnet.training.clipping import Clip
from glassnet.training.evaluate import accuracy
from glassnet.training.losses import cross_entropy
from glassnet.training.noise import weight_noise
from glassnet.training.schedules import Schedule, make_schedule
from glassnet.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from conftest import Fixed

    Sets = tuple[Fixed, Fixed, Fixed]

Uninterrupted = Callable[[str, str, str], tuple[list[Event], Any]]

SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "constant": lambda: make_schedule("constant"),
    "one-cycle": lambda: make_schedule("one-cycle"),
    "plateau": lambda: make_schedule("plateau", patience=0, threshold=0.5, factor=0.5),
}
OPTIMIZERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "sgd": lambda net: torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, fused=True),
    "adam": lambda net: torch.optim.Adam(net.parameters(), lr=0.01, fused=True),
    "lbfgs": lambda net: torch.optim.LBFGS(
        net.parameters(), lr=0.5, max_iter=3, history_size=4, line_search_fn="strong_wolfe"
    ),
}
AVERAGERS: dict[str, Callable[[nn.Module], Averager] | None] = {"none": None, "ema": partial(Averager, decay=0.9)}
EVENTS = 18  # Started, 12 steps, 3 epochs, Finished; and the moment before the first event


class Jitter(nn.Module):
    """Draws from Python's own generator in training, as some augmentations do."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + 0.1 * random.random()) if self.training else x


def fresh_net(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    random.seed(seed)
    return nn.Sequential(Jitter(), nn.Linear(2, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.3), nn.Linear(6, 3))


def make_plan(schedule: str, optimizer: str, averager: str) -> Plan:
    return Plan(
        cross_entropy,
        OPTIMIZERS[optimizer],
        epochs=3,
        schedule=SCHEDULES[schedule](),
        clip=Clip(norm=1.0) if optimizer != "lbfgs" else None,
        around_step=weight_noise(0.01) if optimizer != "lbfgs" else None,
        averager=AVERAGERS[averager],
        stopping=partial(EarlyStopping, "loss"),
        figures=accuracy,
        record_every=3,
    )


def told(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Timing)]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="module")
def uninterrupted(four_steps: Sets) -> Uninterrupted:
    """Events and final state of a training that was never stopped, made once for each combination."""
    batches, validation, sample = four_steps

    @cache
    def run(schedule: str, optimizer: str, averager: str) -> tuple[list[Event], Any]:
        plan = make_plan(schedule, optimizer, averager)
        net = fresh_net(0)
        state = State(net, plan)
        events = list(train(net, batches, plan, validation=validation, sample=sample, state=state))
        return told(events), checkpoint._unpack(*_packed(state.state_dict()))

    return run


def _packed(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    tensors: dict[str, Tensor] = {}
    return checkpoint._pack(tree, tensors, ""), tensors


@pytest.mark.parametrize("stop_after", range(EVENTS))
@pytest.mark.parametrize("averager", AVERAGERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_stopping_and_going_on_is_not_stopping(
    tmp_path: Path,
    four_steps: Sets,
    uninterrupted: Uninterrupted,
    schedule: str,
    optimizer: str,
    averager: str,
    stop_after: int,
) -> None:
    expected, final = uninterrupted(schedule, optimizer, averager)
    batches, validation, sample = four_steps

    plan = make_plan(schedule, optimizer, averager)
    net = fresh_net(0)
    state = State(net, plan)
    before: list[Event] = []
    running = train(net, batches, plan, validation=validation, sample=sample, state=state)
    while len(before) < stop_after:
        before += told([next(running)])
    checkpoint.save(tmp_path, state.step, state.state_dict(), epoch=state.epoch)
    running.close()  # type: ignore[attr-defined]

    net = fresh_net(1234)  # other weights and other random states, as in a new process
    plan = make_plan(schedule, optimizer, averager)
    state = State(net, plan)
    torch.rand(7)
    random.random()
    loaded = checkpoint.load_newest(tmp_path)
    assert loaded is not None
    state.load_state_dict(loaded[0])
    after = told(list(train(net, batches, plan, validation=validation, sample=sample, state=state)))

    assert before + after == expected
    assert identical(checkpoint._unpack(*_packed(state.state_dict())), final)


def test_there_are_as_many_events_as_this_file_stops_at(uninterrupted: Uninterrupted) -> None:
    for optimizer in OPTIMIZERS:
        assert len(uninterrupted("constant", optimizer, "none")[0]) == EVENTS - 1


def test_the_combinations_differ_so_that_each_is_a_test_of_its_own(uninterrupted: Uninterrupted) -> None:
    ends = [
        uninterrupted(schedule, optimizer, averager)
        for schedule in SCHEDULES
        for optimizer in OPTIMIZERS
        for averager in AVERAGERS
    ]
    assert not any(identical(one[1], other[1]) for n, one in enumerate(ends) for other in ends[:n])
    lrs = {event.lr for event in uninterrupted("plateau", "sgd", "none")[0] if hasattr(event, "lr")}
    assert len(lrs) == 2, "the plateau has reduced the rate within the run"


def test_a_training_that_stopped_early_stays_stopped(tmp_path: Path, data: Sets) -> None:
    batches, validation, _ = data

    def plan() -> Plan:
        return Plan(
            cross_entropy,
            lambda net: torch.optim.SGD(net.parameters(), lr=20.0),
            epochs=50,
            stopping=partial(EarlyStopping, "loss", patience=2),
        )

    first = plan()
    net = fresh_net(0)
    state = State(net, first)
    list(train(net, batches, first, validation=validation, state=state))
    assert state.stop == "early stop"
    checkpoint.save(tmp_path, state.step, state.state_dict())
    loaded = checkpoint.load_newest(tmp_path)
    assert loaded is not None
    again = State(fresh_net(5), plan())
    again.load_state_dict(loaded[0])
    assert list(train(again.net, batches, plan(), validation=validation, state=again)) == []


def test_stopping_twice_is_no_worse_than_stopping_once(
    tmp_path: Path, four_steps: Sets, uninterrupted: Uninterrupted
) -> None:
    expected, final = uninterrupted("one-cycle", "adam", "ema")
    batches, validation, sample = four_steps
    seen: list[Event] = []
    state: State | None = None
    for _ in range(100):  # a new process for every single event
        plan = make_plan("one-cycle", "adam", "ema")
        state = State(fresh_net(0 if not seen else 77), plan)
        loaded = checkpoint.load_newest(tmp_path)
        if loaded is not None:
            state.load_state_dict(loaded[0])
        running = train(state.net, batches, plan, validation=validation, sample=sample, state=state)
        seen.append(next(running))
        checkpoint.save(tmp_path, state.step, state.state_dict(), epoch=state.epoch)
        running.close()  # type: ignore[attr-defined]
        if type(seen[-1]).__name__ == "Finished":
            break
    assert seen == expected
    assert state is not None
    assert identical(checkpoint._unpack(*_packed(state.state_dict())), final)
