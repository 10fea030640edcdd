"""Values to be learned that are far from the size of a network's first outputs."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

LARGEST, SMALLEST = 20.0, 0.02
BOUNDED_LOSSES = ("squared", "mseloss", "mse", "absolute", "l1loss", "smoothl1loss", "huber", "huberloss")


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when mean or spread of the values is above 20, or the spread below 0.02."""
    if not isinstance(event, Described) or event.task != "values" or not {"mean", "std"} <= set(event.targets):
        return None
    name = str(event.plan.get("loss", "")).lower().replace("-", "").replace("_", "")
    mean, std = event.targets["mean"], event.targets["std"]
    if name not in BOUNDED_LOSSES or std == 0 or (max(abs(mean), std) <= LARGEST and std >= SMALLEST):
        return None
    return RULE.finding(
        0,
        f"the values to be learned have mean {mean:.4g} and spread {std:.4g}; an untrained network says about {event.result.get('mean', 0.0):.2g} ± {event.result.get('std', 0.0):.2g}",
        {"mean": mean, "std": std},
    )


RULE = Rule(
    id="targets-unscaled",
    title="Targets far from the scale of the network's outputs",
    threshold=f"|mean| or spread above {LARGEST:g}, or spread below {SMALLEST:g}",
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
        "divergence",
        "clipping-always",
        "outputs-collapsed",
        "dead-units",
    ),
)
