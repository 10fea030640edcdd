"""Planes: embeddings, decision boundaries, slices of the loss; and curves of robustness and of a training's history."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from glassnet.plots.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    SQUARE,
    Drawing,
    label,
    legend,
    literal,
    new_axes,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from glassnet.explain import Boundary, Embedding, Equivariance, History, LossSlice, Robustness

# Okabe and Ito's eight, and two greys that differ in brightness
CLASSES = (BLUE, ORANGE, GREEN, "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#f0e442", "#5d3a9b", "#40b0a6")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")


def embedding_plot(told: Embedding) -> Drawing:
    """Points of the plane, a colour and a mark for each class."""
    figure, axes = new_axes((4.8, 4.4))
    axes.grid(visible=False)
    groups = sorted(set(told.labels.tolist())) if len(told.labels) else [None]
    for at, group in enumerate(groups):
        points = told.points if group is None else told.points[told.labels == group]
        name = None if group is None else literal(told.classes[group] if group < len(told.classes) else str(group), 12)
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=11,
            alpha=0.75,
            color=CLASSES[at % 10],
            marker=MARKS[at % 10],
            linewidth=0,
            label=name,
        )
    if len(groups) > 1 and len(groups) <= 20:
        legend(axes, 5)
    axes.set_xticks([])
    axes.set_yticks([])
    label(axes, f"{told.method} 1", f"{told.method} 2")
    words = f"{len(told.points):,} samples by the last hidden layer, {told.method}"
    words += (
        f": the plane holds {told.kept:.0%} of the variance"
        if math.isfinite(told.kept)
        else ": neighbours count, distances mean little"
    )
    words += f"; trustworthiness {told.trust:.2f} of 1."
    if math.isfinite(told.agreement):
        words += f" Of a sample's five nearest {told.agreement:.1%} have its class there, and {told.agreement_inputs:.1%} among the raw inputs: "
        words += (
            "the network has sorted them."
            if told.agreement > told.agreement_inputs + 0.01
            else "the network has not sorted them further."
        )
    return Drawing(figure, words)


def boundary_plot(told: Boundary) -> Drawing:
    """The most probable class over the plane, paler where it is less certain; for values the value itself."""
    import numpy as np
    from matplotlib.colors import to_rgb

    figure, axes = new_axes(SQUARE)
    extent = (float(told.x[0]), float(told.x[-1]), float(told.y[0]), float(told.y[-1]))
    if told.classes:
        best, sure = told.answers.argmax(2), told.answers.max(2)
        paint = np.array([to_rgb(CLASSES[i % 10]) for i in range(len(told.classes))])
        least = 1 / len(told.classes)
        strength = 0.12 + 0.45 * ((sure - least) / (1 - least)).clip(0, 1)
        axes.imshow(
            np.dstack((paint[best], strength)), origin="lower", extent=extent, aspect="auto", interpolation="nearest"
        )
        areas = np.bincount(best.reshape(-1), minlength=len(told.classes)) / best.size
        words = (
            "Which class the network says where; paler is less certain. "
            + ", ".join(f"{name} has {share:.0%}" for name, share in zip(told.classes, areas, strict=True))
            + " of this part of the plane."
        )
    else:
        drawn = axes.imshow(told.answers[:, :, 0], origin="lower", extent=extent, aspect="auto", cmap="cividis")
        figure.colorbar(drawn, ax=axes)
        words = f"What the network says over the plane: from {number(float(told.answers.min()))} to {number(float(told.answers.max()))}."
    axes.scatter(told.samples[:, 0], told.samples[:, 1], s=7, color=INK, linewidth=0, alpha=0.6)
    label(axes, literal(told.features[0], 24), literal(told.features[1], 24))
    return Drawing(figure, words)


def loss_slice_plot(told: LossSlice) -> Drawing:
    """Contours of ln(loss), or the loss along a line; the trained weights in the middle."""
    import numpy as np

    figure, axes = new_axes(SQUARE if told.losses.ndim == 2 else (5.2, 2.9))
    if told.losses.ndim == 2:
        axes.grid(visible=False)
        shown = np.log10(told.losses.astype(np.float64).clip(1e-12))
        filled = axes.contourf(told.steps, told.steps, shown, levels=14, cmap="cividis")
        bar = figure.colorbar(filled, ax=axes, shrink=0.8)
        bar.ax.yaxis.set_major_formatter(lambda value, _: number(10**value))
        bar.ax.tick_params(labelsize=8, labelcolor=INK)
        axes.plot([0], [0], "+", color=ORANGE, markersize=12, markeredgewidth=2)
        axes.set_aspect("equal")
        label(axes, "first random direction", "second random direction")
    else:
        axes.plot(told.steps, told.losses, color=BLUE, linewidth=2)
        axes.axvline(0, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        label(axes, "along a random direction", "loss")
    lowest = float(told.losses.min())
    words = f"A slice, not the landscape: {told.losses.ndim} of {told.parameters:,} dimensions, each filter moved by up to its own length. In the middle the loss is {number(told.centre)}, at the edge up to {number(float(told.losses.max()))}."
    if lowest < 0.98 * told.centre:
        words += f" On this slice it is lower elsewhere ({number(lowest)}): on these samples the trained weights are not at a minimum."
    return Drawing(figure, words)


def robustness_plot(told: Sequence[Robustness]) -> Drawing:
    """Accuracy over the severity, one panel a disturbance."""
    from matplotlib.figure import Figure

    from glassnet.plots.style import styled

    figure = Figure(figsize=(1.9 * len(told) + 0.4, 2.3), layout="constrained", facecolor="none")
    grid = figure.subplots(1, len(told), squeeze=False, sharey=True)[0]
    falls = []
    for at, (axes, one) in enumerate(zip(grid, told, strict=True)):
        styled(axes)
        axes.plot(one.severities, one.accuracy, color=CLASSES[at], marker=MARKS[at], markersize=4, linewidth=1.8)
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.set_title(one.kind, fontsize=9, color=INK)
        axes.set_xlabel(literal(one.unit, 30), fontsize=7, color=INK)
        axes.tick_params(labelsize=7.5)
        clean = max(one.accuracy)
        broken = [s for s, a in zip(one.severities, one.accuracy, strict=True) if a < 0.9 * clean]
        if broken:
            falls.append(f"{one.kind} {min(broken, key=lambda s: abs(s - 1) if one.kind == 'scale' else s):g}")
    words = f"Accuracy on {told[0].samples:,} disturbed images. "
    words += f"It has lost a tenth at {', '.join(falls)}." if falls else "Nothing here costs it a tenth."
    return Drawing(figure, words)


def equivariance_plot(told: Equivariance) -> Drawing:
    """How far each layer's maps are from having moved with the image, one line a shift."""
    figure, axes = new_axes()
    places = range(1, len(told.layers) + 1)
    for at, shift in enumerate(told.shifts):
        axes.plot(
            places, told.errors[:, at], color=CLASSES[at % 10], marker=MARKS[at % 10], markersize=4, label=f"{shift} px"
        )
    axes.axhline(0, color=MUTED, linewidth=1)
    axes.set_ylim(bottom=-0.05)
    label(axes, "layer, from input to output", "what did not move along")
    legend(axes, 4)
    words = f"Shifted by {told.shifts[0]} pixel{'s' if told.shifts[0] > 1 else ''}, the maps of {told.layers[0]} miss a share of {number(float(told.errors[0, 0]))} of their size, those of {told.layers[-1]} {number(float(told.errors[-1, 0]))}; 0 is exact equivariance. "
    words += (
        "The answer stays the same for "
        + ", ".join(f"{kept:.0%} at {shift} px" for kept, shift in zip(told.kept, told.shifts, strict=True))
        + "."
    )
    return Drawing(figure, words)


def history_plot(told: History) -> Drawing:
    """A layer's values over the measured steps as a heat map, and below it the size of every weight."""
    from matplotlib.figure import Figure

    from glassnet.plots.style import styled

    figure = Figure(figsize=(5.2, 4.2), layout="constrained", facecolor="none")
    above, below = (styled(axes) for axes in figure.subplots(2, 1))
    above.grid(visible=False)
    above.pcolormesh(range(len(told.steps) + 1), told.edges, told.shares.T**0.5, cmap="cividis", rasterized=True)
    above.set_xticks([])
    above.set_title(literal(f"values of {told.layer}, bright where many are", 60), fontsize=8.5, color=INK, loc="left")
    for row in told.sizes:
        below.plot(range(len(row)), row, color=BLUE, alpha=0.5, linewidth=1.2)
    marks = sorted({0, len(told.steps) // 2, len(told.steps) - 1})
    below.set_xticks(marks, [f"{told.steps[i]:,}" for i in marks])
    below.set_title("size of each weight (root mean square)", fontsize=8.5, color=INK, loc="left")
    below.set_xlabel("step, measured ones side by side", fontsize=9, color=INK)
    change = told.sizes[:, -1] / told.sizes[:, 0] if told.sizes.size else told.sizes
    words = f"{told.layer} over {len(told.steps)} looks from step {told.steps[0]:,} to {told.steps[-1]:,}."
    if change.size and math.isfinite(float(change.max())):
        most = int(change.argmax())
        words += f" Of the weights {told.weights[most]} has grown most, to {number(float(change[most]))} times its size at the start."
    return Drawing(figure, words)
