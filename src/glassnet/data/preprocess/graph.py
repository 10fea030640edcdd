"""Features of nodes, made comparable."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Source
from glassnet.data.graph import Graph, NodeNumbers, graph_of, graphs_of, nodes_of, stretches
from glassnet.data.preprocess.contract import Preprocess
from glassnet.errors import DataError

FORMS = ("rows", "standardise", "none")


class GraphInputs(Preprocess):
    """Numbers of nodes, or of graphs, pass as they are; the features of what they carry become what a network reads.

    ``rows`` divides the features of each node by the sum of their sizes, Σ|x| (as Kipf and Welling 2017, section 5.2, do with words), ``standardise``
    takes from each feature its mean and divides by its standard deviation, both of the training nodes; ``none`` leaves them.

    Args:
        name: one of ``FORMS``.
        features: numbers that describe a node.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, name: str, features: int) -> None:
        super().__init__()
        self.name, self.features = name, features
        self.input_shape = self.output_shape = (1,)
        columns = features if name == "standardise" else 0
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("scale", torch.ones(columns))
        self._last: tuple[Graph, Graph] | None = None  # a graph, and what became of it: each batch brings the same

    @property
    def output_dtype(self) -> torch.dtype:
        """int64: numbers of nodes."""
        return torch.int64

    @property
    def net_options(self) -> dict[str, int]:
        """What a network must know of the inputs besides their shape."""
        return {"features": self.features}

    def forward(self, raw: Tensor) -> Tensor:
        """Numbers (batch, 1) to the same with the prepared graph."""
        graph = graph_of(raw)
        if graph is None:
            return raw
        graph = graph.on(raw.device)
        if self._last is None or self._last[0] is not graph:
            self._last = (graph, Graph(self._prepared(graph.features), graph.edges, graph.offsets))
        return NodeNumbers.of(raw, self._last[1])

    def _prepared(self, features: Tensor) -> Tensor:
        if self.name == "rows":
            total = features.abs().sum(dim=1, keepdim=True)
            return features / torch.where(total == 0, 1.0, total)
        if self.name == "standardise":
            return (features - self.mean) / self.scale
        return features

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"form": "graph", "name": self.name, "features": self.features}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> GraphInputs:
        """The module that :meth:`to_json` described, but for its buffers."""
        return cls(values["name"], int(values["features"]))


def fit_graph(name: str, source: Source) -> GraphInputs:
    """Fit on the training nodes, or on the nodes of the training graphs.

    Args:
        name: one of ``FORMS``.
        source: the training part.

    Raises:
        DataError: the samples are neither nodes nor graphs.
    """
    if (many := graphs_of(source)) is not None:
        graph, offsets = many[0].graph, many[0].graph.offsets
        assert offsets is not None, "these are many graphs"
        own = stretches(offsets, many[1])[0]
    elif (found := nodes_of(source)) is not None:
        graph, own = found[0].graph, found[1]
    else:
        raise DataError(
            "this preprocessing needs nodes of a graph, or graphs",
            got=type(source).__name__,
            expected="a part of data of kind 'graph' or 'graphs'",
        )
    made = GraphInputs(name, graph.features.shape[1])
    if name == "standardise":
        features = graph.features[own].double()
        spread = features.std(dim=0, correction=0)
        made.mean.copy_(features.mean(dim=0))
        made.scale.copy_(torch.where(spread == 0, 1.0, spread))
    return made
