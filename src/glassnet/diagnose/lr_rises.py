"""A schedule that raises the learning rate to the end."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

BY, AFTER = 0.4, 0.6  # shares of the run
TIMES = 2.0


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when the schedule will reach its highest rates late, far above all earlier ones."""
    if not isinstance(event, Described):
        return None
    rates = event.plan.get("rates") or []
    earlier = max(rates[: round(BY * (len(rates) - 1)) + 1], default=0.0)
    later = max(rates[round(AFTER * (len(rates) - 1)) :], default=0.0)
    if not 0 < TIMES * earlier < later:
        return None
    lr = float(event.plan.get("lr", 1.0))
    return RULE.finding(
        0,
        f"the schedule will raise the learning rate to {lr * later:.3g} in the last part of the run, {later / earlier:.3g} times its highest in the first {BY:.0%} ({lr * earlier:.3g})",
        {"earlier": lr * earlier, "later": lr * later},
    )


RULE = Rule(
    id="lr-rises",
    title="The schedule raises the learning rate to the end",
    threshold=f"the highest rate of the last {1 - AFTER:.0%} of the run is more than {TIMES:g} times the highest of the first {BY:.0%}",
    source="every schedule of the lectures ends low: a warm-up and the rise of one cycle are over by the middle of the run (Smith and Topin 2018)",
    explanation=(
        "Towards its end a training wants small steps, to come to rest in the valley that it has found. A rate that goes on rising does the opposite: sooner or later steps are longer than the valley "
        "is wide, the loss rises with the rate, and what was learned is lost. The first epochs look fine, so it is noticed late."
    ),
    why="a factor above 1 where one below 1 was meant, or a warm-up that is as long as the run",
    advice="let the rate fall towards the end (--schedule cosine); a warm-up of a few epochs is enough (--set schedule.warmup=2)",
    judge=judge,
    remedies=({"schedule.name": "cosine"},),
    explains=(
        "lr-too-low",
        "lr-too-high",
        "lr-much-too-high",
        "divergence",
        "loss-spike",
        "loss-exploding",
        "loss-not-finite",
        "dead-units",
        "saturation",
        "outputs-collapsed",
        "slow-start",
        "underfitting",
        "overfitting",
        "early-overfit",
    ),
)
