"""What happened over the epochs: loss, accuracy and learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from glassnet.captions import figure_sentence, highest, log_loss_sentence, loss_sentence, lowest, rate_sentence
from glassnet.events import Epoch
from glassnet.plots.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    Drawing,
    label,
    legend,
    logarithmic,
    nan_for_none,
    new_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKED_UP_TO = 30
NAMES = {"accuracy": "accuracy", "r2": "R²", "loss": "loss"}


def loss_curve(epochs: Sequence[Epoch], scale: Literal["linear", "log"] = "linear") -> Drawing:
    """Loss over the epochs: of training and validation part in evaluation mode, and while training.

    Args:
        epochs: in their order.
        scale: of the loss; ``log`` leaves out values that are not positive.
    """
    train, val = _series(epochs, "train", "loss"), _series(epochs, "val", "loss")
    running = [nan_for_none(epoch.running_loss) for epoch in epochs]
    figure, axes = new_axes()
    if scale == "log":
        train, val, running = (_positive(values) for values in (train, val, running))
        finite = [value for value in train + val + running if math.isfinite(value)]
        if finite:
            axes.set_yscale("log")
            logarithmic(axes.yaxis, min(finite), max(finite))
    _line(axes, running, "while training", MUTED, dashes=(1, 1.5), width=1.2)
    _line(axes, train, "training", BLUE)
    _line(axes, val, "validation", ORANGE, dashes=(4, 1.2))
    best = lowest(val)
    if best is not None:
        _mark(axes, best, val[best], "lowest")
    _epoch_axis(axes, len(epochs))
    label(axes, "epoch", "loss, logarithmic" if scale == "log" else "loss")
    if axes.lines:
        legend(axes, columns=4)
    return Drawing(figure, log_loss_sentence(train, val) if scale == "log" else loss_sentence(train, val))


def figure_curve(epochs: Sequence[Epoch], key: str = "accuracy") -> Drawing:
    """Accuracy, or another figure of which more is better, on the training and validation part with the same weights.

    Args:
        epochs: in their order.
        key: of the figure in ``train`` and ``val``, such as ``accuracy`` or ``r2``.
    """
    train, val = _series(epochs, "train", key), _series(epochs, "val", key)
    name = NAMES.get(key, key)
    figure, axes = new_axes()
    _line(axes, train, "training", BLUE)
    _line(axes, val, "validation", ORANGE, dashes=(4, 1.2))
    best = highest(val)
    if best is not None:
        _mark(axes, best, val[best], "highest")
    _epoch_axis(axes, len(epochs))
    label(axes, "epoch", name)
    if key == "accuracy":
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    if axes.lines:
        legend(axes)
    return Drawing(figure, figure_sentence(name, key == "accuracy", train, val, best))


def rate_curve(epochs: Sequence[Epoch]) -> Drawing:
    """Learning rate at the end of each epoch."""
    rates = [nan_for_none(epoch.lr) for epoch in epochs]
    figure, axes = new_axes((5.2, 2.2))
    _line(axes, rates, "learning rate", GREEN)
    axes.set_ylim(bottom=0)
    _epoch_axis(axes, len(epochs))
    label(axes, "epoch", "learning rate")
    return Drawing(figure, rate_sentence(rates))


def _series(epochs: Sequence[Epoch], part: Literal["train", "val"], key: str) -> list[float]:
    return [nan_for_none((epoch.train if part == "train" else epoch.val).get(key)) for epoch in epochs]


def _positive(values: list[float]) -> list[float]:
    return [value if value > 0 else math.nan for value in values]


def _line(
    axes: Axes,
    values: Sequence[float],
    name: str,
    colour: str,
    dashes: tuple[float, float] | None = None,
    width: float = 1.8,
) -> None:
    if not any(math.isfinite(value) for value in values):
        return
    finite = [value if math.isfinite(value) else math.nan for value in values]
    (line,) = axes.plot(range(1, len(finite) + 1), finite, label=name, color=colour, linewidth=width)
    if dashes is not None:
        line.set_dashes(dashes)
    if len(values) <= MARKED_UP_TO and colour != MUTED:
        line.set_marker("o")
        line.set_markersize(3.2)


def _mark(axes: Axes, place: int, value: float, name: str) -> None:
    axes.plot([place + 1], [value], "o", markersize=9, markerfacecolor="none", markeredgecolor=INK, label=name)


def _epoch_axis(axes: Axes, epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0.5, max(epochs, 1) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
