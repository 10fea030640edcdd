"""Filters, feature maps and pictures that excite units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from glassnet.plots.style import BLUE, INK, MUTED, ORANGE, Drawing, literal, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from glassnet.explain import FeatureMaps, Filters, Maximised

MOST_FILTERS = 64
MOST_LAYERS = 12
MOST_MAPS = 8
TILE = 0.62  # inches


def filters_plot(filters: Filters) -> Drawing:
    """Each filter over its own length: the input that most excites its unit. Grey is 0; three channels are drawn as colours.

    Raises:
        ValueError: the weights have no height and width.
    """
    if not filters.are_pictures:
        raise ValueError("these filters are no pictures")
    count = min(len(filters.best), MOST_FILTERS)
    columns = min(count, 16 if count > 32 else 8)
    rows = -(-count // columns)
    figure, grid = tiles(rows, columns, TILE if columns == 8 else 0.4)
    for axes, best in zip(grid, filters.best[:count], strict=False):
        image(axes, best, centred=True)
    spread = f"lengths from {number(float(filters.norms.min()))} to {number(float(filters.norms.max()))}"
    height, width = filters.weights.shape[2:]
    told = f"The {len(filters.weights)} filters of {filters.name} ({height}×{width} pixels"
    told += f", the first {count} drawn)" if count < len(filters.weights) else ")"
    told += f", each divided by its length; of all inputs of length 1 this one excites its unit most. {spread[0].upper()}{spread[1:]}."
    weak = int((filters.norms < 0.1 * float(_middle(filters.norms))).sum())
    if weak:
        told += f" {weak} {'is' if weak == 1 else 'are'} less than a tenth as long as the median: hardly used."
    if not filters.trained:
        told += " Training did not change them: they were computed from the data or frozen."
    return Drawing(figure, told)


def feature_maps_plot(maps: FeatureMaps, row: int = 0) -> Drawing:
    """One input on its way: a row of maps for each layer, the most excited ones first; layers without maps as bars.

    Of more than 12 layers an even selection is drawn, of more than 8 maps the 8 with the largest absolute mean.
    """
    layers = [layer for layer in maps.layers if layer.values.ndim in (2, 4)]
    if len(layers) > MOST_LAYERS:
        layers = [layers[round(i * (len(layers) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS)]
    figure, grid = tiles(len(layers) + 1, MOST_MAPS, TILE, left=1.5)
    whole = maps.inputs.ndim == 4
    if whole:
        image(grid[0], maps.inputs[row])
    _name(figure, 0, len(layers) + 1, literal(maps.names[row], 20), "input")
    for number_, layer in enumerate(layers, start=1):
        values = layer.values[row]
        cells = grid[number_ * MOST_MAPS : (number_ + 1) * MOST_MAPS]
        size = "×".join(map(str, values.shape))
        _name(figure, number_, len(layers) + 1, literal(layer.name, 20), f"{layer.kind} {size}")
        if values.ndim == 3 and min(values.shape[1:]) > 1:
            top = abs(values).mean(axis=(1, 2)).argsort()[::-1][:MOST_MAPS]
            for axes, channel in zip(cells, top, strict=False):
                image(axes, values[channel][None], heat=True)
        else:
            _bars(figure, cells, values.reshape(-1))
    if maps.seconds:  # of spectrograms the lowest tones stand below
        for axes in grid:
            if axes.images:
                axes.invert_yaxis()
    silent = max(layers, key=lambda layer: layer.silent, default=None)
    told = f"What {len(layers)} layers answer to {maps.names[row]}, from the input down"
    told += "; bright is a large value, and the most excited maps stand first."
    if silent is not None and silent.silent > 0.02:
        told += f" In {silent.name} {100 * silent.silent:.0f} % of the units say nothing to it."
    return Drawing(figure, told)


def maximised_plot(made: Maximised) -> Drawing:
    """A picture for each unit that excites it as far as climbing went."""
    columns = min(len(made.units), 5)
    rows = -(-len(made.units) // columns)
    figure, grid = tiles(rows, columns, 1.05, titled=True)
    for axes, picture, unit, value in zip(grid, made.images, made.units, made.reached, strict=False):
        image(axes, picture, stretch=True)
        axes.set_title(literal(f"{unit}: {number(float(value))}", 18), fontsize=8, color=INK, pad=2)
    gained = made.reached - made.started
    stuck = [unit for unit, gain in zip(made.units, gained, strict=True) if gain <= 1e-6]
    told = f"Pictures made by climbing {'the classes’ outputs' if made.layer == 'output' else made.layer} from grey noise: "
    told += f"the values rose from {number(float(made.started.mean()))} to {number(float(made.reached.mean()))} on average. "
    told += "They show what a unit reacts to, not what it was trained on."
    if stuck:
        told += f" {', '.join(stuck[:5])} could not be excited from any start."
    return Drawing(figure, told)


def tiles(
    rows: int, columns: int, side: float, *, left: float = 0.0, titled: bool = False, wide: float = 1.0
) -> tuple[Figure, list[Axes]]:
    """A figure of rows × columns of square cells without frames, row after row, with room for words at the left and above each."""
    from matplotlib.figure import Figure

    above = 0.2 if titled else 0.0
    size = (left + columns * (side * wide + 0.06), rows * (side + 0.06 + above))
    figure = Figure(figsize=size, facecolor="none")
    cells = []
    for row in range(rows):
        for column in range(columns):
            x = (left + column * (side * wide + 0.06) + 0.03) / size[0]
            y = 1 - (row + 1) * (side + 0.06 + above) / size[1] + 0.03 / size[1]
            axes = figure.add_axes((x, y, side * wide / size[0], side / size[1]))
            axes.set_axis_off()
            cells.append(axes)
    return figure, cells


def image(
    axes: Axes, picture: Any, *, centred: bool = False, heat: bool = False, stretch: bool = False, alpha: float = 1.0
) -> None:
    """A picture (channels, height, width) of 1 or 3 channels; others are averaged.

    Args:
        axes: where.
        picture: numbers 0…1.
        centred: numbers around 0 instead; grey is 0.
        heat: any numbers, drawn from their smallest to their largest.
        stretch: use the whole range of brightness.
        alpha: 1 covers what is below.
    """
    import numpy as np

    values = np.asarray(picture, dtype=np.float64)
    if len(values) not in (1, 3):
        values = values.mean(axis=0, keepdims=True)
    if centred:
        values = 0.5 + values / (2 * max(float(abs(values).max()), 1e-12))
    elif heat or stretch:
        low, high = float(values.min()), float(values.max())
        values = (values - low) / (high - low) if high > low else np.zeros_like(values) + (0.5 if stretch else 0)
    values = values.clip(0, 1)
    shown = values[0] if len(values) == 1 else values.transpose(1, 2, 0)
    axes.imshow(
        shown, cmap="cividis" if heat else "gray", vmin=0, vmax=1, interpolation="nearest", alpha=alpha, aspect="equal"
    )


def _middle(values: Any) -> float:
    ordered = sorted(float(value) for value in values)
    return ordered[len(ordered) // 2] if ordered else math.nan


def _name(figure: Figure, row: int, rows: int, name: str, kind: str) -> None:
    y = 1 - (row + 0.5) / rows
    figure.text(0.01, y, name, fontsize=8, color=INK, va="bottom")
    figure.text(0.01, y, kind, fontsize=6.5, color=MUTED, va="top")


def _bars(figure: Figure, cells: list[Axes], values: Any) -> None:
    """A layer's units as one strip of brightness over the whole row."""
    first, last = cells[0].get_position(), cells[-1].get_position()
    axes = figure.add_axes((first.x0, first.y0 + first.height * 0.3, last.x1 - first.x0, first.height * 0.4))
    axes.set_axis_off()
    axes.imshow(values[None], cmap="cividis", aspect="auto", interpolation="nearest")


def two_sided() -> Any:
    """Colours for what speaks against (blue), says nothing (paper) and speaks for (orange)."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("for and against", [BLUE, "#f4f4f2", ORANGE])
