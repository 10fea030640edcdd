"""Several runs beside each other: their curves in one picture, and each with its own on a common scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from glassnet.events import Epoch
from glassnet.plots.curves import NAMES
from glassnet.plots.style import (
    BLUE,
    FONT,
    GREEN,
    INK,
    LONGEST_NAME,
    MUTED,
    ORANGE,
    Drawing,
    label,
    legend,
    literal,
    nan_for_none,
    new_axes,
    number,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED_UP_TO = 5
LINES = ((BLUE, ()), (ORANGE, (4, 1.2)), (GREEN, (6, 1.2, 1.2, 1.2)), (INK, (1, 1.3)), (MUTED, ()))
MARKS = ("o", "s", "^", "D", "v")
Curve = tuple[str, Sequence[Epoch]]


def compared_curve(runs: Sequence[Curve], key: str) -> Drawing:
    """One figure of the validation part over the epochs, a line a run. Of more than five runs the best and the worst are named, the others grey.

    Args:
        runs: names with epochs.
        key: of the figure, such as ``loss`` or ``accuracy``.
    """
    figure, axes = new_axes((5.2, 3.2))
    series = [(name, [nan_for_none(epoch.val.get(key)) for epoch in epochs]) for name, epochs in runs]
    series = [(name, values) for name, values in series if any(map(math.isfinite, values))]
    better = min if key == "loss" else max
    tops = [better(filter(math.isfinite, values)) for _, values in series]
    order = sorted(range(len(series)), key=lambda at: tops[at], reverse=better is max)
    few = len(series) <= NAMED_UP_TO
    for place, at in enumerate(order):
        name, values = series[at]
        last = place == len(order) - 1
        if few:
            colour, dashes, mark = LINES[place][0], LINES[place][1], MARKS[place]
        else:
            colour, dashes, mark = (
                (BLUE, (), "o") if place == 0 else (ORANGE, (4, 1.2), "s") if last else (MUTED, (), "")
            )
        named = few or place == 0 or last
        (line,) = axes.plot(
            range(1, len(values) + 1),
            values,
            color=colour,
            linewidth=1.8 if named else 0.7,
            alpha=1 if named else 0.55,
            marker=mark if named and len(values) <= 30 else "",
            markersize=3.5,
            zorder=3 + (len(order) - place) / len(order),  # the best on top
            label=literal(name, LONGEST_NAME) if named else "_other",
        )
        if dashes:
            line.set_dashes(dashes)
    word = NAMES.get(key, key)
    label(axes, "epoch", f"{word}, validation")
    _whole(axes, max((len(values) for _, values in series), default=1))
    if key == "accuracy":
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    if axes.lines:
        legend(axes, columns=3)
    if not series:
        return Drawing(figure, f"No run has told a {word} of the validation part.")
    best, worst = order[0], order[-1]
    how = "lowest" if better is min else "highest"
    told = f"The {how} {word} of the validation part is {_shown(tops[best], key)}, of {series[best][0]}"
    if len(series) > 1:
        told += f"; {series[worst][0]} came to {_shown(tops[worst], key)}"
    return Drawing(figure, told + ("." if few else f". The {len(series) - 2} others are grey."))


def small_curves(runs: Sequence[Curve], key: str = "loss") -> Drawing:
    """A small picture a run, all on the same axes: training solid, validation dashed."""
    from matplotlib.figure import Figure

    columns = min(max(len(runs), 1), 4)
    rows = -(-len(runs) // columns)
    figure = Figure(figsize=(2.3 * columns, 1.75 * rows), layout="constrained", facecolor="none")
    longest = max((len(epochs) for _, epochs in runs), default=1)
    finite = [
        value
        for _, epochs in runs
        for epoch in epochs
        for value in (nan_for_none(epoch.train.get(key)), nan_for_none(epoch.val.get(key)))
        if math.isfinite(value)
    ]
    gaps = []
    for place, (name, epochs) in enumerate(runs):
        axes = styled(figure.add_subplot(rows, columns, place + 1))
        steps = range(1, len(epochs) + 1)
        train = [nan_for_none(epoch.train.get(key)) for epoch in epochs]
        val = [nan_for_none(epoch.val.get(key)) for epoch in epochs]
        axes.plot(steps, train, color=BLUE, linewidth=1.4)
        axes.plot(steps, val, color=ORANGE, linewidth=1.4, dashes=(4, 1.2))
        axes.set_title(literal(name, 26), fontsize=FONT - 1, color=INK, loc="left")
        axes.tick_params(labelsize=FONT - 3)
        _whole(axes, longest)
        if finite:
            low, high = min(finite), max(finite)
            room = 0.05 * ((high - low) or 1.0)
            axes.set_ylim(low - room, high + room)
        if epochs and math.isfinite(val[-1] - train[-1]):
            gaps.append((val[-1] - train[-1], name))
    told = f"The {NAMES.get(key, key)} of each run on the same axes: training solid blue, validation dashed orange."
    if len(gaps) > 1:
        gap, name = max(gaps) if key == "loss" else min(gaps)
        told += f" The two lie furthest apart at the end of {name} ({number(gap)})."
    return Drawing(figure, told)


def _whole(axes: Axes, epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.set_xlim(1 - 0.03 * epochs, max(epochs, 2) + 0.03 * epochs)


def _shown(value: float, key: str) -> str:
    return f"{100 * value:.2f} %" if key == "accuracy" else number(value)
