"""Batch normalisation over a handful of samples."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

FEWEST = 4


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a network with batch normalisation gets four samples at a time or fewer."""
    if not isinstance(event, Described) or not event.net.get("batch_norms"):
        return None
    size = -(-int(event.plan.get("batch_size", 0)) // max(int(event.plan.get("micro_batches", 1)), 1))
    if not 0 < size <= FEWEST:
        return None
    return RULE.finding(
        0,
        f"{_layers(event.net['batch_norms'])} mean and spread from {size} sample{'s' if size > 1 else ''} at a time",
        {"samples": float(size)},
    )


def _layers(count: int) -> str:
    return f"{count} batch-normalisation layers take their" if count > 1 else "a batch-normalisation layer takes its"


RULE = Rule(
    id="batch-too-small-for-norm",
    title="Too few samples for batch normalisation",
    threshold=f"at most {FEWEST} samples pass together through a network with batch normalisation (a batch, or the piece that micro_batches cuts from it)",
    source="Wu and He, Group Normalization, 2018, figure 1: the error of batch normalisation rises steeply below 8 samples",
    explanation=(
        "Batch normalisation divides by the spread of the batch. From four samples that spread is mostly chance, so the same sample looks different in every batch; and "
        "the running averages that are used after training do not fit what the weights were trained with."
    ),
    why="small batches, often forced by memory",
    advice="batches of 16 or more (--batch-size 32), or group or layer normalisation instead",
    judge=judge,
    remedies=({"train.batch_size": 32},),
    explains=(
        "lr-too-high",
        "loss-spike",
        "distribution-shift",
        "underfitting",
        "plateau",
        "overfitting",
        "early-overfit",
    ),
)
