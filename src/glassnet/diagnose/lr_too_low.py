"""The learning rate is far below what this network could take."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.labels_unrelated import suspected
from glassnet.diagnose.look import middle, narrowest, number, reach, update_size
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import (
    NARROW,
    SETTLED,
    fallen,
    fallen_on_a_sample,
    first_loss,
    is_linear,
    knows,
    lacking,
    lasting_reaches,
    rate_is_rising,
    reaches,
    recent_loss,
    share,
)
from glassnet.events import Epoch, Event, Finding, Measured

SHORT = 0.99
SURE = 0.2  # share of the run
FALLEN, VALUES = 0.12, 0.05  # of the loss; of values a part is often beyond any network
RISEN = -0.02  # a loss that has risen by more has not merely stood still
SMOOTH = 9  # recorded losses
HOPE, NONE = 2.0, 0.05  # of the loss: what all steps of the run, each at the highest rate so far, promise together
OVER, LITTLE = (
    0.6,
    0.25,
)  # share of the run after which it is only recorded unless all steps together promise less than this of the loss
SLOPE = 0.4  # gradient now over that at the start
LOOKS = 4
HALF, BEGIN = 0.5, 0.25  # of the run: when a loss that is still high counts, and the looks that do
UPDATE, MOVING = 1.3e-3, 1.5e-3  # update over weight
SHORTISH, SHORTER = 0.975, 0.994  # reach, of a loss that has fallen by little, and by more
LEARNED, ALIKE = 0.7, 1.12  # of the loss; validation loss over training loss
FURTHER = 0.02  # by which training loss still falls in a tenth of the run
FEWEST = 100  # steps of the whole run
FULL = 0.5  # of the highest rate: looks at which it had not been lowered
NEVER = 0.9  # reach below which a step has felt the valley curve
LACKS = 0.1  # of accuracy or R²: how far behind simple means
REACHED = 0.03  # likewise: without a nonlinearity it has reached what it can
FALLING = 0.1  # rate over its highest: below that a schedule is bringing it down


def judge(history: History, event: Event) -> Finding | None:
    """Found after a fifth of the run when steps are short for their direction, or promise next to nothing, and the loss has hardly fallen."""
    if isinstance(event, Epoch):
        return _hardly_begun(history, event)
    if (
        not isinstance(event, Measured)
        or len(history.measured) < LOOKS
        or share(history) < SURE
        or (suspected(history) and not _hope(history) < NONE)  # such steps could not learn from any labels
        or knows(history)
        or (is_linear(history) and lacking(history)[0] < REACHED)
        or narrowest(event) <= NARROW  # so few units may leave no slope to follow
    ):
        return None
    if share(history) >= HALF and (late := _late(history, event) or _throughout(history, event)):
        return late
    of_values = history.described is not None and history.described.task == "values"
    first = first_loss(history)
    if (
        history.described is not None and of_values
    ):  # the first batch alone says little of values: the look before the first step took more
        first = number(history.described.start.get("loss")) or first
    now = recent_loss(history, SMOOTH)
    down = 1 - now / first
    if of_values and down < RISEN and history.epochs:  # single batches scatter
        down = fallen_on_a_sample(history)
    # To say the same of all samples is no more than the start has to unlearn.
    constant = number(history.described.start.get("constant")) if history.described is not None else math.nan
    alike = share(history) >= HALF and not of_values and constant > 0
    learned = min(down, 1 - now / constant) if alike else down
    if not (down >= RISEN and learned < (VALUES if of_values else FALLEN)) or rate_is_rising(history):
        return None
    looks = history.measured[-LOOKS:]
    values = reaches(history, LOOKS)
    r, hope = middle(values), _hope(history)
    # Steps too small for float32 to tell what they gained promise next to nothing: then there is no reach.
    if r < SHORT or not hope < HOPE:
        return None
    # At the bottom of what the network can reach the gradient has shrunk; where the rate is too low it is what it was.
    slope = middle(number(e.batch.get("grad_norm")) for e in looks)
    if slope < SLOPE * middle(number(e.batch.get("grad_norm")) for e in history.measured[:LOOKS]):
        return None
    if middle(map(update_size, looks)) > MOVING:
        return None
    factor = min(1 / (2 * max(1 - r, 1e-4)), 1000.0) if len(values) >= 2 else 1000.0
    return RULE.finding(
        event.step,
        f"after {share(history):.0%} of the run the loss has fallen by {max(down, 0.0):.1%}; a step gains {r:.3f} of what its gradient promises, "
        f"so steps along the same directions could be some {factor:.0f} times as long"
        if values
        else f"after {share(history):.0%} of the run the loss has fallen by {max(down, 0.0):.1%}; all steps of the run together promise to lower it by {hope:.1g} of itself",
        {"reach": r, "fallen": down, "promised": hope, "lr": event.lr},
        severity="info" if share(history) > OVER and not hope < LITTLE else None,
        remedies=({"optimizer.lr": f"*{10 if factor < 100 else 30}"}, {"optimizer.lr": "*3"}),
    )


def _hope(history: History) -> float:
    """What all steps of the run together would lower the loss by, as a share of it, if each kept the promise of the last looks and none had been shortened by a schedule."""
    highest = history.highest_rate
    promised = (
        abs(number(each.batch.get("predicted"))) / max(abs(number(each.batch.get("before"))), 1e-12) * highest / each.lr
        for each in history.measured[-LOOKS:]
        if each.lr > 0
    )
    return history.total_steps * middle(promised)


def _hardly_begun(history: History, event: Epoch) -> Finding | None:
    """Half of a run of a few dozen steps is over, which gives few looks; the loss has hardly fallen, and no step felt the valley curve."""
    gains, (lacks, means) = reaches(history), lacking(history)
    down, size = fallen_on_a_sample(history), middle(map(update_size, history.measured))
    if history.total_steps >= FEWEST or share(history) < HALF or rate_is_rising(history) or suspected(history):
        return None
    if not (RISEN <= down < FALLEN and lacks > LACKS and size < UPDATE) or min(gains, default=0.0) < NEVER:
        return None
    size_of_batch = history.described.plan.get("batch_size", 0) if history.described is not None else 0
    return RULE.finding(
        event.step,
        f"after {event.step} of {history.total_steps} steps the loss has fallen by {max(down, 0.0):.1%}, and {means} tells {lacks:.2f} more than the network knows: so few steps, each of {size:.2%} of the weights, cannot get far",
        {"reach": min(gains), "fallen": down, "update": size, "lr": event.lr},
        why=f"with {size_of_batch:,} samples in a batch the run has few steps, and each is much shorter than the loss would allow",
        advice="smaller batches (--batch-size 32), which give more steps; or a learning rate ten times as high (--lr), or more epochs",
    )


def _late(history: History, event: Measured) -> Finding | None:
    """Half of the run is over, the loss is far from low and still falling, training and validation are alike, and steps are short for their direction and for the weights."""
    looks = [each for each in history.measured if each.step >= BEGIN * history.total_steps]
    gains = [value for each in looks if math.isfinite(value := reach(each))]
    size, gain, down = middle(map(update_size, looks)), middle(gains), fallen_on_a_sample(history)
    down = down if math.isfinite(down) else fallen(history)
    lowered = rate_is_rising(history) or event.lr < FALLING * history.highest_rate
    if lowered or len(gains) < LOOKS or not RISEN <= down < LEARNED or not size < UPDATE:
        return None
    if not gain >= (SHORTER if down >= LEARNED / 2 else SHORTISH) or not _on_its_way(history):
        return None
    slope = middle(number(each.batch.get("grad_norm")) for each in looks[-LOOKS:])
    if slope < SLOPE * middle(number(each.batch.get("grad_norm")) for each in history.measured[:LOOKS]):
        return None
    return RULE.finding(
        event.step,
        f"after {share(history):.0%} of the run the loss has fallen by {down:.1%} only; usually a step changes the weights by {size:.2%} of their size and gains {gain:.3f} of what its gradient promises",
        {"reach": gain, "fallen": down, "update": size, "lr": event.lr},
    )


def _throughout(history: History, event: Measured) -> Finding | None:
    """Half of the run is over, at no look a step felt the valley curve, and the network knows clearly less than simple means tell."""
    if history.total_steps < FEWEST:  # that it knows little is no wonder then
        return None
    gains, (lacks, means) = lasting_reaches(history, SETTLED, FULL), lacking(history)
    gain = middle(gains)
    if not gain >= SHORT or min(gains) < NEVER or not lacks > LACKS:
        return None
    return RULE.finding(
        event.step,
        f"after {share(history):.0%} of the run {means} still tells {lacks:.2f} more than the network knows, and usually a step gains {gain:.3f} of what its gradient promises: steps could be {min(1 / (2 * max(1 - gain, 1e-4)), 1000.0):.0f} times as long",
        {"reach": gain, "lacking": lacks, "lr": event.lr},
    )


def _on_its_way(history: History) -> bool:
    """Whether training loss goes on falling and validation loss is like it: then there is more to be had of the same."""
    epochs = [epoch for epoch in history.epochs if epoch.step >= BEGIN * history.total_steps]
    losses = [number(epoch.train.get("loss")) for epoch in epochs]
    if len(epochs) < 2 or not losses[-1] > 0:
        return False
    tenths = 10 * (epochs[-1].step - epochs[0].step) / history.total_steps
    alike = not number(epochs[-1].val.get("loss")) > ALIKE * losses[-1]
    return alike and 1 - losses[-1] / losses[0] >= FURTHER * tenths


RULE = Rule(
    id="lr-too-low",
    title="The learning rate is too low",
    threshold=(
        f"after {SURE:.0%} of the run the loss has fallen by less than {FALLEN:.0%} (of values {VALUES:.0%}; of classes, after {HALF:.0%}, is less than {FALLEN:.0%} below that of the best constant answer), and over the last {LOOKS} looks a step gains at least {SHORT:g} of what the gradient promised, "
        f"while all steps of the run together, at the highest rate so far, promise less than {HOPE:g} times the loss (after {OVER:.0%} of the run, when some networks are about to find what there is to learn, {LITTLE:g} times, or else it is only recorded); or, after {HALF:.0%}, a loss that has fallen by less than {LEARNED:.0%} and still falls by {FURTHER:.0%} in a tenth of the run, alike on training and validation, updates below {UPDATE:.2%} of the weights, and steps that gain {SHORTISH:g} of their promise ({SHORTER:g} where the loss has fallen by more than {LEARNED / 2:.0%}); or, after {HALF:.0%}, a median gain of {SHORT:g} over all looks at half of the highest rate or more, none below {NEVER:g}, in a run of {FEWEST} steps or more (in shorter ones, a loss that has fallen by less than {FALLEN:.0%}, updates below {UPDATE:.2%} and no gain below {NEVER:g}), of a network whose accuracy (R²) is more than {LACKS:g} below what kernel ridge regression or the nearest neighbour tells (without a nonlinearity: ridge regression); not while the rate is still rising, not where the network knows what the nearest neighbour tells (without a nonlinearity: is within {REACHED:g} of ridge regression) or has a layer of {NARROW} units or fewer, nor where the gradient has shrunk below {SLOPE:g} of what it was"
    ),
    source="an update over weight of about 0.001: the CS231n lectures; the gain ratio of trust-region methods (Nocedal and Wright, Numerical Optimization, 2006, equation 4.4), with limits calibrated on benchmarks/diagnosis",
    explanation=(
        "The gradient promises how much a small step will gain. Near the start of a step the promise is kept; further out the valley curves up and the gain falls behind. The best step gains "
        "about half of the promise. If every step gains all of it, the steps are so short that they never come to feel the curve: the same direction could be followed many times as far."
    ),
    why="each step is much shorter than the loss would allow",
    advice="multiply the learning rate by 10 and look again (--lr), or let a range test find it (--lr find)",
    judge=judge,
    remedies=({"optimizer.lr": "*10"}, {"optimizer.lr": "*3"}),
    explains=("plateau", "underfitting"),
)
