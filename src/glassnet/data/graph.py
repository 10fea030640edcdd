"""One graph whose nodes are the samples: numbers of nodes that know the graph they are numbers in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor

from glassnet.data.dataset import Source, beneath

SPARSE = 0.2  # share of features that are not 0, below which the others are better not looked at


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes with features, joined by edges that have no direction.

    Attributes:
        features: float32 (nodes, features).
        edges: int64 (2, 2 · edges): each edge once in either direction, none from a node to itself, none twice.
    """

    features: Tensor
    edges: Tensor
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
            self._elsewhere[device] = Graph(self.features.to(device), self.edges.to(device))
        return self._elsewhere[device]


class NodeNumbers(Tensor):
    """Numbers of nodes, int64 (batch, 1), with the graph that they are numbers in.

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
        graph = next((each.graph for each in _numbers(args) if hasattr(each, "graph")), None)
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


def nodes_of(source: Source) -> tuple[Nodes, Tensor] | None:
    """The nodes below any subsets, and which of them the source hands out; None where the samples are no nodes."""
    source, index = beneath(source)
    return (source, index) if isinstance(source, Nodes) else None


def graph_of(raw: Tensor) -> Graph | None:
    """The graph that a batch of nodes carries; None of other tensors."""
    return cast("Graph | None", getattr(raw, "graph", None))
