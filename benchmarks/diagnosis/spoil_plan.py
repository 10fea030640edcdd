"""Faults in how it is trained: (making, strength) -> making."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from benchmarks.diagnosis.nets import last_dense
from glassnet.data.batches import Batch, Batches
from glassnet.training.schedules import Schedule

if TYPE_CHECKING:
    from benchmarks.diagnosis.making import Making

Spoiler = Callable[["Making", float], "Making"]


def uphill(made: Making, strength: float) -> Making:
    """A sign is wrong: the optimiser climbs."""

    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        own = made.plan.optimizer(net)
        for group in own.param_groups:
            group["maximize"] = True
        return own

    return replace(made, plan=replace(made.plan, optimizer=optimizer))


def negated_loss(made: Making, strength: float) -> Making:
    """The loss has the wrong sign, as that of an agreement has which was to be made large."""
    loss = made.plan.loss
    return replace(made, plan=replace(made.plan, loss=lambda outputs, targets: -loss(outputs, targets)))


def rising_rate(made: Making, strength: float) -> Making:
    """The schedule multiplies where it should divide: the rate grows by the factor ``strength`` over the run."""
    schedule = Schedule(lambda t, u: strength**u)
    return replace(made, plan=replace(made.plan, schedule=schedule))


def rate_jump(made: Making, strength: float) -> Making:
    """For some steps in the middle of the run the rate is ``strength`` times too high."""
    schedule = Schedule(lambda t, u: strength if 0.45 < u < 0.47 else 1.0)
    return replace(made, plan=replace(made.plan, schedule=schedule))


def head_alone_optimised(made: Making, strength: float) -> Making:
    """The optimiser was given the parameters of the last layer."""

    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        return made.plan.optimizer(last_dense(net))

    return replace(made, plan=replace(made.plan, optimizer=optimizer))


def old_optimised(made: Making, strength: float) -> Making:
    """The last layer was replaced after the optimiser had been made, which goes on with the old one."""

    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        own = made.plan.optimizer(net)
        gone = set(last_dense(net).parameters())
        for group in own.param_groups:
            group["params"] = [p for p in group["params"] if p not in gone]
        return own

    return replace(made, plan=replace(made.plan, optimizer=optimizer))


def first_not_optimised(made: Making, strength: float) -> Making:
    """A list of layers that the optimiser does not know: the first ``strength`` parameters."""

    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        own = made.plan.optimizer(net)
        gone = set(list(net.parameters())[: int(strength)])
        for group in own.param_groups:
            group["params"] = [p for p in group["params"] if p not in gone]
        return own

    return replace(made, plan=replace(made.plan, optimizer=optimizer))


class Glitch(Batches):
    """Batches of which one, in the middle of some epochs, comes ``factor`` times as large as it should."""

    factor = 1.0
    first = 0

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch."""
        for place, (inputs, targets) in enumerate(super().epoch(epoch, start), start):
            hit = epoch >= self.first and place == self.steps_per_epoch // 2
            yield Batch(inputs * self.factor if hit else inputs, targets)


def glitch(made: Making, strength: float) -> Making:
    """From the third epoch on one batch an epoch was not scaled."""
    old = made.batches
    new = Glitch(old.part, old.batch_size, seed=old.seed, prepare=old.prepare, shuffle=old.shuffle)
    new.factor, new.first = strength, 2
    return replace(made, batches=new)


SPOILERS: dict[str, Spoiler] = {
    function.__name__.replace("_", "-"): function
    for function in (
        uphill,
        negated_loss,
        rising_rate,
        rate_jump,
        head_alone_optimised,
        old_optimised,
        first_not_optimised,
        glitch,
    )
}
