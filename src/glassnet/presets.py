"""What each network is trained with when nothing is said: ordinary recipes, measured, in one place.

A preset gives the values that ``auto`` stands for, each with its reason. How they were found is written in ``docs/log.md``; no test
data was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Choice(NamedTuple):
    """A chosen value and why."""

    value: Any
    reason: str


Preset = Mapping[str, Choice]


def small_vgg(samples: int, kind: str) -> Preset:
    """Stochastic gradient descent at a high rate that rises and falls once."""
    epochs = _epochs(samples, steps_like=450_000, least=8, most=60)
    size = _batch(samples, most=512)
    return {
        "optimizer.name": Choice("sgd", "with batch normalisation and a one-cycle schedule it learns fastest"),
        "optimizer.lr": Choice(0.5 * size / 512, "measured for this net at 512 samples a step, scaled with the batch"),
        "optimizer.momentum": Choice(0.9, "the usual"),
        "optimizer.nesterov": Choice(True, "the usual"),
        "optimizer.weight_decay": Choice(5e-4, "as for ResNets and VGG"),
        "optimizer.bias_lr": Choice(1.0, "as the weights"),
        "schedule.name": Choice("one-cycle", "high rates early, zero at the end: best figure in few epochs"),
        "loss.label_smoothing": Choice(0.1, "keeps the logits of few classes from growing without end"),
        "train.batch_size": Choice(size, f"for {samples:,} samples"),
        "train.epochs": Choice(epochs, f"for {samples:,} samples"),
        "regularise.average": Choice("none", "the schedule's end averages enough"),
    }


def resnet(samples: int, kind: str) -> Preset:
    """As in He et al. 2015, section 4.2, in fewer epochs under one cycle."""
    size = _batch(samples, most=128)
    return {
        "optimizer.name": Choice("sgd", "as in the paper"),
        "optimizer.lr": Choice(0.1 * size / 128, "as in the paper, scaled with the batch"),
        "optimizer.momentum": Choice(0.9, "as in the paper"),
        "optimizer.nesterov": Choice(True, "costs nothing and helps a little"),
        "optimizer.weight_decay": Choice(1e-4, "as in the paper"),
        "optimizer.bias_lr": Choice(1.0, "as the weights"),
        "schedule.name": Choice("one-cycle", "reaches its best in fewer epochs than steps do"),
        "loss.label_smoothing": Choice(0.0, "as in the paper"),
        "train.batch_size": Choice(size, f"for {samples:,} samples"),
        "train.epochs": Choice(_epochs(samples, steps_like=1_000_000, least=15, most=80), f"for {samples:,} samples"),
        "regularise.average": Choice("none", "as in the paper"),
    }


def lenet(samples: int, kind: str) -> Preset:
    """Adam under one cycle."""
    return _adam(samples, lr=2e-3, weight_decay=1e-4, seen=600_000, batch=128)


def mlp(samples: int, kind: str) -> Preset:
    """AdamW under one cycle."""
    return _adam(samples, lr=1e-3, weight_decay=1e-2, seen=600_000, batch=256)


def other(samples: int, kind: str) -> Preset:
    """For networks that are not ours: AdamW, its rate found by a range test."""
    return {
        **_adam(samples, lr=1e-3, weight_decay=1e-2, seen=600_000, batch=128),
        "optimizer.lr": Choice("find", "no preset for this net: a range test"),
    }


def _adam(samples: int, *, lr: float, weight_decay: float, seen: int, batch: int) -> Preset:
    return {
        "optimizer.name": Choice("adamw", "needs the least care about its rate"),
        "optimizer.lr": Choice(lr, "measured for this net"),
        "optimizer.weight_decay": Choice(weight_decay, "measured for this net"),
        "optimizer.bias_lr": Choice(1.0, "as the weights"),
        "schedule.name": Choice("one-cycle", "reaches its best in fewer epochs than a constant rate"),
        "loss.label_smoothing": Choice(0.0, "none by default"),
        "train.batch_size": Choice(_batch(samples, most=batch), f"for {samples:,} samples"),
        "train.epochs": Choice(_epochs(samples, steps_like=seen, least=10, most=100), f"for {samples:,} samples"),
        "regularise.average": Choice("none", "the schedule's end averages enough"),
    }


def _epochs(samples: int, *, steps_like: int, least: int, most: int) -> int:
    """Epochs in which about ``steps_like`` samples are seen, between two bounds."""
    return max(least, min(most, round(steps_like / samples)))


def _batch(samples: int, *, most: int) -> int:
    """A power of two that leaves at least some twenty steps an epoch, from 16 to ``most``."""
    size = 16
    while size * 2 <= most and size * 2 * 20 <= samples:
        size *= 2
    return size


PRESETS = {"small-vgg": small_vgg, "resnet20": resnet, "lenet5": lenet, "mlp": mlp, "linear": mlp}
