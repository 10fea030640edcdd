"""Predicted values against true ones."""

from __future__ import annotations

from glassnet.evaluate.regression import RegressionFigures
from glassnet.plots.style import BLUE, FONT, MUTED, SQUARE, Drawing, label, new_axes, number


def prediction_plot(figures: RegressionFigures, output: int = 0) -> Drawing:
    """Predicted against true values of one output, for the samples that the figures keep, with the line of perfect answers.

    Args:
        figures: of the part.
        output: which output.
    """
    points, own = figures.points[output], figures.per_output[output]
    true, said = [point[0] for point in points], [point[1] for point in points]
    figure, axes = new_axes(SQUARE)
    low, high = min(true + said), max(true + said)
    room = 0.04 * (high - low) or 1.0
    limits = (low - room, high + room)
    axes.plot(limits, limits, color=MUTED, linewidth=1.2, dashes=(3, 2))
    axes.scatter(true, said, s=16 if len(points) <= 300 else 9, color=BLUE, alpha=0.45, linewidths=0)
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_aspect("equal")
    axes.text(0.97, 0.05, "predicted = true", transform=axes.transAxes, ha="right", color=MUTED, fontsize=FONT - 1)
    label(axes, f"true {own.name}", f"predicted {own.name}")
    return Drawing(figure, _caption(figures, output))


def _caption(figures: RegressionFigures, output: int) -> str:
    own = figures.per_output[output]
    shown = len(figures.points[output])
    sample = "" if shown == figures.samples else f" ({shown:,} of {figures.samples:,} samples shown)"
    text = f"Predictions of {own.name} are off by {number(own.mae)} on average"
    if own.r2 <= 0:
        return f"{text}, no better than always saying the mean (R² {own.r2:.3f}){sample}."
    low, high = own.r2_interval
    return f"{text} and explain {100 * own.r2:.0f} % of its variance (R² {own.r2:.3f}, 95 % interval {low:.3f} to {high:.3f}){sample}."
