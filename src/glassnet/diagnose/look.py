"""What a single look at a step says."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from glassnet.events import Measured

WEIGHTED, INPUT = ("dense", "conv", "recurrent"), " (input)"  # as the looks call them
RELIABLE = 1e-5  # a promised change below this share of the loss is lost in the rounding of float32


def reach(event: Measured) -> float:
    """(after − before) / predicted of a step; NaN where rounding would decide.

    Near 1 the step is short for its direction; on a parabola along that direction the best step would be 1/(2(1 − r)) times as long. At a half it is the best,
    below 0 the step has gone too far.
    """
    before, after, predicted = (number(event.batch.get(key)) for key in ("before", "after", "predicted"))
    if not all(map(math.isfinite, (before, after, predicted))) or abs(predicted) < RELIABLE * max(abs(before), 1e-12):
        return math.nan
    return (after - before) / predicted


def update_size(event: Measured) -> float:
    """Median over the weights (not biases or norms) of the update's norm over the weight's; NaN where there is none."""
    return middle(number(record["ratio"]) for record in event.parameters if record["dims"] > 1)


def narrowest(event: Measured) -> float:
    """Units of the narrowest place between the first layer with weights and the outputs; infinite where there is none. Recurrent layers are known by what follows them."""
    weighted = [n for n, record in enumerate(event.layers) if record["kind"] in WEIGHTED]
    inside = event.layers[weighted[0] : weighted[-1]] if weighted else []
    units = (number(record.get("units")) for record in inside if record["kind"] != "recurrent")
    return min((each for each in units if math.isfinite(each)), default=math.inf)


def own_layers(event: Measured) -> list[dict[str, Any]]:
    """The layers of a look without what goes into the first of them: zeros among the data are no zeros of a unit."""
    weighted = [n for n, record in enumerate(event.layers) if record["kind"] in WEIGHTED]
    first = weighted[0] if weighted else 0
    return [record for n, record in enumerate(event.layers) if n >= first or not record["name"].endswith(INPUT)]


def most(event: Measured, key: str) -> tuple[float, str]:
    """The largest value that a layer has for a key, and the layer's name; (NaN, "") where no layer has it."""
    found = [
        (number(record[key]), called(record["name"], record["kind"]))
        for record in own_layers(event)
        if record.get(key) is not None
    ]
    return max(found, default=(math.nan, ""))


def called(name: str, kind: str = "") -> str:
    """What a module is called in a sentence: the layers of a Sequential bear mere numbers.

    Args:
        name: torch's dotted name; with " (input)" behind it where the values going in are meant.
        kind: as in :class:`~glassnet.events.Measured`; empty where nobody knows.

    Returns:
        The name as it is where it is one; else such as ``layer 2 (dense)`` or ``the input of layer 2``.
    """
    position, _, inside = name.partition(" ")
    if not position.isdecimal():
        return name
    if inside:
        return f"the input of layer {position}"
    return f"layer {position}" + (f" ({kind})" if kind and kind != "other" else "")


def middle(values: Any) -> float:
    """Median of the finite ones; NaN without any."""
    finite = [value for value in values if math.isfinite(value)]
    return median(finite) if finite else math.nan


def number(value: Any) -> float:
    """A number as it came out of JSON, where what is not finite was written as null."""
    return math.nan if value is None else float(value)
