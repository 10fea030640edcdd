"""The way that the weights take, asked for the loss: at their mean since the last time, and further along in the same direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from glassnet.events import Along
from glassnet.layers.through_time import carried_of
from glassnet.training.measure.restoring import buffers_kept
from glassnet.training.plan import Plan

MOST = 2**21  # numbers of a network whose way is followed: two copies of them are kept, in checkpoints too
QUESTIONS = 10  # in a run, at most
FEWEST = 3  # looks between two of them
SAMPLES = 64  # every time the same ones
AHEAD = (1, 3)  # times the way since the last question


class Sample(Protocol):
    """What is asked of a sample of the training part."""

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Its batches."""
        ...


class Path:
    """Where the weights were at the last question, and their sum over the looks since.

    Attributes:
        start: the weights at the last question, or before the first step.
        total: the sum of the weights after the steps that were looked at since.
        looks: how many these were.
        step: optimiser steps made by then.
    """

    def __init__(self, net: nn.Module) -> None:
        self.start = [p.detach().clone() for p in _trained(net)]
        self.total = [torch.zeros_like(weight) for weight in self.start]
        self.looks = 0
        self.step = 0

    def see(self, net: nn.Module) -> None:
        """Take the present weights into the sum."""
        torch._foreach_add_(self.total, _trained(net))
        self.looks += 1

    def due(self, step: int, steps: int) -> bool:
        """Whether it is time for a question after ``step`` of ``steps`` steps."""
        return self.looks >= FEWEST and (step - self.step) * QUESTIONS >= steps

    def ask(self, net: nn.Module, plan: Plan, sample: Sample, epoch: int, step: int) -> Along:
        """The loss of a fixed sample along the way, which begins anew; the network is left as it was.

        Args:
            net: the network, after a step that was looked at.
            plan: whose loss is asked.
            sample: of the training part; the first of it is taken.
            epoch: the present one.
            step: optimiser steps made.
        """
        inputs, targets = _first(sample)
        weights = _trained(net)
        here = [weight.clone() for weight in weights]
        way = torch._foreach_sub(here, self.start)
        losses: dict[str, float] = {}
        try:
            losses["here"] = _loss(net, plan, inputs, targets)
            torch._foreach_copy_(weights, list(torch._foreach_div(self.total, self.looks)))
            losses["mean"] = _loss(net, plan, inputs, targets)
            for times in AHEAD:
                torch._foreach_copy_(weights, list(torch._foreach_add(here, way, alpha=times)))
                losses[f"ahead_{times}"] = _loss(net, plan, inputs, targets)
        finally:
            torch._foreach_copy_(weights, here)
        found = Along(epoch, step, step - self.step, losses)
        self.start, self.looks, self.step = here, 0, step
        torch._foreach_zero_(self.total)
        return found

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"start": self.start, "total": self.total, "looks": self.looks, "step": self.step}

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Go on from there."""
        torch._foreach_copy_(self.start, tree["start"])
        torch._foreach_copy_(self.total, tree["total"])
        self.looks, self.step = tree["looks"], tree["step"]


def followed(net: nn.Module) -> Path | None:
    """The way of a network that is looked at; None where it is too large, or remembers the batch before."""
    if carried_of(net) or not 0 < sum(weight.numel() for weight in _trained(net)) <= MOST:
        return None
    return Path(net)


def _first(sample: Sample) -> tuple[Tensor, Tensor]:
    batches = iter(sample.epoch(0))
    inputs, targets = next(batches)
    close = getattr(batches, "close", None)  # a generator may hold a thread that reads ahead
    if close is not None:
        close()
    return inputs[:SAMPLES], targets[:SAMPLES]


def _trained(net: nn.Module) -> list[Tensor]:
    """The weights that are to be trained, themselves."""
    return [p.detach() for p in net.parameters() if p.requires_grad]


def _loss(net: nn.Module, plan: Plan, inputs: Tensor, targets: Tensor) -> float:
    """In training mode and float32, each time with the same random numbers."""
    with torch.no_grad(), buffers_kept(net):
        return float(plan.loss(net(inputs), targets))
