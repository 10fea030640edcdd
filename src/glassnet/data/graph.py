"""Graphs: one whose nodes are the samples, or many of which each is one; numbers that know the graphs they are numbers in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor

from glassnet.data.dataset import Source, beneath
from glassnet.errors import UsageError

SPARSE = 0.2  # share of features that are not 0, below which the others are better not looked at


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes with features, joined by edges that have no direction; many graphs are one that hangs together in pieces.

    Attributes:
        features: float32 (nodes, features).
        edges: int64 (2, 2 · edges): each edge once in either direction, none from a node to itself, none twice. Of many graphs in the order of their first row.
        offsets: of many graphs where the nodes of each begin, and the end of the last, int64 (graphs + 1,); None where the nodes are the samples.
    """

    features: Tensor
    edges: Tensor
    offsets: Tensor | None = None
    _elsewhere: dict[torch.device, Graph] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.features)

    @cached_property
    def sparse(self) -> tuple[Tensor, Tensor] | None:
        """Where features are not 0, int64 (2, count), and what they are, (count,); None where most are not."""
        found: Tensor = self.features.to_sparse().coalesce()
        few = found.values().numel() < SPARSE * self.features.numel()
        return (found.indices(), found.values()) if few else None

    def on(self, device: torch.device) -> Graph:
        """The same graph on a device; copied once."""
        if device == self.features.device:
            return self
        if device not in self._elsewhere:
            offsets = None if self.offsets is None else self.offsets.to(device)
            self._elsewhere[device] = Graph(self.features.to(device), self.edges.to(device), offsets)
        return self._elsewhere[device]

    @cached_property
    def edge_offsets(self) -> Tensor:
        """Of many graphs where the edges of each begin, and the end of the last, int64 (graphs + 1,)."""
        assert self.offsets is not None, "one graph is not cut into many"
        return torch.searchsorted(self.edges[0].contiguous(), self.offsets)

    def cut(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Some of many graphs as one that hangs together in pieces.

        Args:
            numbers: which, int64 (batch,).

        Returns:
            Features of their nodes (nodes, features), their edges (2, edges) by places among these nodes, and the place in ``numbers`` of each node's graph, int64 (nodes,).
        """
        assert self.offsets is not None, "one graph is not cut into many"
        nodes, member = stretches(self.offsets, numbers)
        edges, of = stretches(self.edge_offsets, numbers)
        counts = self.offsets[numbers + 1] - self.offsets[numbers]
        moved = counts.cumsum(0) - counts - self.offsets[numbers]  # from places in all graphs to places in these
        return self.features.index_select(0, nodes), self.edges.index_select(1, edges) + moved[of], member


def stretches(offsets: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """The places from ``offsets[n]`` to ``offsets[n + 1]`` for every n in ``numbers``, one stretch behind the other, and the stretch that each is in."""
    begin = offsets[numbers]
    counts = offsets[numbers + 1] - begin
    of = torch.repeat_interleave(torch.arange(len(numbers), device=numbers.device), counts)
    within = torch.arange(len(of), device=numbers.device) - (counts.cumsum(0) - counts)[of]
    return begin[of] + within, of


class NodeNumbers(Tensor):
    """Numbers of nodes, or of graphs among many, int64 (batch, 1), with what they are numbers in.

    A node means nothing without its neighbours, and they without theirs, so a batch of nodes carries its whole graph along: what is cut from such
    numbers, copied or moved knows the same graph. What else is computed from them is an ordinary tensor.
    """

    graph: Graph

    @classmethod
    def of(cls, numbers: Tensor, graph: Graph) -> NodeNumbers:
        """Numbers that know a graph; the memory is shared."""
        made = numbers.detach().as_subclass(cls)
        made.graph = graph
        return made

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Do as any tensor does, and hand the graph on."""
        with torch._C.DisableTorchFunctionSubclass():
            made = func(*args, **(kwargs or {}))
        graphs = {id(each.graph): each.graph for each in _numbers(args) if hasattr(each, "graph")}
        if len(graphs) > 1:
            raise UsageError(
                "nodes of different graphs cannot be put into one batch", fix="put the graphs into one file or folder"
            )
        graph = next(iter(graphs.values()), None)
        return made if graph is None else _knowing(made, graph)


def _numbers(value: Any) -> Iterator[NodeNumbers]:
    if isinstance(value, NodeNumbers):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _numbers(each)


def _knowing(made: Any, graph: Graph) -> Any:
    if isinstance(made, Tensor) and not made.is_floating_point() and made.dtype is torch.int64:
        return made if getattr(made, "graph", None) is graph else NodeNumbers.of(made, graph)
    if isinstance(made, tuple) and type(made) is tuple and any(isinstance(each, Tensor) for each in made):
        return tuple(_knowing(each, graph) for each in made)
    return made


@dataclass(frozen=True)
class Nodes:
    """The nodes of a graph as a source of samples."""

    graph: Graph

    def __len__(self) -> int:
        return len(self.graph)

    def take(self, index: Tensor) -> Tensor:
        """``index`` itself, int64 (batch, 1), as numbers of this graph's nodes."""
        return NodeNumbers.of(index.unsqueeze(1), self.graph)


@dataclass(frozen=True)
class Graphs:
    """Many graphs as a source of samples.

    Attributes:
        graph: all of them.
    """

    graph: Graph

    def __len__(self) -> int:
        assert self.graph.offsets is not None, "these are many graphs"
        return len(self.graph.offsets) - 1

    def take(self, index: Tensor) -> Tensor:
        """``index`` itself, int64 (batch, 1), as numbers of these graphs."""
        return NodeNumbers.of(index.unsqueeze(1), self.graph)

    def row(self, position: int) -> bytes:
        """One graph as bytes, by which it is told from others: features of its nodes, and its edges, in their order."""
        features, edges, _ = self.graph.cut(torch.tensor([position]))
        return f"{len(features)} nodes".encode() + features.numpy().tobytes() + edges.numpy().tobytes()


def graphs_of(source: Source) -> tuple[Graphs, Tensor] | None:
    """The graphs below any subsets, and which of them the source hands out; None where the samples are no graphs."""
    source, index = beneath(source)
    return (source, index) if isinstance(source, Graphs) else None


def nodes_of(source: Source) -> tuple[Nodes, Tensor] | None:
    """The nodes below any subsets, and which of them the source hands out; None where the samples are no nodes."""
    source, index = beneath(source)
    return (source, index) if isinstance(source, Nodes) else None


def graph_of(raw: Tensor) -> Graph | None:
    """The graph that a batch of nodes carries; None of other tensors."""
    return cast("Graph | None", getattr(raw, "graph", None))
