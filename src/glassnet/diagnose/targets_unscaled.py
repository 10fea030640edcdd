"""Values to be learned that are far from the size of a network's first outputs."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

LARGEST, SMALLEST = 20.0, 0.02
FAR = 50.0  # from the median, over how far 99 % of the values lie; as the audit has it
BOUNDED_LOSSES = ("squared", "mseloss", "mse", "absolute", "l1loss", "smoothl1loss", "huber", "huberloss")


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when mean or spread of the values is above 20, or the spread below 0.02, or when one value lies far outside of all others."""
    if not isinstance(event, Described) or event.task != "values" or not {"mean", "std"} <= set(event.targets):
        return None
    if (where := far_value(event)) is not None:
        seen = event.targets if where == "the first batches" else event.validation
        return RULE.finding(
            0,
            f"the value to be learned of sample {seen['farthest_at']} of {where}, {seen['farthest_value']:.4g} as the network gets it, lies {seen['farthest']:,.0f} times as far from the median as 99 % of the values do",
            {"times": seen["farthest"], "row": float(seen["farthest_at"])},
            why="a value in other units, a mark for a missing one such as -999, or a slip of a decimal point: its square outweighs all others in the loss, and it decides mean and spread",
            advice="look at this row ('glassnet data DATA' names values far outside), and mend it or leave it out; where such values are true, learn the logarithm, or use a loss that grows with a mistake as it is (--loss huber)",
        )
    name = str(event.plan.get("loss", "")).lower().replace("-", "").replace("_", "")
    mean, std = event.targets["mean"], event.targets["std"]
    if name not in BOUNDED_LOSSES or std == 0 or (max(abs(mean), std) <= LARGEST and std >= SMALLEST):
        return None
    return RULE.finding(
        0,
        f"the values to be learned have mean {mean:.4g} and spread {std:.4g}; an untrained network says about {event.result.get('mean', 0.0):.2g} ± {event.result.get('std', 0.0):.2g}",
        {"mean": mean, "std": std},
    )


def far_value(event: Described) -> str | None:
    """Where a value to be learned lies so far outside of all others that it decides every mean and every loss; None where none does."""
    parts = (("the first batches", event.targets), ("the validation part", event.validation))
    return next((where for where, seen in parts if number(seen.get("farthest")) > FAR), None)


RULE = Rule(
    id="targets-unscaled",
    title="Targets far from the scale of the network's outputs",
    threshold=f"|mean| or spread above {LARGEST:g}, or spread below {SMALLEST:g}; or a value {FAR:g} times as far from the median as 99 % of them",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "A fresh network says numbers around zero of size one. If the values are in the hundreds, it first spends its time on moving the last bias, with "
        "gradients so large that they throw the other weights about; if they are tiny, the loss is tiny from the start and so are all gradients."
    ),
    why="the values were not standardised",
    advice="subtract the training part's mean from the targets and divide by its spread, and undo it in predictions (Glassnet's own data do this by themselves)",
    judge=judge,
    explains=(
        "saturation",
        "initial-loss-high",
        "lr-too-low",
        "lr-too-high",
        "plateau",
        "exploding-gradient",
        "underfitting",
        "lr-much-too-high",
        "loss-exploding",
        "loss-not-finite",
        "divergence",
        "clipping-always",
        "outputs-collapsed",
        "dead-units",
    ),
)
