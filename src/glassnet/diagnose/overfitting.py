"""Validation gets worse while training gets better (requirement T5)."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.events import Epoch, Event, Finding

ID = "overfitting"
EPOCHS = 4  # one epoch's rise is noise; four in a row with a growing gap are not
RISE = 0.10  # SageMaker Debugger's Overfit rule also takes a tenth, but with a patience of one


def rule(history: History, event: Event) -> Finding | None:
    """Found when validation loss stands a tenth above its minimum of at least four epochs ago, and training loss has fallen since."""
    if not isinstance(event, Epoch) or "loss" not in event.val or "loss" not in event.train:
        return None
    lowest = min(history.epochs, key=_val_loss)
    if not math.isfinite(_val_loss(lowest)) or not math.isfinite(_val_loss(event)):
        return None
    rise = event.val["loss"] / max(lowest.val["loss"], 1e-12) - 1
    if event.epoch - lowest.epoch < EPOCHS or rise < RISE or event.train["loss"] >= lowest.train["loss"]:
        return None
    return Finding(
        ID,
        "warning",
        event.step,
        what=(
            f"validation loss was lowest in epoch {lowest.epoch + 1} ({lowest.val['loss']:.4g}) and is {event.val['loss']:.4g} now, "
            f"while training loss went on falling from {lowest.train['loss']:.4g} to {event.train['loss']:.4g}"
        ),
        why="the network is learning the training samples by heart",
        advice="more data or augmentation, a penalty (--set regularise.l2=1e-4), dropout, or fewer epochs; the best weights are kept",
        evidence={"best_epoch": float(lowest.epoch), "val_loss_rise": rise},
    )


def _val_loss(epoch: Epoch) -> float:
    """Infinite where there is none, or where it was not finite (None once it has been through JSON)."""
    value = epoch.val.get("loss")
    return value if value is not None and math.isfinite(value) else math.inf
