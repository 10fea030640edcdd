"""The loss around the weights that training found: slices through a space of very many dimensions (requirement V6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy, mse_loss

from glassnet.errors import UsageError
from glassnet.explain.looking import first_tensor, looking
from glassnet.explain.subject import Array, Inputs, Subject, array, subject
from glassnet.model import Model


@dataclass(frozen=True)
class LossSlice:
    """The loss over a plane, or a line, through the trained weights.

    Attributes:
        steps: (points,) how far along a direction; 1 changes each filter by its own length.
        losses: (points, points), rows along the second direction; or (points,) for a line.
        centre: the loss at the trained weights.
        parameters: dimensions of the space that is cut.
        samples: inputs that the loss is the mean of.
    """

    steps: Array
    losses: Array
    centre: float
    parameters: int
    samples: int


def loss_slice(
    model: Model | nn.Module,
    inputs: Inputs,
    targets: Tensor,
    *,
    directions: int = 2,
    points: int = 15,
    reach: float = 1.0,
    limit: int = 200,
    seed: int = 0,
) -> LossSlice:
    """L(w + a·d₁ + b·d₂) for random directions, each filter of which is as long as the filter of w that it moves.

    Weights of one dimension (biases, norms) stay, and running averages are those of training. Source: Li, Xu, Taylor, Studer, Goldstein,
    "Visualizing the loss landscape of neural nets", 2018, sections 3 and 4. It is a slice: what lies off the plane is not seen.

    Args:
        model: a model of Glassnet or any module.
        inputs: samples that the loss is taken over.
        targets: class indices, or values in their own units.
        directions: 1 or 2.
        points: of each direction, from −reach to reach; odd, so that the middle is the trained network.
        reach: how far.
        limit: at most so many samples, evenly spread.
        seed: of the directions.

    Raises:
        UsageError: figures out of range, or another number of targets than inputs.
    """
    if directions not in (1, 2) or points < 3 or points % 2 == 0 or reach <= 0:
        raise UsageError(
            "no such slice",
            got=f"{directions} directions, {points} points, reach {reach:g}",
            expected="1 or 2 directions, an odd number of points from 3, a reach above 0",
        )
    about = subject(model, inputs)
    if len(targets) != len(about.x):
        raise UsageError("the targets do not match the inputs", got=len(targets), expected=len(about.x))
    taken = torch.arange(min(limit, len(about.x))) * len(about.x) // min(limit, len(about.x))
    x, wanted = about.x[taken], targets[taken].to(about.x.device)
    generator = torch.Generator().manual_seed(seed)
    start = {name: weight.detach() for name, weight in about.net.named_parameters()}
    drawn = [_direction(start, generator) for _ in range(directions)]
    steps = torch.linspace(-reach, reach, points)
    losses = []
    with looking(about.net), torch.no_grad():
        for b in steps.tolist() if directions == 2 else [0.0]:
            for a in steps.tolist():
                weights = {
                    name: w + a * drawn[0][name] + (b * drawn[1][name] if directions == 2 else 0)
                    for name, w in start.items()
                }
                losses.append(_loss(about, weights, x, wanted))
        centre = _loss(about, start, x, wanted)
    table = torch.tensor(losses, dtype=torch.float64)
    return LossSlice(
        array(steps),
        array(table.reshape(points, points) if directions == 2 else table),
        centre,
        sum(w.numel() for w in start.values() if w.ndim > 1),
        len(x),
    )


def _direction(weights: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Normal numbers, each filter (first index of a weight) scaled to the length of that of the weights; zeros for one dimension."""
    made = {}
    for name, weight in weights.items():
        if weight.ndim < 2:
            made[name] = torch.zeros_like(weight)
            continue
        drawn = torch.randn(weight.shape, generator=generator).to(weight)
        lengths, own = weight.flatten(1).norm(dim=1), drawn.flatten(1).norm(dim=1).clamp_min(1e-12)
        made[name] = drawn * (lengths / own).reshape(-1, *[1] * (weight.ndim - 1))
    return made


def _loss(about: Subject, weights: dict[str, Tensor], x: Tensor, targets: Tensor) -> float:
    out = first_tensor(functional_call(about.net, weights, (x,)))
    assert out is not None
    out = out.reshape(len(out), -1)
    if not targets.is_floating_point():
        if out.shape[1] == 1:
            out = torch.cat((torch.zeros_like(out), out), dim=1)
        return float(cross_entropy(out.double(), targets))
    wanted = targets.reshape(len(targets), -1)
    if about.model is not None and about.model.target_scale is not None:
        wanted = about.model.target_scale.encode(wanted)
    return float(mse_loss(out.double(), wanted.double()))
