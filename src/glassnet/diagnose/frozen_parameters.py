"""Parameters that are not to be trained."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

SHARE = 0.1
LAYERS = 10  # of so many layers with weights one may be frozen unasked


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a tenth of the parameters or more do not require a gradient, or a whole layer of few."""
    if not isinstance(event, Described) or not event.net.get("parameters") or "trainable" not in event.net:
        return None
    share = 1 - event.net["trainable"] / event.net["parameters"]
    layers, weighted = event.net.get("frozen_layers") or [], int(event.net.get("weight_layers", 0))
    if share >= SHARE:
        names, what = event.net.get("frozen") or [], f"{share:.0%} of the parameters are frozen"
    elif layers and weighted <= LAYERS * len(layers):
        names, what = (
            layers,
            f"{len(layers)} of {weighted} layers with weights {'is' if len(layers) == 1 else 'are'} frozen",
        )
    else:
        return None
    return RULE.finding(
        0,
        f"{what}: {', '.join(names[:4])}{' …' if len(names) > 4 else ''}",
        {"share": share},
        severity="stop" if share == 1 else None,
    )


RULE = Rule(
    id="frozen-parameters",
    title="Frozen parameters",
    threshold=f"at least {SHARE:.0%} of the parameters do not require a gradient (all of them: training is stopped), or all those of one layer in {LAYERS} or more often",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "A parameter whose requires_grad is False keeps its value for ever. That is what one wants of layers taken over from another network while a new head "
        "learns; in a network that starts from random weights it means that a part of it stays random."
    ),
    why="requires_grad was set to False, for transfer learning or by mistake",
    advice="for p in net.parameters(): p.requires_grad_(True), unless these layers carry weights that were trained before",
    judge=judge,
    explains=("labels-noisy", "lr-too-high", "plateau", "underfitting", "lr-too-low", "slow-start"),
)
