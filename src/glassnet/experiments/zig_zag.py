"""Inputs that are all positive give every weight of a unit a gradient of one sign, so that descent can only zig-zag.

The gradient of w·x in w is x times the upstream gradient: with x > 0 all its components have the upstream's sign. Where some weights
ought to grow and others to shrink, no single step can do both. Here a unit y = w·x with two weights learns (1, −1) example by example,
once from positive inputs and once from inputs around zero, of the same mean square; and a hidden layer of sigmoids is set against one of tanh.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, GREEN, INK, ORANGE, Drawing, label

GOAL = (1.0, -1.0)
START = (-1.0, 1.0)
LR = 0.15
NEAR = 0.05
STEPS = 400


def run(setting: Setting) -> Outcome:
    """Two paths through the weight plane, and the signs of gradients in a hidden layer."""
    inputs = (torch.rand(STEPS, 2, generator=torch.Generator().manual_seed(setting.seed)) * 3**0.5).double()
    sides = torch.randint(2, (STEPS, 2), generator=torch.Generator().manual_seed(setting.seed + 1)) * 2 - 1
    positive = follow(inputs)
    centred = follow(inputs * sides)  # the same numbers with random signs
    sigmoid, tanh = (one_sign_in_hidden_layer(squash, setting.seed) for squash in (nn.Sigmoid(), nn.Tanh()))
    ratio = positive["steps"] / centred["steps"]
    rows = [
        compared("positive inputs: gradients whose components have one sign", positive["one_sign"], 1.0, 1e-9),
        compared("inputs around zero: the same", centred["one_sign"], 0.5, 0.08, absolute=True),
        Row(f"steps to within {NEAR} of the goal, positive inputs", positive["steps"], "more", ratio > 1.5),
        Row("the same, inputs around zero", centred["steps"], "fewer", ratio > 1.5),
        Row(
            "length of the way over the distance, positive",
            positive["detour"],
            "longer",
            positive["detour"] > centred["detour"],
        ),
        Row("the same, around zero", centred["detour"], "shorter", positive["detour"] > centred["detour"]),
        compared("units behind sigmoids: gradients of one sign", sigmoid, 1.0, 1e-9),
        Row("units behind tanh: gradients of one sign", tanh, "near 0", tanh < 0.01),
    ]
    slower = (
        f"needs {ratio:.1f} times as many steps" if ratio > 1 else f"needs no more steps ({ratio:.1f} times as many)"
    )
    return Outcome(
        rows,
        f"With positive inputs {positive['one_sign']:.0%} of the gradients move both weights the same way, with inputs around zero "
        f"{centred['one_sign']:.0%}; the way to a goal that lies across {slower}: hence inputs and activations around zero.",
        {"positive": positive, "centred": centred, "goal": GOAL, "sigmoid": sigmoid, "tanh": tanh},
        caption="The same learning rate, the same sizes of input: on the left each step can go up-right or down-left only (shaded).",
    )


def follow(inputs: Tensor) -> dict[str, Any]:
    """Stochastic descent on (w·x − goal·x)² / 2, an example a step.

    Args:
        inputs: (steps, 2).
    """
    w, goal = torch.tensor(START, dtype=inputs.dtype), torch.tensor(GOAL, dtype=inputs.dtype)
    path, gradients = [w], []
    for x in inputs:
        gradients.append(((w - goal) @ x) * x)
        w = w - LR * gradients[-1]
        path.append(w)
    way, signs = torch.stack(path), torch.stack(gradients).sign()
    far = torch.linalg.vector_norm(way - goal, dim=1)
    steps = int(next((i for i, distance in enumerate(far) if distance < NEAR), len(inputs)))
    length = float(torch.linalg.vector_norm(way[1 : steps + 1] - way[:steps], dim=1).sum())
    return {
        "path": way[: steps + 1],
        "steps": steps,
        "one_sign": float((signs[:, 0] == signs[:, 1]).double().mean()),
        "detour": length / float(far[0]),
    }


def one_sign_in_hidden_layer(squash: nn.Module, seed: int, examples: int = 50) -> float:
    """Share of second-layer units whose 20 incoming weights get gradients of one sign from an example."""
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(20, 20, generator=generator) / 4, torch.randn(10, 20, generator=generator) / 4
    second.requires_grad_()
    shares = []
    for x in torch.randn(examples, 20, generator=generator):
        loss = squash(second @ squash(first @ x)).square().sum()
        (gradient,) = torch.autograd.grad(loss, second)
        signs = gradient.sign()
        shares.append(float((signs == signs[:, :1]).all(dim=1).float().mean()))
    return sum(shares) / examples


def draw(outcome: Outcome) -> Drawing:
    """The two ways through the plane of the weights."""
    figure, both = panels(1, 2, (8.2, 4.1), sharex=True, sharey=True)
    for axes, key, colour, title in zip(
        both, ("positive", "centred"), (ORANGE, BLUE), ("all inputs positive", "inputs around zero"), strict=True
    ):
        each = outcome.series[key]
        x, y = zip(*each["path"].tolist(), strict=True)
        if key == "positive":
            for low, high in ((-2, START[0]), (START[0], 3)):
                side = (-3, START[1]) if high == START[0] else (START[1], 3)
                axes.fill_between([low, high], *side, color=ORANGE, alpha=0.1, linewidth=0)
            axes.text(-1.75, 1.85, "allowed at\nthe start", color=ORANGE, fontsize=9, va="top")
        axes.plot(x, y, color=colour, linewidth=1.2, marker="o", markersize=2.6)
        axes.plot(*START, "o", color=INK, markersize=7)
        axes.text(START[0] + 0.12, START[1] - 0.06, "start", color=INK, va="center")
        axes.plot(*GOAL, "*", color=GREEN, markersize=15)
        axes.text(GOAL[0] + 0.12, GOAL[1] - 0.3, "goal", color=INK)
        axes.set_xlim(-1.8, 1.8)
        axes.set_ylim(-1.9, 1.9)
        axes.set_aspect("equal")
        heading(axes, f"{title}: {each['steps']} steps")
        label(axes, "weight 1", "weight 2" if key == "positive" else "")
    return Drawing(figure, outcome.caption)
