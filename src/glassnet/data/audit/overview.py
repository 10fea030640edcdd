"""What is in a data set, and what about it may spoil training: records of figures, nothing printed, nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from glassnet.data.audit.classes import few_samples, imbalance
from glassnet.data.audit.columns import leaks, missing_values, outlying_values, times_at_random
from glassnet.data.audit.copies import contradicting, duplicates_across, duplicates_within
from glassnet.data.audit.inputs import (
    blank_images,
    constant_inputs,
    not_finite,
    silent_sounds,
    unknown_tokens,
    unreadable,
)
from glassnet.data.audit.look import Look, Trouble
from glassnet.data.audit.ranges import COUNTED, RANGES, Range, target_ranges
from glassnet.data.audit.shift import shifted_parts
from glassnet.data.dataset import Data, InMemory, Part, Task, class_counts, spread
from glassnet.data.duplicates import digests
from glassnet.data.unreadable import Unreadable

STREAMED_LOOK = 500
SEVERITIES = ("error", "warning", "info")
RULES: tuple[Callable[[Look], Iterator[Trouble]], ...] = (
    unreadable,
    not_finite,
    duplicates_within,
    duplicates_across,
    contradicting,
    imbalance,
    few_samples,
    constant_inputs,
    blank_images,
    silent_sounds,
    unknown_tokens,
    missing_values,
    outlying_values,
    leaks,
    times_at_random,
    shifted_parts,
)


@dataclass(frozen=True, slots=True)
class Audit:
    """A data set at a glance.

    Attributes:
        name: of the data set.
        origin: where it was read from.
        kind: one of ``glassnet.data.kinds.KINDS``, such as ``image``.
        task: what is learned, such as classes or values.
        shape: of one raw input.
        classes: their names; empty where the task is another.
        sizes: samples in each part.
        counts: samples of each class in each part; empty where the task is another.
        ranges: of each column or channel of the training inputs, or of how long they are.
        targets: of each output, for values.
        looked_at: how many training inputs the ranges come from: all, or an even sample.
        unreadable: what was left out.
        troubles: what may spoil training, the worst first.
        notes: decisions of the reader and of the split.
    """

    name: str
    origin: str
    kind: str
    task: Task
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    sizes: dict[str, int]
    counts: dict[str, tuple[int, ...]]
    ranges: tuple[Range, ...]
    targets: tuple[Range, ...]
    looked_at: int
    unreadable: tuple[Unreadable, ...]
    troubles: tuple[Trouble, ...]
    notes: tuple[str, ...]


def audit(data: Data) -> Audit:
    """Look a data set over. Split it first where troubles between the parts matter.

    Inputs held as one tensor are looked at in full, and so are those of which everything is counted without taking them; of others, which are decoded
    from disk or filled up to one length, an even sample of 500 of each part.

    Args:
        data: with any parts.
    """
    kind = data.schema.kind
    parts = {name: part if kind in COUNTED else _sample(part) for name, part in data.parts.items()}
    look = Look(data, parts, {name: digests(part.inputs) for name, part in data.parts.items()})
    troubles = [trouble for rule in RULES for trouble in rule(look)]
    classes = data.classes if data.task == "classes" else ()
    return Audit(
        name=data.name,
        origin=data.origin,
        kind=kind,
        task=data.task,
        shape=data.schema.shape,
        classes=classes,
        sizes={name: len(part) for name, part in data.parts.items()},
        counts={name: tuple(class_counts(part, len(classes))) for name, part in data.parts.items()} if classes else {},
        ranges=tuple(RANGES[kind](look)),
        targets=tuple(target_ranges(data)),
        looked_at=len(parts["train"]),
        unreadable=data.unreadable,
        troubles=tuple(sorted(troubles, key=lambda trouble: SEVERITIES.index(trouble.severity))),
        notes=data.notes,
    )


def _sample(part: Part) -> Part:
    if isinstance(part.inputs, InMemory) or len(part) == 0:
        return part
    index = spread(len(part), STREAMED_LOOK)
    names = [part.names[i] for i in index.tolist()]
    return Part(InMemory(part.inputs.take(index)), part.targets[index], names)
