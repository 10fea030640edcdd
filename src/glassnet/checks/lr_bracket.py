"""Between which learning rates the loss falls, and whether the plan's own lies there (requirement T3)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from itertools import count, repeat

import torch
from torch import Tensor, nn

from glassnet.checks.check import WARNING, Check
from glassnet.checks.subject import Subject, reading
from glassnet.events import Checked, Finding
from glassnet.training.range_test import HARDLY_FELL, RangeTest, find_lr

LOWEST, HIGHEST = 1e-7, 10.0
NO_RATE = 1e-6  # below which nothing moves that is scaled as it should be
ABOVE = 2.0  # times the rate at which the loss begins to rise: up to there lie rates that end well as often as others (docs/log.md)
BEYOND = 10.0  # times the plan's rate, where that is higher
STEPS = 96
BATCH = 64  # samples of a batch; how high a rate may be hardly depends on more
SECONDS = 20.0  # that a range test may take: of large networks the batches are smaller, then the steps fewer
FEWEST_STEPS, SMALLEST_BATCH = 48, 16
ONE_BATCH = 256  # samples, where the batches differ too much
FEW = 20  # steps of the test that were made near the rate at which the loss began to move


def judge(subject: Subject) -> Checked:
    """Warns where the plan's rate lies outside the bracket."""
    with subject.trial() as net:
        if net is subject.net:
            return CHECK.skipped("the network cannot be copied")
        if not any(p.requires_grad for p in net.parameters()):
            return CHECK.skipped("no parameter is to be trained; see gradients-reach")
        optimizer = subject.plan.optimizer(net)
        if isinstance(optimizer, torch.optim.LBFGS):
            return CHECK.skipped("L-BFGS searches for the length of each step itself")
        rate = float(optimizer.param_groups[0]["lr"])
        seconds = seconds_of_a_step(subject)
        size, steps = affordable(seconds)
        found = climb(net, optimizer, without_end(subject, size), subject, rate, steps)
        # A fall may be hidden in how batches differ, or be nothing else where it begins at the lowest rates; one large batch has no such noise.
        if found.suggestion is None or (found.too_low is not None and found.too_low < NO_RATE):
            size, steps = affordable(seconds * ONE_BATCH / BATCH, ONE_BATCH)
            found = climb(net, optimizer, repeat(subject.samples(size)), subject, rate, steps)
    subject.range_test = found
    told = verdict(found, rate, steps=subject.plan.epochs * subject.batches.steps_per_epoch)
    if told.verdict == WARNING and found.suggestion is not None:
        better = float(f"{found.suggestion:.1g}")
        subject.proposed.append(
            Finding(CHECK.id, WARNING, 0, told.what, told.why, told.advice, told.figures, [{"optimizer.lr": better}])
        )
    return told


def climb(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[tuple[Tensor, Tensor]],
    subject: Subject,
    rate: float,
    steps: int,
) -> RangeTest:
    """The range test, from far too low to far too high; the network is put back."""
    high = max(HIGHEST, BEYOND * rate)
    return find_lr(net, optimizer, batches, subject.plan.loss, lr_min=LOWEST, lr_max=high, steps=steps)


def seconds_of_a_step(subject: Subject) -> float:
    """How long one forward and backward pass of ``BATCH`` samples takes, once whatever is made by the first one is there."""
    inputs, targets = subject.samples(BATCH)
    taken = math.inf
    with subject.trial() as net:
        net.train()
        for _ in range(2):
            begun = time.perf_counter()
            subject.plan.loss(net(inputs), targets).backward()  # type: ignore[no-untyped-call]
            taken = min(taken, time.perf_counter() - begun)
            if taken * STEPS < SECONDS:
                break
    return taken


def affordable(seconds: float, most: int = BATCH) -> tuple[int, int]:
    """Samples of a batch and steps of a range test.

    Args:
        seconds: of a step of ``most`` samples.
        most: samples of a batch, where there is time.
    """
    share = SECONDS / (STEPS * max(seconds, 1e-9))
    size = min(most, max(SMALLEST_BATCH, int(most * share)))
    return size, min(STEPS, max(FEWEST_STEPS, int(STEPS * share * most / size)))


def verdict(found: RangeTest, rate: float, *, steps: int) -> Checked:
    """Where the plan's rate lies in the bracket.

    A rate below the one at which the test began to move is too low only where the whole run is too short to make up for it: some 20 steps moved the
    loss there, so that a run of S steps gets as far with a rate 20/S as large.
    """
    curves = {"lr": list(found.lrs), "loss": list(found.losses)}
    figures = {"lr": rate, "steps": float(steps)}
    # Six healthy trainings of 266 and one fault of 417 had this and nothing else (docs/log.md).
    if found.reason == HARDLY_FELL:
        return CHECK.skipped(
            f"{found.reason}: it needs longer to begin, which says nothing about the rate", figures, curves
        )
    if found.suggestion is None:
        return CHECK.warning(
            f"no bracket was found: {found.reason}",
            figures,
            curves,
            why="numbers outgrow what they can hold after a few steps even at rates that are far too low: inputs, targets or weights are of the wrong size",
            advice="bring inputs and targets to spread 1, and see sane-sizes and initial-loss",
        )
    figures["suggestion"] = found.suggestion
    if found.too_low is not None:
        figures["too_low"] = found.too_low
    if found.too_high is not None:
        figures["too_high"] = found.too_high
    low = "" if found.too_low is None else f"below {found.too_low:.1g} the loss hardly moves"
    high = (
        f"up to {found.lrs[-1]:.1g} it never rises"
        if found.too_high is None
        else f"from {found.too_high:.1g} on it rises"
    )
    told = ", ".join(part for part in (low, high) if part)
    if found.too_high is not None and rate >= ABOVE * found.too_high:
        return CHECK.warning(
            f"{told}; the plan's {rate:.3g} is too high",
            figures,
            curves,
            why="at such rates each step overshoots, and the loss rises or becomes infinite",
            advice=f"a rate near {found.suggestion:.1g} (--lr {found.suggestion:.1g}), or a warm-up (--set schedule.warmup=1)",
        )
    if found.too_low is not None and rate * max(steps, FEW) < found.too_low * FEW:
        return CHECK.warning(
            f"{told}; the plan's {rate:.3g} is too low: {steps:,} steps of it come to less than {FEW} at {found.too_low:.1g}",
            figures,
            curves,
            why="the steps are so short that the whole run will hardly leave its starting point",
            advice=f"a rate near {found.suggestion:.1g} (--lr {found.suggestion:.1g}), or many more epochs",
        )
    if found.too_high is not None and rate >= found.too_high:
        return CHECK.passed(f"{told}; the plan's {rate:.3g} lies at the upper end", figures, curves)
    place = "on the low side" if found.too_low is not None and rate < found.too_low else "within"
    return CHECK.passed(f"{told}; the plan's {rate:.3g} lies {place}", figures, curves)


def without_end(subject: Subject, size: int = BATCH) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of one epoch after the other, those of more than ``size`` samples cut."""
    for epoch in count():
        with reading(subject.batches, epoch) as batches:
            for inputs, targets in batches:
                yield inputs[:size], targets[:size]


CHECK = Check(
    id="lr-bracket",
    title="The learning rate lies between too low and too high",
    threshold=(
        f"warns where the plan's rate is at least {ABOVE:g} times the one from which the loss rises, or so low that all its steps together come to less than {FEW} steps at the rate where the loss begins to move; "
        f"{STEPS} steps of at most {BATCH} samples with rates that rise from {LOWEST:g} to {HIGHEST:g}, fewer of both where that would take more than {SECONDS:.0f} seconds"
    ),
    source="Smith 2017, Cyclical learning rates, section 3.3; Stanford CS231n: 1e-6 leaves the loss where it is, 1e6 makes it NaN, the range lies between",
    explanation=(
        "The net is trained for a moment with a learning rate that rises at every step from far too low to far too high. At first nothing happens; then the loss begins to fall; at some rate the steps overshoot, and it "
        "rises or is not a number any more. Good rates lie between the two turns, about a tenth below the one at which the loss is lowest. Everything is put back afterwards."
    ),
    why="at too low a rate the loss hardly moves, at too high a rate it rises",
    advice="take a rate a few times below the one at which the loss begins to rise (--lr find chooses one)",
    judge=judge,
)
