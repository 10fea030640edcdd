"""The learning rate is above what this network can take."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.labels_unrelated import suspected
from glassnet.diagnose.look import middle, most, reach, update_size
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import SETTLED, dropping, fallen, is_linear, largest_update, learned, reaches, share
from glassnet.events import Event, Finding, Measured

LOOK = 0.2
HOLD = 0.15  # share of the first loss that must have been gained
PATIENCE, BARELY = 0.45, 0.05  # share of the run before which a loss that falls slowly is not stuck, and what slowly is
LARGE = 0.12  # update over weight
LOOKS = 6
RECENT, STILL = 4, 0.05  # looks, and the update over weight in their middle
SHORTFALL = 0.75  # reach below which steps are long for their direction
GROWN, MOSTLY = 0.25, 0.88  # dead units at the first look, and now


def judge(history: History, event: Event) -> Finding | None:
    """Found after a fifth of the run when steps are large and the loss does not fall, or units have died of them."""
    if not isinstance(event, Measured) or share(history) < LOOK or len(history.measured) < LOOKS or suspected(history):
        return None
    down, size = fallen(history), largest_update(history)
    late = [each for each in history.measured[-2 * LOOKS :] if each.step >= SETTLED * history.total_steps]
    values = [value for each in late if math.isfinite(value := reach(each))]
    over = sum(value < 0 for value in values) / len(values) if values else 0.0
    # The first steps of an adaptive optimiser are long in every training: what counts is whether they still are.
    lately = middle(update_size(each) for each in history.measured[-RECENT:])
    long = middle(reaches(history, RECENT)) < SHORTFALL or over >= 0.2
    unsure = history.described is not None and history.described.task == "values" and not history.epochs
    stuck = (
        not dropping(history)
        and not unsure
        and not is_linear(history)  # a loss that stands still may be all that it can do
        and max(learned(history), down) < (HOLD if share(history) >= PATIENCE else BARELY)
        and size > LARGE
        and (down < 0 or long)
        and lately > STILL
    )
    first, now = most(history.measured[0], "dead"), most(event, "dead")
    killed = not dropping(history) and first[0] < GROWN and now[0] > MOSTLY and size > LARGE and down < 0.5
    if not stuck and not killed:
        return None
    died = f"; {now[0]:.0%} of the units of {now[1]} have died, {first[0]:.0%} were silent at the start"
    moved = f"has fallen by {down:.0%}" if down > 0 else f"stands {-down:.0%} higher than at the start"
    return RULE.finding(
        event.step,
        f"after {share(history):.0%} of the run the loss {moved}; a step has changed the weights by up to {size:.0%} of their size"
        + (died if killed else ""),
        {"fallen": down, "update": size, "overshooting": over, "lr": event.lr},
        # Of 753 healthy recorded trainings four were told that they are stuck; of 1,215 broken ones it was the right first warning in one.
        severity=None if killed else "info",
    )


RULE = Rule(
    id="lr-too-high",
    title="The learning rate is too high",
    threshold=(
        f"after {LOOK:.0%} of the run: updates above {LARGE:.0%} of the weights ({STILL:.0%} still) and a loss that has fallen "
        f"by less than {HOLD:.0%} (before {PATIENCE:.0%} of the run: {BARELY:.0%}), which is only recorded, or units dead in more than {MOSTLY:.0%} where at most {GROWN:.0%} were, under such updates"
    ),
    source="update over weight about 0.001: the CS231n lectures; limits calibrated on benchmarks/diagnosis",
    explanation=(
        "A step goes downhill only as far as the slope lasts. A longer one lands on the other side of the valley, higher than it began; the next comes back, and the loss jumps about without falling. "
        "Large steps can also push units of a ReLU so far that no input reaches them any more: they are dead, and do not come back."
    ),
    why="each step is longer than the valley is wide",
    advice="divide the learning rate by 3 to 10 (--lr), or let a range test find it (--lr find)",
    judge=judge,
    remedies=({"optimizer.lr": "*0.1"}, {"optimizer.lr": "*0.3"}),
    explains=(
        "lr-too-low",
        "plateau",
        "dead-units",
        "underfitting",
        "saturation",
        "outputs-collapsed",
        "loss-spike",
        "vanishing-gradient",
        "exploding-gradient",
        "divergence",
    ),
)
