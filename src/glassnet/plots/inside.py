"""What the measured steps looked like from inside: sizes of updates, gradients through depth, activations, and how far each step reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from glassnet.captions import USUAL_RATIO, depth_sentence, median_of, ratio_sentence, reach, reach_sentence
from glassnet.events import Measured
from glassnet.plots.style import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    Drawing,
    label,
    legend,
    literal,
    logarithmic,
    nan_for_none,
    new_axes,
    number,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 40
MOST_HISTOGRAMS = 8
LONGEST = 22
SILENT, SATURATED = 0.02, 0.02  # shares below which a curve of dead or saturated units is not worth drawing


def update_ratio_curve(measured: Sequence[Measured]) -> Drawing:
    """Norm of each step's update over the norm of the weight, one thin line a weight, their median in bold.

    Args:
        measured: in their order; biases and norms (parameters of one dimension) are left out.
    """
    steps = [event.step for event in measured]
    names = [record["name"] for record in measured[-1].parameters if record["dims"] > 1] if measured else []
    series = {name: [_of(event.parameters, name, "ratio") for event in measured] for name in names}
    figure, axes = new_axes()
    for values in list(series.values())[:MOST_LINES]:
        axes.plot(steps, _positive(values), color=BLUE, alpha=0.28, linewidth=0.9)
    middle = [median_of(column) for column in zip(*series.values(), strict=True)]
    axes.plot(steps, _positive(middle), color=BLUE, linewidth=2, label="median of all weights")
    axes.axhline(USUAL_RATIO, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="0.001, the usual size")
    _log_y(axes, [*middle, USUAL_RATIO])
    label(axes, "step", "update / weight")
    legend(axes)
    return Drawing(figure, ratio_sentence(middle))


def gradient_depth_plot(measured: Sequence[Measured]) -> Drawing:
    """Size of the loss's gradient in the output of each layer, from the input to the loss, at the first, a middle and the last measured step."""
    chosen = [measured[0], measured[len(measured) // 2], measured[-1]] if len(measured) > 2 else list(measured)
    figure, axes = new_axes()
    everything: list[float] = []
    curves: list[list[float]] = []
    for event, colour in zip(chosen, (MUTED, ORANGE, BLUE), strict=False):
        values = _positive([nan_for_none(record.get("gradient")) for record in event.layers])
        curves.append(values)
        everything += values
        axes.plot(
            range(1, len(values) + 1),
            values,
            color=colour,
            linewidth=1.8,
            marker="o",
            markersize=3,
            label=f"step {event.step:,}",
        )
    _log_y(axes, everything)
    label(axes, "layer, from input to output", "size of the gradient")
    legend(axes)
    return Drawing(figure, depth_sentence(curves[-1] if curves else []))


def silent_units_curve(measured: Sequence[Measured]) -> Drawing:
    """Share of units of each layer that are dead (0 for the whole batch) or saturated, over the steps."""
    steps = [event.step for event in measured]
    figure, axes = new_axes()
    worst: dict[str, tuple[float, str]] = {}
    for key, colour in (("dead", ORANGE), ("saturated", GREEN)):
        for name in _names(measured):
            values = [_of(event.layers, name, key) for event in measured]
            if max((value for value in values if math.isfinite(value)), default=0.0) < SILENT:
                continue
            last = next(value for value in reversed(values) if math.isfinite(value))
            first_of_kind = key not in worst
            if first_of_kind or last > worst[key][0]:
                worst[key] = (last, name)
            axes.plot(steps, values, color=colour, linewidth=1.2, alpha=0.75, label=f"{key}" if first_of_kind else None)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    label(axes, "step", "share of the layer's units")
    if worst:
        legend(axes)
    told = [
        f"{100 * share:.0f} % of the units of {name} are {key} at the last measured step"
        for key, (share, name) in worst.items()
    ]
    return Drawing(
        figure, _sentence("; ".join(told)) if told else "No layer has dead or saturated units worth drawing."
    )


def step_reach_curve(measured: Sequence[Measured]) -> Drawing:
    """How far each measured step went along its direction: the change of the batch's loss over the change that the gradient promised.

    Near 1 the step is short for this direction, at a half it ends at the bottom of the valley, below 0 it has climbed the other side.
    """
    points = [(event.step, reach(event)) for event in measured]
    points = [(step, value) for step, value in points if math.isfinite(value)]
    figure, axes = new_axes()
    axes.axhspan(-2, 0, color=ORANGE, alpha=0.12, linewidth=0)
    axes.axhline(0.5, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    shown = [max(value, -1.0) for _, value in points]
    axes.plot([step for step, _ in points], shown, "o", color=BLUE, markersize=4)
    axes.set_ylim(-1.08, 1.25)
    label(axes, "step", "loss gained / promised")
    for height, text in ((1.06, "short steps"), (0.53, "bottom of the valley"), (-0.3, "beyond: the loss rose")):
        axes.annotate(text, (1.0, height), xycoords=("axes fraction", "data"), ha="right", fontsize=8.5, color=MUTED)
    return Drawing(figure, reach_sentence([value for _, value in points]))


def activation_histograms(measured: Sequence[Measured]) -> Drawing:
    """Histograms of what each layer puts out, at the first and at the last measured step; of many layers, an even selection."""
    from matplotlib.figure import Figure

    names = _names(measured)
    if len(names) > MOST_HISTOGRAMS:
        places = [round(i * (len(names) - 1) / (MOST_HISTOGRAMS - 1)) for i in range(MOST_HISTOGRAMS)]
        names = [names[place] for place in places]
    rows = max(-(-len(names) // 4), 1)
    figure = Figure(figsize=(6.4, 1.55 * rows + 0.25), layout="constrained", facecolor="none")
    grid = figure.subplots(rows, min(max(len(names), 1), 4), squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        axes.set_visible(True)
        styled(axes)
        axes.grid(visible=False)
        for event, colour, alpha in ((measured[0], GRID, 1.0), (measured[-1], BLUE, 0.65)):
            record = next((each for each in event.layers if each["name"] == name), None)
            if record is not None:
                _histogram(axes, record, colour, alpha)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.tick_params(labelsize=7.5)
        axes.locator_params(axis="x", nbins=3)
        axes.set_title(literal(name, LONGEST), fontsize=8, color=INK, loc="left", pad=3)
    if not measured:
        return Drawing(figure, "Nothing was measured.")
    return Drawing(
        figure,
        f"What the layers put out at step {measured[0].step:,} (grey) and at step {measured[-1].step:,} (blue).{_spread(measured[-1])}",
    )


def _histogram(axes: Axes, record: dict[str, Any], colour: str, alpha: float) -> None:
    counts, low, high = record.get("histogram") or [], nan_for_none(record.get("low")), nan_for_none(record.get("high"))
    if not counts or not math.isfinite(low) or not math.isfinite(high) or high <= low:
        return
    top = max(counts) or 1
    edges = [low + (high - low) * i / len(counts) for i in range(len(counts) + 1)]
    axes.stairs([count / top for count in counts], edges, fill=True, color=colour, alpha=alpha, linewidth=0)


def _names(measured: Sequence[Measured]) -> list[str]:
    return [record["name"] for record in measured[-1].layers] if measured else []


def _of(records: Sequence[dict[str, Any]], name: str, key: str) -> float:
    return next((nan_for_none(record.get(key)) for record in records if record["name"] == name), math.nan)


def _positive(values: Sequence[float]) -> list[float]:
    return [value if math.isfinite(value) and value > 0 else math.nan for value in values]


def _log_y(axes: Axes, values: Sequence[float]) -> None:
    finite = [value for value in values if math.isfinite(value) and value > 0]
    if finite:
        axes.set_yscale("log")
        logarithmic(axes.yaxis, min(finite), max(finite))


def _spread(event: Measured) -> str:
    spreads = [nan_for_none(record.get("std")) for record in event.layers]
    finite = [value for value in spreads if math.isfinite(value) and value > 0]
    return f" At the end their spread lies between {number(min(finite))} and {number(max(finite))}." if finite else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
