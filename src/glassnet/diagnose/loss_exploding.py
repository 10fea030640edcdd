"""The loss has risen to more than three times what it was at the start (requirement T6)."""

from __future__ import annotations

import math
from statistics import median

from glassnet.diagnose.history import History
from glassnet.events import Event, Finding, Step

ID = "loss-exploding"
FACTOR = 3.0  # the lectures' rule: stop when the cost exceeds three times the initial one
WINDOW = 5  # recorded steps; a single bad batch at a high rate is no explosion


def rule(history: History, event: Event) -> Finding | None:
    """Found when the median of the last five recorded losses exceeds three times the first recorded one."""
    if not isinstance(event, Step) or event.loss is None or len(history.steps) <= WINDOW:
        return None
    losses = [step.loss for step in history.steps if step.loss is not None]
    first, now = losses[0], median(losses[-WINDOW:])
    if not math.isfinite(first) or first <= 0 or not now > FACTOR * first:
        return None
    return Finding(
        ID,
        "stop",
        event.step,
        what=f"the loss is {now:.4g}, {now / first:.1f} times the initial {first:.4g}, at learning rate {event.lr:.3g}",
        why="each step overshoots: the learning rate is too high for this network and data",
        advice="divide the learning rate by 3 to 10 (--lr), or begin with a warm-up (--set schedule.warmup=1)",
        evidence={"initial_loss": first, "loss": now, "lr": event.lr},
    )
