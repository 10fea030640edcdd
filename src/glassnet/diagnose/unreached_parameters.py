"""Parameters that no gradient reaches."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when backpropagation leaves a trainable parameter without a gradient."""
    if not isinstance(event, Described) or not event.net.get("unreached"):
        return None
    names = event.net["unreached"]
    return RULE.finding(
        0,
        f"no gradient reaches {len(names)} trainable parameter{'s' if len(names) > 1 else ''}: {', '.join(names[:4])}{' …' if len(names) > 4 else ''}",
        {"parameters": float(len(names))},
    )


RULE = Rule(
    id="unreached-parameters",
    title="Parameters that no gradient reaches",
    threshold="a trainable parameter without a gradient after the loss was differentiated",
    source="no threshold is needed; torch-audit and neural_net_checklist ask the same",
    explanation=(
        "Backpropagation follows the computation from the loss to every number that took part in it. A parameter without a gradient took no part: its layer was defined "
        "and never called, or the way back to it is cut (detach(), .data, .item(), a conversion to NumPy, no_grad, argmax)."
    ),
    why="a layer that forward does not use, or a cut such as detach() on the way",
    advice="call the layer in forward or remove it; look for detach(), .data, no_grad() and argmax between these parameters and the loss",
    judge=judge,
    explains=("plateau", "underfitting", "lr-too-low", "slow-start", "vanishing-gradient"),
)
