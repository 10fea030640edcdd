"""The loss stands still before it is low."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import middle, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import LACKS, PASSES, done_early, fallen, recent_loss, share
from glassnet.events import Event, Finding, Measured

BEGIN, END = 0.25, 0.85  # of the run
DONE = 0.97  # of the first loss: with that gained, one may stand still
DECAYED = 0.02  # present rate over the highest
TINY = 2e-4  # of the loss: what one step promises
LOOKS = 3
FAST = 0.35  # of the run, by which the rate has come down so far


def judge(history: History, event: Event) -> Finding | None:
    """Found long before the end of the run when the rate has come down so far that steps promise next to nothing."""
    if not isinstance(event, Measured) or not history.total_steps or not BEGIN < share(history) < END:
        return None
    looks, down = history.measured[-LOOKS:], fallen(history)
    highest = history.highest_rate
    decayed = event.lr / highest if highest > 0 else 1.0
    promised = [
        abs(number(each.batch.get("predicted"))) / max(abs(number(each.batch.get("before"))), 1e-12) for each in looks
    ]
    if _came_down(history, highest) > FAST * history.total_steps:
        return None
    if not down < DONE or decayed >= DECAYED or not middle(promised) < TINY or done_early(history):
        return None
    return RULE.finding(
        event.step,
        f"after {share(history):.0%} of the run the learning rate has come down to {event.lr:.2g}, {decayed:.1g} of what it was: a step promises to lower the loss, {recent_loss(history):.3g}, by "
        f"{middle(promised):.1g} of itself, so it stands still for the rest of the run",
        {"fallen": down, "decayed": decayed, "promised": middle(promised)},
        remedies=({"schedule.name": "cosine"}, {"optimizer.lr": "*10"}),
    )


def _came_down(history: History, highest: float) -> float:
    """The first step looked at, after the last one at the highest rate, whose rate was a small part of that; infinite before it."""
    steps = math.inf
    for each in reversed(history.measured):
        if each.lr == highest:
            break
        if each.lr < DECAYED * highest:
            steps = each.step
    return steps


RULE = Rule(
    id="plateau",
    title="The loss stands still too early",
    threshold=(
        f"between {BEGIN:.0%} and {END:.0%} of the run: the rate below {DECAYED:g} of its highest, since {FAST:.0%} of the run at the latest, and over {LOOKS} looks a step that promises to lower the loss by less than {TINY:g} of itself; not where {DONE:.0%} of the first "
        f"loss is gained, nor where the schedule was to spend the rate, all rates together come to {PASSES:g} passes through the data at the highest, and the network knows as much of the training samples as simple means, within {LACKS:g}"
    ),
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "A loss may stand still because there is nothing left to learn, or because the steps have become too small to get anywhere. With a schedule that lowers the rate too fast, the second comes before the first: "
        "the network stops in the middle of the slope."
    ),
    why="the schedule has lowered the learning rate too early",
    advice="let the rate fall more slowly (--schedule cosine reaches zero only at the end)",
    judge=judge,
    explains=("underfitting", "lr-too-low"),
)
