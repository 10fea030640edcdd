"""The penalty is stronger than the data."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import middle, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import recent_loss, share
from glassnet.events import Described, Event, Finding, Measured

LEAST_DECAY = 0.5  # of the decay itself; below, a step that takes much is a matter of the rate
DECAY = 3e-3  # share of itself that a weight loses in a step
TIMES = 1.0
PART, FIRST = 0.8, 0.75  # of the whole gradient; at the first look, before steps have made the weights small
ABOUT, MUCH, HALF = 0.8, 2.0, 0.5  # times the loss at the first look, and part of the gradient where it is as much
LOOKS = 4
LOOK = 0.025


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step by the size of the weight decay, or during training when the penalty's gradient is the larger one."""
    if isinstance(event, Described):
        return _decay(event)
    if isinstance(event, Measured) and len(history.measured) == 1:
        return _from_the_start(history, event)
    if not isinstance(event, Measured) or len(history.measured) < LOOKS or share(history) < LOOK:
        return None
    looks = history.measured[-LOOKS:]
    penalties = [step.penalty or 0.0 for step in history.steps[-LOOKS:]]
    ratios = []
    for each in looks:
        penalty, whole = number(each.batch.get("penalty_grad_norm")), number(each.batch.get("grad_norm"))
        ratios.append(penalty / max(whole, 1e-12))
    loss, penalty, ratio = recent_loss(history), middle(penalties), middle(ratios)
    if not (all(ratio > PART for ratio in ratios) or (penalty > TIMES * loss > 0)) or not penalty > 0.3 * loss:
        return None
    return RULE.finding(
        event.step,
        f"the penalty is {penalty:.3g} beside a loss of {loss:.3g}"
        + (
            f", and its gradient has {ratio:.1f} times the length of the whole gradient" if math.isfinite(ratio) else ""
        ),
        {"penalty": penalty, "loss": loss, "ratio": ratio},
    )


def _from_the_start(history: History, event: Measured) -> Finding | None:
    """A penalty that is about as large as the loss and pulls harder, or much larger: the first steps will make the weights small, whatever the data say."""
    if history.described is None:
        return None
    penalty, loss = (number(history.described.start.get(name)) for name in ("penalty", "loss"))
    ratio = number(event.batch.get("penalty_grad_norm")) / max(number(event.batch.get("grad_norm")), 1e-12)
    if not (penalty > ABOUT * loss > 0 and ratio >= FIRST) and not (penalty > MUCH * loss > 0 and ratio >= HALF):
        return None
    return RULE.finding(
        event.step,
        f"before the first step the penalty is {penalty:.3g} beside a loss of {loss:.3g}, and its gradient has {ratio:.1f} times the length of the whole gradient",
        {"penalty": penalty, "loss": loss, "ratio": ratio},
    )


def _decay(event: Described) -> Finding | None:
    """Weight decay takes lr · decay of every weight at every step."""
    lost = float(event.plan.get("lr", 0.0)) * float(event.plan.get("weight_decay", 0.0))
    if lost < DECAY or float(event.plan.get("weight_decay", 0.0)) < LEAST_DECAY:  # else it is the rate that is large
        return None
    return RULE.finding(
        0,
        f"weight decay of {event.plan['weight_decay']:g} at rate {event.plan['lr']:g} takes {lost:.1%} of every weight at every step: half of it in {0.693 / lost:.0f} steps",
        {"decay": lost},
    )


RULE = Rule(
    id="penalty-dominates",
    title="The penalty dominates the loss",
    threshold=f"weight decay times rate above {DECAY:g} a step; or, at {LOOKS} looks in a row, a penalty whose gradient has {PART:.0%} of the length of the whole gradient, or a penalty larger than the loss; or, before the first step, a penalty of more than {ABOUT:g} times the loss whose gradient has {FIRST:.0%} of that length, or of {MUCH:g} times and {HALF:.0%}",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "A penalty on the weights is meant to break ties in favour of small ones. If it is stronger than the data, the cheapest solution is to forget: weights shrink to zero, outputs become the same for all inputs, and the loss ends near ln(classes)."
    ),
    why="the penalty's factor is orders of magnitude too large",
    advice="divide the penalty by 10 to 100 (--l2, --weight-decay)",
    judge=judge,
    remedies=({"regularise.l2": "*0.01"}, {"optimizer.weight_decay": "*0.01"}),
    explains=(
        "underfitting",
        "plateau",
        "lr-too-low",
        "outputs-collapsed",
        "vanishing-gradient",
        "lr-too-high",
        "slow-start",
        "dead-units",
    ),
)
