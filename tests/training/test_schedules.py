"""Every schedule against torch's own of the same name, over a whole run; warm-up and plateau besides."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as reference

from glassnet.errors import UsageError
from glassnet.training.schedules import SCHEDULES, make_schedule
from glassnet.training.snapshots import cycle_ends

EPOCHS, PER_EPOCH = 12, 5
TOTAL = EPOCHS * PER_EPOCH

# Our options, torch's schedule, and how often torch's is stepped: after every step or after every epoch.
PAIRS: dict[str, tuple[dict[str, Any], Callable[[torch.optim.Optimizer], Any], str]] = {
    "step": ({"every": 3, "factor": 0.5}, lambda o: reference.StepLR(o, step_size=3, gamma=0.5), "epoch"),
    "exponential": ({"rate": 0.2}, lambda o: reference.ExponentialLR(o, gamma=math.exp(-0.2)), "epoch"),
    "cosine": ({"final": 0.1}, lambda o: reference.CosineAnnealingLR(o, T_max=TOTAL, eta_min=0.1), "step"),
    "warm-restarts": (
        {"period": 2, "multiply": 2, "final": 0.1},
        lambda o: reference.CosineAnnealingWarmRestarts(o, T_0=2 * PER_EPOCH, T_mult=2, eta_min=0.1),
        "step",
    ),
    "cyclic": (
        {"period": 4, "low": 0.1},
        lambda o: reference.CyclicLR(o, base_lr=0.1, max_lr=1.0, step_size_up=2 * PER_EPOCH, cycle_momentum=False),
        "step",
    ),
    "constant": ({}, lambda o: reference.ConstantLR(o, factor=1.0), "step"),
    "inverse": ({"rate": 0.3}, lambda o: reference.LambdaLR(o, lambda e: 1 / (1 + 0.3 * e)), "epoch"),
}


def factors(name: str, **options: Any) -> list[float]:
    schedule = make_schedule(name, **options)
    return [schedule.factor(step, PER_EPOCH, TOTAL) for step in range(TOTAL)]


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_torchs_schedule_over_a_whole_run(name: str) -> None:
    options, make, unit = PAIRS[name]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = make(optimizer)
    ours = factors(name, **options)
    if unit == "epoch":
        ours = ours[::PER_EPOCH]
    rates = []
    for _ in ours:
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        theirs.step()
    assert ours == pytest.approx(rates, abs=1e-12)


def test_every_schedule_is_compared_with_something() -> None:
    assert set(SCHEDULES) == {*PAIRS, "one-cycle", "plateau", "cyclic-cosine", "swa"}


@pytest.mark.parametrize(("total", "cycles"), [(60, 5), (60, 7), (61, 4), (10, 6), (3, 1)])
def test_cyclic_cosine_is_equation_2_of_the_snapshot_paper_and_cycles_end_where_the_rate_is_lowest(
    total: int, cycles: int
) -> None:
    schedule = make_schedule("cyclic-cosine", cycles=cycles)
    ours = [schedule.factor(step, PER_EPOCH, total) for step in range(total)]
    length = -(-total // cycles)
    paper = [0.5 * (math.cos(math.pi * ((t - 1) % length) / length) + 1) for t in range(1, total + 1)]
    assert ours == pytest.approx(paper, abs=1e-15)
    jumps = [t for t in range(1, total) if ours[t] > ours[t - 1]]  # the step after t steps begins anew
    assert cycle_ends(total, cycles) == [*jumps, total] or length == 1


def test_a_schedule_for_swa_by_hand() -> None:
    # From the authors' own program: t = epoch / start; 1 up to 0.5, then linear to the rate at 0.9.
    schedule = make_schedule("swa", start=0.75, rate=0.2)
    for epoch in range(100):
        t = epoch / 75
        expected = 1.0 if t <= 0.5 else 1 - 0.8 * (t - 0.5) / 0.4 if t <= 0.9 else 0.2
        assert schedule.factor(epoch * 3, 3, 300) == pytest.approx(expected)


@pytest.mark.parametrize("options", [{"cycles": 0}, {"cycles": 2.5}, {"cycles": True}])
def test_cycles_are_counted_in_whole_numbers(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="whole number"):
        make_schedule("cyclic-cosine", **options)


@pytest.mark.parametrize("every", [1 / 5, 2 / 5, 0.1 + 0.2, 3.0])
def test_steps_fall_on_the_step_they_belong_to_in_spite_of_rounding(every: float) -> None:
    ours = factors("step", every=every, factor=0.9)
    changes = [n for n, (before, after) in enumerate(pairwise(ours)) if before != after]
    assert changes == [n for n in range(TOTAL - 1) if int((n + 1) / (every * 5) + 1e-6) > int(n / (every * 5) + 1e-6)]


def test_one_cycle_by_hand() -> None:
    ours = factors("one-cycle", peak=0.2, start=0.1, final=0.05)
    assert ours[0] == pytest.approx(0.1)
    assert ours[6] == pytest.approx(0.55)  # half way up
    assert ours[12] == pytest.approx(1.0)
    assert ours[36] == pytest.approx(0.525)  # half way down
    assert ours[59] == pytest.approx(0.05 + 0.95 / 48)
    assert max(ours) <= 1


def test_the_last_step_of_a_one_cycle_still_moves() -> None:
    assert factors("one-cycle")[-1] > 0
    assert factors("cosine")[-1] > 0


def test_warm_up_rises_in_a_straight_line_from_nearly_nothing_and_then_follows_the_curve() -> None:
    ours = factors("constant", warmup=2.0)
    assert ours[:10] == pytest.approx([(n + 1) / 10 for n in range(10)])
    assert ours[10:] == [1.0] * 50
    plain, warm = factors("cosine"), factors("cosine", warmup=1.0)
    assert warm[5:] == plain[5:]
    assert warm[2] == pytest.approx(0.6 * plain[2])


LOSSES = [
    3.0,
    2.0,
    2.0,
    1.9999,
    2.5,
    2.1,
    1.5,
    1.6,
    1.7,
    1.8,
    1.4,
    1.4,
    1.4,
    1.4,
    1.39999,
    1.0,
    float("nan"),
    1.1,
    1.2,
    1.3,
]


@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize("threshold", [1e-4, 0.1])
def test_plateau_is_torchs(patience: int, threshold: float) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = reference.ReduceLROnPlateau(optimizer, factor=0.5, patience=patience, threshold=threshold, eps=0.0)
    ours = make_schedule("plateau", factor=0.5, patience=patience, threshold=threshold)
    for loss in LOSSES:
        ours.observe(loss)
        theirs.step(loss)
        assert ours.factor(0, 1, 1) == pytest.approx(float(optimizer.param_groups[0]["lr"]), abs=1e-12)
    assert ours.factor(0, 1, 1) < 1


def test_a_plateau_remembers() -> None:
    one, other = make_schedule("plateau", patience=1), make_schedule("plateau", patience=1)
    for loss in LOSSES[:5]:
        one.observe(loss)
    other.load_state_dict(one.state_dict())
    for loss in LOSSES[5:]:
        one.observe(loss)
        other.observe(loss)
        assert one.state_dict() == other.state_dict()


def test_two_plateaus_do_not_share_a_memory() -> None:
    one, other = make_schedule("plateau", patience=0), make_schedule("plateau", patience=0)
    one.observe(1.0)
    one.observe(1.0)
    assert one.factor(0, 1, 1) < other.factor(0, 1, 1) == 1.0


def test_mistakes_are_told_with_the_nearest_spelling_all_at_once() -> None:
    with pytest.raises(UsageError, match="did you mean 'cosine'"):
        make_schedule("cosin")
    with pytest.raises(UsageError, match=r"2 mistakes[\s\S]*did you mean 'factor'[\s\S]*did you mean 'every'"):
        make_schedule("step", factr=1, evry=2)
