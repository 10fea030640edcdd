"""One optimiser step: forward, loss, backward, update. The only place where weights change."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from glassnet.training.plan import Plan
from glassnet.training.state import State
from glassnet.training.weight_gradients import AsProducts


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """The context in which a forward pass runs in the asked precision; weights stay float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, precision))


def weight_gradients_by(way: str) -> AbstractContextManager[object]:
    """The context of a forward pass to be learned from: ``products`` where convolutions may get their weight gradients so, else ``library``."""
    return AsProducts() if way == "products" else nullcontext()


class Made(NamedTuple):
    """What a step was made of: scalar tensors, still on the device.

    Attributes:
        loss: mean data loss of the batch.
        penalty: added to it; None without one.
        outputs: what the network said of the batch, for whoever looks where a strange loss came from; None without a meter.
        grad_norm: Euclidean norm of the whole gradient before clipping; None without clipping.
        clipped: 1 where clipping changed the gradient, else 0; None without clipping.
    """

    loss: Tensor
    penalty: Tensor | None
    outputs: Tensor | None = None
    grad_norm: Tensor | None = None
    clipped: Tensor | None = None


Backward: TypeAlias = Callable[[State, Plan, Tensor, Tensor], tuple[Tensor, Tensor | None, Tensor | None]]


def optimise(state: State, plan: Plan, inputs: Tensor, targets: Tensor, by: Backward | None = None) -> Made:
    """Change the weights once, on one batch.

    On the CPU a loss that is not finite changes nothing: the weights stay what they were, so that its cause can be traced and the run be gone on
    with. On other devices nobody waits for the loss, and the step is made.

    Args:
        state: the training.
        plan: what it is decided by.
        inputs: of the batch.
        targets: likewise.
        by: fills the gradients in place of :func:`backward`, which does so without it.
    """
    net, optimizer = state.net, state.optimizer
    made: list[Made] = []  # L-BFGS may evaluate more than once; the first counts
    usable = True

    def gradient() -> Tensor:
        nonlocal usable
        optimizer.zero_grad(set_to_none=True)
        with plan.around_step(net) if plan.around_step else nullcontext():
            loss, penalty, outputs = (by or backward)(state, plan, inputs, targets)
        made.append(Made(loss, penalty, outputs, *(plan.clip(net.parameters()) if plan.clip else ())))
        whole = loss if penalty is None else loss + penalty
        if len(made) == 1 and whole.device.type == "cpu" and not math.isfinite(whole.item()):
            usable = False
            if isinstance(optimizer, torch.optim.LBFGS):
                optimizer.zero_grad(set_to_none=True)  # without a slope it stays where it is
        return whole

    if isinstance(optimizer, torch.optim.LBFGS):  # evaluates the loss as often as its line search needs
        optimizer.step(gradient)  # type: ignore[no-untyped-call]
    else:
        gradient()
        if usable:
            optimizer.step()
    if not usable:
        return made[0]
    if plan.after_step:
        plan.after_step(net)
    if state.averager:
        state.averager.update(net)
    return made[0]


def backward(state: State, plan: Plan, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Fill the gradients of mean loss + penalty; the batch is cut into ``plan.micro_batches`` pieces to save memory.

    Returns:
        Mean data loss, penalty, and the outputs where the plan has a meter.
    """
    count = plan.micro_batches
    chain = state.chain if count == 1 and plan.precision == "float32" else None
    if chain is not None and chain.takes(inputs):
        total, outputs = chain.learn(inputs, targets, plan.loss)
        return penalised(state, plan, total, outputs if plan.meter is not None else None)
    pieces = ((inputs, targets),) if count == 1 else zip(inputs.chunk(count), targets.chunk(count), strict=True)
    losses, said = list[Tensor](), list[Tensor]()
    for some, wanted in pieces:
        with autocast(plan.precision, state.device), weight_gradients_by(plan.weight_gradients):
            outputs = state.net(some)
        loss = plan.loss(outputs, wanted)
        if count > 1:
            loss = loss * (len(wanted) / len(targets))
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
        if plan.meter is not None:
            said.append((outputs[0] if isinstance(outputs, tuple) else outputs).detach())
    total = sum(losses[1:], start=losses[0])
    whole = None if not said else said[0] if len(said) == 1 else torch.cat(said)
    return penalised(state, plan, total, whole)


def penalised(
    state: State, plan: Plan, total: Tensor, whole: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """What ``backward`` returns of a data loss and the outputs, once the penalty's gradients are added to those of the data."""
    if plan.penalty is None:
        return total, None, whole
    penalty = plan.penalty(state.net)
    penalty.backward()  # type: ignore[no-untyped-call]
    return total, penalty.detach(), whole
