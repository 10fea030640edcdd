"""Squashing units at the ends of their range."""

from __future__ import annotations

from glassnet.diagnose import initial_loss_high
from glassnet.diagnose.history import History
from glassnet.diagnose.look import called, most, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import fallen, share
from glassnet.diagnose.vanishing_gradient import LAYERS, through_layers
from glassnet.events import Described, Event, Finding, Measured

SHARE = 0.55
SOME = 0.3  # where the first loss is high besides: one cause, weights that are too large, for both
LOOKS = 3
LATE, LEARNED = 0.15, 0.15  # share of the run; of the loss: saturated units of a network that learns are no trouble


def judge(history: History, event: Event) -> Finding | None:
    """Found when more than half of a layer's values lie at the ends of tanh or sigmoid at three looks in a row, and the loss has not halved."""
    if isinstance(event, Described):
        begin = number(event.net.get("saturated"))
        if not begin >= (SOME if initial_loss_high.judge(history, event) else SHARE):
            return None
        told = f"before the first step {begin:.0%} of the values of {called(event.net['saturated_layer'])} lie at the ends of its range"
        return RULE.finding(0, told, {"saturated": begin})
    if not isinstance(event, Measured) or len(history.measured) < LOOKS or fallen(history) > LEARNED:
        return None
    if (
        share(history) < LATE or through_layers(history.measured[0]) < LAYERS
    ):  # in a deep net the gradient was gone before that
        return None
    values = [most(each, "saturated") for each in history.measured[-LOOKS:]]
    if not all(value >= SHARE for value, _ in values):
        return None
    last, name = values[-1]
    return RULE.finding(
        event.step,
        f"{last:.0%} of the values of {name} lie at the ends of its range, where its slope is less than a seventeenth of the largest",
        {"saturated": last},
        severity="info",  # in 1,600 recorded trainings it came first in three, and was right in none of them
    )


RULE = Rule(
    id="saturation",
    title="Saturated units",
    threshold=f"at {LOOKS} looks in a row at least {SHARE:.0%} of the values of a layer beyond ±0.97 (tanh) or outside 0.015 to 0.985 (sigmoid), after {LATE:.0%} of the run and while the loss has fallen by less than {LEARNED:.0%} (not where depth alone takes the gradient, see vanishing-gradient), which is only recorded; or so many before the first step, where {SOME:.0%} are enough where the first loss is what initial-loss-high tells",
    source="Glorot and Bengio 2010, section 3; LeCun et al., Efficient BackProp, 1998; calibrated on benchmarks/diagnosis",
    explanation=(
        "Far from zero, tanh and sigmoid are flat: a change of the input changes nothing, and so the gradient that passes through is nearly zero. A saturated unit keeps saying +1 or −1 and hardly learns."
    ),
    why="weights or inputs that are too large for a squashing function, or steps that were",
    advice="smaller initial weights (--init xavier), scaled inputs (--preprocess standardise), a lower rate, or ReLU",
    judge=judge,
    remedies=({"net.init": "xavier"}, {"preprocess.name": "standardise"}, {"optimizer.lr": "*0.1"}),
    explains=(
        "vanishing-gradient",
        "plateau",
        "underfitting",
        "slow-start",
        "initial-loss-high",
        "lr-too-low",
        "lr-too-high",
    ),
)
