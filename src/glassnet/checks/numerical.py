"""Slopes of the loss by central differences, beside what backpropagation says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

# Steps relative to the size of the weights, tried until the two agree: a kink within one step is seldom within all of them.
WHOLE_STEPS = (1e-5, 1e-6, 1e-4, 1e-7)  # all numbers of a parameter move at once
SINGLE_STEPS = (1e-3, 1e-4, 1e-5, 1e-2)  # one number moves
AGREES = 1e-4  # relative error
ROUNDING = 20 * torch.finfo(torch.float64).eps  # of the loss, on either side of the difference
SMALLEST = 1e-3  # size that a weight of zero counts as


@dataclass(frozen=True)
class Probe:
    """One comparison.

    Attributes:
        name: of the parameter.
        whole: along a random direction through all its numbers; else one number alone.
        analytic: slope by backpropagation.
        numeric: slope by the central difference that agreed best.
        error: |analytic − numeric| / max(|analytic|, |numeric|).
        clear: whether the slope stands out from rounding at all.
        rounding: relative error that rounding of the loss alone may make.
    """

    name: str
    whole: bool
    analytic: float
    numeric: float
    error: float
    clear: bool
    rounding: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether the two slopes are the same within the tolerance."""
        return self.error <= AGREES + self.rounding or not self.clear


def compare(
    name: str,
    parameter: nn.Parameter,
    gradient: Tensor,
    direction: Tensor,
    loss: Callable[[], float],
    *,
    whole: bool,
) -> Probe:
    """(L(w + h·v) − L(w − h·v)) / 2h beside g·v, for steps h of several sizes until the two agree.

    Args:
        name: of the parameter.
        parameter: w, put back afterwards.
        gradient: g, dL/dw.
        direction: v, in the shape of w.
        loss: L at the present weights; must say the same when asked again.
        whole: which sizes of steps are tried.
    """
    own = parameter.detach().clone()
    size = max(float(own.square().mean().sqrt()), SMALLEST)
    analytic = float((gradient * direction).sum())
    best = Probe(name, whole, analytic, 0.0, float("inf"), clear=False)
    with torch.no_grad():
        for relative in WHOLE_STEPS if whole else SINGLE_STEPS:
            h = relative * size
            parameter.copy_(own + h * direction)
            above = loss()
            parameter.copy_(own - h * direction)
            below = loss()
            numeric = (above - below) / (2 * h)
            difference, largest = abs(analytic - numeric), max(abs(analytic), abs(numeric))
            noise = ROUNDING * max(abs(above), abs(below)) / h
            error, rounding = (difference / largest, noise / largest) if largest > 0 else (0.0, 0.0)
            found = Probe(name, whole, analytic, numeric, error, largest > 30 * noise, rounding)
            if found.error < best.error:
                best = found
            if difference <= AGREES * largest + noise:
                best = found
                break
        parameter.copy_(own)
    return best


def probes(
    net: nn.Module, loss: Callable[[], Tensor], *, single: int, most: int, generator: torch.Generator
) -> Iterator[Probe]:
    """Compare along one random direction through each parameter, then at single numbers of it.

    Args:
        net: in float64, on the CPU; its parameters are put back.
        loss: the loss at the present weights, with a graph where gradients are wanted; must say the same when asked again.
        single: numbers compared of each parameter besides: the one with the largest gradient, and others at random.
        most: comparisons in all; parameters are left out evenly where there would be more.
        generator: draws directions and places.
    """
    net.zero_grad(set_to_none=True)
    with torch.enable_grad():
        loss().backward()  # type: ignore[no-untyped-call]
    known = [(name, p, p.grad.clone()) for name, p in net.named_parameters() if p.requires_grad and p.grad is not None]
    taken = known[:: max(1, -(-len(known) // max(most, 1)))]

    def value() -> float:
        return float(loss().detach())

    padding = {
        id(module.weight): module.padding_idx
        for module in net.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.padding_idx is not None
    }
    for name, parameter, gradient in taken:
        sign = torch.randint(0, 2, parameter.shape, generator=generator, dtype=torch.int64).to(gradient)
        direction = 2 * sign - 1
        if id(parameter) in padding:  # a row that is not to learn has no gradient, whatever the loss makes of it
            direction[padding[id(parameter)]] = 0.0
        yield compare(name, parameter, gradient, direction, value, whole=True)
    left = most - len(taken)
    for number in range(single):
        for name, parameter, gradient in taken:
            if left <= 0:
                return
            left -= 1
            flat = gradient.flatten()
            place = (
                int(flat.abs().argmax()) if number == 0 else int(torch.randint(len(flat), (1,), generator=generator))
            )
            direction = torch.zeros_like(flat)
            direction[place] = 1.0
            direction = direction.reshape(gradient.shape)
            if id(parameter) in padding and bool(direction[padding[id(parameter)]].any()):
                continue
            yield compare(name, parameter, gradient, direction, value, whole=False)
