"""A case run to its end: its events, and what it is worth on samples that nobody has seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from benchmarks.diagnosis.case import Setup
from benchmarks.diagnosis.making import Making, prepare, watched
from glassnet.events import Epoch, Event, Timing
from glassnet.training import train
from glassnet.training.evaluate import outputs_of


@dataclass
class Run:
    """What came of a training.

    Attributes:
        events: as they came, without those that hold the clock.
        figures: on the test part: ``loss``, ``accuracy`` and ``balanced`` accuracy, or ``r2``; empty where the training broke off.
        crashed: the error that ended it; empty for none.
    """

    events: list[Event] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    crashed: str = ""


def run(setup: Setup, watch: bool = True) -> Run:
    """Train as the setup says, to the end whatever is found on the way."""
    made = prepare(setup)
    total = made.batches.steps_per_epoch * setup.epochs
    made = watched(made, total) if watch else made
    done = Run()
    try:
        done.events.extend(event for event in _events(made) if not isinstance(event, Timing))
        done.figures = figures(made)
    except (IndexError, RuntimeError, ValueError) as error:  # as a user's own training would break off
        done.crashed = f"{type(error).__name__}: {error}".splitlines()[0]
    return done


def _events(made: Making) -> Iterator[Event]:
    return train(made.net, made.batches, made.plan, validation=made.validation, sample=made.sample)


def figures(made: Making) -> dict[str, float]:
    """The figures on the test part, whose labels and inputs no fault has touched that would not be there in use."""
    inputs, targets = made.sets.test
    outputs, _ = outputs_of(made.net, zip(torch.split(inputs, 200), torch.split(targets, 200), strict=True))
    return _of_classes(outputs, targets, made) if made.sets.classes else _of_values(outputs, targets, made)


def _of_classes(outputs: Tensor, targets: Tensor, made: Making) -> dict[str, float]:
    if targets.ndim == 2:  # classes as values or as rows
        said = outputs.argmax(1) if targets.shape[1] > 1 else outputs.flatten().round().long()
        wanted = targets.argmax(1) if targets.shape[1] > 1 else targets.flatten().long()
    else:
        said, wanted = outputs.argmax(1), targets
    right = (said == wanted).double()
    each = [float(right[wanted == c].mean()) for c in range(made.sets.classes) if bool((wanted == c).any())]
    return {
        "loss": float(made.plan.loss(outputs, targets)),
        "accuracy": float(right.mean()),
        "balanced": sum(each) / len(each),
    }


def _of_values(outputs: Tensor, targets: Tensor, made: Making) -> dict[str, float]:
    residual = (outputs - targets).double().square().mean()
    return {
        "loss": float(made.plan.loss(outputs, targets)),
        "r2": 1 - float(residual / (targets - targets.mean()).double().square().mean()),
    }


def last_epoch(events: list[Event]) -> dict[str, Any]:
    """Figures of the last epoch, and the lowest validation loss of all."""
    epochs = [event for event in events if isinstance(event, Epoch)]
    if not epochs:
        return {}
    losses = [epoch.val.get("loss", float("nan")) for epoch in epochs]
    return {"train": epochs[-1].train, "val": epochs[-1].val, "lowest_val_loss": min(losses), "epochs": len(epochs)}
