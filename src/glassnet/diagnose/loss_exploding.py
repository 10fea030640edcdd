"""The loss has risen to more than three times what it was at the start (requirement T6)."""

from __future__ import annotations

import math
from statistics import median

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import first_loss
from glassnet.events import Event, Finding, Step

FACTOR = 3.0
FALLEN = 0.6
WINDOW = 5  # recorded steps; a single bad batch at a high rate is no explosion


def judge(history: History, event: Event) -> Finding | None:
    """Found when the median of the last five recorded losses exceeds three times the first recorded one (of values, where one batch says little, that of the look before the first step if it is larger)."""
    if not isinstance(event, Step) or event.loss is None or len(history.steps) <= WINDOW:
        return None
    first, now = first_loss(history), median(step.loss for step in history.steps[-WINDOW:] if step.loss is not None)
    if not math.isfinite(first) or first <= 0 or not now > FACTOR * first:
        return None
    # Where it had learned something, the loss of that is divergence.
    if history.total_steps and history.losses.lowest < FALLEN * history.losses.first:
        return None
    return RULE.finding(
        event.step,
        f"the loss is {now:.4g}, {now / first:.1f} times the initial {first:.4g}, at learning rate {event.lr:.3g}",
        {"initial_loss": first, "loss": now, "lr": event.lr},
    )


RULE = Rule(
    id="loss-exploding",
    title="The loss has outgrown three times its first value",
    threshold=f"the median of the last {WINDOW} recorded losses is more than {FACTOR:g} times the first one",
    source="the lectures' rule (T6): stop when the cost exceeds three times the initial one",
    explanation=(
        "A net that knows nothing has a certain loss, ln(classes) for a classifier. One that is far worse than that is confidently wrong: its steps have "
        "thrown the weights out to where every answer is extreme. It may come back, but it has lost its starting weights and much time."
    ),
    why="each step overshoots: the learning rate is too high for this network and data",
    advice="divide the learning rate by 3 to 10 (--lr), or begin with a warm-up (--set schedule.warmup=1)",
    judge=judge,
    severity="stop",
    remedies=({"optimizer.lr": "*0.1"}, {"schedule.warmup": 1}),
)
