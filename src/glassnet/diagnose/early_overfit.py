"""Learning by heart from the first epochs on."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from glassnet.diagnose.history import History, val_loss
from glassnet.diagnose.look import middle, number
from glassnet.diagnose.overfitting import WORTH
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import first_loss, reaches, with_dropout
from glassnet.events import Epoch, Event, Finding

ADVICE_DROPPING = "more data or augmentation, weight decay, a smaller network; or stop here, the best weights are kept"
REMEDIES: tuple[dict[str, Any], ...] = ({"optimizer.weight_decay": "*10"}, {"regularise.l2": 1e-3})
EARLY = 0.25
RISE = 0.08
PATIENCE, LASTING = 2, 0.08  # epochs, and the share of those planned, whichever is more
FALL = 0.15
LOOKS, OVERSHOOT = 6, 0.25  # reach in their middle


def judge(history: History, event: Event) -> Finding | None:
    """Found when validation loss was lowest in the first quarter of the run, has risen since for two epochs, and training loss goes on falling."""
    if not isinstance(event, Epoch) or "loss" not in event.val or "loss" not in event.train or not history.total_steps:
        return None
    lowest = min(history.epochs, key=val_loss)
    low, now = val_loss(lowest), val_loss(event)
    if not math.isfinite(low) or not math.isfinite(now) or lowest.step / history.total_steps > EARLY:
        return None
    rise = now / max(low, 1e-12) - 1
    around = [val_loss(epoch) for epoch in history.epochs if abs(epoch.epoch - lowest.epoch) <= 1]
    level = median([loss for loss in around if math.isfinite(loss)])
    patience = max(PATIENCE, math.ceil(LASTING * history.started.epochs)) if history.started else PATIENCE
    if event.epoch - lowest.epoch < patience or rise < RISE:
        return None
    lately = min(map(val_loss, history.last_epochs(patience)))
    if lately < level * (1 + RISE) or lately - level < WORTH * first_loss(history):
        return None
    if middle(reaches(history, LOOKS)) < OVERSHOOT:  # such steps throw validation and training loss about
        return None
    if not number(event.train["loss"]) <= (1 - FALL) * number(lowest.train.get("loss")):
        return None
    return RULE.finding(
        event.step,
        f"validation loss was lowest ({low:.3g}) in epoch {lowest.epoch + 1}, after {lowest.step / history.total_steps:.0%} of the run, and is {now:.3g} now, while training loss fell from "
        f"{lowest.train['loss']:.3g} to {event.train['loss']:.3g}",
        {"best_epoch": float(lowest.epoch), "val_loss_rise": rise},
        advice=ADVICE_DROPPING if with_dropout(history) else None,
        remedies=REMEDIES if with_dropout(history) else None,
    )


RULE = Rule(
    id="early-overfit",
    title="Learning by heart from early on",
    threshold=f"validation loss lowest within the first {EARLY:.0%} of the run and for {PATIENCE} epochs and {LASTING:.0%} of the run {RISE:.0%} above the median of the epochs around that one (and by {WORTH:.1%} of the first loss), while training loss fell by another {FALL:.0%}; not where steps gain less than {OVERSHOOT:g} of what their gradient promises",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "With few samples and many weights a network soon finds it easier to remember than to understand. If that begins in the first quarter of the run, most of the planned training would only make the network surer of its mistakes."
    ),
    why="many more weights than the samples can determine",
    advice="more data or augmentation, dropout (--dropout 0.5), weight decay, a smaller network; or stop here, the best weights are kept",
    judge=judge,
    remedies=({"regularise.dropout": 0.5}, *REMEDIES),
    explains=(
        "loss-spike",
        "overfitting",
    ),
)
