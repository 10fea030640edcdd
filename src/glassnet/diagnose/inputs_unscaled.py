"""Inputs whose size is far from one."""

from __future__ import annotations

import math
from typing import Any

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

LARGEST, SMALLEST = 8.0, 0.03  # root mean square
RATIO, EXTREME = 100.0, 30.0
WILD = 20.0  # length of a sample over that of the middle one; 41 sets of data have 9 at most
NORMALISING = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm")


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step by the root mean square of the inputs, or by columns of very different spread."""
    if not isinstance(event, Described):
        return None
    inputs = event.inputs
    if inputs.get("indices") or not {"mean", "std", "min", "max"} <= set(inputs) or inputs.get("constant", 0.0) >= 1:
        return None
    if (times := number(inputs.get("largest_row"))) > WILD:
        return _one_row(
            f"sample {inputs['largest_row_at']} of the first batches is {times:,.0f} times as large as the middle one, and reaches {max(abs(inputs['min']), abs(inputs['max'])):.4g}",
            {"times": times, "row": float(inputs["largest_row_at"])},
            remedies=({"clip.norm": 1.0},),
        )
    unseen = event.validation
    if (times := number(unseen.get("largest_row"))) > WILD:
        return _one_row(
            f"sample {unseen['largest_row_at']} of the validation part is {times:,.0f} times as large as the middle one: validation loss, and what is chosen by it, may be decided by this one",
            {"times": times, "row": float(unseen["largest_row_at"])},
        )
    if str(event.net.get("first", "")).startswith(NORMALISING):
        return None
    size = math.hypot(inputs["mean"], inputs["std"])
    largest = max(abs(inputs["min"]), abs(inputs["max"]))
    ratio = inputs.get("scale_ratio", 1.0)
    if SMALLEST <= size <= LARGEST and not (ratio > RATIO and largest > EXTREME):
        return None
    uneven = f"; the widest column has {ratio:,.0f} times the spread of the middle one" if ratio > RATIO else ""
    return RULE.finding(
        0,
        f"the inputs lie between {inputs['min']:.4g} and {inputs['max']:.4g}, mean {inputs['mean']:.3g} and spread {inputs['std']:.3g}{uneven}",
        {"mean": inputs["mean"], "std": inputs["std"], "scale_ratio": ratio},
    )


def _one_row(what: str, evidence: dict[str, float], remedies: tuple[dict[str, Any], ...] = ()) -> Finding:
    return RULE.finding(
        0,
        what,
        evidence,
        why="a row in other units, a mark for missing values such as -999, or a slip of a decimal point",
        advice="look at this row ('glassnet data DATA' names values far outside) and mend it or leave it out; or bin the numbers of a table (--preprocess quantile), so that no row can be far away",
        remedies=remedies,
    )


RULE = Rule(
    id="inputs-unscaled",
    title="Inputs that were not scaled",
    threshold=(
        f"root mean square above {LARGEST:g} or below {SMALLEST:g}; or one column with more than {RATIO:g} times the spread of the middle one and numbers beyond "
        f"{EXTREME:g}; not where the first layer normalises; or a sample {WILD:g} times as long, as a vector, as the middle one, also in the validation part"
    ),
    source="LeCun et al., Efficient BackProp, 1998, section 4.3, for the reason; numbers calibrated on benchmarks/diagnosis",
    explanation=(
        "Initialisations and learning rates are made for inputs of mean 0 and spread 1. Pixels of 0 to 255 make every first-layer sum, every gradient of the "
        "first layer and the first loss a hundred times too large; columns of very different spread make the loss a narrow valley in which no single learning rate suits "
        "all weights."
    ),
    why="pixels of 0 to 255, or columns in different units, went into the network as they are",
    advice="subtract the training part's mean and divide by its spread (--preprocess standardise, or channel-mean for images), or begin the network with a normalisation",
    judge=judge,
    remedies=({"preprocess.name": "standardise"},),
    explains=(
        "validation-leak",
        "initial-loss-high",
        "lr-too-high",
        "lr-much-too-high",
        "lr-too-low",
        "exploding-gradient",
        "vanishing-gradient",
        "dead-units",
        "saturation",
        "plateau",
        "loss-exploding",
        "divergence",
        "slow-start",
        "loss-spike",
        "clipping-always",
        "underfitting",
        "outputs-collapsed",
        "loss-not-finite",
    ),
)
