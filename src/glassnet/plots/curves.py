"""What happened over the epochs: loss, accuracy and learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

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
    number,
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
    best = _lowest(val)
    if best is not None:
        _mark(axes, best, val[best], "lowest")
    _epoch_axis(axes, len(epochs))
    label(axes, "epoch", "loss, logarithmic" if scale == "log" else "loss")
    if axes.lines:
        legend(axes, columns=4)
    return Drawing(figure, _log_caption(train, val) if scale == "log" else _loss_caption(train, val))


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
    best = _highest(val)
    if best is not None:
        _mark(axes, best, val[best], "highest")
    _epoch_axis(axes, len(epochs))
    label(axes, "epoch", name)
    if key == "accuracy":
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %")
    if axes.lines:
        legend(axes)
    return Drawing(figure, _figure_caption(name, key == "accuracy", train, val, best))


def rate_curve(epochs: Sequence[Epoch]) -> Drawing:
    """Learning rate at the end of each epoch."""
    rates = [nan_for_none(epoch.lr) for epoch in epochs]
    figure, axes = new_axes((5.2, 2.2))
    _line(axes, rates, "learning rate", GREEN)
    axes.set_ylim(bottom=0)
    _epoch_axis(axes, len(epochs))
    label(axes, "epoch", "learning rate")
    return Drawing(figure, _rate_caption(rates))


def _series(epochs: Sequence[Epoch], part: Literal["train", "val"], key: str) -> list[float]:
    return [nan_for_none((epoch.train if part == "train" else epoch.val).get(key)) for epoch in epochs]


def _positive(values: list[float]) -> list[float]:
    return [value if value > 0 else math.nan for value in values]


def _lowest(values: Sequence[float]) -> int | None:
    return min((i for i, v in enumerate(values) if math.isfinite(v)), key=lambda i: values[i], default=None)


def _highest(values: Sequence[float]) -> int | None:
    return _lowest([-value for value in values])


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


def _last(values: Sequence[float]) -> float | None:
    return next((value for value in reversed(values) if math.isfinite(value)), None)


def _loss_caption(train: Sequence[float], val: Sequence[float]) -> str:
    best, last_train = _lowest(val), _last(train)
    if best is None:
        if last_train is None:
            return "No finite loss was recorded."
        first = next(value for value in train if math.isfinite(value))
        return f"Training loss went from {number(first)} to {number(last_train)}; there is no validation part."
    text = f"Validation loss is lowest, {number(val[best])}, after epoch {best + 1} of {len(val)}"
    since = len(val) - 1 - best
    if since:
        text += f" and has not improved for {since} epoch{'s' if since > 1 else ''}"
    else:
        text += ": it was still falling when training ended" if len(val) > 1 else ""
    if last_train is not None:
        text += f"; at the end it is {number(_last(val) or 0.0)} against {number(last_train)} on the training part"
    return text + "."


def _log_caption(train: Sequence[float], val: Sequence[float]) -> str:
    values = [value for value in train if math.isfinite(value)] or [value for value in val if math.isfinite(value)]
    if len(values) < 3:
        return "The same on a logarithmic scale, where equal steps are equal factors."
    middle = len(values) // 2
    halves = [values[0] / values[middle], values[middle] / values[-1]]
    first, second = (
        f"fell by a factor of {number(f)}" if f >= 1.05 else "rose" if f < 0.95 else "hardly moved" for f in halves
    )
    if first.startswith("fell") and second.startswith("fell"):
        second = second.removeprefix("fell ")
    return f"On a logarithmic scale equal steps are equal factors: the loss {first} in the first half of training and {second} in the second."


def _figure_caption(name: str, percent: bool, train: Sequence[float], val: Sequence[float], best: int | None) -> str:
    def told(value: float) -> str:
        return f"{100 * value:.2f} %" if percent else number(value)

    if best is None:
        last = _last(train)
        return f"No {name} was recorded." if last is None else f"Training {name} ends at {told(last)}."
    text = f"Validation {name} is highest, {told(val[best])}, after epoch {best + 1} of {len(val)}"
    if not math.isfinite(train[best]):
        return text + "."
    gap = train[best] - val[best]
    size = f"{abs(100 * gap):.2f} points" if percent else number(abs(gap))
    side = "lower than" if gap < 0 else "higher than"
    text += f"; on the training part it is {told(train[best])} there, {size} {side} on the validation part"
    return text + "."


def _rate_caption(rates: Sequence[float]) -> str:
    finite = [rate for rate in rates if math.isfinite(rate)]
    if not finite:
        return "No learning rate was recorded."
    top = finite.index(max(finite))
    if max(finite) <= min(finite) * (1 + 1e-9):
        return f"The learning rate stayed at {number(finite[0])}."
    if top == 0:
        return f"The learning rate fell from {number(finite[0])} at the end of the first epoch to {number(finite[-1])}."
    if top == len(finite) - 1:
        return f"The learning rate rose from {number(finite[0])} to {number(finite[-1])}."
    return f"The learning rate rose to {number(finite[top])} at epoch {top + 1} and fell to {number(finite[-1])}."
