"""What a learning-rate range test saw."""

from __future__ import annotations

import math
from collections.abc import Sequence

from glassnet.plots.style import BLUE, GREEN, MUTED, Drawing, label, legend, logarithmic, nan_for_none, new_axes, number

CUT = 4.0


def lr_range_plot(
    lrs: Sequence[float],
    losses: Sequence[float | None],
    *,
    suggestion: float | None = None,
    too_low: float | None = None,
    too_high: float | None = None,
) -> Drawing:
    """Smoothed loss against the rate, the useful range shaded and the suggestion marked (Smith 2017, section 3.3).

    Args:
        lrs: rates tried, rising and positive.
        losses: smoothed loss after each; None or NaN leaves a gap.
        suggestion: the rate that was chosen.
        too_low: below it the loss hardly moved.
        too_high: from it on the loss rose.
    """
    values = [nan_for_none(loss) for loss in losses]
    finite = [value for value in values if math.isfinite(value)]
    figure, axes = new_axes()
    if finite:
        axes.plot(lrs, [value if math.isfinite(value) else math.nan for value in values], color=BLUE, linewidth=1.8)
        axes.set_xscale("log")
        logarithmic(axes.xaxis, min(lrs), max(lrs))
        least = min(finite)
        start = next(iter(finite))
        # a loss that exploded must not press the rest flat
        ceiling = max(start + 0.6 * (start - least), least + 1e-9)
        room = 0.08 * (ceiling - least)
        axes.set_ylim(least - room, min(max(finite), ceiling + CUT * room) + room)
    if too_low is not None or too_high is not None:
        low, high = too_low or lrs[0], too_high or lrs[-1]
        axes.axvspan(low, high, color=GREEN, alpha=0.12, linewidth=0, label="the loss falls")
    if suggestion is not None:
        axes.axvline(suggestion, color=GREEN, linewidth=1.8, dashes=(4, 1.5), label=f"chosen: {number(suggestion)}")
    if suggestion is not None or too_low is not None or too_high is not None:
        legend(axes)
    axes.grid(visible=True, which="minor", color=MUTED, alpha=0.12, linewidth=0.6)
    label(axes, "learning rate", "smoothed loss")
    return Drawing(figure, _caption(lrs, finite, suggestion, too_low, too_high))


def _caption(
    lrs: Sequence[float],
    finite: Sequence[float],
    suggestion: float | None,
    too_low: float | None,
    too_high: float | None,
) -> str:
    if not finite:
        return "The loss was not finite at any rate."
    parts = []
    if too_low is not None:
        parts.append(f"below {number(too_low)} the loss hardly moves")
    parts.append(
        f"from {number(too_high)} on it rises" if too_high is not None else f"up to {number(lrs[-1])} it never rises"
    )
    text = " and ".join(parts)
    text = text[0].upper() + text[1:]
    if suggestion is None:
        return f"{text}; no rate stands out."
    return f"{text}; {number(suggestion)} was chosen, where it falls fast."
