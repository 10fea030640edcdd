"""Backpropagation as a recursion, for two neurons in a row and for a net on real digits.

Two neurons: f(x) = h2 = σ(a2), a2 = w20 + w21·h1, h1 = σ(a1), a1 = w10 + w11·x, E = (h2 − 1)². Its four gradients come from the
formulas of the lecture, from the gates of the glass box, from PyTorch and from central differences.

The recursion for k layers with penalty λΩ, Ω = Σ W²: d ← ∂L/∂h_k; then per layer, from the last: d ← d ⊙ g′(a_k);
∇w_k0 = d; ∇W_k = d·h_{k−1}ᵀ + λ∇Ω; d ← W_kᵀ·d (Goodfellow, Bengio, Courville, 2016, algorithm 6.4).
"""

from __future__ import annotations

from itertools import pairwise
from math import exp
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels
from glassnet.gates import Graph, Sigmoid, Square, apply, inputs, parameter
from glassnet.plots.style import BLUE, GRID, INK, MUTED, ORANGE, Drawing
from glassnet.zoo import build

X = 2.0
WEIGHTS = {"w10": 0.5, "w11": -1.0, "w20": 0.25, "w21": 1.5}
LAMBDA = 0.01
Array = np.ndarray[Any, Any]


def run(setting: Setting) -> Outcome:
    """The two neurons four ways, and the recursion beside autograd on a net for digits."""
    graph = two_neurons()
    graph.forward(x=X)
    graph.backward()
    formulas, slopes = by_formula(WEIGHTS), central_differences(WEIGHTS)
    tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in WEIGHTS.items()}
    (
        torch.sigmoid(tensors["w20"] + tensors["w21"] * torch.sigmoid(tensors["w10"] + tensors["w11"] * X)) - 1
    ).square().backward()  # type: ignore[no-untyped-call]
    rows: list[Row] = []
    for name, reference in formulas.items():
        rows.append(compared(f"∇{name}: gates, and the formula", float(graph.gradients[name]), reference, 1e-12))
        rows.append(compared("      PyTorch, and the formula", float(tensors[name].grad or 0.0), reference, 1e-12))
        rows.append(compared("      central differences, and the formula", slopes[name], reference, 1e-7))
    layers, worst = on_digits(setting.seed)
    rows += [
        compared(
            f"digits, layer {each['layer']}: ‖∇W‖, recursion and autograd", each["gradient"], each["autograd"], 1e-9
        )
        for each in layers
    ]
    rows.append(Row("digits: greatest relative error of all gradients", worst, "below 1e-10", worst < 1e-10))
    nodes = ("x", "a1", "h1", "a2", "h2", "E")
    chain = [{"name": name, "value": _one(graph[name].value), "gradient": _one(graph[name].gradient)} for name in nodes]
    weights = [
        {"name": name, "value": value, "gradient": float(graph.gradients[name])} for name, value in WEIGHTS.items()
    ]
    right = all(row.agrees for row in rows)
    return Outcome(
        rows,
        (
            "Formula, gates, PyTorch and differences give the same gradients"
            if right
            else "The ways disagree: one of them is wrong"
        )
        + f"; from E back to x the gradient falls from 1 to {chain[0]['gradient']:.4f}, a factor of w·σ′ at every neuron, and the same recursion "
        f"gives all {len(layers)} layers of a net for digits within {worst:.0e}.",
        {"chain": chain, "weights": weights, "layers": layers},
        data="one input x = 2, and 100 of the digits that scikit-learn ships",
        caption="Forward (blue): the value of every gate. Backward (orange): ∂E by that value, each the next one times a local slope.",
    )


def two_neurons() -> Graph:
    """E = (σ(w20 + w21·σ(w10 + w11·x)) − 1)² as a graph of gates."""
    (x,) = inputs("x")
    w10, w11, w20, w21 = (parameter(name, np.array(value)) for name, value in WEIGHTS.items())
    a1 = (w10 + w11 * x).named("a1")
    h1 = apply(Sigmoid(), a1, name="h1")
    a2 = (w20 + w21 * h1).named("a2")
    h2 = apply(Sigmoid(), a2, name="h2")
    return Graph(apply(Square(), h2 - 1.0, name="E"))


def by_formula(w: dict[str, float]) -> dict[str, float]:
    """The four gradients as the lecture writes them down."""
    h1 = _logistic(w["w10"] + w["w11"] * X)
    h2 = _logistic(w["w20"] + w["w21"] * h1)
    d2 = 2 * (h2 - 1) * h2 * (1 - h2)
    d1 = w["w21"] * d2 * h1 * (1 - h1)
    return {"w10": d1, "w11": d1 * X, "w20": d2, "w21": d2 * h1}


def central_differences(w: dict[str, float], step: float = 1e-5) -> dict[str, float]:
    """(E(w + ε) − E(w − ε)) / 2ε for each weight."""

    def error(weights: dict[str, float]) -> float:
        h1 = _logistic(weights["w10"] + weights["w11"] * X)
        return (_logistic(weights["w20"] + weights["w21"] * h1) - 1) ** 2

    return {name: (error(w | {name: w[name] + step}) - error(w | {name: w[name] - step})) / (2 * step) for name in w}


def recursion(
    weights: list[Array], biases: list[Array], x: Array, upstream: Any, penalty: float
) -> list[tuple[Array, Array, Array]]:
    """Per layer, first to last: (∇W, ∇w0, d) of a net of tanh layers with a linear last one.

    Args:
        weights: W_k, (outputs, inputs) each.
        biases: w_k0.
        x: inputs (samples, inputs).
        upstream: outputs (samples, outputs) → ∂L/∂outputs.
        penalty: λ of λ Σ W².
    """
    h = [x]
    for k, (W, b) in enumerate(zip(weights, biases, strict=True)):
        a = h[-1] @ W.T + b
        h.append(np.tanh(a) if k < len(weights) - 1 else a)
    d = upstream(h[-1])
    found = []
    for k in reversed(range(len(weights))):
        if k < len(weights) - 1:
            d = d * (1 - h[k + 1] ** 2)  # tanh′(a) = 1 − tanh²(a)
        found.append((d.T @ h[k] + penalty * 2 * weights[k], d.sum(0), d))
        d = d @ weights[k]
    return found[::-1]


def on_digits(seed: int) -> tuple[list[dict[str, Any]], float]:
    """The recursion's table for a net of three hidden layers on 100 digits, and its greatest relative error against autograd."""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    x, t = torch.tensor(images[:100] / 16, dtype=torch.float64), torch.tensor(classes[:100])
    net = build("mlp", (64,), 10, {"hidden": (32, 24, 16), "activation": "tanh", "dropout": 0.0}, seed=seed).double()
    dense = [module for module in net.modules() if isinstance(module, nn.Linear)]
    loss = F.cross_entropy(net(x), t) + LAMBDA * sum(layer.weight.square().sum() for layer in dense)
    loss.backward()  # type: ignore[no-untyped-call]

    def upstream(scores: Array) -> Array:  # softmax with cross-entropy, averaged: (p − 1[class]) / samples
        p = np.exp(scores - scores.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(len(p)), classes[:100]] -= 1
        return np.asarray(p / len(p))

    weights, biases = ([getattr(layer, part).detach().numpy() for layer in dense] for part in ("weight", "bias"))
    layers, worst = [], 0.0
    for number, (layer, found) in enumerate(
        zip(dense, recursion(weights, biases, x.numpy(), upstream, LAMBDA), strict=True), 1
    ):
        for own, parameter_ in zip(found, (layer.weight, layer.bias), strict=False):
            true = parameter_.grad.numpy()  # type: ignore[union-attr]
            worst = max(worst, float(np.linalg.norm(own - true) / np.linalg.norm(true)))
        names = ("gradient", "bias", "d")
        norms = {name: float(np.linalg.norm(each)) for name, each in zip(names, found, strict=True)}
        layers.append({"layer": number, **norms, "autograd": float(layer.weight.grad.norm())})  # type: ignore[union-attr]
    return layers, worst


def _one(value: Array | None) -> float:
    return np.asarray(value).item()  # type: ignore[no-any-return]


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


def draw(outcome: Outcome) -> Drawing:
    """The chain of gates with values above and gradients below."""
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    figure, (axes,) = panels(1, 1, (8.6, 3.5))
    axes.grid(visible=False)
    axes.set_axis_off()
    formulas = {"x": "x", "a1": "w10 + w11·x", "h1": "σ(a1)", "a2": "w20 + w21·h1", "h2": "σ(a2)", "E": "(h2 − 1)²"}
    places = dict(zip(formulas, (0.0, 2.2, 4.3, 6.4, 8.5, 10.6), strict=True))
    for each in outcome.series["chain"]:
        x = places[each["name"]]
        axes.add_patch(
            FancyBboxPatch((x - 0.62, -0.3), 1.24, 0.6, boxstyle="round,pad=0.05", facecolor="none", edgecolor=MUTED)
        )
        axes.text(
            x,
            0.0,
            formulas[each["name"]],
            ha="center",
            va="center",
            color=INK,
            fontsize=8.5 if len(formulas[each["name"]]) > 8 else 10,
        )
        shown = "" if each["name"] in ("x", "E") else f"{each['name']} = "
        axes.text(x, 0.62, f"{shown}{each['value']:.4g}".replace("-", "−"), ha="center", color=BLUE, fontsize=11)
        axes.text(
            x, -0.62, f"{each['gradient']:.4f}".replace("-", "−"), ha="center", va="top", color=ORANGE, fontsize=11
        )
    ordered = list(places.values())
    for left, right in pairwise(ordered):
        arrows = (((left + 0.7, 0.14), (right - 0.7, 0.14), BLUE), ((right - 0.7, -0.14), (left + 0.7, -0.14), ORANGE))
        for start, end, colour in arrows:
            axes.add_patch(
                FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=colour, linewidth=1.3)
            )
    for each in outcome.series["weights"]:
        x = places["a1" if each["name"].startswith("w1") else "a2"] + (-0.62 if each["name"].endswith("0") else 0.62)
        axes.text(
            x, 1.55, f"{each['name']}\n{each['value']:g}".replace("-", "−"), ha="center", color=BLUE, linespacing=1.4
        )
        axes.text(x, 1.32, f"{each['gradient']:.4f}".replace("-", "−"), ha="center", color=ORANGE)
        axes.plot([x, x], [0.98, 1.24], color=GRID, linewidth=1.5)
    axes.set_xlim(-0.8, 11.4)
    axes.set_ylim(-1.3, 2.3)
    heading(axes, "value (blue) forward,  ∂E/∂value (orange) backward")
    return Drawing(figure, outcome.caption)
