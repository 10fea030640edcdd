"""One class is far more frequent than another."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

RATIO = 8.0
FEWEST, EACH, CLEAR = 60, 20, 4.0  # samples, samples a class, and times the even share where there are fewer of these
JUDGE = "judge by the per-class figures and macro F1 in the report, not by accuracy"
MAJORITY = 2.0  # times the share that each class would have


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when the most frequent class has at least eight times the samples of the least frequent one."""
    if not isinstance(event, Described) or event.task != "classes":
        return None
    counts = [count for count in event.targets.get("counts", ()) if count > 0]
    if len(counts) < 2 or sum(counts) < FEWEST:
        return None
    share = max(counts) / sum(counts)
    if sum(counts) < EACH * len(counts) and share * len(counts) < CLEAR:  # counts that small differ by chance
        return None
    ratio = max(counts) / min(counts)
    if ratio < RATIO or (share * len(counts) < MAJORITY and len(counts) > 2):
        return None
    return RULE.finding(
        0,
        f"the most frequent of {len(counts)} classes has {share:.0%} of the samples looked at, {ratio:.0f} times as many as the rarest: who always says it is right that often",
        {"majority": share, "ratio": ratio},
        advice=f"{JUDGE}; gather more of the rare classes (the loss weighs classes already)"
        if event.plan.get("weighted")
        else None,
    )


RULE = Rule(
    id="class-imbalance",
    title="Classes of very different frequency",
    threshold=f"the most frequent class has at least {RATIO:g} times the samples of the rarest and (of more than two) {MAJORITY:g} times its even share ({CLEAR:g} times where there are fewer than {EACH} samples a class)",
    source="SageMaker Debugger's ClassImbalance takes a ratio of 10; calibrated on benchmarks/diagnosis",
    explanation=(
        "Accuracy counts every sample alike, so the loss does too: a network can be right most of the time by never naming the rare class. The rare class is "
        "often the one that matters."
    ),
    why="the data hold few samples of some classes",
    advice=f"{JUDGE}; gather more of the rare classes, or weigh them more in the loss",
    judge=judge,
    explains=("labels-unrelated", "outputs-collapsed", "plateau", "underfitting"),
)
