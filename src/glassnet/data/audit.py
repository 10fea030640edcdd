"""What is in a data set, and what about it may spoil training: records of figures, nothing printed, nothing changed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glassnet.data.audit_rules import (
    RULES,
    Look,
    Trouble,
    contradicting,
    duplicates_across,
    duplicates_within,
    unreadable,
)
from glassnet.data.dataset import Data, InMemory, Part, Task, Unreadable, class_counts
from glassnet.data.duplicates import digests
from glassnet.data.graph import graphs_of, nodes_of
from glassnet.data.pairs import pairs_of
from glassnet.data.preprocess.moments import chunks
from glassnet.data.ragged import PADDING
from glassnet.data.series_schema import SeriesSchema
from glassnet.data.sound_schema import SoundSchema
from glassnet.data.table_schema import TableSchema
from glassnet.data.tokens import UNKNOWN
from glassnet.data.tree import FIELDS

__all__ = ["Audit", "Range", "Trouble", "audit", "inputs_told"]

STREAMED_LOOK = 500
MOST_UNKNOWN = 0.1  # share of the tokens
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers of one column or channel in the training part.

    Attributes:
        name: of the column, ``channel 0`` and so on, or of the target.
        least: smallest present value; NaN where there is none, as for the next two.
        mean: mean of the present values.
        greatest: largest present value.
        missing: how many values are missing.
        levels: number of categories; 0 for numbers.
    """

    name: str
    least: float
    mean: float
    greatest: float
    missing: int
    levels: int = 0


@dataclass(frozen=True, slots=True)
class Audit:
    """A data set at a glance.

    Attributes:
        name: of the data set.
        origin: where it was read from.
        kind: ``image``, ``table`` or ``array``.
        task: classes or values.
        shape: of one raw input.
        classes: their names; empty for values.
        sizes: samples in each part.
        counts: samples of each class in each part; empty for values.
        ranges: of each column or channel of the training inputs.
        targets: of each output, for values.
        looked_at: how many training inputs the ranges come from: all, or an even sample where they are decoded from disk.
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


def inputs_told(kind: str, shape: tuple[int, ...]) -> str:
    """Kind and shape of one input in words, such as ``image 3×32×32`` or ``table of 14 columns``."""
    if kind == "text":
        return f"texts of up to {shape[0]:,} tokens"
    if kind == "tags":
        return f"sentences of up to {shape[0]:,} words"
    if kind == "series":
        return f"windows of {shape[1]:,} steps with {shape[0]} channel{'' if shape[0] == 1 else 's'}"
    if kind == "tree":
        return f"trees of up to {shape[0] // FIELDS:,} nodes"
    if kind == "graph":
        return "nodes of a graph"
    if kind == "graphs":
        return "graphs"
    if kind == "stream":
        return f"one text, in windows of {shape[0]:,} tokens"
    if kind == "pairs":
        return f"pairs of texts of up to {shape[1]:,} tokens"
    if kind == "sound":
        return f"sounds of up to {shape[0]:,} samples"
    size = "×".join(map(str, shape))
    if len(shape) > 1:
        return f"{kind} {size}"
    unit = "column" if kind == "table" else "number"
    return f"{kind} of {size} {unit}{'' if shape == (1,) else 's'}"


def audit(data: Data) -> Audit:
    """Look a data set over. Split it first where troubles between the parts matter.

    Inputs in memory are looked at in full; of inputs decoded from disk an even sample of 500 of each part.

    Args:
        data: with any parts.
    """
    if data.task == "language":
        return _of_stream(data)
    if data.task == "translation":
        return _of_pairs(data)
    parts = {name: _sample(part) for name, part in data.parts.items()}
    keys = {name: digests(part.inputs) for name, part in data.parts.items()}
    look = Look(data, parts, keys)
    troubles = [trouble for rule in RULES for trouble in rule(look)]
    classes = data.task == "classes"
    return Audit(
        name=data.name,
        origin=data.origin,
        kind=data.schema.kind,
        task=data.task,
        shape=data.schema.shape,
        classes=data.classes,
        sizes={name: len(part) for name, part in data.parts.items()},
        counts={name: tuple(class_counts(part, len(data.classes))) for name, part in data.parts.items()}
        if classes
        else {},
        ranges=_input_ranges(data, parts["train"]),
        targets=()
        if classes or isinstance(data.schema, SeriesSchema)
        else tuple(_range(name, data.train.targets[:, i]) for i, name in enumerate(data.outputs)),
        looked_at=len(parts["train"]),
        unreadable=data.unreadable,
        troubles=tuple(sorted(troubles, key=lambda trouble: SEVERITIES.index(trouble.severity))),
        notes=data.notes,
    )


def _of_pairs(data: Data) -> Audit:
    """Pairs of texts: how long they are, what cannot be read, and what is read twice."""
    look = Look(data, {}, {name: digests(part.inputs) for name, part in data.parts.items()})
    troubles = [
        trouble for rule in (unreadable, duplicates_within, duplicates_across, contradicting) for trouble in rule(look)
    ]
    found = pairs_of(data.train.inputs)
    assert found is not None, "translations are pairs"
    pairs, index = found
    return Audit(
        name=data.name,
        origin=data.origin,
        kind=data.schema.kind,
        task=data.task,
        shape=data.schema.shape,
        classes=(),
        sizes={name: len(part) for name, part in data.parts.items()},
        counts={},
        ranges=tuple(
            _range(f"tokens that are {name}", rows.lengths[index].float())
            for name, rows in (("read", pairs.read), ("written", pairs.written))
            if rows is not None
        ),
        targets=(),
        looked_at=len(data.train),
        unreadable=data.unreadable,
        troubles=tuple(sorted(troubles, key=lambda trouble: SEVERITIES.index(trouble.severity))),
        notes=data.notes,
    )


def _of_stream(data: Data) -> Audit:
    """One long text: what tokens there are."""
    counts = torch.bincount(data.train.targets[data.train.targets >= 0], minlength=len(data.classes))
    unknown = {
        name: float((part.targets == UNKNOWN).sum() / (part.targets >= 0).sum()) for name, part in data.parts.items()
    }
    troubles = [
        Trouble(
            "unknown-tokens",
            "warning" if share > MOST_UNKNOWN else "info",
            f"{share:.1%} of the {name} part are {data.outputs[0].removeprefix('next ')}s that the training part does not know",
            "what is not known is not said: give more text, or --tokens characters",
            {"part": name, "share": share},
        )
        for name, share in unknown.items()
        if share > 0
    ]
    return Audit(
        name=data.name,
        origin=data.origin,
        kind=data.schema.kind,
        task=data.task,
        shape=data.schema.shape,
        classes=(),
        sizes={name: len(part) for name, part in data.parts.items()},
        counts={},
        ranges=(_range("times a token occurs", counts[2:].float()),),
        targets=(),
        looked_at=len(data.train),
        unreadable=data.unreadable,
        troubles=tuple(sorted(troubles, key=lambda trouble: SEVERITIES.index(trouble.severity))),
        notes=data.notes,
    )


def _sample(part: Part) -> Part:
    if isinstance(part.inputs, InMemory) or len(part) == 0:
        return part
    index = torch.arange(min(len(part), STREAMED_LOOK)) * len(part) // min(len(part), STREAMED_LOOK)
    names = [part.names[i] for i in index.tolist()]
    return Part(InMemory(part.inputs.take(index)), part.targets[index], names)


def _input_ranges(data: Data, part: Part) -> tuple[Range, ...]:
    schema, shape = data.schema, data.schema.shape
    if isinstance(schema, SeriesSchema):
        raw = part.inputs.take(torch.arange(len(part)))
        return tuple(_range(column.name, raw[:, i].flatten()) for i, column in enumerate(schema.columns))
    if isinstance(schema, TableSchema):
        raw = part.inputs.take(torch.arange(len(part)))
        return tuple(_range(column.name, raw[:, i], len(column.levels)) for i, column in enumerate(schema.columns))
    if schema.kind == "image":
        return _channel_ranges(part, shape)
    if (nodes := nodes_of(data.train.inputs)) is not None:
        graph, index = nodes[0].graph, nodes[1]
        degrees = torch.bincount(graph.edges[0], minlength=len(graph))[index]
        present = (graph.features[index] != 0).sum(dim=1)
        return (_range("edges of a node", degrees), _range("features that are not 0", present))
    if (graphs := graphs_of(data.train.inputs)) is not None:
        every, own = graphs[0].graph, graphs[1]
        assert every.offsets is not None, "these are many graphs"
        sizes = (every.offsets.diff()[own], every.edge_offsets.diff()[own] // 2)
        return (_range("nodes of a graph", sizes[0]), _range("edges of a graph", sizes[1]))
    if schema.kind == "tags":
        lengths = (part.inputs.take(torch.arange(len(part)))[..., 0] != PADDING).sum(dim=1).float()
        return (_range("words in a sentence", lengths),)
    if schema.kind == "tree":
        nodes_in = (part.inputs.take(torch.arange(len(part)))[:, 2::FIELDS] > 0).sum(dim=1).float()
        return (_range("nodes of a tree", nodes_in),)
    if schema.kind in ("text", "sound"):
        raw = part.inputs.take(torch.arange(len(part)))
        lengths = (raw != PADDING).sum(dim=1).float()
        if isinstance(schema, SoundSchema):
            return (_range("seconds", lengths / schema.rate),)
        return (_range("tokens in a text", lengths),)
    values = part.inputs.take(torch.arange(len(part))).flatten(1)
    if values.shape[1] > 64:
        return (_range("all values", values.flatten()),)
    return tuple(_range(f"value {i}", values[:, i]) for i in range(values.shape[1]))


def _channel_ranges(part: Part, shape: tuple[int, ...]) -> tuple[Range, ...]:
    """Of bytes, so a histogram of 256 bins says everything."""
    counts = torch.zeros(shape[0], 256, dtype=torch.int64)
    for raw in chunks(part.inputs, torch.Size(shape).numel()):
        for channel in range(shape[0]):
            counts[channel] += torch.bincount(raw[:, channel].flatten(), minlength=256)
    values = torch.arange(256, dtype=torch.float64)
    told = []
    for channel, count in enumerate(counts):
        present = torch.nonzero(count).flatten()
        if len(present):
            mean = float((count * values).sum() / count.sum())
            told.append(Range(f"channel {channel}", float(present[0]), mean, float(present[-1]), 0))
    return tuple(told)


def _range(name: str, values: Tensor, levels: int = 0) -> Range:
    present = values[~values.isnan()].to(torch.float64) if values.is_floating_point() else values.to(torch.float64)
    missing = len(values) - len(present)
    if len(present) == 0:
        return Range(name, float("nan"), float("nan"), float("nan"), missing, levels)
    return Range(name, float(present.min()), float(present.mean()), float(present.max()), missing, levels)
