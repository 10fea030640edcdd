"""One input gives the answer away."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

ALONE = 0.9
AHEAD = 0.15


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when one feature explains nine tenths of the target's variance and no other comes near it."""
    if not isinstance(event, Described) or event.inputs.get("features", 0) < 3 or event.inputs.get("samples", 0) < 100:
        return None
    best, second = event.inputs.get("best_feature", 0.0), event.inputs.get("second_feature", 0.0)
    if best < ALONE or best - second < AHEAD:
        return None
    column = event.inputs.get("best_feature_index", 0)
    return RULE.finding(
        0,
        f"input {column} alone explains {best:.1%} of the target; the next best explains {second:.1%}",
        {"best": best, "second": second, "feature": float(column)},
    )


RULE = Rule(
    id="leaking-input",
    title="An input that contains the answer",
    threshold=f"one feature explains at least {ALONE:.0%} of the target's variance, {AHEAD:.0%} more than the next",
    source="calibrated on benchmarks/diagnosis; explained variance is the correlation ratio η² for classes and r² for values, less what chance explains",
    explanation=(
        "If one input is a copy of the target, or was computed from it, the network learns to read it off and nothing else. The figures look splendid, on validation "
        "and test too, and the model fails where it is needed: where the answer is not known yet."
    ),
    why="a column that was made from the target, an identifier sorted by class, or a mark in the picture",
    advice="take this input away and train again; keep it only if it is truly known before the answer is",
    judge=judge,
)
