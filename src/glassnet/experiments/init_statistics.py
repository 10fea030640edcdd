"""1000 inputs of unit Gaussian through 10 layers of 500 units: the spread of the answers, layer by layer, under five initialisations.

The experiment of the lecture (after Glorot and Bengio, 2010, and He et al., 2015). Whatever shrinks or saturates the answers does the
same to the gradient. With ``--full`` every rule that Glassnet has, under tanh and under ReLU.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import panels
from glassnet.initialise import INITS, initialise
from glassnet.plots.style import BLUE, FONT, INK, MUTED, ORANGE, Drawing

INPUTS, UNITS, LAYERS = 1000, 500, 10
# rule, nonlinearity, how the lecture writes it, its std at layers 1 to 10, and how far draws differ from one another there
CASES: tuple[tuple[str, str, str, tuple[float, ...], float], ...] = (
    ("normal001", "tanh", "0.01·randn, tanh", (0.2131, 0.0476, 0.0106, 0.0024, 0.00053), 0.05),
    ("normal1", "tanh", "1.0·randn, tanh", (0.982,) * 10, 0.01),
    ("xavier", "tanh", "randn/√n, tanh", (0.628, 0.486, 0.408, 0.357, 0.321, 0.292, 0.273, 0.255, 0.239, 0.228), 0.05),
    ("xavier", "relu", "randn/√n, ReLU", (0.582, 0.403, 0.277, 0.199, 0.140, 0.103, 0.073, 0.052, 0.039, 0.026), 0.25),
    ("he", "relu", "randn/√(n/2), ReLU", (0.825, 0.828, 0.814, 0.827, 0.834, 0.860, 0.871, 0.889, 0.845, 0.845), 0.25),
)
TOLD = (1, 2, 3, 5, 10)


def run(setting: Setting) -> Outcome:
    """Means, stds and histograms of every layer in every case."""
    series: dict[str, Any] = {}
    rows: list[Row] = []
    for rule, squash, title, reference, within in CASES:
        series[title] = found = statistics(rule, squash, setting.seed)
        for layer in TOLD:
            known = reference[layer - 1] if layer <= len(reference) else None
            ours = found["std"][layer - 1]
            if known is None:
                rows.append(Row(f"{title}: std at layer {layer}", ours, "→ 0", ours < 1e-4))
            else:
                worst = max(abs(a / b - 1) for a, b in zip(found["std"][:layer], reference, strict=False))
                rows.append(Row(f"{title}: std at layer {layer}", ours, known, worst <= within))
    for rule, squash in [(rule, squash) for squash in ("tanh", "relu") for rule in INITS] if setting.full else []:
        found = series[f"{rule}, {squash}"] = statistics(rule, squash, setting.seed)
        rows.append(Row(f"full: {rule}, {squash}: std at layer 10", found["std"][-1]))
    last = {title: series[title]["std"][-1] for _, _, title, _, _ in CASES}
    fate = {title: _fate(series[title]["std"]) for title in last}
    he, xavier = series["randn/√(n/2), ReLU"]["std"], series["randn/√n, ReLU"]["std"]
    return Outcome(
        rows,
        f"After {LAYERS} layers 0.01·randn with tanh {fate['0.01·randn, tanh']} (std {last['0.01·randn, tanh']:.1g}), 1.0·randn "
        f"{'saturates' if last['1.0·randn, tanh'] > 0.95 else 'does not saturate'} (std {last['1.0·randn, tanh']:.3f}), and with ReLU "
        f"Xavier keeps {xavier[-1] / xavier[0]:.0%} of the first layer's spread where He keeps {he[-1] / he[0]:.0%}.",
        series,
        data=f"{INPUTS} inputs of {UNITS} unit Gaussian numbers, drawn with seed {setting.seed}",
        caption="Histograms of the answers, layer by layer: good starting weights keep one shape from the first layer to the last.",
    )


def statistics(
    rule: str, squash: str, seed: int, inputs: int = INPUTS, units: int = UNITS, layers: int = LAYERS
) -> dict[str, Any]:
    """Mean, std and histogram of the answers of each layer."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(inputs, units, generator=generator)
    activations = {"tanh": nn.Tanh, "relu": nn.ReLU}
    net = nn.Sequential(*(nn.Sequential(nn.Linear(units, units), activations[squash]()) for _ in range(layers)))
    initialise(net, rule, generator, inputs=x)
    found: dict[str, Any] = {"mean": [], "std": [], "histogram": []}
    low, high = (-1.0, 1.0) if squash == "tanh" else (0.0, 2.5)
    with torch.no_grad():
        for layer in net:
            x = layer(x)
            found["mean"].append(float(x.mean()))
            found["std"].append(float(x.std()))
            found["histogram"].append(_histogram(x, low, high))
    return found | {"low": low, "high": high}


def _histogram(x: Tensor, low: float, high: float) -> list[float]:
    """Heights of 24 bars; that of ReLU's zeros, a half of all answers, is cut."""
    counts = torch.histc(x, 24, low, high)
    highest = counts[1:].max() if low == 0 else counts.max()
    return [float(count) for count in (counts / highest.clamp(min=1)).clamp(max=1.3)]


def _fate(stds: list[float]) -> str:
    return "dies out" if stds[-1] < 0.01 * stds[0] else "shrinks" if stds[-1] < 0.5 * stds[0] else "holds"


def draw(outcome: Outcome) -> Drawing:
    """A row of histograms for each case, with the std below each."""
    figure, grid = panels(len(CASES), LAYERS, (9.2, 5.6))
    for row, (_, squash, title, _, _) in enumerate(CASES):
        found = outcome.series[title]
        stds = found["std"]
        good = 0.2 < stds[-1] < 0.95
        for layer in range(LAYERS):
            axes = grid[row * LAYERS + layer]
            heights = found["histogram"][layer]
            width = (found["high"] - found["low"]) / len(heights)
            places = [found["low"] + (i + 0.5) * width for i in range(len(heights))]
            axes.bar(places, heights, width=width, color=BLUE if good else ORANGE, linewidth=0)
            axes.grid(visible=False)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.set_xticks([-1, 1] if squash == "tanh" else [0, 2])
            axes.tick_params(labelsize=7, length=2)
            axes.set_title(
                f"{stds[layer]:.3f}" if stds[layer] >= 0.001 else f"{stds[layer]:.0e}", fontsize=8, color=INK, pad=2
            )
            if layer == 0:
                axes.set_ylabel(
                    title.replace(", ", "\n"), rotation=0, ha="right", va="center", color=INK, fontsize=FONT
                )
            if row == len(CASES) - 1:
                axes.set_xlabel(f"layer {layer + 1}", fontsize=8, color=MUTED)
    figure.suptitle(
        "std of the answers above each histogram; blue: the signal survives, orange: it dies out or saturates",
        fontsize=9,
        color=MUTED,
    )
    return Drawing(figure, outcome.caption)
