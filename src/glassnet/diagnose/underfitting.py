"""The network is too small, or too held back, for the data."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import narrowest, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import DROPPED, NARROW, dropping, fallen, is_linear, known_simply, rate_is_rising, share
from glassnet.events import Epoch, Event, Finding, Measured

LOOK, HEAVY = 0.7, 0.5  # of the run; the second under heavy dropout, which is known from the start
STILL = 0.03  # of the loss: what has fallen by less over RECENT of the run has stopped
BEHIND, STRAIGHT = 0.15, 0.05  # share of the samples; of a network without a nonlinearity
GAP, CHANCE = 0.06, 2.0  # of accuracy; standard errors
RECENT = 0.4  # of the epochs so far
KNOWN = 0.9  # training accuracy that a network with a layer of next to no units may lack
LEARNED = 0.25  # of the first loss, with dropout that makes a difference
HALF = 0.5  # dropout that may hold a network back
DROPPED_MOST = 0.75  # dropout that leaves less than one unit of four
LACKING = 0.95  # training accuracy that may be lacking under it
DROPPED_NEARLY_ALL = 0.9  # dropout that no net in use has: one unit of ten is left
DROWNED = 4.0  # times the loss without dropout: nothing but dropout is left of it
FEWEST, FEWEST_HEAVY = 4, 2  # epochs


def judge(history: History, event: Event) -> Finding | None:
    """Found in the second half of the run when training accuracy has stopped below what simple means reach, with no gap to validation."""
    if isinstance(event, Measured):
        return _drowned(history, event) or _straight(history, event)
    if (
        not isinstance(event, Epoch)
        or history.described is None
        or history.described.task != "classes"
        or share(history) < HEAVY
        or len(history.epochs) < FEWEST_HEAVY
    ):
        return None
    train, val = number(event.train.get("accuracy")), number(event.val.get("accuracy", event.train.get("accuracy")))
    # A network with nonlinearities may find what neighbours do not tell late: kernel ridge regression is no bar for it.
    straight = is_linear(history)
    known, means = (
        known_simply(history)
        if straight
        else (number(history.described.targets.get("neighbour_agreement")), "the nearest neighbour")
    )
    # Dropout that drops nearly everything: the loss as it is trained on hardly falls.
    dropout = number(history.described.net.get("dropout", 0.0))
    dropped = dropout >= HALF and dropping(history) and fallen(history) < LEARNED
    narrow = bool(history.measured) and narrowest(history.measured[-1]) <= NARROW
    heavy = dropout >= DROPPED_MOST
    if heavy and train < LACKING and train - val < GAP and not rate_is_rising(history):
        return RULE.finding(
            event.step,
            f"training accuracy is {train:.1%} ({val:.1%} on validation), and dropout lets only {1 - dropout:.0%} of the units through at a time",
            {"train_accuracy": train, "val_accuracy": val, "dropout": dropout},
        )
    if share(history) < LOOK or len(history.epochs) < FEWEST:
        return None
    back = max(2, round(RECENT * (event.epoch + 1 - history.epochs[0].epoch)))
    earlier = next(epoch for epoch in reversed(history.epochs) if epoch.epoch <= event.epoch - back)
    before = number(earlier.train.get("loss"))
    # Under steps that throw the loss about an epoch may bounce: what counts is whether it has been lower since.
    lowest = min(number(epoch.train.get("loss")) for epoch in history.epochs if epoch.epoch > earlier.epoch)
    still = 1 - lowest / before < STILL if before > 0 else False
    behind = train < (KNOWN if narrow else known - (STRAIGHT if straight else BEHIND))
    # What two parts of some hundred samples happen to be alike in is no gap.
    count = max(int(history.described.validation.get("samples", 0)), 1)
    gap = GAP + (CHANCE * math.sqrt(val * (1 - val) / count) if narrow or straight else 0.0)
    held = train - val < gap and (narrow or still or dropped)
    if not (behind and held) or rate_is_rising(history):
        return None
    if narrow:
        return RULE.finding(
            event.step,
            f"training accuracy has stopped at {train:.1%} ({val:.1%} on validation), and all of it must pass through {narrowest(history.measured[-1]):.0f} units",
            {"train_accuracy": train, "val_accuracy": val, "units": narrowest(history.measured[-1])},
        )
    return RULE.finding(
        event.step,
        f"training accuracy has stopped at {train:.1%} ({val:.1%} on validation), while {means} is right for {known:.1%} of the samples: there is more to be learned than this network learns",
        {"train_accuracy": train, "val_accuracy": val, "known": known},
    )


def _drowned(history: History, event: Measured) -> Finding | None:
    """Found at the first look where heavy dropout alone makes the loss many times what it is without, or drops nearly everything."""
    if len(history.measured) != 1 or history.described is None:
        return None
    dropout = number(history.described.net.get("dropout", 0.0))
    start = history.described.start
    times = number(start.get("train_loss")) / max(number(start.get("loss")), 1e-12)
    if dropout >= DROPPED_MOST and times >= DROWNED:
        told = f"before the first step dropout of {dropout:g} alone makes the loss {times:.0f} times as high as without: it lets only {1 - dropout:.0%} of the units through at a time"
    elif dropout >= DROPPED_NEARLY_ALL:
        told = f"dropout of {dropout:g} lets only {1 - dropout:.0%} of the units through at a time"
    else:
        return None
    return RULE.finding(
        event.step,
        told,
        {"dropout": dropout, "times": times},
    )


def _straight(history: History, event: Measured) -> Finding | None:
    """Found at the first look where layers with weights follow each other with nothing between them that bends, and no narrow one that would be a reason for it."""
    if len(history.measured) != 1 or history.described is None or not history.described.net.get("affine"):
        return None
    layers = int(history.described.net.get("weight_layers", 0))
    ends = min(number(history.described.inputs.get("features", math.nan)), history.described.outputs)
    if not is_linear(history) or layers < 2 or not narrowest(event) >= ends:
        return None
    return RULE.finding(
        event.step,
        f"nothing bends between the {layers} layers with weights: together they can say no more than one of them",
        {"layers": float(layers)},
        why="no activation function between the layers",
        advice="put one behind each layer but the last, such as nn.ReLU(); or keep one layer alone",
        remedies=(),
    )


RULE = Rule(
    id="underfitting",
    title="Too little capacity, or too much restraint",
    threshold=(
        f"after {LOOK:.0%} of the run: training accuracy {BEHIND:.0%} below what the nearest neighbour gets right (of a network without a nonlinearity: {STRAIGHT:.0%}, or what kernel ridge regression does), or below {KNOWN:.0%} with a layer of {NARROW} units or fewer, or below {LACKING:.0%} with dropout of {DROPPED_MOST:.0%} or more (after {HEAVY:.0%}); less than {GAP:.0%} above validation accuracy (with such a layer, or without a nonlinearity, and {CHANCE:g} standard errors), and a training loss that has at no time been {STILL:.0%} lower in the last {RECENT:.0%} of the run, or one that has fallen by less than {LEARNED:.0%} under dropout of {HALF:.0%} or more that made it {DROPPED:g} times as high at the start; or, before the first step, dropout of {DROPPED_MOST:.0%} or more that makes the loss {DROWNED:g} times as high, or of {DROPPED_NEARLY_ALL:.0%} or more, or several layers with weights and nothing between them that bends, none of them narrower than inputs and outputs; not while the rate rises"
    ),
    source="calibrated on benchmarks/diagnosis; the nearest neighbour (Cover and Hart 1967) and kernel ridge regression (Rasmussen and Williams 2006) are a floor for what the inputs tell",
    explanation=(
        "A network that is large enough can at least learn its training samples. If it stops far below, and validation is just as bad, it is not short of data but of means: too few units or layers, no nonlinearity where one is needed, or so much "
        "dropout or penalty that nothing gets through."
    ),
    why="too few units, no nonlinearity, or too much dropout, noise or penalty",
    advice="a wider or deeper network (--set net.hidden=[256,128]), or less dropout and penalty",
    judge=judge,
    remedies=({"net.hidden": [256, 128]}, {"regularise.dropout": 0.0}),
)
