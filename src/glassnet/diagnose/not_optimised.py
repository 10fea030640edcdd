"""Parameters that the optimiser does not know."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a trainable parameter is in no group of the optimiser."""
    if not isinstance(event, Described) or not event.net.get("not_optimised"):
        return None
    names = event.net["not_optimised"]
    return RULE.finding(
        0,
        f"{len(names)} trainable parameter{'s are' if len(names) > 1 else ' is'} in no group of the optimiser: {', '.join(names[:4])}{' …' if len(names) > 4 else ''}",
        {"parameters": float(len(names))},
    )


RULE = Rule(
    id="not-optimised",
    title="Parameters that the optimiser does not know",
    threshold="a trainable parameter that is in no parameter group",
    source="no threshold is needed",
    explanation=(
        "The optimiser changes the tensors that it was given, and no others. Layers that were added or replaced after it was made, or left out of the list, get a gradient "
        "at every step and never move."
    ),
    why="the optimiser was made before the network was complete, or from the parameters of a part of it",
    advice="make the optimiser last, from net.parameters()",
    judge=judge,
    explains=("labels-noisy", "plateau", "underfitting", "lr-too-low", "slow-start"),
)
