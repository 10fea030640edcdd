"""Validation gets worse while training gets better (requirement T5)."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from glassnet.diagnose.history import History, val_loss
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import first_loss, with_dropout
from glassnet.events import Epoch, Event, Finding

EPOCHS = 4  # one epoch's rise is noise; four in a row with a growing gap are not
LASTING = 0.08  # of the epochs planned, where that is more
WORTH = 0.007  # of the first loss: the figures of some hundred samples are no finer
RISE = 0.10
SLIGHT = 0.04  # a rise that counts where it lasts
END, LAST = 0.05, 3  # a rise at the end of the run, and the epochs in whose middle it stands
SINCE, AWAY = 0.25, 0.12  # of the run: how long ago the lowest point is, and for how long no epoch came near it
LATE = 0.6  # share of the run after which a small or a young rise waits
ADVICE_DROPPING = "more data or augmentation, a penalty (--set regularise.l2=1e-4), a smaller network, or fewer epochs; the best weights are kept"
REMEDIES: tuple[dict[str, Any], ...] = ({"optimizer.weight_decay": "*10"}, {"regularise.l2": 1e-4})
FALL = 0.9  # training loss over that at the lowest point of validation


def judge(history: History, event: Event) -> Finding | None:
    """Found when validation loss stands a tenth above its minimum of at least four epochs ago, for two epochs, or a little above it for long, and training loss has fallen since.

    One epoch by itself may be low or high by chance. So the rise is that of the lowest of the last epochs over the median of the lowest one of all and its neighbours.
    """
    if not isinstance(event, Epoch) or "loss" not in event.val or "loss" not in event.train:
        return None
    lowest = min(history.epochs, key=val_loss)
    if not math.isfinite(val_loss(lowest)) or not math.isfinite(val_loss(event)):
        return None
    rise = event.val["loss"] / max(lowest.val["loss"], 1e-12) - 1
    if (
        event.epoch - lowest.epoch < max(EPOCHS, math.ceil(LASTING * history.started.epochs if history.started else 0))
        or not rise >= SLIGHT
        or not event.train["loss"] < FALL * number(lowest.train.get("loss"))
    ):
        return None
    around = [val_loss(epoch) for epoch in history.epochs if abs(epoch.epoch - lowest.epoch) <= 1]
    level = median([loss for loss in around if math.isfinite(loss)])
    lately = min(map(val_loss, history.epochs[-2:]))
    planned = history.started.epochs if history.started else event.epoch + 1
    if event.epoch - lowest.epoch >= SINCE * planned:
        lasting = min(map(val_loss, history.last_epochs(max(EPOCHS, math.ceil(AWAY * planned)))))
        long = lasting >= (1 + SLIGHT) * level
    else:
        long = False
    risen = (long or lately >= (1 + RISE) * level) and not lately - level < WORTH * first_loss(history)
    # With little of the run left a small or a young rise often goes back; what is left of it at the end is told then.
    young = rise < RISE or event.epoch - lowest.epoch < SINCE * planned
    if LATE * planned < event.epoch + 1 < planned and young:
        return None
    if not risen and not _ends_higher(history, event, lowest):
        return None
    return RULE.finding(
        event.step,
        f"validation loss was lowest in epoch {lowest.epoch + 1} ({lowest.val['loss']:.4g}) and is {event.val['loss']:.4g} now, "
        f"while training loss went on falling from {lowest.train['loss']:.4g} to {event.train['loss']:.4g}",
        {"best_epoch": float(lowest.epoch), "val_loss_rise": rise},
        advice=ADVICE_DROPPING if with_dropout(history) else None,
        remedies=REMEDIES if with_dropout(history) else None,
    )


def _ends_higher(history: History, event: Epoch, lowest: Epoch) -> bool:
    """Whether the run is over and validation loss stands above its lowest value, in the last epoch and in the middle of the last few."""
    over = history.started is not None and event.epoch + 1 == history.started.epochs
    last = median(map(val_loss, history.epochs[-LAST:]))
    higher = min(last, val_loss(event))
    return (
        over and higher > (1 + END) * val_loss(lowest) and not higher - val_loss(lowest) < WORTH * first_loss(history)
    )


RULE = Rule(
    id="overfitting",
    title="Learning the training samples by heart",
    threshold=f"validation loss in two epochs running {RISE:.0%} above the median of the three epochs around its minimum of at least {EPOCHS} epochs ({LASTING:.0%} of the run) ago, or {SLIGHT:.0%} above it in all of the last {AWAY:.0%} of the run, {SINCE:.0%} of the run after the minimum, and by {WORTH:.1%} of the first loss; or, at the end of the run, {END:.0%} above its minimum, and by {WORTH:.1%} of the first loss likewise; while training loss fell below {FALL:.0%} of what it was there; after {LATE:.0%} of the run, but before its end, only where validation loss stands {RISE:.0%} above its minimum and that is {SINCE:.0%} of the run ago",
    source="SageMaker Debugger's Overfit takes a tenth too, with a patience of one epoch, which a single noisy epoch sets off",
    explanation=(
        "The net has enough weights to remember single training samples, and it is doing so: what it gains on them is not there on samples that it has "
        "never seen. Validation loss turns upward first, because the net becomes sure of its mistakes; accuracy follows later, or not at all."
    ),
    why="the network is learning the training samples by heart",
    advice="more data or augmentation, a penalty (--set regularise.l2=1e-4), dropout, or fewer epochs; the best weights are kept",
    judge=judge,
    remedies=({"regularise.dropout": 0.3}, *REMEDIES),
    explains=("early-overfit",),
)
