"""The border that nets of no, few and many hidden units draw between two classes in the plane.

Without a hidden layer a net can draw a straight line only; three tanh units close a ring around the inner class; two arms wound around
each other need more. Each net is trained alike; accuracy is measured on points of its own.
"""

from __future__ import annotations

from math import pi
from typing import Any

import torch
from torch import Tensor

from glassnet.experiments.fitting import fit, predict
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels, picture
from glassnet.plots.style import BLUE, INK, ORANGE, Drawing
from glassnet.training.schedules import cosine
from glassnet.zoo import build

CAPACITIES: dict[str, tuple[int, ...]] = {"no hidden layer": (), "3 units": (3,), "2 × 32 units": (32, 32)}
POINTS = 300
REACH = 2.2


def run(setting: Setting) -> Outcome:
    """Every net on every cloud of points."""
    series: dict[str, Any] = {}
    accuracy: dict[str, dict[str, float]] = {}
    for name in CLOUDS:
        setting.say(f"training on {name}")
        series[name] = {}
        accuracy[name] = {}
        for capacity, hidden in CAPACITIES.items():
            series[name][capacity] = found = separate(name, hidden, setting.seed, 1200 if setting.full else 400)
            accuracy[name][capacity] = found["accuracy"]
    line, few, many = CAPACITIES
    rows = []
    for name, each in accuracy.items():
        for capacity, share in each.items():
            reference, agrees = EXPECTED.get((name, capacity), (None, None))
            rows.append(
                Row(f"{name}, {capacity}: accuracy on new points", share, reference, agrees(share) if agrees else None)
            )
    ring, spiral = accuracy["ring"], accuracy["spirals"]
    return Outcome(
        rows,
        f"A line gets {ring[line]:.0%} of the ring's points right and three tanh units {ring[few]:.0%}; the spirals take {spiral[few]:.0%} "
        f"with three units and {spiral[many]:.0%} with two layers of 32: "
        + (
            "hidden units bend the border."
            if ring[few] > ring[line] + 0.2 and spiral[many] > spiral[few] + 0.2
            else "more units did not help here."
        ),
        series,
        data=f"{POINTS} points drawn in the plane for training, as many for the accuracy",
        caption="Colour: what the net says (darker is surer); dots: the training points; percent: right on points it has not seen.",
    )


def ring(points: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A disc within a ring."""
    y = torch.arange(points) % 2
    angle = 2 * pi * torch.rand(points, generator=generator)
    radius = torch.where(
        y == 0,
        0.9 * torch.rand(points, generator=generator).sqrt(),
        1.5 + 0.12 * torch.randn(points, generator=generator),
    )
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), y


def quarters(points: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Exclusive or: the class is whether the signs of both coordinates differ."""
    x = 3.6 * (torch.rand(points, 2, generator=generator) - 0.5)
    x = x + 0.12 * x.sign()
    return x, ((x[:, 0] > 0) != (x[:, 1] > 0)).long()


def spirals(points: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two arms of one and a half turns."""
    y = torch.arange(points) % 2
    t = torch.rand(points, generator=generator).sqrt()
    angle = 3 * pi * t + pi * y
    x = torch.stack([angle.cos(), angle.sin()], 1) * (0.15 + 1.75 * t)[:, None]
    return x + 0.05 * torch.randn(points, 2, generator=generator), y


CLOUDS = {"ring": ring, "quarters": quarters, "spirals": spirals}
EXPECTED: dict[tuple[str, str], tuple[str, Any]] = {
    ("ring", "no hidden layer"): ("at most 0.75", lambda share: share <= 0.75),
    ("ring", "3 units"): ("near 1", lambda share: share > 0.95),
    ("quarters", "no hidden layer"): ("at most 0.75", lambda share: share <= 0.75),
    ("quarters", "2 × 32 units"): ("near 1", lambda share: share > 0.95),
    ("spirals", "3 units"): ("below 0.85", lambda share: share < 0.85),
    ("spirals", "2 × 32 units"): ("near 1", lambda share: share > 0.95),
}


def separate(cloud: str, hidden: tuple[int, ...], seed: int, epochs: int) -> dict[str, Any]:
    """A net trained on a cloud: its points, its accuracy on new ones, and the probability of class 1 over the plane."""
    generator = torch.Generator().manual_seed(seed)
    x, y = CLOUDS[cloud](POINTS, generator)
    new, truth = CLOUDS[cloud](POINTS, generator)
    net = build("mlp", (2,), 2, {"hidden": hidden, "activation": "tanh", "dropout": 0.0}, seed=seed)
    fit(net, x, y, loss="cross-entropy", epochs=epochs, lr=0.03, batch_size=100, schedule=cosine(), seed=seed)
    side = torch.linspace(-REACH, REACH, 80)
    plane = torch.cartesian_prod(side, side).flip(1)  # rows are y, columns x
    return {
        "points": x,
        "classes": y,
        "accuracy": float((predict(net, new).argmax(1) == truth).float().mean()),
        "plane": predict(net, plane).softmax(1)[:, 1].reshape(80, 80),
    }


def draw(outcome: Outcome) -> Drawing:
    """A row for each cloud, a column for each net."""
    from matplotlib.colors import LinearSegmentedColormap

    two = LinearSegmentedColormap.from_list("two", [BLUE, "#ffffff", ORANGE])
    figure, nine = panels(3, 3, (7.4, 7.6))
    cells = [(name, capacity, each) for name, row in outcome.series.items() for capacity, each in row.items()]
    for axes, (name, capacity, each) in zip(nine, cells, strict=True):
        box = (-REACH, REACH, -REACH, REACH)
        axes.imshow(
            each["plane"], extent=box, origin="lower", cmap=two, vmin=-0.35, vmax=1.35, interpolation="bilinear"
        )
        axes.contour(each["plane"], levels=[0.5], extent=box, colors=INK, linewidths=1.2)
        points, classes = each["points"], each["classes"]
        for number, (colour, marker) in enumerate(((BLUE, "o"), (ORANGE, "^"))):
            here = points[classes == number]
            axes.scatter(here[:, 0], here[:, 1], s=9, color=colour, marker=marker, edgecolors="white", linewidths=0.35)
        picture(axes)
        heading(axes, f"{capacity}: {each['accuracy']:.0%}" if name == "ring" else f"{each['accuracy']:.0%}")
        if capacity == next(iter(CAPACITIES)):
            axes.set_ylabel(name, color=INK, fontsize=11)
    return Drawing(figure, outcome.caption)
