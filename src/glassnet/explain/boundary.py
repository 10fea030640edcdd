"""Where the answer changes, for data of two features (requirement V6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from glassnet.errors import UsageError
from glassnet.explain.looking import looking
from glassnet.explain.subject import Array, Inputs, array, subject
from glassnet.model import Model


@dataclass(frozen=True)
class Boundary:
    """The answer over a rectangle of the plane.

    Attributes:
        features: names of the two features.
        x: (points,) values of the first feature.
        y: (points,) values of the second.
        answers: (points of y, points of x, classes) probabilities, or (…, outputs) values.
        classes: names; empty for values.
        samples: (n, 2) the inputs themselves.
    """

    features: tuple[str, str]
    x: Array
    y: Array
    answers: Array
    classes: tuple[str, ...]
    samples: Array


def boundary(model: Model | nn.Module, inputs: Inputs, points: int = 120, margin: float = 0.1) -> Boundary:
    """Ask the network on a grid that covers the inputs.

    Args:
        model: a model of Glassnet that reads two numeric columns, or any module that reads (batch, 2).
        inputs: samples; the grid covers them and a margin.
        points: of the grid on each side.
        margin: share of the range added on each side.

    Raises:
        UsageError: the inputs do not have two features.
    """
    about = subject(model, inputs)
    raw = about.raw.float()
    if raw.shape[1:] != (2,):
        raise UsageError(
            "decision boundaries are drawn for data of two features",
            got=f"inputs of shape {tuple(raw.shape[1:])}",
            expected="each of (2,), such as the rows of a table with two columns of numbers",
        )
    whole = raw[~raw.isnan().any(1)]
    low, high = whole.amin(0), whole.amax(0)
    room = margin * (high - low).clamp_min(1e-6)
    sides = [torch.linspace(float(low[i] - room[i]), float(high[i] + room[i]), points) for i in range(2)]
    down, right = torch.meshgrid(sides[1], sides[0], indexing="ij")
    grid = torch.stack((right.flatten(), down.flatten()), 1).to(about.x.device)
    with looking(about.net), torch.no_grad():
        x = grid.to(about.x.dtype) if about.model is None else about.model.preprocess(grid)
        out = about.answer(x)
        if not about.outputs and out.shape[1] > 1:
            temperature = 1.0 if about.model is None else about.model.temperature
            out = torch.softmax(out / temperature, dim=1)
        elif about.model is not None and about.model.target_scale is not None:
            out = about.model.target_scale.decode(out)
    names = getattr(about.model.schema, "names", ("x1", "x2")) if about.model is not None else ("x1", "x2")
    count = out.shape[1]
    classes = about.classes or (() if about.outputs or count < 2 else tuple(map(str, range(count))))
    return Boundary(
        (str(names[0]), str(names[1])),
        array(sides[0]),
        array(sides[1]),
        array(out.reshape(points, points, count)),
        classes,
        array(raw),
    )
