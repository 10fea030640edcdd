"""SGD, momentum, Nesterov, AdaGrad, RMSProp and Adam of PyTorch on four surfaces of two weights: ravine, saddle, local minima, noise.

Every optimiser runs at the best of the same learning rates on each surface. In the ravine f = (x² + 50·y²) / 2 plain descent must take
small steps (it explodes above 2/50, theory says) and jumps from side to side, while momentum adds up the slope along the floor
(Polyak, 1964; Goh, "Why momentum really works", 2017).
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import SERIES, heading, panels
from glassnet.plots.style import GRID, INK, MUTED, Drawing
from glassnet.training.optimizers import OPTIMIZERS

STEEP = 50.0
STEPS = 150
RATES = (0.003, 0.01, 0.038, 0.1, 0.3)
RACERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("sgd", {}),
    "momentum": ("sgd", {"momentum": 0.9}),
    "Nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
    "AdaGrad": ("adagrad", {}),
    "RMSProp": ("rmsprop", {"alpha": 0.9}),
    "Adam": ("adam", {}),
}
# who is expected to need fewer steps than plain descent
QUICKER = {"ravine": ("momentum", "Nesterov"), "saddle": ("AdaGrad",), "local minima": ("momentum", "Nesterov")}


class Surface(NamedTuple):
    """f(x, y), where the race starts, the value that counts as arrived, and the noise on the gradient."""

    f: Callable[[Tensor, Tensor], Tensor]
    start: tuple[float, float]
    goal: float
    minimum: tuple[float, float]
    noise: float = 0.0


SURFACES: dict[str, Surface] = {
    "ravine": Surface(lambda x, y: (x**2 + STEEP * y**2) / 2, (-2.5, 0.6), 0.01, (0, 0)),
    "saddle": Surface(lambda x, y: x**2 / 2 - y**2 / 2 + y**4 / 4, (-1.5, 0.001), -0.24, (0, 1)),
    "local minima": Surface(
        lambda x, y: 0.1 * (x**2 + y**2) + 0.12 * (2 - torch.cos(3 * x) - torch.cos(3 * y)), (-2.6, 2.2), 0.05, (0, 0)
    ),
    "noisy gradient": Surface(lambda x, y: (x**2 + 10 * y**2) / 2, (-2.5, 1.0), 0.1, (0, 0), noise=1.5),
}


def run(setting: Setting) -> Outcome:
    """All racers on all surfaces, and the ravine at too high a rate."""
    steps = 4 * STEPS if setting.full else STEPS
    races = {name: race(surface, setting.seed, steps) for name, surface in SURFACES.items()}
    ravine = races["ravine"]
    flips = {name: turns(ravine[name]["path"]) for name in ("SGD", "momentum")}
    slow = descend(SURFACES["ravine"], "SGD", 0.95 * 2 / STEEP, setting.seed, 60)["values"][-1]
    fast = descend(SURFACES["ravine"], "SGD", 1.05 * 2 / STEEP, setting.seed, 60)["values"][-1]
    start = float(ravine["SGD"]["values"][0])
    rows = [
        Row("ravine: share of steps at which SGD changes sides", flips["SGD"], "near 1", flips["SGD"] > 0.9),
        Row("ravine: the same, momentum", flips["momentum"], "below a half", flips["momentum"] < 0.5),
        Row(f"ravine: SGD after 60 steps at 0.95·2/L, from {start:.3g}", slow, "falls", slow < start),
        Row("ravine: SGD after 60 steps at 1.05·2/L", fast, "explodes", fast > 10 * start),
    ]
    for name, racers in races.items():
        told = {racer: each["arrived"] for racer, each in racers.items()}
        reference = "fewer than SGD"
        for racer, arrived in told.items():
            claim = racer in QUICKER.get(name, ())
            words = str(arrived) if arrived is not None else f"more than {steps}"
            agrees = _steps(arrived) < _steps(told["SGD"]) if claim else None
            rows.append(
                Row(f"{name}: steps, {racer} (lr {racers[racer]['lr']:g})", words, reference if claim else None, agrees)
            )
    first, second = (_steps(ravine[name]["arrived"]) for name in ("SGD", "momentum"))
    return Outcome(
        rows,
        f"In the ravine SGD changes sides at {flips['SGD']:.0%} of its steps and momentum at {flips['momentum']:.0%}, "
        + (
            f"which arrives in {second:.0f} steps instead of {first:.0f}"
            if second < first
            else f"which does not arrive sooner ({second:.0f} steps against {first:.0f})"
        )
        + f"; five per cent above 2/L SGD {'explodes' if fast > start else 'still falls'}.",
        {"races": races, "steps": steps},
        data="four functions of two weights; every optimiser at the best of the same learning rates",
        caption="Ways from the cross to the star, each optimiser at its best learning rate; a dot where it stands after its last step.",
    )


def race(surface: Surface, seed: int, steps: int) -> dict[str, dict[str, Any]]:
    """Each racer at the learning rate that arrives first, or comes lowest."""
    found: dict[str, dict[str, Any]] = {}
    for racer in RACERS:
        tried = [descend(surface, racer, lr, seed, steps) for lr in RATES]
        found[racer] = min(tried, key=lambda each: (_steps(each["arrived"]), each["final"]))
    return found


def descend(surface: Surface, racer: str, lr: float, seed: int, steps: int) -> dict[str, Any]:
    """Path, values, the step from which f stays below the goal, and the mean of the last ten values."""
    generator = torch.Generator().manual_seed(seed)
    w = torch.tensor(surface.start, dtype=torch.float64, requires_grad=True)
    kind, options = RACERS[racer]
    optimizer = OPTIMIZERS[kind]([w], lr=lr, **options)
    path, values = [tuple(w.tolist())], [surface.f(w[0], w[1]).item()]
    for _ in range(steps):
        optimizer.zero_grad()
        surface.f(w[0], w[1]).backward()  # type: ignore[no-untyped-call]
        assert w.grad is not None
        w.grad += surface.noise * torch.randn(2, generator=generator, dtype=torch.float64)
        optimizer.step()
        path.append(tuple(w.tolist()))
        values.append(surface.f(w[0], w[1]).item())
    above = [i for i, value in enumerate(values) if not value <= surface.goal]
    arrived = above[-1] + 1 if above[-1] < steps else None
    final = sum(values[-10:]) / 10
    return {
        "lr": lr,
        "path": path,
        "values": values,
        "arrived": arrived,
        "final": final if math.isfinite(final) else math.inf,
    }


def turns(path: list[tuple[float, float]], first: int = 30) -> float:
    """Share of the first steps after which the ravine's floor, y = 0, lies on the other side."""
    sides = [y > 0 for _, y in path[: first + 1]]
    return sum(a != b for a, b in pairwise(sides)) / first


def _steps(arrived: int | None) -> float:
    return math.inf if arrived is None else arrived


def draw(outcome: Outcome) -> Drawing:
    """The four surfaces with all ways."""
    return Drawing(_scene(outcome, outcome.series["steps"], (8.6, 6.6)), outcome.caption)


def animate(outcome: Outcome) -> bytes:
    """The race through ravine and saddle, step by step."""
    from PIL import Image

    images = []
    for step in [*range(0, 20, 2), *range(20, 60, 8), 70, STEPS]:
        written = io.BytesIO()
        scene = _scene(outcome, step, (7.2, 3.3), ("ravine", "saddle"))
        scene.savefig(written, format="png", dpi=80, facecolor="white")
        images.append(Image.open(written).convert("RGB"))
    palette = images[-1].quantize(64, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)  # one for all
    frames = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    made = io.BytesIO()
    frames[0].save(
        made, "GIF", save_all=True, append_images=frames[1:], duration=[180] * (len(frames) - 1) + [2500], loop=0
    )
    return made.getvalue()


def _scene(outcome: Outcome, until: int, size: tuple[float, float], names: tuple[str, ...] = tuple(SURFACES)) -> Any:
    figure, shown = panels(len(names) // 2, 2, size)
    views = {
        "ravine": (-3, 1.2, -1, 1),
        "saddle": (-2, 1, -0.6, 1.6),
        "local minima": (-3.2, 1.6, -1.6, 3),
        "noisy gradient": (-3, 1.2, -1.5, 1.5),
    }
    for axes, name in zip(shown, names, strict=True):
        left, right, low, high = views[name]
        surface = SURFACES[name]
        y, x = torch.meshgrid(torch.linspace(low, high, 60), torch.linspace(left, right, 60), indexing="ij")
        heights = surface.f(x, y)
        levels = torch.linspace(0.05, 1, 9) ** 2 * (heights.max() - heights.min()) + heights.min()
        axes.contour(x, y, heights, levels=levels.tolist(), colors=GRID, linewidths=0.9)
        for (racer, each), colour in zip(outcome.series["races"][name].items(), SERIES, strict=True):
            path = each["path"][: until + 1]
            px, py = zip(*path, strict=True)
            axes.plot(px, py, color=colour, linewidth=1.3, alpha=0.9, label=racer)
            axes.plot(
                px[-1], py[-1], "o", color=colour, markersize=6, markeredgecolor="white", markeredgewidth=0.6, zorder=4
            )
        axes.plot(*surface.start, "x", color=INK, markersize=8, markeredgewidth=2, zorder=5)
        axes.plot(*surface.minimum, "*", color=INK, markersize=11, zorder=3)
        axes.set_xlim(left, right)
        axes.set_ylim(low, high)
        axes.grid(visible=False)
        heading(axes, name if until >= outcome.series["steps"] else f"{name}, step {until}")
    handles, racers = shown[0].get_legend_handles_labels()
    figure.legend(handles, racers, loc="outside lower center", ncols=6, frameon=False, fontsize=9, labelcolor=MUTED)
    return figure
