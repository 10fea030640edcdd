"""Gradient clipping that is always active."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.look import middle, number, update_size
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import fallen
from glassnet.events import Event, Finding, Measured

FACTOR = 0.15  # norm after clipping over that before
LOOKS = 5
MOVING = 0.03  # update over weight: steps as long are not held back
LEARNED = 0.5  # of the first loss: a training that has gained so much is not held back


def judge(history: History, event: Event) -> Finding | None:
    """Found when at five looks in a row clipping took away at least nine tenths of the gradient."""
    if not isinstance(event, Measured) or len(history.measured) < LOOKS:
        return None
    factors = [number(each.batch.get("clip_factor")) for each in history.measured[-LOOKS:]]
    if not all(factor < FACTOR for factor in factors) or fallen(history) > LEARNED:
        return None
    if middle(update_size(each) for each in history.measured[-LOOKS:]) > MOVING:
        return None
    return RULE.finding(
        event.step,
        f"at each of the last {LOOKS} looks the gradient was clipped, to {middle(factors):.1%} of its length in the middle",
        {"factor": middle(factors)},
    )


RULE = Rule(
    id="clipping-always",
    title="Gradient clipping always active",
    threshold=f"at {LOOKS} looks in a row the clipped gradient has less than {FACTOR:.0%} of its length, the loss has not fallen by {LEARNED:.0%}, and steps change the weights by less than {MOVING:.0%}",
    source="Pascanu, Mikolov, Bengio 2013 suggest a threshold of half to ten times the usual norm; calibrated on benchmarks/diagnosis",
    explanation=(
        "Clipping is meant for the rare step whose gradient explodes. If every gradient is cut down to the same small length, all steps are equally long and short: the learning rate no longer means what it says, and the steps do not "
        "become smaller near a minimum."
    ),
    why="a clipping threshold far below the usual gradient",
    advice="raise the threshold to a few times the usual gradient norm (--clip-norm), or take it away",
    judge=judge,
    remedies=({"clip.norm": "*30"}, {"clip.norm": None}),
    explains=("lr-too-low", "plateau", "underfitting"),
)
