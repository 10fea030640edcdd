"""Whether the probabilities mean what they say."""

from __future__ import annotations

from glassnet.evaluate.classification import ClassificationFigures
from glassnet.evaluate.interval import wilson
from glassnet.plots.style import BLUE, FONT, GRID, MUTED, Drawing, label, styled

WELL_CALIBRATED = 0.02


def reliability_diagram(figures: ClassificationFigures) -> Drawing:
    """Accuracy against confidence, a dot for each bin, larger for more samples, with its 95 % Wilson interval; below it how many samples have that confidence."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 4.4), layout="constrained", facecolor="none")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    styled(upper)
    styled(lower)
    upper.plot([0, 1], [0, 1], color=MUTED, linewidth=1.2, dashes=(3, 2))
    upper.text(0.04, 0.1, "as sure as right", color=MUTED, fontsize=FONT - 1, rotation=45, rotation_mode="anchor")
    filled = [each for each in figures.reliability if each.samples]
    for each in filled:
        low, high = wilson(round(each.accuracy * each.samples), each.samples)
        upper.plot([each.confidence] * 2, [low, high], color=BLUE, linewidth=1.2, alpha=0.6)
    upper.scatter(
        [each.confidence for each in filled],
        [each.accuracy for each in filled],
        s=[14 + 120 * each.samples / figures.samples for each in filled],
        color=BLUE,
        linewidths=0,
        zorder=3,
    )
    lower.bar(
        [each.low for each in figures.reliability],
        [100 * each.samples / figures.samples for each in figures.reliability],
        width=[each.high - each.low for each in figures.reliability],
        align="edge",
        color=BLUE,
        alpha=0.75,
        edgecolor=GRID,
    )
    upper.set_xlim(0, 1)
    upper.set_ylim(0, 1.02)
    for axis in (upper.xaxis, upper.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    lower.yaxis.set_major_formatter(lambda value, _: f"{value:.0f} %")
    label(upper, "", "share that is right")
    label(lower, "how sure the network is of its answer", "samples")
    upper.tick_params(labelbottom=False)
    return Drawing(figure, _caption(figures))


def _caption(figures: ClassificationFigures) -> str:
    confidence = sum(each.samples * each.confidence for each in figures.reliability) / figures.samples
    error = f"expected calibration error {100 * figures.calibration_error:.1f} %"
    text = f"On average the network is {100 * confidence:.1f} % sure and {100 * figures.accuracy:.1f} % right"
    if figures.calibration_error <= WELL_CALIBRATED:
        return f"{text}: its probabilities can be taken at their word ({error})."
    if abs(confidence - figures.accuracy) < figures.calibration_error / 2:
        return f"{text}, but it is too sure in places and not sure enough in others ({error})."
    which = "too sure of itself" if confidence > figures.accuracy else "right more often than it says"
    return f"{text}: it is {which} ({error})."
