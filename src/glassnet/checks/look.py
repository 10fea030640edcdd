"""One forward and one backward pass of the untrained network, with everything that several checks want to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.checks.ignorance import Ignorance, ignorance
from glassnet.training.measure.activations import Activations
from glassnet.training.measure.hidden import taking_part
from glassnet.training.measure.kinds import in_order, kind_of
from glassnet.training.plan import Plan
from glassnet.training.step import autocast

PROPORTIONAL = ("relu", "other")  # what puts out twice as much for twice the input, such as pooling


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
        normalised: names of the modules whose output a normalisation divides by its own spread; see :func:`before_norms`.
        frozen: names of the parameters that are not to be trained.
        hidden: names of those that a gradient reaches, though the network does not know of them.
        inputs_std: spread of all input numbers.
        between_samples: mean over outputs of the spread over samples; None where there are not several rows.
    """

    loss: float
    penalty: float | None
    ignorant: Ignorance | None
    layers: list[dict[str, Any]]
    gradients: dict[str, float | None]
    weight_gradients: dict[str, float]
    normalised: set[str]
    frozen: list[str]
    hidden: list[str]
    inputs_std: float
    between_samples: float | None


def look_at(net: nn.Module, plan: Plan, inputs: Tensor, targets: Tensor) -> Look:
    """Run the network forward and backward in training mode. The network is a copy, and keeps the gradients."""
    net.train()
    net.zero_grad(set_to_none=True)
    watched = Activations(net)
    watched.batch = len(targets)
    ran: list[tuple[str, nn.Module]] = []
    hidden: list[str] = []
    with torch.enable_grad(), watched, in_order(net, ran), taking_part(net, hidden):
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
        normalised=before_norms(ran),
        frozen=[name for name, p in net.named_parameters() if not p.requires_grad],
        hidden=hidden,
        inputs_std=float(floats.std(correction=0)),
        between_samples=float(own.flatten(1).std(0, correction=0).mean()) if own.ndim > 1 and len(own) > 1 else None,
    )


def before_norms(ran: list[tuple[str, nn.Module]]) -> set[str]:
    """Names of the dense and convolutional layers whose output a normalisation divides by its own spread, at once or behind what keeps proportions (ReLU, pooling).

    Such weights w have the same loss as 2w, where the gradient is half as large. It stands at a right angle to them, so that a large one makes them longer with the first steps, and
    is small from then on (van Laarhoven, "L2 regularization versus batch and weight normalization", 2017, section 2). Local response normalisation is left out: where numbers are small it
    divides by next to nothing.
    """
    found = set()
    for place, (name, module) in enumerate(ran):
        behind = next((each for _, each in ran[place + 1 :] if kind_of(each) not in PROPORTIONAL), None)
        by_spread = behind is not None and kind_of(behind) == "norm" and "LocalResponse" not in type(behind).__name__
        if by_spread and kind_of(module) in ("dense", "conv"):
            found.add(name)
    return found


def first(outputs: Any) -> Tensor:
    """A network's own output, where it gives further ones beside it."""
    own: Tensor = outputs[0] if isinstance(outputs, tuple | list) else outputs
    return own
