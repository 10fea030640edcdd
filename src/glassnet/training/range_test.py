"""The learning-rate range test (Smith 2017, section 3.3): raise the rate step by step and watch the loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.training.losses import Loss
from glassnet.training.state import generators, restore_generators

SMOOTHING = 0.9  # share of the past in the running mean of the loss
TOO_HIGH = 4.0  # the test ends when the smoothed loss exceeds this many times the best one (fastai's stop rule)
NOT_FINITE = "the loss was not finite"
HARDLY_FELL = "the loss hardly fell at any rate of the range test"
LEAST_FALL = 0.02  # share of the first loss by which it must fall for the test to say anything
FEWEST = 8  # recorded points below which nothing is suggested


@dataclass(frozen=True)
class RangeTest:
    """What the test saw.

    Attributes:
        lrs: rates tried, rising.
        losses: smoothed loss after each.
        suggestion: a rate to train with; None when the test saw too little.
        too_low: below this rate the loss hardly moved; None where it moved from the start.
        too_high: from this rate on it rose; None where it never did.
        reason: the suggestion in words.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float | None
    too_low: float | None
    too_high: float | None
    reason: str


def find_lr(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
    *,
    lr_min: float = 1e-6,
    lr_max: float = 10.0,
    steps: int = 100,
) -> RangeTest:
    """Train for up to ``steps`` steps with a rate that rises from ``lr_min`` to ``lr_max``, and put everything back.

    Weights, buffers, gradients, mode, the optimiser and the random states are afterwards bit for bit what they were; parameter
    groups keep the ratios of their rates.

    Args:
        net: the network, on its device.
        optimizer: of that network.
        batches: gone through again and again while steps are wanted.
        loss: of outputs and targets.
        lr_min: first rate.
        lr_max: last rate.
        steps: steps between them, in equal ratios.
    """
    if not 0 < lr_min < lr_max:
        raise UsageError(
            "the rates rise from one to the other",
            where="lr_min, lr_max",
            got=f"{lr_min} and {lr_max}",
            expected="0 < lr_min < lr_max",
        )
    weights = copy.deepcopy(net.state_dict())
    memory = copy.deepcopy(optimizer.state_dict())
    gradients = [None if p.grad is None else p.grad.clone() for p in net.parameters()]
    modes = {module: module.training for module in net.modules()}
    # A state dict leaves out buffers that are not persistent, and they move in training like the others.
    passing = [(buffer, buffer.detach().clone()) for buffer in net.buffers()]
    states = generators()
    try:
        lrs, losses, ended = _climb(net, optimizer, batches, loss, lr_min, lr_max, steps)
    finally:
        net.load_state_dict(weights)
        with torch.no_grad():
            for buffer, before in passing:
                buffer.copy_(before)
        optimizer.load_state_dict(memory)
        for parameter, gradient in zip(net.parameters(), gradients, strict=True):
            parameter.grad = gradient
        for module, training in modes.items():
            module.training = training
        restore_generators(states)
    return judge(lrs, losses, ended)


def _climb(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
    lr_min: float,
    lr_max: float,
    steps: int,
) -> tuple[list[float], list[float], str]:
    net.train()
    first = optimizer.param_groups[0]["lr"] or 1.0
    ratios = [group["lr"] / first for group in optimizer.param_groups]
    lrs: list[float] = []
    losses: list[float] = []
    mean, best = 0.0, math.inf
    while len(lrs) < steps:
        before = len(lrs)
        for inputs, targets in batches:
            number = len(lrs)
            lr = lr_min * (lr_max / lr_min) ** (number / max(steps - 1, 1))
            for group, ratio in zip(optimizer.param_groups, ratios, strict=True):
                group["lr"] = lr * ratio

            def gradient(inputs: Tensor = inputs, targets: Tensor = targets) -> Tensor:
                optimizer.zero_grad(set_to_none=True)
                value = loss(net(inputs), targets)
                value.backward()  # type: ignore[no-untyped-call]
                return value.detach()

            if isinstance(optimizer, torch.optim.LBFGS):
                value = float(optimizer.step(gradient))  # type: ignore[no-untyped-call]
            else:  # one of the user's own may know nothing of such functions
                value = float(gradient())
                optimizer.step()
            mean = SMOOTHING * mean + (1 - SMOOTHING) * value
            smoothed = mean / (1 - SMOOTHING ** (number + 1))  # corrects the start from zero, as Adam does
            if not math.isfinite(smoothed):
                return lrs, losses, NOT_FINITE
            lrs.append(lr)
            losses.append(smoothed)
            best = min(best, smoothed)
            if smoothed > TOO_HIGH * best:
                return lrs, losses, f"the loss grew beyond {TOO_HIGH:g} times its lowest"
            if len(lrs) >= steps:
                return lrs, losses, "there were too few steps"
        if len(lrs) == before:
            break
    return lrs, losses, "the batches ended"


def judge(lrs: list[float], losses: list[float], ended: str = NOT_FINITE) -> RangeTest:
    """Suggest a rate from the curve: a tenth of the rate at which the smoothed loss was lowest (fastai's "minimum" rule).

    At the lowest point the loss is about to rise, and the running mean lags behind, so that rate itself is too high. The suggestion is
    never below the rate at which the loss began to move.
    """
    seen = (tuple(lrs), tuple(losses))
    if len(lrs) < FEWEST:
        return RangeTest(*seen, None, None, None, f"{ended} after {len(lrs)} steps of the range test")
    lowest = min(range(len(losses)), key=losses.__getitem__)
    fell = losses[0] - losses[lowest]
    if fell <= LEAST_FALL * abs(losses[0]):
        return RangeTest(*seen, None, None, None, HARDLY_FELL)
    curve = list(zip(lrs, losses, strict=True))
    moved = next((lr for lr, value in curve if losses[0] - value > 0.05 * fell), None)
    risen = next((lr for lr, value in curve[lowest:] if value > losses[lowest] + 0.25 * fell), None)
    suggestion = max(lrs[lowest] / 10, moved or 0.0)
    reason = f"range test: the loss fell from {losses[0]:.3g} to {losses[lowest]:.3g} up to {lrs[lowest]:.1g}; a tenth of that"
    return RangeTest(*seen, suggestion, moved, risen, reason)
