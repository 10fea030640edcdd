"""One forward and one backward pass of the untrained network, with everything that several checks want to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.checks.ignorance import Ignorance, ignorance
from glassnet.training.measure.activations import Activations
from glassnet.training.plan import Plan
from glassnet.training.step import autocast


@dataclass(frozen=True)
class Look:
    """What one pass showed.

    Attributes:
        loss: mean loss of the samples in training mode.
        penalty: the plan's penalty; None without one.
        ignorant: the loss of a net that knows nothing; None where the targets do not tell.
        layers: records of the layers; see :class:`~glassnet.events.Measured`.
        gradients: norm of the loss's gradient in each trainable parameter; None where none arrives.
        weight_gradients: those of parameters of two dimensions or more that are not zero.
        frozen: names of the parameters that are not to be trained.
        inputs_std: spread of all input numbers.
        between_samples: mean over outputs of the spread over samples; None where there are not several rows.
    """

    loss: float
    penalty: float | None
    ignorant: Ignorance | None
    layers: list[dict[str, Any]]
    gradients: dict[str, float | None]
    weight_gradients: dict[str, float]
    frozen: list[str]
    inputs_std: float
    between_samples: float | None


def look_at(net: nn.Module, plan: Plan, inputs: Tensor, targets: Tensor) -> Look:
    """Run the network forward and backward in training mode. The network is a copy, and keeps the gradients."""
    net.train()
    net.zero_grad(set_to_none=True)
    watched = Activations(net)
    watched.batch = len(targets)
    with torch.enable_grad(), watched:
        with autocast(plan.precision, inputs.device):
            outputs = net(inputs)
        loss = plan.loss(outputs, targets)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
    own = first(outputs).detach().float()
    with torch.no_grad():
        penalty = None if plan.penalty is None else float(plan.penalty(net))
        floats = inputs.float()
    gradients = {
        name: None if p.grad is None else float(p.grad.double().norm())
        for name, p in net.named_parameters()
        if p.requires_grad
    }
    return Look(
        loss=float(loss.detach()),
        penalty=penalty,
        ignorant=ignorance(plan.loss, outputs, targets),
        layers=watched.records,
        gradients=gradients,
        weight_gradients={
            name: norm for name, p in net.named_parameters() if p.ndim > 1 and (norm := gradients.get(name))
        },
        frozen=[name for name, p in net.named_parameters() if not p.requires_grad],
        inputs_std=float(floats.std(correction=0)),
        between_samples=float(own.flatten(1).std(0, correction=0).mean()) if own.ndim > 1 and len(own) > 1 else None,
    )


def first(outputs: Any) -> Tensor:
    """A network's own output, where it gives further ones beside it."""
    own: Tensor = outputs[0] if isinstance(outputs, tuple | list) else outputs
    return own
