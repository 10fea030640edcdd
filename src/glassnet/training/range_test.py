"""The learning-rate range test (Smith 2017, section 3.3): raise the rate step by step and watch the loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassnet.training.losses import Loss
from glassnet.training.state import random_states, restore_random_states

SMOOTHING = 0.9  # share of the past in the running mean of the loss
TOO_HIGH = 4.0  # the test ends when the smoothed loss exceeds this many times the best one (fastai's stop rule)
FEWEST = 8  # recorded points below which nothing is suggested


@dataclass(frozen=True)
class RangeTest:
    """What the test saw.

    Attributes:
        lrs: rates tried, rising.
        losses: smoothed loss after each.
        suggestion: a rate where the loss fell fast; None when the test saw too little.
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
    weights = {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}
    memory = copy.deepcopy(optimizer.state_dict())
    gradients = [None if p.grad is None else p.grad.clone() for p in net.parameters()]
    modes = {module: module.training for module in net.modules()}
    states = random_states()
    try:
        lrs, losses = _climb(net, optimizer, batches, loss, lr_min, lr_max, steps)
    finally:
        net.load_state_dict(weights)
        optimizer.load_state_dict(memory)
        for parameter, gradient in zip(net.parameters(), gradients, strict=True):
            parameter.grad = gradient
        for module, training in modes.items():
            module.training = training
        restore_random_states(states)
    return judge(lrs, losses)


def _climb(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: Loss,
    lr_min: float,
    lr_max: float,
    steps: int,
) -> tuple[list[float], list[float]]:
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

            value = float(optimizer.step(gradient))  # type: ignore[arg-type]
            mean = SMOOTHING * mean + (1 - SMOOTHING) * value
            smoothed = mean / (1 - SMOOTHING ** (number + 1))  # corrects the start from zero, as Adam does
            if not math.isfinite(smoothed):
                return lrs, losses
            lrs.append(lr)
            losses.append(smoothed)
            best = min(best, smoothed)
            if smoothed > TOO_HIGH * best or len(lrs) >= steps:
                return lrs, losses
        if len(lrs) == before:
            break
    return lrs, losses


def judge(lrs: list[float], losses: list[float]) -> RangeTest:
    """Suggest a rate from the curve.

    The suggestion lies in the longest falling stretch of the curve ("valley"), two thirds of the way down it in log rate. It is
    never above a third of the rate at which the loss was lowest, since from there on it is about to rise.
    """
    if len(lrs) < FEWEST:
        return RangeTest(
            tuple(lrs),
            tuple(losses),
            None,
            None,
            None,
            f"the loss was not finite after {len(lrs)} steps of the range test",
        )
    low, high = _longest_fall(losses)
    lowest = min(range(len(losses)), key=losses.__getitem__)
    fell = losses[0] - losses[lowest]
    if fell <= 0.02 * abs(losses[0]):
        return RangeTest(
            tuple(lrs), tuple(losses), None, None, None, "the loss hardly fell at any rate of the range test"
        )
    valley = math.exp(math.log(lrs[low]) + 2 / 3 * (math.log(lrs[high]) - math.log(lrs[low])))
    suggestion = min(valley, lrs[lowest] / 3)
    moved = next((lr for lr, value in zip(lrs, losses, strict=True) if losses[0] - value > 0.05 * fell), None)
    risen = next(
        (lr for lr, value in zip(lrs[lowest:], losses[lowest:], strict=True) if value > losses[lowest] + 0.25 * fell),
        None,
    )
    reason = f"range test: the loss fell from {losses[0]:.3g} to {losses[lowest]:.3g} between {lrs[low]:.1g} and {lrs[high]:.1g}"
    return RangeTest(tuple(lrs), tuple(losses), suggestion, moved, risen, reason)


def _longest_fall(losses: list[float]) -> tuple[int, int]:
    """First and last index of the longest falling subsequence (not necessarily without gaps)."""
    lengths, begun = [1] * len(losses), list(range(len(losses)))
    for i in range(len(losses)):
        for j in range(i):
            if losses[j] > losses[i] and lengths[j] + 1 > lengths[i]:
                lengths[i], begun[i] = lengths[j] + 1, begun[j]
    last = max(range(len(losses)), key=lengths.__getitem__)
    return begun[last], last
