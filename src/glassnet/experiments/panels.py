"""What the pictures of the experiments share: several axes side by side, and colours for more than three series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from glassnet.plots.style import BLUE, FONT, GREEN, INK, ORANGE, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), the rest of their palette
AMBER = "#e69f00"
SKY = "#56b4e9"
PINK = "#cc79a7"
SERIES = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY)


def panels(
    rows: int,
    columns: int,
    size: tuple[float, float],
    *,
    sharex: bool = False,
    sharey: bool = False,
    widths: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure with rows × columns axes in the common style, row by row.

    Args:
        rows: of axes.
        columns: of axes.
        size: of the figure in inches.
        sharex: one x axis for all.
        sharey: one y axis for all.
        widths: of the columns beside one another; equal without it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", facecolor="none")
    grid = figure.subplots(rows, columns, sharex=sharex, sharey=sharey, squeeze=False, width_ratios=widths)
    return figure, [styled(axes) for axes in grid.flat]


def heading(axes: Axes, text: str) -> None:
    """Words above a panel, at its left."""
    axes.set_title(text, loc="left", fontsize=FONT, color=INK)


def picture(axes: Axes) -> None:
    """Axes for an image: no grid, no ticks, no frame, square pixels."""
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_aspect("equal")
