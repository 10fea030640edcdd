"""Samples laid out as rows of numbers, for methods that know nothing of images or networks."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from glassnet.data.dataset import Source
from glassnet.data.graph import graph_of

Rows = npt.NDArray[np.float32]
View = Callable[[Tensor], Tensor]

MOST_SIDE = 32
MOST_COLUMNS = 4_096
MOST_BYTES = 640 << 20  # of inputs; all of CIFAR-10 as numbers fits
CHUNK = 500
MOST_AT_ONCE = 1 << 20  # numbers
MOST_DEGREE = 5  # edges of a node that are counted apart


def pixels(raw: Tensor) -> Tensor:
    """Image batch (batch, channels, height, width) of bytes to (batch, columns) from 0 to 1, shrunk by averaging to at most 32 a side."""
    values = raw.float()
    height, width = values.shape[-2:]
    if max(height, width) > MOST_SIDE:
        values = adaptive_avg_pool2d(values, (min(height, MOST_SIDE), min(width, MOST_SIDE)))
    return values.flatten(1) / 255


def prepared(preprocess: Callable[[Tensor], Tensor]) -> View:
    """What a network is given, as (batch, columns); of more than 4,096 columns, 4,096 are picked evenly."""

    def view(raw: Tensor) -> Tensor:
        values = preprocess(raw).flatten(1).float().nan_to_num()
        if values.shape[1] > MOST_COLUMNS:
            values = values[:, torch.linspace(0, values.shape[1] - 1, MOST_COLUMNS).long()]
        return values

    return view


def node_features(preprocess: Callable[[Tensor], Tensor]) -> View:
    """The features of nodes as a network is given them, (batch, features), without the graph.

    Their mean square over all nodes is made 1: rows that sum to 1, as a network of graphs likes them, are so small that any usual penalty would hold a linear model back.
    """

    def view(raw: Tensor) -> Tensor:
        prepared_numbers = preprocess(raw)
        graph = graph_of(prepared_numbers)
        assert graph is not None, "nodes know their graph"
        size = graph.features.square().mean().sqrt().clamp_min(torch.finfo(torch.float32).tiny)
        return graph.features[prepared_numbers.as_subclass(Tensor).flatten()] / size

    return view


def graph_counts(preprocess: Callable[[Tensor], Tensor]) -> View:
    """What is seen of graphs without following an edge, (batch, columns).

    The number of nodes, of edges, of edges for each node; the shares of nodes with 0, 1, … 5 and more edges; mean and sum of the features, as a network is given them.
    """

    def view(raw: Tensor) -> Tensor:
        numbers = preprocess(raw)
        graph = graph_of(numbers)
        assert graph is not None, "graphs know what they are among"
        features, edges, member = graph.cut(numbers.as_subclass(Tensor).flatten())
        nodes = torch.bincount(member, minlength=len(raw)).float()
        degrees = torch.bincount(edges[0], minlength=len(features)).clamp_max(MOST_DEGREE)
        shares = torch.zeros(len(raw), MOST_DEGREE + 1).index_put(
            (member, degrees), torch.ones(len(member)), accumulate=True
        )
        joined = torch.bincount(member[edges[0]], minlength=len(raw)).float() / 2
        total = torch.zeros(len(raw), features.shape[1]).index_add(0, member, features)
        counted = torch.stack([nodes, joined, joined / nodes], dim=1)
        return torch.cat([counted, shares / nodes[:, None], total / nodes[:, None], total], dim=1)

    return view


def raw_columns(raw: Tensor) -> Tensor:
    """A table's columns as they are: NaN where a value is missing, categories as their indices."""
    return raw.flatten(1).float()


def read_rows(source: Source, order: Tensor, view: View, seconds: float) -> Rows:
    """The samples at ``order``, (samples, columns), as many of them as can be read in the time and held in ``MOST_BYTES``, but at least the first 500."""
    begin, size = time.monotonic(), _at_once(source)
    made: Rows | None = None
    done = 0
    with torch.inference_mode():
        while done < len(order):
            some = view(source.take(order[done : done + size])).cpu().numpy()
            if made is None:  # written to in place: pieces to be joined at the end would need as much again
                most = max(MOST_BYTES // max(some[0].nbytes, 1), CHUNK)
                made = np.empty((min(len(order), most), *some.shape[1:]), some.dtype)
            made[done : done + len(some)] = some[: len(made) - done]
            done = min(done + len(some), len(made))
            if done == len(made) or (time.monotonic() - begin > seconds and done >= CHUNK):
                break
    assert made is not None, "there is a sample to read"
    return made[:done]


def _at_once(source: Source) -> int:
    """How many samples to lay out together: 500, and fewer of large ones."""
    one = source.take(torch.arange(1))
    return min(CHUNK, max(1, MOST_AT_ONCE // max(one.numel(), 1))) if isinstance(one, Tensor) else CHUNK
