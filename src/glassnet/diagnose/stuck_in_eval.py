"""Modules that stay in evaluation mode while training."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a module is in evaluation mode after net.train() and a pass."""
    if not isinstance(event, Described) or not event.net.get("stuck_in_eval"):
        return None
    names = event.net["stuck_in_eval"]
    return RULE.finding(
        0,
        f"while training, {f'{len(names)} modules are' if len(names) > 1 else 'a module is'} in evaluation mode: {', '.join(map(called, names[:4]))}{' …' if len(names) > 4 else ''}",
        {"modules": float(len(names))},
    )


RULE = Rule(
    id="stuck-in-eval",
    title="Evaluation mode while training",
    threshold="a module whose training flag net.train() does not set, or forward takes away",
    source="no threshold is needed",
    explanation=(
        "In evaluation mode dropout does nothing and batch normalisation uses its running averages without updating them. A network trained so has no dropout, and its batch "
        "normalisation divides by the averages that it began with, mean 0 and variance 1, for ever."
    ),
    why="a train() of one's own that does not pass the mode on, an eval() within forward, or modules hidden in a list or set to eval() on purpose",
    advice="let train(mode) call super().train(mode), keep modules in nn.ModuleList; if they are frozen on purpose, all is well",
    judge=judge,
    explains=(
        "lr-too-low",
        "overfitting",
        "early-overfit",
        "distribution-shift",
        "plateau",
        "slow-start",
        "exploding-gradient",
        "lr-too-high",
        "initial-loss-high",
    ),
)
