"""Attributions: over the image, or as bars of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glassnet.plots.explain_maps import image, tiles, two_sided
from glassnet.plots.explain_sequences import sound_plot, tokens_plot
from glassnet.plots.style import BLUE, INK, ORANGE, Drawing, label, literal, new_axes, number

if TYPE_CHECKING:
    from glassnet.explain import Attribution

MOST_INPUTS = 8
MOST_COLUMNS = 15


def attribution_plot(told: Attribution) -> Drawing:
    """Images above their maps, orange for and blue against the class (unsigned maps: bright where it matters); of a row its columns as bars, of texts their words, of sounds spectrograms."""
    if told.tokens:
        return tokens_plot(told)
    if told.seconds:
        return sound_plot(told)
    return _columns(told) if told.columns else _images(told)


def _images(told: Attribution) -> Drawing:
    import numpy as np

    count = min(len(told.values), MOST_INPUTS)
    figure, grid = tiles(2, count, 1.0, titled=True)
    for column in range(count):
        above, below = grid[column], grid[count + column]
        image(above, told.inputs[column])
        above.set_title(literal(told.targets[column], 14), fontsize=8, color=INK, pad=2)
        values = told.values[column]
        if told.signed:
            top = max(float(np.percentile(abs(values), 99.5)), 1e-12)
            below.imshow(values, cmap=two_sided(), vmin=-top, vmax=top, interpolation="nearest")
        else:
            image(below, values[None], heat=True)
    words = f"{told.method[0].upper()}{told.method[1:]} for the class above each image"
    words += f", at {told.layer}: " if told.layer else ": "
    words += "orange speaks for it, blue against it." if told.signed else "bright is where it matters."
    words += f" In the first image half of it lies in {_half(abs(told.values[0])):.0%} of the pixels."
    if told.against is not None:
        missed = abs(told.gap / np.where(told.scores == told.against, 1, told.scores - told.against)).max()
        words += f" The values sum to the output's difference from the baseline within {number(100 * float(missed))} %."
    if not told.signed and not told.values[0].any():
        words += " The first map is empty: nothing in this layer speaks for the class."
    return Drawing(figure, words)


def _columns(told: Attribution, row: int = 0) -> Drawing:
    values = told.values[row]
    order = abs(values).argsort()[::-1][:MOST_COLUMNS][::-1]
    figure, axes = new_axes((5.2, 0.9 + 0.26 * len(order)))
    axes.barh(
        [literal(told.columns[i], 24) for i in order],
        [float(values[i]) for i in order],
        color=[ORANGE if values[i] > 0 else BLUE for i in order],
    )
    axes.grid(visible=False, axis="y")
    label(axes, f"share in the output for {told.targets[row]}", "")
    best = int(order[-1])
    side = "for" if values[best] > 0 else "against"
    words = f"{told.method[0].upper()}{told.method[1:]} of {told.names[row]}: {told.columns[best]} speaks most strongly, {side} {told.targets[row]} ({number(float(values[best]))})."
    if len(values) > len(order):
        words += f" The {len(order)} strongest of {len(values)} columns are drawn."
    return Drawing(figure, words)


def _half(values: Any) -> float:
    """Smallest share of the pixels that holds half of the whole."""
    ordered = -(-values.reshape(-1)).copy()
    ordered.sort()
    running = ordered[::-1].cumsum()
    return float((running < running[-1] / 2).sum() + 1) / len(running) if running[-1] > 0 else 0.0
