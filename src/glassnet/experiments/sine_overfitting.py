"""Ten noisy points of a sine, fitted by polynomials of degree 0 to 9, and by nets of 1 to 64 hidden units.

The example of Bishop, "Pattern Recognition and Machine Learning", 2006, section 1.1: degree 9 goes through every point and misses the
curve; a penalty on the coefficients (ln λ = −18), or a hundred points instead of ten, mends it. Errors are root mean squares, averaged
over draws of the points (medians, since a few polynomials go very far off).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from glassnet.experiments.fitting import fit, predict
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, INK, MUTED, ORANGE, Drawing, label
from glassnet.training.schedules import cosine
from glassnet.zoo import build

POINTS, NOISE = 10, 0.3
DEGREES = tuple(range(10))
SHOWN = (0, 1, 3, 9)
UNITS = (1, 3, 16, 64)
LAMBDA = float(np.exp(-18))
Array = np.ndarray[Any, Any]


def run(setting: Setting) -> Outcome:
    """Errors by degree over 100 draws, curves of one draw, and nets."""
    draws = [sample(POINTS, setting.seed + number) for number in range(100)]
    errors = {degree: median_errors(draws, degree) for degree in DEGREES}
    penalised = median_errors(draws, 9, LAMBDA)
    many = median_errors([sample(100, setting.seed + number) for number in range(100)], 9)
    # the draw on which degree 9 does as it usually does
    x, t = min(draws, key=lambda each: abs(_on_new(polynomial(each[0], each[1], 9)) - errors[9]["new"]))
    grid = np.linspace(0, 1, 201)
    curves = {str(degree): polynomial(x, t, degree)(grid) for degree in SHOWN}
    curves["9, penalty"] = polynomial(x, t, 9, LAMBDA)(grid)
    nets = {}
    for units in UNITS:
        setting.say(f"training {units} units")
        nets[str(units)] = net_error(x, t, units, setting.seed, 6000 if setting.full else 1500)
    best = min(DEGREES, key=lambda degree: errors[degree]["new"])
    ninth, third = errors[9], errors[3]
    over = ninth["new"] / third["new"]
    rows = [
        Row("degree of the lowest error on new points", best, "3 to 5", 3 <= best <= 5),
        Row("degree 9, on its own ten points", ninth["own"], "0", ninth["own"] < 0.01),
        Row("degree 9, on new points", ninth["new"], "above 1.5 × degree 3", over > 1.5),
        Row("degree 3, on new points", third["new"], f"near the noise, {NOISE}", abs(third["new"] - NOISE) < 0.1),
        Row(
            "degree 1, on its own points and on new",
            f"{errors[1]['own']:.2f} and {errors[1]['new']:.2f}",
            "both high",
            errors[1]["own"] > 1.2 * NOISE,
        ),
        Row(
            "degree 9 with ln λ = -18, on new points",
            penalised["new"],
            "near degree 3",
            penalised["new"] < 1.35 * third["new"],
        ),
        Row(
            "degree 9 from 100 points, on new points",
            many["new"],
            f"near the noise, {NOISE}",
            abs(many["new"] - NOISE) < 0.05,
        ),
    ]
    rows += [
        Row(f"net of {units} tanh units: own points, and new", f"{each['own']:.2f} and {each['new']:.2f}")
        for units, each in nets.items()
    ]
    return Outcome(
        rows,
        f"Degree 9 has an error of {ninth['own']:.1g} on its own ten points and {ninth['new']:.2g} on new ones, {over:.1f} times that of degree 3; "
        + (
            "a penalty or a hundred points bring it down"
            if max(penalised["new"], many["new"]) < ninth["new"] / 1.5
            else "neither penalty nor more points help"
        )
        + f" to {penalised['new']:.2f} and {many['new']:.2f}: the error on one's own points says nothing about new ones.",
        {
            "x": x,
            "t": t,
            "grid": grid,
            "curves": curves,
            "errors": errors,
            "penalised": penalised,
            "many": many,
            "nets": nets,
        },
        data=f"{POINTS} points of sin 2πx with noise of std {NOISE}, drawn 100 times",
        caption="Top: a typical draw, fitted ever closer. Bottom left: error by degree; the gap between the lines is overfitting. Right: nets on the same draw.",
    )


def sample(points: int, seed: int) -> tuple[Array, Array]:
    """Evenly spread x and noisy sin 2πx."""
    x = np.linspace(0, 1, points)
    return x, np.sin(2 * np.pi * x) + NOISE * np.random.default_rng(seed).standard_normal(points)


def polynomial(x: Array, t: Array, degree: int, penalty: float = 0.0) -> np.polynomial.Polynomial:
    """Least squares on powers of x, with penalty · Σ w², solved as one system so that a tiny penalty is not rounded away."""
    powers = np.vander(x, degree + 1, increasing=True)
    rows = np.vstack([powers, penalty**0.5 * np.eye(degree + 1)])
    (w, *_) = np.linalg.lstsq(rows, np.concatenate([t, np.zeros(degree + 1)]), rcond=None)
    return np.polynomial.Polynomial(w)


def median_errors(draws: list[tuple[Array, Array]], degree: int, penalty: float = 0.0) -> dict[str, float]:
    """Root mean square errors on the points themselves and on new noisy ones, the median over draws."""
    own, new = [], []
    for x, t in draws:
        fitted = polynomial(x, t, degree, penalty)
        own.append(float(np.sqrt(np.mean((fitted(x) - t) ** 2))))
        new.append(_on_new(fitted))
    return {"own": float(np.median(own)), "new": float(np.median(new))}


def net_error(x: Array, t: Array, units: int, seed: int, epochs: int) -> dict[str, Any]:
    """A hidden layer of tanh units trained on the points: its errors and its curve."""
    net = build("mlp", (1,), 1, {"hidden": (units,), "activation": "tanh", "dropout": 0.0}, seed=seed)
    with torch.no_grad():  # slopes as steep as the sine's, spread over [0, 1]
        first = next(module for module in net.modules() if isinstance(module, torch.nn.Linear))
        first.weight.mul_(8)
        first.bias.copy_(-first.weight[:, 0] * torch.linspace(0, 1, units + 2)[1:-1])
    fit(net, _column(x), _column(t), epochs=epochs, lr=0.02, schedule=cosine(), seed=seed)

    def answer(places: Array) -> Array:
        return np.asarray(predict(net, _column(places))[:, 0].numpy())

    own = float(np.sqrt(np.mean((answer(x) - t) ** 2)))
    return {"own": own, "new": _on_new(answer), "curve": answer(np.linspace(0, 1, 201))}


def _on_new(answer: Any) -> float:
    """√(mean square distance from the sine + noise²): the error on infinitely many new noisy points."""
    grid = np.linspace(0, 1, 400)
    return float(np.sqrt(np.mean((answer(grid) - np.sin(2 * np.pi * grid)) ** 2) + NOISE**2))


def _column(values: Array) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


def draw(outcome: Outcome) -> Drawing:
    """Four degrees of one draw, errors by degree, penalty, nets."""
    series = outcome.series
    figure, eight = panels(2, 4, (9.2, 5.0))

    def points(axes: Any, title: str, curve: Any, colour: str = ORANGE) -> None:
        axes.plot(series["grid"], np.sin(2 * np.pi * np.asarray(series["grid"])), color=MUTED, linewidth=3.5, alpha=0.4)
        axes.plot(series["grid"], curve, color=colour, linewidth=1.7)
        axes.plot(series["x"], series["t"], "o", color=INK, markersize=4.2, zorder=3)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-1.9, 1.9)
        heading(axes, title)

    for axes, degree in zip(eight[:4], SHOWN, strict=True):
        points(axes, f"degree {degree}", series["curves"][str(degree)])
    points(eight[4], "degree 9, ln λ = −18", series["curves"]["9, penalty"], BLUE)
    axes = eight[5]
    for key, colour, name in (("own", BLUE, "own points"), ("new", ORANGE, "new points")):
        axes.plot(
            DEGREES,
            [each[key] for each in series["errors"].values()],
            color=colour,
            marker="o",
            markersize=4,
            label=name,
        )
    axes.axhline(NOISE, color=MUTED, linewidth=1, dashes=(3, 2))
    axes.text(9.2, NOISE + 0.02, "noise", color=MUTED, fontsize=8, ha="right")
    axes.set_ylim(0, 1.3)
    axes.legend(loc="upper center", frameon=False, fontsize=8, labelcolor=INK)
    label(axes, "degree", "")
    heading(axes, "error by degree")
    for axes, units in zip(eight[6:], ("3", "64"), strict=True):
        points(axes, f"net of {units} units", series["nets"][units]["curve"])
    return Drawing(figure, outcome.caption)
