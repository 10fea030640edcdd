"""The loss is infinite or not a number (requirement T6)."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.events import Event, Finding, Step

ID = "loss-not-finite"


def rule(history: History, event: Event) -> Finding | None:
    """Found at the first recorded step, or epoch, whose loss is NaN or infinite: no threshold is needed."""
    if not isinstance(event, Step) or event.loss is None or math.isfinite(event.loss):
        return None
    before = [step.loss for step in history.steps[:-1] if step.loss is not None and math.isfinite(step.loss)]
    last = f"the last finite loss was {before[-1]:.4g}" if before else "it was so from the first step"
    return Finding(
        ID,
        "stop",
        event.step,
        what=f"the loss became {event.loss} at step {event.step} (learning rate {event.lr:.3g}); {last}",
        why="almost always a learning rate that is too high; otherwise inputs or targets that are infinite or missing",
        advice="divide the learning rate by 10 (--lr), or clip the gradient (--set clip.norm=1)",
        evidence={"step": float(event.step), "lr": event.lr, "last_finite_loss": before[-1] if before else 0.0},
    )
