"""The norm of the gradient at every layer of deep nets: vanishing, exploding, and kept.

Going back through a layer multiplies the gradient by W and by g′. With the sigmoid g′ ≤ 1/4, so that a product of k slopes is at most
4^−k; ReLU's slopes are 0 or 1, and weights N(0, 2/n) keep the size; 1.5 times these weights multiply it by 1.5 at every layer
(Glorot and Bengio, 2010; He et al., 2015, section 2.2).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import panels
from glassnet.initialise import initialise
from glassnet.plots.style import BLUE, GREEN, INK, ORANGE, Drawing, label

UNITS, DEPTH = 256, 20
# name -> nonlinearity, rule for the weights, factor on them
NETS: dict[str, tuple[str, str, float]] = {
    "sigmoid, Xavier": ("sigmoid", "xavier", 1.0),
    "tanh, Xavier": ("tanh", "xavier", 1.0),
    "ReLU, He": ("relu", "he", 1.0),
    "ReLU, 1.5 × He": ("relu", "he", 1.5),
}
SQUASH = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def run(setting: Setting) -> Outcome:
    """Norms through depth, and the slopes behind them."""
    seeds = range(setting.seed, setting.seed + (10 if setting.full else 3))
    nets = {name: through_depth(*how, seeds=tuple(seeds)) for name, how in NETS.items()}
    factor = {name: (each["norms"][0] / each["norms"][-1]) ** (1 / (DEPTH - 1)) for name, each in nets.items()}
    products = nets["sigmoid, Xavier"]["slope_products"]
    held = all(product <= 0.25**depth for depth, product in enumerate(products, 1))
    rows = [
        Row("sigmoid: largest slope σ′ in the net", products[0], "at most 0.25", products[0] <= 0.25),
        Row(f"sigmoid: largest product of {DEPTH} slopes", products[-1], f"at most {0.25**DEPTH:.3g}", held),
        Row(
            "sigmoid: factor on the gradient, a layer",
            factor["sigmoid, Xavier"],
            "at most 0.25",
            factor["sigmoid, Xavier"] <= 0.25,
        ),
        Row("tanh, Xavier: the same", factor["tanh, Xavier"], "0.7 to 1", 0.7 < factor["tanh, Xavier"] < 1),
        compared("ReLU, He: the same", factor["ReLU, He"], 1.0, 0.05),
        compared("ReLU, 1.5 × He: the same", factor["ReLU, 1.5 × He"], 1.5, 0.05),
    ]
    left = {name: each["norms"][0] / each["norms"][-1] for name, each in nets.items()}
    verdict = {
        name: "vanishes" if x < 1e-3 else "explodes" if x > 1e3 else "keeps its size" for name, x in left.items()
    }
    return Outcome(
        rows,
        f"Back through {DEPTH} layers the gradient {verdict['sigmoid, Xavier']} with sigmoids (times {left['sigmoid, Xavier']:.0e}), "
        f"{verdict['ReLU, He']} with ReLU and He's weights (times {left['ReLU, He']:.2g}), and {verdict['ReLU, 1.5 × He']} with weights "
        f"1.5 times as large (times {left['ReLU, 1.5 × He']:.0f}).",
        {"nets": nets},
        data=f"random inputs and random upstream gradients, {len(seeds)} draws of each net of {DEPTH} layers of {UNITS}",
        caption="Norm of the gradient in each layer's input, relative to the last layer's, on a logarithmic scale; training starts on the right.",
    )


def through_depth(
    squash: str, rule: str, factor: float, seeds: tuple[int, ...], depth: int = DEPTH, units: int = UNITS
) -> dict[str, Any]:
    """Gradient norms (geometric mean over draws) in the answers of layers 1 to ``depth``, and the largest products of slopes from the end."""
    logs, products = torch.zeros(depth), torch.zeros(depth)
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        net = nn.Sequential(*(nn.Linear(units, units) for _ in range(depth)))
        initialise(net, rule, generator)
        x = torch.randn(64, units, generator=generator)
        answers, slopes = [], []
        for layer in net:
            a = factor * layer(x)  # the biases are 0, so that this scales the weights
            x = SQUASH[squash]()(a)
            x.retain_grad()
            answers.append(x)
            apart = a.detach().requires_grad_()
            (slope,) = torch.autograd.grad(SQUASH[squash]()(apart).sum(), apart)
            slopes.append(slope.max())
        x.backward(torch.randn(x.shape, generator=generator))  # type: ignore[no-untyped-call]
        logs += torch.stack([h.grad.norm().log() for h in answers if h.grad is not None]) / len(seeds)
        products = torch.maximum(products, torch.stack(slopes[::-1]).cumprod(0).detach())
    return {"norms": logs.exp().tolist(), "slope_products": products.tolist()}


def draw(outcome: Outcome) -> Drawing:
    """Gradient norm against the layer."""
    figure, (axes,) = panels(1, 1, (7.0, 3.8))
    for (name, each), colour in zip(outcome.series["nets"].items(), (ORANGE, GREEN, BLUE, "#cc79a7"), strict=True):
        norms = [norm / each["norms"][-1] for norm in each["norms"]]
        axes.plot(range(1, DEPTH + 1), norms, color=colour, linewidth=1.8, marker="o", markersize=3.5)
        lift = {"ReLU, He": 5, "tanh, Xavier": -7}.get(name, 0)
        axes.annotate(
            name, (1, norms[0]), (-8, lift), textcoords="offset points", color=colour, ha="right", va="center"
        )
    axes.annotate(
        "the gradient goes this way",
        (4.5, 1e-14),
        (9.5, 1e-14),
        color=INK,
        va="center",
        arrowprops={"arrowstyle": "->", "color": INK},
    )
    axes.set_yscale("log")
    axes.set_yticks([1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1, 1e3])
    axes.set_xlim(-5.5, DEPTH + 0.5)
    axes.set_xticks([1, 5, 10, 15, 20])
    label(axes, "layer", "norm of the gradient, last layer = 1")
    return Drawing(figure, outcome.caption)
