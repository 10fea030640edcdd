"""A schedule that has used up the learning rate long before the end."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import LACKS, PASSES, SPENT, done_early, lacking, passes, share
from glassnet.events import Described, Epoch, Event, Finding

EARLY = 0.35  # of the run


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when the schedule will have brought the rate to next to nothing early, and leaves it there; once it is there, where many passes come first."""
    described = history.described
    if not isinstance(event, Described | Epoch) or described is None:
        return None
    rates = described.plan.get("rates") or []
    highest = max(rates, default=0.0)
    spent = len(rates)
    while spent and rates[spent - 1] <= SPENT * highest:
        spent -= 1
    if not 0 < spent <= EARLY * len(rates):
        return None
    lr = float(described.plan.get("lr", 1.0))
    begins = spent / len(rates)
    then = f"{SPENT:g} of its highest or below, {lr * highest:.3g}: at {rates[spent] * lr:.2g} and less"
    evidence = {"from": begins, "highest": lr * highest, "then": lr * rates[spent]}
    if isinstance(event, Described):
        told = f"from {begins:.0%} of the run on the schedule will keep the learning rate at {then}, most of the run can change little"
        return RULE.finding(0, told, evidence) if passes(history) < PASSES else None
    if passes(history) < PASSES or share(history) < begins or done_early(history):
        return None
    lacks, means = lacking(history)
    return RULE.finding(
        event.step,
        f"since {begins:.0%} of the run the schedule keeps the learning rate at {then}, the rest can change little, and {means} knows {lacks:.2f} more of the training samples than the network",
        evidence | {"lacks": lacks},
    )


RULE = Rule(
    id="lr-decays-early",
    title="The schedule spends the learning rate early",
    threshold=f"for all of the run but its first {EARLY:.0%} or less the schedule keeps the rate at {SPENT:g} of its highest or below; where all rates together come to {PASSES:g} passes through the data at the highest, only once it is there and simple means know {LACKS:g} more of the training samples than the network",
    source="step decay divides by 10 at a half and three quarters of the run (He and others 2016), cosine and one cycle reach a fiftieth in its last tenth",
    explanation=(
        "A step is as long as the rate lets it be. If the schedule has brought the rate down to next to nothing after a third of the run, the other two thirds cost as much time as the first and change "
        "hardly anything: the loss stands still where it happens to be, and it looks as if the network could not do better."
    ),
    why="a decay counted in steps where epochs were meant, or a factor per epoch that was chosen for a much shorter run",
    advice="let the rate fall more slowly (--schedule cosine reaches zero only at the end)",
    judge=judge,
    remedies=({"schedule.name": "cosine"},),
    explains=("plateau", "lr-too-low", "underfitting", "slow-start"),
)
