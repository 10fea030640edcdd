"""What a network needs of the graph that a batch of nodes carries, and PyTorch Geometric where it is installed."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

from glassnet.errors import ModelError, UsageError
from glassnet.zoo.shape import written


class Around(NamedTuple):
    """Nodes with all that is around them.

    Attributes:
        features: of all nodes of the graph, (nodes, features).
        sparse: where they are not 0, int64 (2, count), and what they are, (count,); None where most are not.
        edges: int64 (2, edges), each in both directions.
        numbers: which nodes are asked for, int64 (batch,).
    """

    features: Tensor
    sparse: tuple[Tensor, Tensor] | None
    edges: Tensor
    numbers: Tensor


def around(x: Tensor, features: int, dtype: torch.dtype) -> Around:
    """The graph that a batch of node numbers carries; numbers without a graph are nodes without edges whose features are all 0.

    Args:
        x: int64 (batch, 1), with an attribute ``graph`` that has ``features``, ``sparse`` and ``edges``.
        features: numbers that describe a node.
        dtype: of the network's weights.

    Raises:
        ModelError: the graph has another number of features.
    """
    graph: Any = getattr(x, "graph", None)
    numbers = x.as_subclass(Tensor).reshape(-1).long()
    if graph is None:
        return Around(
            torch.zeros(len(numbers), features, dtype=dtype, device=x.device),
            None,
            torch.zeros(2, 0, dtype=torch.int64, device=x.device),
            torch.arange(len(numbers), device=x.device),
        )
    if graph.features.shape[1] != features:
        raise ModelError(
            "the nodes are described by another number of features",
            got=f"{graph.features.shape[1]:,}",
            expected=f"{features:,}",
        )
    sparse = None if graph.sparse is None else (graph.sparse[0].to(x.device), graph.sparse[1].to(x.device, dtype))
    return Around(graph.features.to(x.device, dtype), sparse, graph.edges.to(x.device), numbers)


class Pieces(NamedTuple):
    """Graphs of a batch as one graph that hangs together in pieces.

    Attributes:
        features: of all nodes, (nodes, features).
        edges: int64 (2, edges), each in both directions.
        member: which graph of the batch each node is in, int64 (nodes,).
    """

    features: Tensor
    edges: Tensor
    member: Tensor


def pieces(x: Tensor, features: int, dtype: torch.dtype) -> Pieces:
    """The graphs that a batch of their numbers means; numbers that know no graphs are graphs of one node whose features are all 0.

    Args:
        x: int64 (batch, 1), with an attribute ``graph`` that has ``features`` and can ``cut``.
        features: numbers that describe a node.
        dtype: of the network's weights.

    Raises:
        ModelError: the graphs have another number of features, or the numbers are those of nodes.
    """
    graph: Any = getattr(x, "graph", None)
    numbers = x.as_subclass(Tensor).reshape(-1).long()
    if graph is None:
        return Pieces(
            torch.zeros(len(numbers), features, dtype=dtype, device=x.device),
            torch.zeros(2, 0, dtype=torch.int64, device=x.device),
            torch.arange(len(numbers), device=x.device),
        )
    if graph.offsets is None or graph.features.shape[1] != features:
        raise ModelError(
            "these are not the graphs that this net was made for",
            got="nodes of one graph" if graph.offsets is None else f"{graph.features.shape[1]:,} features of a node",
            expected=f"graphs whose nodes have {features:,} features",
        )
    told, edges, member = graph.on(x.device).cut(numbers)
    return Pieces(told.to(dtype), edges, member)


def geometric(net: str) -> Any:
    """PyTorch Geometric's layers: the one place that imports it.

    Args:
        net: the network that needs it, for the message.

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its import meets parts of PyTorch that will go
            return import_module("torch_geometric.nn")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch_geometric":
            raise
        raise UsageError(
            f"the net {net} needs PyTorch Geometric", got="not installed", fix="pip install 'glassnet[graphs]'"
        ) from error


def graph_shape(shape: tuple[int, ...], features: int, *, net: str) -> None:
    """Refuse inputs that are no nodes.

    Raises:
        ModelError: they are none.
    """
    if features < 1 or shape != (1,):
        raise ModelError(
            "this net reads nodes of a graph, and these inputs are none",
            where=net,
            got=f"inputs of shape {written(shape)}",
            expected="a graph with features, such as NAME.content and NAME.cites",
            fix="choose a net that reads any shape, such as mlp",
        )
