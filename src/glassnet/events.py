"""What training tells: frozen records of numbers and strings, written to ``metrics.jsonl`` and read by everyone who looks.

An event holds nothing that depends on the clock or on the machine, so that an interrupted and resumed run writes the same bytes as
one that was never stopped. Durations go to ``timing.jsonl`` instead (:class:`Timing`).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Started:
    """Before the first step of a run.

    Attributes:
        samples: training samples in an epoch.
        steps_per_epoch: optimiser steps in an epoch.
        epochs: epochs planned.
        parameters: trainable numbers in the network.
    """

    samples: int
    steps_per_epoch: int
    epochs: int
    parameters: int


@dataclass(frozen=True, slots=True)
class Step:
    """After an optimiser step.

    ``loss``, ``penalty`` and ``grad_norm`` are read from the device only at the recording interval and are None in between, because
    reading them makes the host wait for the device.

    Attributes:
        epoch: counted from 0.
        step: optimiser steps since the start of the run, counted from 1.
        lr: learning rate that this step used, of the first parameter group.
        samples: training samples seen since the start of the run.
        loss: mean data loss of this batch, without penalty.
        penalty: penalty added to it (0 without one).
        grad_norm: Euclidean norm of the whole gradient before clipping; None where nothing asked for it.
    """

    epoch: int
    step: int
    lr: float
    samples: int
    loss: float | None = None
    penalty: float | None = None
    grad_norm: float | None = None


@dataclass(frozen=True, slots=True)
class Epoch:
    """After an epoch.

    Attributes:
        epoch: counted from 0.
        step: optimiser steps since the start.
        lr: learning rate of the last step.
        running_loss: mean data loss over the epoch's batches as they were trained on (training mode, changing weights).
        penalty: mean penalty over the epoch's batches.
        clipped: share of steps whose gradient was clipped, 0 to 1.
        train: figures on a fixed sample of the training part, in evaluation mode, with the weights at the end of the epoch.
        val: the same figures on the validation part with the same weights; empty without one.
        best: whether these are the best weights so far by the monitored figure.
    """

    epoch: int
    step: int
    lr: float
    running_loss: float
    penalty: float
    clipped: float
    train: dict[str, float]
    val: dict[str, float]
    best: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a rule of diagnosis noticed.

    Attributes:
        rule: stable id of the rule, such as ``loss-not-finite``.
        severity: ``info``, ``warning`` or ``stop``.
        step: when, in optimiser steps.
        what: what happened, with the figures.
        why: what usually causes it.
        advice: what to change.
        evidence: the figures behind it.
    """

    rule: str
    severity: str
    step: int
    what: str
    why: str
    advice: str
    evidence: dict[str, float]


@dataclass(frozen=True, slots=True)
class Finished:
    """After the last step.

    Attributes:
        reason: ``completed``, ``early stop``, ``budget``, ``interrupted`` or ``diverged``.
        epoch: epochs completed.
        step: optimiser steps made.
        best_epoch: the epoch whose weights are kept, counted from 0; None where no epoch was finished.
        best: the monitored figure at that epoch.
    """

    reason: str
    epoch: int
    step: int
    best_epoch: int | None
    best: float | None


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an epoch took; kept apart from the events above because no two runs agree on it.

    Attributes:
        epoch: counted from 0.
        seconds: wall time of the epoch's training steps.
        evaluation_seconds: wall time of the evaluation after it.
        images_per_second: training samples per second of training time.
    """

    epoch: int
    seconds: float
    evaluation_seconds: float
    images_per_second: float


Event = Started | Step | Epoch | Finding | Finished | Timing
KINDS: dict[str, type[Event]] = {
    kind.__name__.lower(): kind for kind in (Started, Step, Epoch, Finding, Finished, Timing)
}


def to_json(event: Event) -> str:
    """One line of JSON with the event's kind first. Infinite and undefined numbers become null, since JSON has none."""
    return json.dumps({"event": type(event).__name__.lower()} | finite(asdict(event)), ensure_ascii=False)


def from_json(line: str) -> Event:
    """The event that ``to_json`` wrote."""
    fields = json.loads(line)
    kind = KINDS[fields.pop("event")]
    return kind(**fields)


def finite(value: Any) -> Any:
    """The same value with None in place of infinite and undefined numbers, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
