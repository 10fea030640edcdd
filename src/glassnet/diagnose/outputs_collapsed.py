"""The network says the same to every input."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from glassnet.diagnose.history import History
from glassnet.diagnose.look import most, number, own_layers
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import largest_update
from glassnet.diagnose.vanishing_gradient import LAYERS, through_layers
from glassnet.events import Event, Finding, Measured

SAME = 1e-6  # spread over samples, of the size of what is put out
STROKE = 1e-3  # likewise: what a layer must be given for the loss of it to be its own
LOOKS = 4
DEAD = 0.9
LARGE = 0.5  # update over weight
WEIGHTED = ("dense", "conv", "recurrent")


def judge(history: History, event: Event) -> Finding | None:
    """Found when at three looks in a row, after the first, the outputs of a batch do not differ."""
    if not isinstance(event, Measured) or len(history.measured) < LOOKS:
        return None
    looks = history.measured[-LOOKS + 1 :]
    spreads = [number(each.batch.get("between_samples")) for each in looks]
    sizes = [max((_size(record) for record in each.layers[-1:]), default=1.0) for each in looks]
    reads = [_read(each) for each in looks]
    # Dropout may make outputs differ though nothing comes in: then the first layer tells. Once proves nothing: the few nodes of a graph can be alike.
    blind = max(reads) <= SAME
    if not blind and not all(spread <= SAME * size for spread, size in zip(spreads, sizes, strict=True)):
        return None
    told_apart = number(history.measured[0].batch.get("between_samples")) > SAME
    if not blind and told_apart and largest_update(history) > LARGE:  # long steps have made them so
        return None
    # The first layer tells samples apart, and dead units are why the last does not.
    if most(event, "dead")[0] > DEAD and not blind and _lost_in(event) in ("", "relu"):
        return None
    # A gradient arrives, or did before steps had moved the weights, but next to nothing of it, and no single layer is to blame: depth is the cause.
    if any(0 < through_layers(each) < LAYERS for each in (history.measured[0], event)) and not _lost_in(event):
        return None
    return RULE.finding(
        event.step,
        f"at the last {LOOKS - 1} looks the network gave the same answer to every sample of its batch",
        {"between_samples": spreads[-1]},
    )


def _lost_in(look: Measured) -> str:
    """Kind of the layer that is given what differs between samples and puts out what does not; empty where there is none."""
    for given, put in pairwise(own_layers(look)):
        if _spread(given) > STROKE and _spread(put) <= SAME:
            silent = given["kind"] == "relu" and number(given.get("dead", 0.0)) > DEAD
            return "relu" if silent else str(put["kind"])  # dropout then takes the last of it
    return ""


def _spread(record: dict[str, Any]) -> float:
    """How far a layer tells samples apart, as a share of the size of what it puts out; 1 where nobody knows."""
    between = number(record.get("between"))
    return between / _size(record) if math.isfinite(between) else 1.0


def _size(record: dict[str, Any]) -> float:
    """Root mean square of what a layer puts out, at least a thousandth."""
    return max(math.hypot(number(record.get("mean", 0.0)), number(record.get("std"))), 1e-3)


def _read(look: Measured) -> float:
    """How far the first layer with weights tells samples apart; 1 where there is none."""
    return next((_spread(record) for record in look.layers if record["kind"] in WEIGHTED), 1.0)


RULE = Rule(
    id="outputs-collapsed",
    title="The same answer to every input",
    threshold=f"at {LOOKS - 1} looks in a row after the first, outputs that differ between samples by less than {SAME:g} of their size",
    source="the input-independent baseline of Karpathy's recipe for training neural networks (2019); calibrated on benchmarks/diagnosis",
    explanation=(
        "If the output does not depend on the input, the best the network can do is to say how frequent each class is. The loss falls to the entropy of the labels and stops there."
    ),
    why="the input does not reach the output: it is replaced, multiplied by zero, normalised away, or read at the wrong place",
    advice="follow one sample through the layers and see where it stops making a difference (glassnet graph RUN SAMPLE --step)",
    judge=judge,
    explains=(
        "plateau",
        "underfitting",
        "lr-too-low",
        "slow-start",
        "vanishing-gradient",
        "labels-unrelated",
        "dead-units",
    ),
)
