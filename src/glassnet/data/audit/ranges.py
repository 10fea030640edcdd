"""The numbers of the training inputs, told column by column, channel by channel, or by how long the inputs are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from glassnet.data.audit.look import Look
from glassnet.data.dataset import Data
from glassnet.data.graph import graphs_of, nodes_of
from glassnet.data.pairs import pairs_of
from glassnet.data.preprocess.moments import chunks
from glassnet.data.ragged import PADDING
from glassnet.data.series_schema import SeriesSchema
from glassnet.data.sound_schema import SoundSchema
from glassnet.data.stream import NAMES
from glassnet.data.table_schema import TableSchema
from glassnet.data.tree import FIELDS

MOST_VALUES = 64  # of an array that are told one by one


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


def range_of(name: str, values: Tensor, levels: int = 0) -> Range:
    """The range of some values, of which NaN means that one is missing."""
    present = values[~values.isnan()].to(torch.float64) if values.is_floating_point() else values.to(torch.float64)
    missing = len(values) - len(present)
    if len(present) == 0:
        return Range(name, float("nan"), float("nan"), float("nan"), missing, levels)
    return Range(name, float(present.min()), float(present.mean()), float(present.max()), missing, levels)


def target_ranges(data: Data) -> Iterator[Range]:
    """Each output of the training part. The targets of a series are its own columns."""
    if data.task == "values" and not isinstance(data.schema, SeriesSchema):
        for place, name in enumerate(data.outputs):
            yield range_of(name, data.train.targets[:, place])


def _images(look: Look) -> Iterator[Range]:
    """Of bytes, so a histogram of 256 bins says everything."""
    channels, *sides = look.data.schema.shape
    counts = torch.zeros(channels, 256, dtype=torch.int64)
    for raw in chunks(look.parts["train"].inputs, torch.Size((channels, *sides)).numel()):
        for channel in range(channels):
            counts[channel] += torch.bincount(raw[:, channel].flatten(), minlength=256)
    values = torch.arange(256, dtype=torch.float64)
    for channel, count in enumerate(counts):
        present = torch.nonzero(count).flatten()
        if len(present):
            mean = float((count * values).sum() / count.sum())
            yield Range(f"channel {channel}", float(present[0]), mean, float(present[-1]), 0)


def _table(look: Look) -> Iterator[Range]:
    schema, raw = look.data.schema, look.inputs("train")
    assert isinstance(schema, TableSchema), "only tables are of this kind"
    for place, column in enumerate(schema.columns):
        if column.kind != "word":
            yield range_of(column.name, raw[:, place], len(column.levels))
    for source, places in schema.worded().items():
        yield range_of(f"words of {source}", raw[:, places].sum(dim=1))


def _array(look: Look) -> Iterator[Range]:
    values = look.inputs("train").flatten(1)
    if values.shape[1] > MOST_VALUES:
        yield range_of("all values", values.flatten())
    else:
        yield from (range_of(f"value {place}", values[:, place]) for place in range(values.shape[1]))


def _series(look: Look) -> Iterator[Range]:
    schema, raw = look.data.schema, look.inputs("train")
    assert isinstance(schema, SeriesSchema), "only series are of this kind"
    for place, column in enumerate(schema.columns):
        yield range_of(column.name, raw[:, place].flatten())


def _graph(look: Look) -> Iterator[Range]:
    found = nodes_of(look.data.train.inputs)
    assert found is not None, "samples of a graph are its nodes"
    graph, index = found[0].graph, found[1]
    yield range_of("edges of a node", torch.bincount(graph.edges[0], minlength=len(graph))[index])
    yield range_of("features that are not 0", (graph.features[index] != 0).sum(dim=1))


def _graphs(look: Look) -> Iterator[Range]:
    found = graphs_of(look.data.train.inputs)
    assert found is not None, "samples are graphs"
    every, index = found[0].graph, found[1]
    assert every.offsets is not None, "these are many graphs"
    yield range_of("nodes of a graph", every.offsets.diff()[index])
    yield range_of("edges of a graph", every.edge_offsets.diff()[index] // 2)


def _pairs(look: Look) -> Iterator[Range]:
    found = pairs_of(look.data.train.inputs)
    assert found is not None, "translations are pairs"
    pairs, index = found
    for name, rows in (("read", pairs.read), ("written", pairs.written)):
        if rows is not None:
            yield range_of(f"tokens that are {name}", rows.lengths[index])


def _stream(look: Look) -> Iterator[Range]:
    said = look.data.train.targets
    counts = torch.bincount(said[said >= 0], minlength=len(look.data.classes))
    yield range_of("times a token occurs", counts[len(NAMES) :])


def _sounds(look: Look) -> Iterator[Range]:
    schema = look.data.schema
    assert isinstance(schema, SoundSchema), "only sounds are of this kind"
    yield range_of("seconds", (look.inputs("train") != PADDING).sum(dim=1).float() / schema.rate)


def _texts(look: Look) -> Iterator[Range]:
    yield range_of("tokens in a text", (look.inputs("train") != PADDING).sum(dim=1))


def _tags(look: Look) -> Iterator[Range]:
    yield range_of("words in a sentence", (look.inputs("train")[..., 0] != PADDING).sum(dim=1))


def _trees(look: Look) -> Iterator[Range]:
    yield range_of("nodes of a tree", (look.inputs("train")[:, 2::FIELDS] > 0).sum(dim=1))


RANGES: dict[str, Callable[[Look], Iterator[Range]]] = {
    "image": _images,
    "table": _table,
    "array": _array,
    "graph": _graph,
    "graphs": _graphs,
    "pairs": _pairs,
    "series": _series,
    "sound": _sounds,
    "stream": _stream,
    "tags": _tags,
    "text": _texts,
    "tree": _trees,
}
"""What is told of each kind's inputs."""

COUNTED = ("graph", "graphs", "pairs", "stream")
"""Kinds of which all training inputs are counted, because none has to be taken for it."""
