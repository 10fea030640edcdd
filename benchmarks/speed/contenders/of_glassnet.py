"""Glassnet as it stands when a user has named the net, the batch and Adam, and left everything else to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from benchmarks.speed.contenders import Contender
from benchmarks.speed.contenders.timed import in_turns
from benchmarks.speed.rows import Row
from glassnet.assembly import Assembly, assemble
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.events import Step
from glassnet.reading import divide
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.training import train
from glassnet.training.execution import prepare_process

EPOCHS = 1000  # how long the run is said to be, against which the time of compiling is weighed


def start(row: Row) -> Contender:
    """The training of a row."""
    prepare_process(torch.get_num_threads())
    parts = parts_of(row)
    return Contender(in_turns(_steps(parts)), parts.execution.precision, parts.execution.reason)


def parts_of(row: Row) -> Assembly:
    """What ``glassnet train`` would train with."""
    recipe = Recipe().changed(
        {
            "data.path": "generated",
            "net.name": "own",
            "optimizer.name": "adam",
            "optimizer.lr": 1e-3,
            "optimizer.weight_decay": 0.0,
            "optimizer.bias_lr": 1.0,
            "schedule.name": "constant",
            "loss.label_smoothing": 0.0,
            "augment.auto": False,
            "train.batch_size": row.batch,
            "train.epochs": EPOCHS,
            "train.measure": "never",
            "stop.patience": "never",
        }
    )
    whole = data_from_arrays(*row.data())
    some = whole.train.subset(torch.arange(row.batch))  # so that all is trained on, as by the others
    data = divide(replace(whole, parts={"train": whole.train, "val": some, "test": some}), recipe)
    resolved, _ = resolve(recipe, data)
    return assemble(resolved, data, row.build())


def _steps(parts: Assembly) -> Iterator[int]:
    seen = 0
    for event in train(parts.net, parts.batches, parts.plan):
        if isinstance(event, Step):
            yield event.samples - seen
            seen = event.samples
