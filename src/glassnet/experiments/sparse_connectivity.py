"""Vertical edges of an n×n image by a convolution with two weights, and by the dense layer that computes the same.

y[i, j] = x[i, j] − x[i, j − 1], with zeros left of the image. The dense layer needs a weight from every pixel to every pixel, n⁴ of
them, of which fewer than 2n² are not zero; the convolution has 2 weights and takes 3n² operations: two products and a sum for each
pixel (Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 9.2, figure 9.6).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.experiments.outcome import Outcome, Setting, compared
from glassnet.experiments.panels import heading, panels, picture
from glassnet.layer_table import layer_table
from glassnet.plots.style import BLUE, INK, ORANGE, Drawing, label

SMALL = 16
SIDES = (8, 16, 32, 64, 128, 256)


class EdgeFilter(nn.Module):
    """The convolution: (batch, 1, n, n) → the same, with two weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, (1, 2), bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[[[-1.0, 1.0]]]]))

    def forward(self, x: Tensor) -> Tensor:
        """A column of zeros on the left, then the convolution."""
        answer: Tensor = self.conv(F.pad(x, (1, 0)))
        return answer


def run(setting: Setting) -> Outcome:
    """The same answers from both layers, and their counts."""
    image = square(SMALL)
    conv = EdgeFilter()
    matrix = as_matrix(conv, SMALL)
    edges = conv(image[None, None])[0, 0].detach()
    gap = float((edges.flatten() - matrix @ image.flatten()).abs().max())
    counts = [count(side) for side in SIDES]
    rows = [
        compared(f"dense and convolution on {SMALL}×{SMALL}: greatest difference", gap, 0.0, 1e-6, absolute=True),
        compared(
            f"weights of the dense matrix that are not 0, n = {SMALL}",
            int((matrix != 0).sum()),
            2 * SMALL**2 - SMALL,
            0,
        ),
    ]
    for each in counts[1::2]:
        n = each["side"]
        rows.append(compared(f"n = {n}: weights, dense, and n⁴", each["dense_weights"], n**4, 0))
        rows.append(compared(f"n = {n}: weights, convolution", each["conv_weights"], 2, 0))
        rows.append(compared(f"n = {n}: operations, convolution, and 3n²", each["conv_operations"], 3 * n**2, 0))
        rows.append(compared(f"n = {n}: operations, dense, and 2n⁴ - n²", each["dense_operations"], 2 * n**4 - n**2, 0))
    last = counts[-1]
    saved = last["dense_operations"] / last["conv_operations"]
    return Outcome(
        rows,
        f"On {last['side']}×{last['side']} pixels the dense layer has {last['dense_weights']:,} weights and the convolution {last['conv_weights']}, "
        f"which takes {saved:,.0f} times fewer operations"
        + (
            " for the same answers: sparse connections and shared weights cost nothing here."
            if gap < 1e-6
            else ", but the answers differ."
        ),
        {"image": image, "edges": edges, "matrix": as_matrix(conv, 8), "counts": counts},
        data=f"a drawn square of {SMALL}×{SMALL} pixels",
        caption="Left: image and edges. Middle: the dense layer's 4,096 weights for 8×8 pixels, white where they are 0. Right: the counts.",
    )


def square(side: int) -> Tensor:
    """A bright square on dark ground (side, side)."""
    image = torch.zeros(side, side)
    image[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 1
    return image


def as_matrix(layer: nn.Module, side: int) -> Tensor:
    """The weights (side², side²) of the dense layer that computes the same: its columns are the answers to single pixels."""
    pixels = torch.eye(side**2).reshape(-1, 1, side, side)
    with torch.no_grad():
        matrix: Tensor = layer(pixels).reshape(side**2, -1).T
    return matrix


def count(side: int) -> dict[str, int]:
    """Weights and operations of both layers on side × side pixels, from the layer table; a sum of k products is 2k − 1 operations."""
    conv = layer_table(EdgeFilter(), (1, side, side))
    with torch.device("meta"):  # counted, never stored: 17 GB for 256 × 256
        dense = layer_table(nn.Linear(side**2, side**2, bias=False), (side**2,))
    return {
        "side": side,
        "dense_weights": dense.parameters,
        "conv_weights": conv.parameters,
        "dense_operations": 2 * dense.multiply_adds - side**2,
        "conv_operations": 2 * conv.multiply_adds - side**2,
    }


def draw(outcome: Outcome) -> Drawing:
    """Image and edges, the dense matrix, and the counts by the image's side."""
    series = outcome.series
    figure, four = panels(1, 4, (9.0, 2.9), widths=(2, 2, 2.6, 4))
    for axes, key, title in zip(
        four, ("image", "edges", "matrix"), ("image", "vertical edges", "as a dense layer, 64×64"), strict=False
    ):
        grey = key == "image"
        axes.imshow(
            series[key],
            cmap="gray" if grey else "RdBu",
            vmin=0 if grey else -1.3,
            vmax=1 if grey else 1.3,
            interpolation="nearest",
        )
        picture(axes)
        axes.spines[:].set_visible(True)
        heading(axes, title)
    axes = four[3]
    sides = [each["side"] for each in series["counts"]]
    lines = (
        ("dense_operations", ORANGE, "-", "operations, dense"),
        ("dense_weights", ORANGE, "--", "weights, dense: n⁴"),
        ("conv_operations", BLUE, "-", "operations, convolution: 3n²"),
        ("conv_weights", BLUE, "--", "weights, convolution: 2"),
    )
    for key, colour, style, name in lines:
        axes.plot(sides, [each[key] for each in series["counts"]], style, color=colour, linewidth=1.8, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sides, [str(side) for side in sides])
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"$10^{{{round(torch.log10(torch.tensor(value)).item())}}}$")
    axes.set_ylim(1, 3e12)
    label(axes, "side n of the image", "")
    axes.legend(loc="upper left", fontsize=7.5, frameon=False, labelcolor=INK, borderaxespad=0.1, labelspacing=0.3)
    return Drawing(figure, outcome.caption)
