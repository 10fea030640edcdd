"""The picture of a fault: the broken run beside the same run without the fault."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from glassnet.events import Epoch, Event, Finding, Step
from glassnet.plots.style import BLUE, INK, ORANGE, Drawing, label, legend, logarithmic, number, png, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (8.2, 2.9)
SMOOTHED = 60  # runs with more recorded losses than this get a running mean over a thirtieth of them
OFF = 30.0  # a loss that rises beyond so many times what the sound run ever had leaves the picture
LOWEST_R2 = -1.0  # what is worse is drawn there
SPAN = 30.0  # a loss that spans more than this is drawn on a logarithmic scale


def drawing(broken: Sequence[Event], whole: Sequence[Event], finding: Finding | None) -> Drawing:
    """Training loss on the left, the validation figure (accuracy, R², or loss where it tells more) on the right.

    Args:
        broken: events of the run with the fault.
        whole: events of the same run without it.
        finding: where a line is drawn.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=SIZE, layout=ConstrainedLayoutEngine(wspace=0.06), facecolor="none")
    left, right = (styled(axes) for axes in figure.subplots(1, 2))
    # the sound run lies below and is broader, so that both are seen where they agree
    runs = ((whole, BLUE, "without the fault", 2.3), (broken, ORANGE, "broken", 1.5))
    usual = [value for value in training_loss(whole)[1] if math.isfinite(value)]
    spans: list[float] = []
    for events, colour, name, width in runs:
        places, losses = training_loss(events)
        spans += [value for value in losses if math.isfinite(value)]
        left.plot(*smoothed(places, losses), color=colour, label=name, linewidth=width)
    most = OFF * max(usual, default=1.0)
    first = next((value for value in training_loss(broken)[1] if math.isfinite(value)), 0.0)
    _scaled(left, spans, most if first < most else math.inf)  # in other units it is shown as it is
    key = validation_key(broken)
    spans = []
    for events, colour, name, width in runs:
        epochs = [event for event in events if isinstance(event, Epoch)]
        values = [_float(epoch.val.get(key)) for epoch in epochs]
        values = [max(value, LOWEST_R2) for value in values] if key == "r2" else values
        spans += [value for value in values if math.isfinite(value)]
        style = "o-" if len(values) <= 20 else "-"
        right.plot(
            [epoch.step for epoch in epochs], values, style, color=colour, label=name, linewidth=width, markersize=3
        )
    if key == "loss":
        _scaled(right, spans, math.inf)
    else:
        right.set_ylim(1.05 * min(-0.1, min(spans, default=0)) if key == "r2" else 0, 1)
    last = max((event.step for event in (*broken, *whole) if isinstance(event, Epoch)), default=1)
    for axes in (left, right):
        axes.set_xlim(0, last)
        if finding:
            axes.axvline(
                max(finding.step, last * 0.004), color=INK, linewidth=1.0, linestyle=(0, (3, 2)), label="found"
            )
    label(left, "step", "training loss")
    label(right, "step", "validation " + {"r2": "R²"}.get(key, key))
    legend(left)
    return Drawing(figure, seen(broken, whole))


def picture(shown: Drawing) -> bytes:
    """PNG, small."""
    return png(shown, dpi=100)


def training_loss(events: Sequence[Event]) -> tuple[list[int], list[float]]:
    """Steps and losses as recorded; what is not finite is a gap."""
    steps = [event for event in events if isinstance(event, Step)]
    recorded = [step for step in steps if step.loss is not None]
    return [step.step for step in recorded], [_float(step.loss) for step in recorded]


def smoothed(places: list[int], losses: list[float]) -> tuple[list[int], list[float]]:
    """A running mean where there are many losses, so that two runs can be told apart; peaks of single steps stay visible."""
    if len(losses) <= SMOOTHED:
        return places, losses
    reach = max(1, len(losses) // 60)
    pieces = [losses[max(0, place - reach) : place + reach + 1] for place in range(len(losses))]
    return places, [sum(piece) / len(piece) for piece in pieces]


def validation_key(events: Sequence[Event]) -> str:
    """Accuracy or R²; the loss where it rises while these hardly move, as in overfitting, or where there is nothing else."""
    epochs = [event for event in events if isinstance(event, Epoch) and event.val]
    losses = [value for epoch in epochs if math.isfinite(value := _float(epoch.val.get("loss")))]
    if not epochs or (len(losses) > 3 and losses[-1] > 1.15 * min(losses) and min(losses) < 0.9 * losses[0]):
        return "loss"
    return next((key for key in ("accuracy", "r2") if key in epochs[-1].val), "loss")


def seen(broken: Sequence[Event], whole: Sequence[Event]) -> str:
    """What the picture shows, in a sentence or two."""
    text = f"Training loss {_course(broken)}; without the fault it {_course(whole)}"
    figures = [_last_figure(events) for events in (broken, whole)]
    if figures[0] and figures[1]:
        text += f". Validation {figures[0][0]} ends at {figures[0][1]} instead of {figures[1][1]}"
    return text + "."


def _course(events: Sequence[Event]) -> str:
    _, losses = training_loss(events)
    finite = [value for value in losses if math.isfinite(value)]
    if not finite:
        return "is never finite"
    if not math.isfinite(losses[-1]):
        return f"begins at {number(finite[0])} and is not finite at the end"
    return f"goes from {number(finite[0])} to {number(_end(losses))}"


def _end(losses: list[float]) -> float:
    last = [value for value in losses[-5:] if math.isfinite(value)]
    return sum(last) / len(last)


def _last_figure(events: Sequence[Event]) -> tuple[str, str] | None:
    epochs = [event for event in events if isinstance(event, Epoch) and event.val]
    if not epochs:
        return None
    values: dict[str, Any] = epochs[-1].val
    if "accuracy" in values:
        return "accuracy", f"{100 * values['accuracy']:.0f} %"
    return ("R²", number(_float(values["r2"]))) if "r2" in values else None


def _scaled(axes: Axes, values: list[float], most: float) -> None:
    positive = [min(value, most) for value in values if value > 0]
    if not positive:
        return
    low, high = min(positive), max(positive)
    if high > SPAN * low:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.2, high * 1.2)
        logarithmic(axes.yaxis, low, high)
    else:
        axes.set_ylim(0, 1.05 * high)


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
