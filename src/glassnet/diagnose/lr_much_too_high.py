"""The learning rate throws the weights away in the first steps."""

from __future__ import annotations

import math

from glassnet.diagnose import early_overfit, overfitting
from glassnet.diagnose.history import History
from glassnet.diagnose.labels_unrelated import suspected
from glassnet.diagnose.look import middle, most, number, update_size
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import (
    MUCH,
    fallen,
    fallen_on_a_sample,
    first_loss,
    largest_update,
    reaches,
    recent_loss,
    share,
    usual_update,
)
from glassnet.diagnose.softmax_twice import makes_probabilities
from glassnet.events import Epoch, Event, Finding, Measured, Step, Traced

EARLY = 0.25
WAIT = 0.14  # share of the run: many a training that ends well begins with its loss thrown up, and comes back
TIMES = 2.5
HUGE = 1.0  # update over weight: the weights are replaced, not changed
LOOKS = 3
LONG = 0.1  # update over weight: shorter steps do not throw a loss up
GAINED = 0.1  # of the first loss: weights that were small to begin with may be replaced by better ones
KILLED = 0.93
GROWN = 30.0
KEPT = 0.75  # reach: weights that were small may be replaced by better ones
OVERFLOWN, EXPLODING = (
    3.0,
    5,
)  # times the first loss, and recorded losses: as loss-exploding has it, of which this is the cause


def judge(history: History, event: Event) -> Finding | None:
    """Found in the first quarter of the run when the loss has more than doubled, or when steps are as large as the weights and nothing is gained; later when samples are learned by heart by such steps."""
    if isinstance(event, Epoch):
        return _by_heart(history, event)
    if share(history) > EARLY:
        return None
    first = first_loss(history)
    if _not_finite(event) and _long(history) and not _uphill(history):
        return _overflown(history, event)
    if isinstance(event, Step) and event.loss is not None and len(history.steps) > LOOKS:
        now = recent_loss(history, LOOKS)
        risen = now > TIMES * first and share(history) >= WAIT
        exploded = len(history.steps) > EXPLODING and recent_loss(history) > OVERFLOWN * first
        if first > 0 and (risen or exploded) and _long(history) and not _uphill(history):
            return RULE.finding(
                event.step,
                f"within {event.step} steps the loss rose from {first:.3g} to {now:.3g} at learning rate {event.lr:.3g}",
                {"first": first, "loss": now, "lr": event.lr},
            )
    if not isinstance(event, Measured) or len(history.measured) < LOOKS:
        return None
    silent, dead = most(history.measured[0], "dead"), most(event, "dead")
    if silent[0] < 0.3 and dead[0] >= KILLED and share(history) >= WAIT and fallen(history) < 0.03:
        return RULE.finding(
            event.step,
            f"within {event.step} steps {dead[0]:.0%} of the units of {dead[1]} have died ({silent[0]:.0%} were silent at the start), and nothing was learned",
            {"dead": dead[0], "lr": event.lr},
        )
    grown = _growth(history.measured[0], event)
    if grown > GROWN and share(history) >= WAIT and fallen(history) < 0.03:
        return RULE.finding(
            event.step,
            f"within {event.step} steps the numbers in the network have grown {grown:,.0f}-fold, and nothing was learned at learning rate {event.lr:.3g}",
            {"grown": grown, "lr": event.lr},
        )
    sizes = [size for each in history.measured[:LOOKS] if math.isfinite(size := update_size(each))]
    if (
        len(sizes) < LOOKS
        or middle(reaches(history, LOOKS)) > KEPT
        or share(history) < WAIT
        or max(sizes) < HUGE
        or middle(sizes) < HUGE / 2
        or _gained(history, event) > GAINED
        or suspected(history)  # then there may be nothing to gain
    ):
        return None
    return RULE.finding(
        event.step,
        f"a step changes the weights by {max(sizes):.0%} of their size at learning rate {event.lr:.3g}: it replaces them",
        {"update": max(sizes), "lr": event.lr},
    )


def _by_heart(history: History, event: Epoch) -> Finding | None:
    """Samples are learned by heart by steps that usually change the weights by much: not the network is too large for them then, but the steps."""
    size = usual_update(history)
    if not size >= MUCH or not (early_overfit.judge(history, event) or overfitting.judge(history, event)):
        return None
    lr = history.highest_rate
    return RULE.finding(
        event.step,
        f"validation loss rises while training loss falls, and a step usually changes the weights by {size:.1%} of their size, at learning rates up to {lr:.3g}",
        {"update": size, "lr": lr},
    )


def _long(history: History) -> bool:
    """Whether a step was long for its weights; so where nobody looked."""
    return not largest_update(history) < LONG


def _not_finite(event: Event) -> bool:
    """A loss that is not finite, and neither inputs nor targets to blame for it."""
    if isinstance(event, Traced):
        return event.kind == "not-finite" and event.place in ("weights", "activations", "loss")
    return isinstance(event, Step) and event.loss is not None and not math.isfinite(event.loss)


def _overflown(history: History, event: Event) -> Finding | None:
    """The loss grew until no number could hold it: then it is not the number that is wrong."""
    seen = [number(each.batch.get(key)) for each in history.measured for key in ("before", "after")]
    highest = max((loss for loss in [history.losses.highest, *seen] if math.isfinite(loss)), default=math.nan)
    first, lr = first_loss(history), history.measured[-1].lr if history.measured else math.nan
    if history.described is not None and makes_probabilities(history.described):
        return None  # a softmax by hand overflows by itself
    if not highest > OVERFLOWN * first or not largest_update(history) >= LONG:
        return None
    step = event.step if isinstance(event, Step | Traced) else 0
    return RULE.finding(
        step,
        f"within {step} steps the loss rose from {first:.3g} to {highest:.3g} and beyond what a number can hold, at learning rate {lr:.3g}",
        {"first": first, "loss": highest, "lr": lr},
    )


def _gained(history: History, now: Measured) -> float:
    """By which share of itself the loss is lower than at the start, of a batch, of the recorded losses or of the training samples, whichever says most; 0 where nobody knows."""
    first, then = history.measured[0].batch.get("before"), number(now.batch.get("before"))
    gains = [1 - then / number(first) if number(first) > 0 else math.nan, fallen(history), fallen_on_a_sample(history)]
    return max((gain for gain in gains if math.isfinite(gain)), default=0.0)


def _growth(first: Measured, now: Measured) -> float:
    """Largest spread of a layer's output over the largest at the first look."""
    before = max((number(record["std"]) for record in first.layers), default=math.nan)
    return max((number(record["std"]) for record in now.layers), default=math.nan) / before if before > 0 else math.nan


def _uphill(history: History) -> bool:
    """Steps that go uphill on purpose are another trouble."""
    return bool(history.measured) and all(number(each.batch.get("predicted")) > 0 for each in history.measured[:LOOKS])


RULE = Rule(
    id="lr-much-too-high",
    title="The learning rate is much too high",
    threshold=f"between {WAIT:.0%} and {EARLY:.0%} of the run: the median of three recorded losses above {TIMES:g} times the first (before that, of five above {OVERFLOWN:g} times), or a loss that grew to more than {OVERFLOWN:g} times the first and then beyond all numbers; or updates as large as the weights in the first {LOOKS} looks, and a loss that has not fallen by {GAINED:.0%}; or, with nothing learned, a layer of which {KILLED:.0%} has died or activations {GROWN:g} times as large; or what early-overfit or overfitting tells, under updates that usually are {MUCH:.0%} of the weights",
    source="update over weight about 0.001: the CS231n lectures; limits calibrated on benchmarks/diagnosis",
    explanation=(
        "A step much longer than the valley is wide lands far up on the other side, where the slope is steeper still, so the next step is even longer. The loss explodes within a few steps, and what "
        "the careful choice of initial weights had given is gone."
    ),
    why="the learning rate is ten or more times what this network can take",
    advice="divide the learning rate by 10 to 100 (--lr), or let a range test find it (--lr find)",
    judge=judge,
    remedies=({"optimizer.lr": "*0.01"}, {"optimizer.lr": "*0.1"}),
    explains=(
        "lr-too-low",
        "lr-too-high",
        "loss-exploding",
        "divergence",
        "dead-units",
        "saturation",
        "plateau",
        "loss-not-finite",
        "loss-spike",
        "outputs-collapsed",
        "exploding-gradient",
        "underfitting",
        "vanishing-gradient",
        "clipping-always",
        "early-overfit",
        "overfitting",
    ),
)
