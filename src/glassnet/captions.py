"""What a curve says, in a sentence that changes with the data: pure functions of the figures, used by every picture that shows them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from statistics import median
from typing import Any

from glassnet.events import Measured

USUAL_RATIO = 1e-3  # update over weight, a rule of thumb of the CS231n lectures


def number(value: float) -> str:
    """A figure for people: three significant digits, an exponent only where it is very small or very large."""
    if not math.isfinite(value):
        return "not finite"
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return re.sub(r"e([+-])0*(\d+)", lambda part: "e" + part[1].replace("+", "") + part[2], f"{value:.3g}")


def shortest_half(values: Sequence[float]) -> tuple[int, int]:
    """(begin, end) of the shortest stretch that holds half of the sum of the absolute values; (0, 0) where all are 0."""
    sizes = [abs(float(value)) for value in values]
    half = sum(sizes) / 2
    best, begin, held = (0, 0), 0, 0.0
    if half <= 0:
        return best
    for end, size in enumerate(sizes, start=1):
        held += size
        while begin < end and held - sizes[begin] >= half:
            held -= sizes[begin]
            begin += 1
        if held >= half and (best == (0, 0) or end - begin < best[1] - best[0]):
            best = (begin, end)
    return best


def nan_for_none(value: Any) -> float:
    """A number as it came out of JSON, where what is not finite was written as null."""
    return math.nan if value is None else float(value)


def loss_sentence(train: Sequence[float], val: Sequence[float], *, running: bool = False) -> str:
    """Where the validation loss is lowest, and how far it is from the training loss.

    Args:
        train: loss on the training part after each epoch, NaN where unknown.
        val: the same on the validation part.
        running: whether more epochs are to come.
    """
    best, last_train = lowest(val), last_of(train)
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
        text += (
            (": it is still falling" if running else ": it was still falling when training ended")
            if len(val) > 1
            else ""
        )
    if last_train is not None:
        text += f"; {'now' if running else 'at the end'} it is {number(last_of(val) or 0.0)} against {number(last_train)} on the training part"
    return text + "."


def log_loss_sentence(train: Sequence[float], val: Sequence[float]) -> str:
    """By which factor the loss fell in each half of the training."""
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


def figure_sentence(name: str, percent: bool, train: Sequence[float], val: Sequence[float], best: int | None) -> str:
    """Where a figure of which more is better is highest on the validation part, and how far the training part is from it."""

    def told(value: float) -> str:
        return f"{100 * value:.2f} %" if percent else number(value)

    if best is None:
        last = last_of(train)
        return f"No {name} was recorded." if last is None else f"Training {name} ends at {told(last)}."
    text = f"Validation {name} is highest, {told(val[best])}, after epoch {best + 1} of {len(val)}"
    if not math.isfinite(train[best]):
        return text + "."
    gap = train[best] - val[best]
    size = f"{abs(100 * gap):.2f} points" if percent else number(abs(gap))
    side = "lower than" if gap < 0 else "higher than"
    text += f"; on the training part it is {told(train[best])} there, {size} {side} on the validation part"
    return text + "."


def rate_sentence(rates: Sequence[float]) -> str:
    """What the learning rate did over the epochs."""
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


def ratio_sentence(middle: Sequence[float]) -> str:
    """How large the updates are beside the weights: ``middle`` is the median over the weights at each measured step."""
    finite = [value for value in middle if math.isfinite(value)]
    if not finite:
        return "No update was measured."
    typical = median_of(finite)
    told = f"A step changes the weights by a share of {number(typical)} of their size (median)"
    if typical > 10 * USUAL_RATIO:
        return f"{told}, more than ten times the usual 0.001: high."
    if typical < 0.1 * USUAL_RATIO:
        return f"{told}, less than a tenth of the usual 0.001: low."
    return f"{told}, near the usual 0.001."


def depth_sentence(values: Sequence[float]) -> str:
    """How the gradient's size changes from the last layer to the first; ``values`` from input to output."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return "There are too few layers to compare."
    ratio = finite[0] / finite[-1]
    if ratio < 1e-3:
        return f"The gradient shrinks on its way back: at the first layer it is {number(ratio)} of what it is at the last, so the first layers hardly learn."
    if ratio > 1e3:
        return f"The gradient grows on its way back: at the first layer it is {number(ratio)} times what it is at the last."
    return (
        f"At the first layer the gradient is {number(ratio)} times what it is at the last: every layer gets its share."
    )


def reach_sentence(values: Sequence[float]) -> str:
    """How far the measured steps went along their direction; ``values`` from :func:`reach`."""
    if not values:
        return "The measured steps were too short to tell how far they reached."
    over = sum(value < 0 for value in values) / len(values)
    middle = median_of(values)
    if over > 0.25:
        return f"{100 * over:.0f} % of the measured steps overshot: the loss of their own batch was higher after them than before. The rate is high."
    if middle > 0.98:
        return f"Half of the measured steps gained {number(middle)} of what the gradient promised or more: they are short, and a higher rate may learn faster."
    return f"Half of the measured steps gained {number(middle)} of what the gradient promised or more; {100 * over:.0f} % overshot."


def reach(event: Measured) -> float:
    """(after − before) / predicted; NaN where the predicted change is too small to tell from rounding."""
    before, after, predicted = (nan_for_none(event.batch.get(key)) for key in ("before", "after", "predicted"))
    if not all(map(math.isfinite, (before, after, predicted))) or abs(predicted) < 1e-5 * max(abs(before), 1e-12):
        return math.nan
    return (after - before) / predicted


def lowest(values: Sequence[float]) -> int | None:
    """Place of the lowest finite value; None without one."""
    return min((i for i, v in enumerate(values) if math.isfinite(v)), key=lambda i: values[i], default=None)


def highest(values: Sequence[float]) -> int | None:
    """Place of the highest finite value; None without one."""
    return lowest([-value for value in values])


def last_of(values: Sequence[float]) -> float | None:
    """The last finite value; None without one."""
    return next((value for value in reversed(values) if math.isfinite(value)), None)


def median_of(values: Sequence[float]) -> float:
    """Median of the finite values; NaN without one."""
    finite = [value for value in values if math.isfinite(value)]
    return median(finite) if finite else math.nan
