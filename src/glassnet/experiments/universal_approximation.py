"""One hidden layer against a curve: constructed by hand with a bound on its error, and trained.

n rectifiers make any polygon of n pieces: y = f(x₀) + Σ (change of slope at x_i)·ReLU(x − x_i). Through n + 1 points of f with equal distance h
its error is at most h²·max|f″| / 8, so that twice the units make a quarter of the error: no curve is out of reach (Cybenko, 1989; Hornik, 1991). Training
has to find such weights by itself.
"""

from __future__ import annotations

from math import pi
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.experiments.fitting import fit, predict
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing, label
from glassnet.training.schedules import cosine
from glassnet.zoo import build

UNITS = (1, 2, 4, 8, 16, 32, 64)
SHOWN = (2, 4, 16)
BEND = (2 * pi) ** 2 + 0.5 * (5 * pi) ** 2  # no |f″| is larger


def curve(x: Tensor) -> Tensor:
    """f(x) = sin 2πx + ½ sin 5πx, with |f″| ≤ (2π)² + ½(5π)²."""
    return torch.sin(2 * pi * x) + 0.5 * torch.sin(5 * pi * x)


def run(setting: Setting) -> Outcome:
    """Greatest errors on [0, 1] by the number of hidden units."""
    x = torch.linspace(0, 1, 401)[:, None]
    built = {units: by_hand(units)(x).detach() for units in UNITS}
    trained: dict[int, Tensor] = {}
    for units in UNITS:
        setting.say(f"training {units} units")
        trained[units] = learned(units, x, setting.seed, 6000 if setting.full else 1500)
    errors = {units: float((values - curve(x)).abs().max()) for units, values in built.items()}
    rms = {units: float((values - curve(x)).square().mean().sqrt()) for units, values in trained.items()}
    bounds = {units: BEND / (8 * units**2) for units in UNITS}
    rows = [
        Row(
            f"{units} ReLUs by hand: greatest error",
            errors[units],
            f"at most {bounds[units]:.3g}",
            errors[units] <= bounds[units] + 1e-5,
        )
        for units in UNITS
    ]
    ratio = errors[32] / errors[64]
    rows.append(Row("32 to 64 units: error divided by", ratio, "about 4", 3.5 < ratio < 4.5))
    rows += [Row(f"{units} tanh units trained: root mean square error", rms[units]) for units in UNITS]
    rows.append(
        Row(
            "trained: best of many units against one",
            min(rms.values()) / rms[1],
            "below 0.1",
            min(rms.values()) < 0.1 * rms[1],
        )
    )
    held = all(row.agrees is not False for row in rows)
    return Outcome(
        rows,
        f"Built by hand, one hidden layer comes within {errors[64]:.2g} of the curve with 64 units and four times nearer whenever units double "
        f"({ratio:.1f} times measured); trained ones get to {min(rms.values()):.2g} on average"
        + (": width alone suffices, if the weights are found." if held else ", but not every bound was kept."),
        {
            "x": x[:, 0],
            "curve": curve(x)[:, 0],
            "built": {str(units): values[:, 0] for units, values in built.items()},
            "trained": {str(units): values[:, 0] for units, values in trained.items()},
            "errors": errors,
            "bounds": bounds,
            "rms": rms,
        },
        data="sin 2πx + ½ sin 5πx on [0, 1]",
        caption="Left and middle: the same curve by hidden layers of 2, 4 and 16 units. Right: errors fall with the units, below the bound of theory.",
    )


def by_hand(units: int) -> nn.Module:
    """ReLU net through ``units`` + 1 points of the curve."""
    places = torch.linspace(0, 1, units + 1)
    heights = curve(places)
    slopes = heights.diff() * units
    first, last = nn.Linear(1, units), nn.Linear(units, 1)
    with torch.no_grad():
        first.weight.fill_(1.0)
        first.bias.copy_(-places[:-1])
        last.weight.copy_(torch.cat([slopes[:1], slopes.diff()])[None])
        last.bias.copy_(heights[:1])
    return nn.Sequential(first, nn.ReLU(), last)


def learned(units: int, x: Tensor, seed: int, epochs: int) -> Tensor:
    """Outputs (places, 1) of a trained tanh layer."""
    net = build("mlp", (1,), 1, {"hidden": (units,), "activation": "tanh", "dropout": 0.0}, seed=seed)
    with torch.no_grad():  # kinks spread over [0, 1]: where no tanh bends, nothing can be learned
        generator = torch.Generator().manual_seed(seed)
        first = next(module for module in net.modules() if isinstance(module, nn.Linear))
        first.weight.copy_(torch.where(torch.rand(units, 1, generator=generator) < 0.5, -1.0, 1.0) * (4 + units**0.5))
        first.bias.copy_(-first.weight[:, 0] * torch.linspace(0, 1, units + 2)[1:-1])
    return predict(fit(net, x[::4], curve(x[::4]), epochs=epochs, lr=0.02, schedule=cosine(), seed=seed), x)


def draw(outcome: Outcome) -> Drawing:
    """Fits by hand and trained, and errors by the number of units."""
    series: dict[str, Any] = dict(outcome.series)
    figure, (left, middle, right) = panels(1, 3, (9.2, 3.3))
    for axes, key, title in ((left, "built", "by hand, ReLU"), (middle, "trained", "trained, tanh")):
        axes.plot(series["x"], series["curve"], color=MUTED, linewidth=4, alpha=0.45, label="curve")
        for units, colour in zip(SHOWN, (ORANGE, GREEN, BLUE), strict=True):
            axes.plot(series["x"], series[key][str(units)], color=colour, linewidth=1.5, label=f"{units} units")
        axes.set_ylim(-1.7, 1.7)
        label(axes, "x", "")
        heading(axes, title)
    left.legend(
        loc="lower left", fontsize=7.5, frameon=False, labelcolor=INK, ncols=2, columnspacing=0.8, handlelength=1.2
    )
    counts = list(series["errors"])
    right.plot(
        counts, list(series["bounds"].values()), color=MUTED, linewidth=1.2, dashes=(3, 2), label="bound, by hand"
    )
    right.plot(counts, list(series["errors"].values()), color=BLUE, marker="o", markersize=4, label="by hand, greatest")
    right.plot(counts, list(series["rms"].values()), color=ORANGE, marker="s", markersize=4, label="trained, mean")
    right.set_xscale("log", base=2)
    right.set_yscale("log")
    right.set_xticks(counts, [str(each) for each in counts])
    label(right, "hidden units", "error")
    right.legend(loc="lower left", fontsize=7.5, frameon=False, labelcolor=INK)
    return Drawing(figure, outcome.caption)
