"""Classes that the network has no output for, or outputs for which there is no class."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

SPARE = 2.0  # outputs over classes
ENOUGH = 20  # samples for each class that is there, before a missing one is believed to be missing


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a class index lies outside the outputs, when class 0 alone never occurs, or when at least half of the outputs have no class."""
    if not isinstance(event, Described) or event.task != "classes":
        return None
    outside = event.targets.get("out_of_range", 0)
    if outside:
        return RULE.finding(
            0,
            f"{outside:,} of {event.targets.get('samples', 0):,} targets are no index of one of the network's {event.outputs} outputs",
            {"outside": float(outside), "outputs": float(event.outputs)},
            severity="stop",
        )
    counts = event.targets.get("counts", ())
    there = sum(count > 0 for count in counts)
    if event.outputs <= 1 or there < 1 or event.targets.get("samples", 0) < ENOUGH * there:
        return None
    if 2 <= there == event.outputs - 1 and not counts[0]:
        return RULE.finding(
            0,
            f"none of the {event.targets.get('samples', 0):,} targets looked at is class 0, and all of 1 to {there} occur: the network has an output too many",
            {"outputs": float(event.outputs), "classes": float(there)},
            why="classes are counted from 1, and the last layer was made large enough for the highest number",
            advice="take 1 from the class numbers, and let the last layer have one output for each class",
        )
    if event.outputs < SPARE * there:
        return None
    return RULE.finding(
        0,
        f"the network has {event.outputs} outputs, and the {event.targets.get('samples', 0):,} targets looked at name only {there} classes",
        {"outputs": float(event.outputs), "classes": float(there)},
    )


RULE = Rule(
    id="outputs-mismatch",
    title="Outputs and classes do not agree",
    threshold=f"a class index beyond the outputs, or class 0 alone missing, or at least {SPARE:g} outputs for each class that occurs",
    source="a class index beyond the outputs cannot be learned; the factor of two is calibrated on benchmarks/diagnosis",
    explanation=(
        "A classifier has one output for each class, counted from 0. With too few, some targets point to nothing; with many too many, the network first "
        "has to learn that most of its answers never occur, and its first loss is ln(outputs) instead of ln(classes)."
    ),
    why="the last layer was made for other data, or classes are counted from 1 instead of 0",
    advice="let the last layer have one output for each class, and count classes from 0",
    judge=judge,
    explains=("initial-loss-high", "loss-not-finite"),
)
