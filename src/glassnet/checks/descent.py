"""Learning a few samples by heart: plain gradient descent with all of them in every step, and the plan's own optimiser where that is too slow."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from glassnet.checks.look import first
from glassnet.training.losses import Loss
from glassnet.training.measure.kinds import DROPOUTS
from glassnet.training.plan import Plan
from glassnet.training.state import generators, restore_generators

FIRST_RATE = 1e-3
FASTER, SLOWER = 1.2, 0.3
SMALLEST_RATE = 1e-12

Descent = Iterator[tuple[float, Tensor]]
"""(loss, outputs) at the weights before each step."""


def unregularised(loss: Loss) -> Loss:
    """The loss without label smoothing, under which no loss can come near zero."""
    if isinstance(loss, functools.partial) and loss.keywords.get("label_smoothing"):
        return functools.partial(loss.func, *loss.args, **{**loss.keywords, "label_smoothing": 0.0})
    if isinstance(loss, nn.CrossEntropyLoss) and loss.label_smoothing:
        return nn.CrossEntropyLoss(weight=loss.weight, ignore_index=loss.ignore_index, reduction=loss.reduction)
    return loss


def without_dropout(net: nn.Module) -> nn.Module:
    """Training mode with dropout off: batch normalisation goes by the samples themselves, all of which are in every step."""
    net.train()
    for module in net.modules():
        if isinstance(module, DROPOUTS) or "dropout" in type(module).__name__.lower():
            module.eval()
    return net


def gradient_descent(net: nn.Module, loss: Loss, inputs: Tensor, targets: Tensor) -> Descent:
    """Steps w ← w − lr·g, where lr grows a little while the loss falls, and a step that made it rise is taken back and made shorter.

    So no learning rate has to be known. Random numbers in the network are the same in every step.
    """
    trained = [p for p in net.parameters() if p.requires_grad]
    states, rate = generators(), FIRST_RATE

    def evaluate() -> tuple[Tensor, float, Tensor]:
        restore_generators(states)
        outputs = net(inputs)
        value = loss(outputs, targets)
        return value, float(value.detach()), first(outputs).detach()

    value, cost, outputs = evaluate()
    while True:
        yield cost, outputs
        if not value.requires_grad or not math.isfinite(cost):
            return
        parts = torch.autograd.grad(value, trained, allow_unused=True)
        gradients = [torch.zeros_like(p) if g is None else g for p, g in zip(trained, parts, strict=True)]
        before = [p.detach().clone() for p in trained]
        while True:
            with torch.no_grad():
                for p, own, gradient in zip(trained, before, gradients, strict=True):
                    p.copy_(own - rate * gradient)
            value, later, outputs = evaluate()
            if later <= cost:
                cost, rate = later, rate * FASTER
                break
            rate *= SLOWER
            if rate < SMALLEST_RATE:
                return


def with_optimizer(
    net: nn.Module,
    loss: Loss,
    optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    inputs: Tensor,
    targets: Tensor,
) -> Descent:
    """Steps of an optimiser at its own rate, without weight decay."""
    made = optimizer(net)
    for group in made.param_groups:
        group["weight_decay"] = 0.0
    while True:
        seen: list[tuple[float, Tensor]] = []

        def closure(seen: list[tuple[float, Tensor]] = seen) -> Tensor:
            made.zero_grad(set_to_none=True)
            outputs = net(inputs)
            value = loss(outputs, targets)
            seen.append((float(value.detach()), first(outputs).detach()))
            if value.requires_grad:
                value.backward()  # type: ignore[no-untyped-call]
            return value

        made.step(closure)  # type: ignore[arg-type]
        yield seen[0]


def ways(plan: Plan) -> list[tuple[str, Callable[[nn.Module, Loss, Tensor, Tensor], Descent]]]:
    """What is tried in turn, with a name for people."""

    def planned(net: nn.Module, loss: Loss, inputs: Tensor, targets: Tensor) -> Descent:
        return with_optimizer(net, loss, plan.optimizer, inputs, targets)

    def adam(net: nn.Module, loss: Loss, inputs: Tensor, targets: Tensor) -> Descent:
        return with_optimizer(
            net, loss, lambda some: torch.optim.Adam([p for p in some.parameters() if p.requires_grad]), inputs, targets
        )

    return [("plain gradient descent", gradient_descent), ("the plan's optimiser", planned), ("Adam", adam)]
