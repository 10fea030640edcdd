"""How many pixels of the image a unit sees, layer by layer, in a stack of 3×3 convolutions, LeNet-5, AlexNet and VGG-16.

Each layer adds (kernel − 1) times the steps (strides) of the layers before it. Counted by the layer table, and looked up in the gradient
of one output unit, which is zero at every pixel that the unit does not see. Two 3×3 layers see as much as one 5×5, three as much as
one 7×7, with 27 instead of 49 weights for each pair of channels (Simonyan and Zisserman, 2014, section 2.3).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from glassnet.experiments.outcome import Outcome, Setting, compared
from glassnet.experiments.panels import SERIES, panels
from glassnet.layer_table import layer_table
from glassnet.plots.style import Drawing, label
from glassnet.zoo import build

NETS = {"lenet5": (1, 32, 32), "alexnet": (3, 224, 224), "vgg16": (3, 224, 224)}
# field of the last convolution, worked out by the recursion on the papers' tables
KNOWN = {"alexnet": 163, "vgg16": 196}


def run(setting: Setting) -> Outcome:
    """Fields through the depth of four nets."""
    stack = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(13)))
    fields = {"3×3 stack": through_depth(stack, (1, 64, 64))}
    for name, shape in NETS.items():
        with torch.device("meta"):
            net = build(name, shape, 10)
        fields[name] = through_depth(net, shape)
    seen = [seen_by_gradient(depth) for depth in (1, 2, 3, 6)]
    rows = [
        compared(f"{depth} × 3×3: pixels across, by the table", fields["3×3 stack"][depth - 1], 2 * depth + 1, 0)
        for depth in (1, 2, 3)
    ]
    rows += [
        compared(f"{depth} × 3×3: where the gradient is not 0", ours, 2 * depth + 1, 0)
        for depth, ours in zip((1, 2, 3, 6), seen, strict=True)
    ]
    one, three = (sum(p.numel() for p in net.parameters()) for net in (_plain(64, 7, 1), _plain(64, 3, 3)))
    rows.append(compared("weights of three 3×3 over one 7×7, 64 channels", three / one, 27 / 49, 1e-9))
    rows += [
        compared(f"{name}: the last convolution sees, across", fields[name][-1], known, 0)
        for name, known in KNOWN.items()
    ]
    shares = {name: fields[name][-1] / NETS[name][-1] for name in NETS}
    widest = max(shares, key=lambda name: shares[name])
    agrees = all(row.agrees for row in rows)
    return Outcome(
        rows,
        f"Three 3×3 layers see {fields['3×3 stack'][2]} pixels across with {three / one:.0%} of a 7×7 layer's weights; strides and pooling "
        f"multiply what later layers add, so that the last convolution of {widest} sees {fields[widest][-1]} pixels of {NETS[widest][-1]}"
        + ("." if agrees else ", but some figures do not agree with theory."),
        {"fields": fields, "sides": {name: shape[-1] for name, shape in NETS.items()}},
        caption="Field of one unit after each convolution: plain 3×3 layers add 2 pixels each; behind a stride or pooling the line is steeper.",
    )


def through_depth(net: nn.Module, shape: tuple[int, ...]) -> list[int]:
    """Pixels across that a unit sees after each convolution."""
    rows = layer_table(net, shape).rows
    return [row.receptive_field[-1] for row in rows if "Conv" in row.kind and row.receptive_field]


def seen_by_gradient(depth: int, side: int = 33) -> int:
    """Columns of the image in which the gradient of the middle unit is not 0, for 3×3 layers of positive weights."""
    net = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(depth)))
    for parameter in net.parameters():
        nn.init.constant_(parameter, 0.2)
    image = torch.ones(1, 1, side, side, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(image)[0, 0, side // 2, side // 2], image)
    return int((gradient[0, 0].abs().sum(0) > 0).sum())


def _plain(channels: int, kernel: int, layers: int) -> nn.Module:
    return nn.Sequential(*(nn.Conv2d(channels, channels, kernel, bias=False) for _ in range(layers)))


def draw(outcome: Outcome) -> Drawing:
    """Field against depth, a line for each net."""
    figure, (axes,) = panels(1, 1, (6.4, 3.6))
    fields: dict[str, Any] = outcome.series["fields"]
    for (name, values), colour in zip(fields.items(), SERIES, strict=False):
        axes.plot(range(1, len(values) + 1), values, color=colour, linewidth=1.8, marker="o", markersize=4)
        side = outcome.series["sides"].get(name)
        of = f" (image {side})" if side else ""
        end = (len(values), values[-1])
        if side == 32:  # its line ends among the others
            axes.annotate(f"{name}{of}", end, (3.6, 58), color=colour, arrowprops={"arrowstyle": "-", "color": colour})
        else:
            axes.annotate(f"{name}{of}", end, (6, 0), textcoords="offset points", color=colour, va="center")
    axes.set_xlim(0.5, 16.5)
    axes.set_ylim(0, 215)
    axes.set_xticks(range(1, 14, 2))
    label(axes, "convolutions passed", "pixels across that one unit sees")
    return Drawing(figure, outcome.caption)
