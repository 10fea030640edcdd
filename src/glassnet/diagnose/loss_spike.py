"""A loss that jumped up, and the samples or the step behind it."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called, middle, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import SETTLED, first_loss, largest_update, lasting_reaches, reaches, share
from glassnet.events import Epoch, Event, Finding, Step, Traced

LARGE = 1.0  # of the first loss: all that was learned is undone
USUAL = 15  # recorded losses before one may be called unusual
BEFORE, AFTER, HIGHER = 10, 4, 1.4  # recorded losses on both sides of a jump that stays, and how far apart they are
EARLY, LONG = 0.2, 0.1  # share of the run; update over weight
WORTH = 0.2  # of the first loss: what is as small may jump
OVERSHOOT = 0.25  # reach; steps that gain less throw the loss up themselves
THROWING = 0.33  # reach over all looks
APART, KNOWN = 0.3, 0.2  # R²
BEGINNING = 0.1  # of the run, in which a loss may jump by itself
JUMP, TIMES = 5.0, 4.0  # rate over that of the recorded step before, and loss over what was usual
WILD = 5.0  # times the usual size: inputs that make it jump
ONE = 0.6  # share of the loss that one sample has
FAR = 20.0  # times the usual size, above which inputs are damaged and not merely extreme
THROWN, UNDONE = (
    2.0,
    0.8,
)  # loss in evaluation mode over that in training mode and over its lowest; over that before the first step
FOLLOWING = 50  # steps in which weights move faster than averages of some ten batches follow
CALM, FEWER = 2.0, 8  # times the first loss; where the usual loss is below that, so many recorded losses are enough


def judge(history: History, event: Event) -> Finding | None:
    """Found at a recorded loss four times as large as usual and as high as the first one, or where the loss has gone up at a stroke and stays there."""
    if isinstance(event, Step):
        return _rate_jumped(history, event) or _stays(history, event)
    if isinstance(event, Epoch):
        return _a_few(event) or _thrown_off(history, event)
    if not isinstance(event, Traced) or event.kind != "spike":
        return None
    loss, usual = number(event.figures.get("loss")), number(event.figures.get("usual"))
    first = first_loss(history)
    if not (math.isfinite(loss) and usual > 0 and math.isfinite(first)):
        return None
    if share(history) < EARLY and largest_update(history) >= LONG:  # the rate throws the loss up from the start
        return None
    climbing = _climbing(history) and share(history) > 0.25
    calm = usual < CALM * first
    if len(history.steps) < (FEWER if calm else USUAL):
        return None
    if loss < LARGE * first or climbing:  # a rate that keeps rising is the cause, and told by its own rules
        return None
    part, size = number(event.figures.get("share")), number(event.figures.get("largest"))
    normal = number(event.figures.get("usual_size"))
    if share(history) < BEGINNING and not size > WILD * normal:
        return None
    # Steps that usually go too far throw the loss up now and then; only inputs that are wild are then to blame.
    if middle(lasting_reaches(history, SETTLED)) < THROWING and not size > WILD * normal:
        return None
    # One sample at the edge of its kind: with squared errors it throws the loss up each time it comes, and the network comes back.
    if part > ONE and normal * WILD < size < FAR * normal:
        return None
    where = ""
    if event.place == "samples" and event.rows:
        names = ", ".join(map(str, event.samples[:3])) or ", ".join(f"row {row}" for row in event.rows[:3])
        where = f"; the largest losses have {'samples ' if event.samples else ''}{names}"
        if size > WILD * normal:
            where += f", whose inputs reach {size:.3g} where {normal:.3g} is usual"
    elif event.name:
        where = f"; {called(event.name)} is not finite"
    return RULE.finding(
        event.step,
        f"the loss jumped to {loss:.3g}, {loss / usual:.0f} times what was usual{where}",
        {"loss": loss, "usual": usual, "share": part},
    )


def _rate_jumped(history: History, event: Step) -> Finding | None:
    """The loss of a step whose rate is many times that of the recorded step before; whatever steps usually gain, this one is to blame."""
    before = history.losses.last[-BEFORE - 1 : -1]
    if event.loss is None or len(before) < BEFORE or share(history) < BEGINNING:
        return None
    lr, usual = history.steps[-2].lr, median(before)
    if not event.lr > JUMP * lr > 0 or not event.loss > max(TIMES * usual, LARGE * first_loss(history)):
        return None
    return RULE.finding(
        event.step,
        f"the loss jumped to {event.loss:.3g}, {event.loss / usual:.0f} times what was usual, at a step whose learning rate was {event.lr:.3g} after {lr:.3g}",
        {"loss": event.loss, "usual": usual, "lr_before": lr, "lr": event.lr},
        why="the learning rate went up at a stroke",
        advice="look at what sets the rate: a schedule that begins again needs a lower peak, or a warm-up each time; clip the gradient (--clip-norm 1)",
    )


def _a_few(event: Epoch) -> Finding | None:
    """Training samples on which the loss is so high that they spoil what the network knows of all others."""
    train, val = number(event.train.get("r2")), number(event.val.get("r2"))
    if not (val > KNOWN and train < val - APART):
        return None
    return RULE.finding(
        event.step,
        f"R² is {val:.2f} on validation and {train:.2f} on training samples: on a few of these the network is further off than on all others",
        {"train_r2": train, "val_r2": val},
    )


def _thrown_off(history: History, event: Epoch) -> Finding | None:
    """Batch normalisation answers with averages over batches: one wild batch spoils these, while the losses in training mode, which do not use them, go on falling."""
    described, epochs = history.described, list(history.epochs)
    if described is None or not described.net.get("batch_norms") or len(epochs) < 3 or epochs[-2].step < FOLLOWING:
        return None
    lowest = min(number(each.train.get("loss")) for each in epochs[:-2])
    trained, start = epochs[-3].running_loss, number(described.start.get("loss"))
    # A network's first averages are rough: after one more epoch they are not.
    for each in epochs[-2:]:
        loss = number(each.train.get("loss"))
        if (
            not loss > THROWN * max(lowest, each.running_loss)
            or not loss > UNDONE * start
            or each.running_loss > trained
        ):
            return None
    now = number(event.train.get("loss"))
    return RULE.finding(
        event.step,
        f"the loss on training samples is {now:.3g} in evaluation mode, as it was {lowest:.3g} before, and {event.running_loss:.3g} in training mode: the running averages of batch normalisation are off",
        {"loss": now, "usual": lowest, "running": event.running_loss},
        why="one batch or more whose inputs are wild: batch normalisation keeps them in its averages, which answers are made with",
        advice="look for inputs of another size (glassnet data DATA) and at what prepares them; averages over more batches (momentum=0.01 of the norm layers), or group normalisation, which keeps none",
    )


def _climbing(history: History) -> bool:
    """Whether the rate has been rising at each of the last looks."""
    rates = [each.lr for each in history.measured[-4:]]
    return len(rates) == 4 and all(b > 1.01 * a for a, b in pairwise(rates))


def _stays(history: History, event: Step) -> Finding | None:
    """The step that threw the loss up need not be one whose loss was recorded: what it left behind is a level that was not there before."""
    losses = history.losses.last
    if event.loss is None or len(losses) < BEFORE + AFTER or _climbing(history):
        return None
    before, after = losses[-BEFORE - AFTER : -AFTER], losses[-AFTER:]
    if min(after) <= HIGHER * max(before) or min(after) - max(before) < WORTH * first_loss(history):
        return None
    if middle(reaches(history, 6)) < OVERSHOOT:
        return None
    return RULE.finding(
        event.step,
        f"the loss went up at a stroke and stays there: the last {AFTER} recorded losses are {', '.join(f'{loss:.3g}' for loss in after)}, the {BEFORE} before them were at most {max(before):.3g}",
        {"loss": median(after), "usual": median(before)},
    )


RULE = Rule(
    id="loss-spike",
    title="The loss jumped",
    threshold=f"a recorded loss at least four times the running mean of those before, and as high as the first one; or {AFTER} recorded losses in a row of which each is {HIGHER:g} times the highest of the {BEFORE} before them, and higher by {WORTH:g} of the first loss, while the rate does not rise; not in the first {EARLY:.0%} of the run under steps that change the weights by {LONG:.0%}, nor in the first {BEGINNING:.0%} unless inputs {WILD:g} times as large as usual are behind it, nor, without such inputs, where half of all steps gain less than {THROWING:g} of what their gradient promises; but always, after that, at a step whose rate is {JUMP:g} times that of the recorded one before and whose loss is {TIMES:g} times the median of the {BEFORE} before; nor where one sample has {ONE:.0%} of the loss, and inputs {WILD:g} to {FAR:g} times as large as usual; or R² above {KNOWN:g} on validation and lower by {APART:g} on training samples; or, with batch normalisation, after two epochs in a row and {FOLLOWING} steps or more a loss in evaluation mode {THROWN:g} times as high as in training mode and as its own lowest, and {UNDONE:g} of that before the first step, while that in training mode has not risen",
    source="Lightning's SpikeDetection takes twice the mean of the last ten; calibrated on benchmarks/diagnosis",
    explanation=(
        "One batch with wild inputs or targets, or one step that was far too long, can undo what many steps have learned. The loss of the very next batch shows it. Mostly the network comes back; sometimes it does not."
    ),
    why="a few wild samples, or a sudden change of the learning rate",
    advice="look at the samples named (glassnet data DATA); clip the gradient (--clip-norm 1)",
    judge=judge,
    remedies=({"clip.norm": 1.0},),
    explains=(
        "underfitting",
        "lr-too-high",
        "lr-too-low",
        "dead-units",
        "loss-exploding",
        "divergence",
        "loss-not-finite",
        "lr-much-too-high",
    ),
)
