"""Parameters that the optimiser does not know."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a trainable parameter is in no group of the optimiser, or the network itself does not know of it."""
    if not isinstance(event, Described):
        return None
    if hidden := event.net.get("hidden"):
        return RULE.finding(
            0,
            f"{_counted(hidden)} used, and in no parameters() of the network: {_named(hidden)}",
            {"parameters": float(len(hidden))},
            why="layers in a plain Python list, tuple or dict are invisible to PyTorch: they are not trained, not moved to a GPU and not saved with the network",
            advice="keep them in nn.ModuleList, nn.ModuleDict or nn.ParameterList",
        )
    if names := event.net.get("not_optimised"):
        return RULE.finding(
            0,
            f"{_counted(names)} trainable and in no group of the optimiser: {_named(names)}",
            {"parameters": float(len(names))},
        )
    return None


def _counted(names: list[str]) -> str:
    return f"{len(names)} parameter{'s are' if len(names) > 1 else ' is'}"


def _named(names: list[str]) -> str:
    return ", ".join(names[:4]) + (" …" if len(names) > 4 else "")


RULE = Rule(
    id="not-optimised",
    title="Parameters that the optimiser does not know",
    threshold="a trainable parameter that is in no parameter group, or one that a gradient reaches and that is in no parameters() of the network",
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
