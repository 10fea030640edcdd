"""Curve and slope of each activation, and both at −10, 0 and 10.

At ±10 a unit is far out, where it stands once its weights have grown: a slope of 0 there means that no gradient comes back
through it. Maxout is shown with two pieces, max(x, −x/2); leaky ReLU and PReLU with the slopes they start from.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, tanh

import torch
from torch import Tensor

from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels
from glassnet.layers import MaxoutLinear, activation_curve
from glassnet.plots.style import BLUE, ORANGE, Drawing

PLACES = (-10.0, 0.0, 10.0)


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


# name -> g(x) and g'(x) written out; at a kink the slope is the one on its left
FORMULAS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "identity": (lambda x: x, lambda x: 1.0),
    "sigmoid": (_logistic, lambda x: _logistic(x) * (1 - _logistic(x))),
    "tanh": (tanh, lambda x: 1 - tanh(x) ** 2),
    "relu": (lambda x: max(0.0, x), lambda x: float(x > 0)),
    "leaky-relu": (lambda x: max(0.01 * x, x), lambda x: 1.0 if x > 0 else 0.01),
    "prelu": (lambda x: max(0.25 * x, x), lambda x: 1.0 if x > 0 else 0.25),
    "elu": (lambda x: x if x > 0 else exp(x) - 1, lambda x: 1.0 if x > 0 else exp(x)),
    "maxout": (
        lambda x: max(x, -x / 2),
        lambda x: 1.0 if x > 0 else -0.5 if x < 0 else 0.25,
    ),  # on the kink, their mean
}


def run(setting: Setting) -> Outcome:
    """Values and slopes of our activations beside the formulas."""
    x = torch.linspace(-10, 10, 2001, dtype=torch.float64)
    places = torch.tensor(PLACES, dtype=torch.float64)
    rows: list[Row] = []
    curves: dict[str, dict[str, Tensor]] = {}
    for name, formulas in FORMULAS.items():
        values, slopes = curve(name, x)
        curves[name] = {"value": values, "slope": slopes}
        for what, ours, formula in zip(("value", "slope"), curve(name, places), formulas, strict=True):
            reference = [formula(place) for place in PLACES]
            agrees = bool(torch.allclose(ours, torch.tensor(reference, dtype=torch.float64), atol=1e-9, rtol=0))
            rows.append(Row(f"{name}: {what} at -10, 0, 10", _told(ours.tolist()), _told(reference), agrees))
    steepest = {name: float(each["slope"].max()) for name, each in curves.items()}
    half = 2 * curve("sigmoid", 2 * x)[0] - 1
    rows.append(compared("sigmoid: steepest slope", steepest["sigmoid"], 0.25, 1e-9))
    rows.append(compared("tanh: steepest slope", steepest["tanh"], 1.0, 1e-9))
    difference = float((half - curves["tanh"]["value"]).abs().max())
    rows.append(compared("tanh x = 2σ(2x) - 1: greatest difference", difference, 0.0, 1e-12, absolute=True))
    ends = {name: (float(each["slope"][0].abs()), float(each["slope"][-1].abs())) for name, each in curves.items()}
    both = [name for name, (left, right) in ends.items() if max(left, right) < 1e-3]
    one = [name for name, (left, right) in ends.items() if left < 1e-3 <= right]
    never = [name for name, (left, right) in ends.items() if min(left, right) >= 1e-3]
    return Outcome(
        rows,
        f"At ±10 {' and '.join(both)} pass back less than a thousandth of a gradient on both sides, {' and '.join(one)} on the left "
        f"only, {', '.join(never)} on neither; the sigmoid passes {steepest['sigmoid']:g} of it at best.",
        {"x": x, "curves": curves},
        caption="Activations (blue) and their slopes (orange, dashed): where the slope lies on zero, the unit learns nothing.",
    )


def curve(name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """Values and slopes of an activation at ``x`` (places,), float64."""
    if name != "maxout":
        return activation_curve(name, x)
    unit = MaxoutLinear(1, 1, pieces=2, bias=False).double()
    with torch.no_grad():
        next(unit.parameters()).copy_(torch.tensor([[1.0], [-0.5]]))
    places = x.clone().requires_grad_()
    values = unit(places[:, None])[:, 0]
    (slopes,) = torch.autograd.grad(values.sum(), places)
    return values.detach(), slopes


def _told(values: list[float]) -> str:
    return "  ".join(f"{value:.3g}" for value in values)


def draw(outcome: Outcome) -> Drawing:
    """A panel for each activation, from −4 to 4."""
    figure, all_axes = panels(2, 4, (8.6, 4.4), sharex=True, sharey=True)
    x = outcome.series["x"]
    for axes, (name, each) in zip(all_axes, outcome.series["curves"].items(), strict=True):
        axes.axhline(0, color="#9aa5b1", linewidth=0.8)
        axes.plot(x, each["value"], color=BLUE, linewidth=2)
        axes.plot(x, each["slope"], color=ORANGE, linewidth=1.6, dashes=(4, 1.5))
        axes.set_xlim(-4, 4)
        axes.set_ylim(-1.3, 2.6)
        heading(axes, name)
    all_axes[0].text(0.4, 2.15, "g(x)", color=BLUE)
    all_axes[0].text(-3.6, 1.15, "g′(x)", color=ORANGE)
    return Drawing(figure, outcome.caption)
