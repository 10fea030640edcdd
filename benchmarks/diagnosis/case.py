"""A case: a training written down as values, with a fault planted in it or without one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

HALVES = ("calibrate", "measure")


@dataclass(frozen=True)
class Setup:
    """A training from data to schedule; equal values give equal runs.

    Attributes:
        data: a key of ``sets.SETS``.
        net: a key of ``nets.NETS``.
        options: of the net.
        samples: training samples.
        validation: validation samples.
        init: a key of ``glassnet.initialise.INITS``; empty leaves the weights as torch draws them.
        optimizer: a key of ``glassnet.training.optimizers.OPTIMIZERS``.
        lr: base learning rate.
        optimizer_options: as torch.optim names them.
        weight_decay: as the optimiser defines it.
        schedule: a key of ``glassnet.training.schedules.SCHEDULES``.
        schedule_options: of the schedule, ``warmup`` among them.
        batch_size: samples in a batch.
        micro_batches: pieces that a batch is cut into.
        epochs: times that every sample is seen.
        loss: a key of ``glassnet.training.losses.LOSSES``.
        loss_options: of the loss.
        clip: largest norm of the gradient; None for no clipping.
        l2: factor of the squared weights in a penalty.
        augment: names of augmentations.
        shuffle: whether every epoch has an order of its own.
        average: whether a moving average of the weights is what is evaluated.
        patience: epochs without a better validation loss before the training is stopped; None never stops.
        outputs: answers of the net where they are not as many as the classes.
        spoilt: (key of a table of ``spoil_data``, ``spoil_net``, ``spoil_parts`` or ``spoil_plan``, strength), applied in this order.
        seed: of weights, dropout and order.
    """

    data: str
    net: str
    options: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 2000
    validation: int = 600
    init: str = ""
    optimizer: str = "sgd"
    lr: float = 0.1
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    weight_decay: float = 0.0
    schedule: str = "constant"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 64
    micro_batches: int = 1
    epochs: int = 10
    loss: str = "cross-entropy"
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    clip: float | None = None
    l2: float = 0.0
    augment: tuple[str, ...] = ()
    shuffle: bool = True
    average: bool = False
    patience: int | None = None
    outputs: int | None = None
    spoilt: tuple[tuple[str, float], ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Case:
    """A training and what a doctor should say of it.

    Attributes:
        name: unique; the folder it is recorded in.
        setup: the training.
        fault: id of the rule that the planted fault belongs to; None for a healthy control.
        how: what was broken, in words.
        accepted: ids of which the first finding must be one; written down before any rule was tried on the case.
        because: why there is more than one of them; empty where there is one.
        like: the healthy control that it is, but for the fault.
        elsewhere: what the harm is where the figures on a fresh test part do not show it; empty where they do.
    """

    name: str
    setup: Setup
    fault: str | None = None
    how: str = ""
    accepted: tuple[str, ...] = ()
    because: str = ""
    like: str = ""
    elsewhere: str = ""

    def record(self) -> dict[str, Any]:
        """Plain values, for ``case.json``."""
        return asdict(self) | {"net": self.setup.net, "data": self.setup.data}


def halves(cases: Sequence[Case]) -> dict[str, str]:
    """Which half each case belongs to: by a hash of its name, and in turn within each kind of fault so that both halves have it."""
    found: dict[str, str] = {}
    for fault in sorted({case.fault or "" for case in cases}):
        names = sorted((case.name for case in cases if (case.fault or "") == fault), key=_hash)
        first = _hash(fault) % 2
        found |= {name: HALVES[(first + place) % 2] for place, name in enumerate(names)}
    return found


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
