"""Networks for the nodes of a graph: GCN, GraphSAGE and GAT, of PyTorch Geometric's layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.graph_shape import Around, around, geometric, graph_shape
from glassnet.zoo.options import check_dropout
from glassnet.zoo.text_shape import at_least_one

Convolution = Literal["gcn", "graphsage", "gat"]

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"gcn": F.relu, "graphsage": F.relu, "gat": F.elu}
)


class GraphNet(nn.Module):
    """Graph convolutions one after another over the whole graph, of which the nodes in the batch are told.

    With the features X of all nodes, N(v) the neighbours of node v, and σ the nonlinearity (ReLU; of GAT: ELU), a layer is::

        gcn        H' = σ(Â H W),  Â = D^−½ (A + I) D^−½,  D the degrees of A + I        Kipf and Welling 2017, equations 2 and 9
        graphsage  h'_v = σ(W [h_v ; mean of h_u over u in N(v)])                       Hamilton, Ying, Leskovec 2017, algorithm 1
        gat        h'_v = σ(Σ α_vu W h_u over u in N(v) and v itself),                  Veličković and others 2018, equations 3 to 6
                   α_vu = softmax over u of LeakyReLU(aᵀ [W h_v ; W h_u]), some heads side by side

    The last layer is the same without σ, its heads averaged. In GCN and GraphSAGE its weights stand behind the sum over neighbours, which is the same, so that
    ``head`` is an ordinary linear layer. Dropout falls on the inputs of every layer, and in GAT on the α too.

    Args:
        convolution: gcn, graphsage or gat.
        inputs: features of a node.
        hidden: units of a layer, in GAT of each head.
        layers: how many there are, the last included.
        heads: of each GAT layer but the last.
        last_heads: of GAT's last layer.
        outputs: classes.
        dropout: probability to drop a number.
    """

    def __init__(
        self,
        convolution: Convolution,
        inputs: int,
        hidden: int,
        layers: int,
        heads: int,
        last_heads: int,
        outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        pyg: Any = geometric(convolution)
        self.inputs, self.dropout, self.convolution = inputs, dropout, convolution
        self.body = nn.ModuleList()
        size = inputs
        for _ in range(layers - 1):
            if convolution == "gat":
                self.body.append(pyg.GATConv(size, hidden, heads=heads, dropout=dropout))
            elif convolution == "gcn":
                self.body.append(pyg.GCNConv(size, hidden))
            else:
                self.body.append(MeanConv(pyg, size, hidden))
            size = hidden * (heads if convolution == "gat" else 1)
        self.stages: tuple[str, ...] = (*(f"body.{number}" for number in range(layers - 1)), "gather")
        self.gather, size = _last(pyg, convolution, size, outputs, last_heads, dropout)
        self.head: nn.Module = nn.Identity() if convolution == "gat" else nn.Linear(size, outputs)

    def features(self, x: Tensor) -> Tensor:
        """Numbers of nodes with their graph, int64 (batch, 1) → (batch, features of the last layer)."""
        given = around(x, self.inputs, next(self.parameters()).dtype)
        state = self._begun(given)
        for layer in self.body:
            state = ACTIVATIONS[self.convolution](layer(state, given.edges))  # (nodes, hidden)
            state = self._dropped(state)
        gathered: Tensor = self.gather(state, given.edges)
        return gathered.index_select(0, given.numbers)

    def _begun(self, given: Around) -> Tensor:
        """The features with dropout. Of words in texts nearly all are 0, which dropout leaves as they are: then only the others are drawn for."""
        if given.sparse is None or not self.training:
            return self._dropped(given.features)
        places, values = given.sparse
        # Dense again, because what looks into layers takes their inputs for ordinary tensors.
        return torch.zeros_like(given.features).index_put((places[0], places[1]), self._dropped(values))

    def _dropped(self, state: Tensor) -> Tensor:
        return F.dropout(state, self.dropout, self.training)

    def forward(self, x: Tensor) -> Tensor:
        """int64 (batch, 1) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


class MeanConv(nn.Module):
    """One layer of GraphSAGE: W h_v + V · mean of h_u over the neighbours u + b, its products made before the mean, which is shorter then.

    Args:
        pyg: PyTorch Geometric's layers.
        inputs: numbers of a node.
        outputs: units.
    """

    def __init__(self, pyg: Any, inputs: int, outputs: int) -> None:
        super().__init__()
        self.own = nn.Linear(inputs, outputs)
        self.neighbours = nn.Linear(inputs, outputs, bias=False)
        self.mean = pyg.SimpleConv(aggr="mean")

    def forward(self, state: Tensor, edges: Tensor) -> Tensor:
        """(nodes, inputs) and edges (2, edges) → (nodes, outputs)."""
        return self.own(state) + self.mean(self.neighbours(state), edges)  # type: ignore[no-any-return]


def _last(
    pyg: Any, convolution: Convolution, size: int, outputs: int, heads: int, dropout: float
) -> tuple[nn.Module, int]:
    """What the last layer does over neighbours, and the length of what comes of it."""
    if convolution == "gat":
        return pyg.GATConv(size, outputs, heads=heads, concat=False, dropout=dropout), outputs
    if convolution == "gcn":  # one step of it with no way back to the start is Â H
        return pyg.APPNP(K=1, alpha=0.0), size
    return pyg.SimpleConv(aggr="mean", combine_root="cat"), 2 * size


def graph_net(
    convolution: Convolution,
    shape: tuple[int, ...],
    outputs: int,
    features: int = 0,
    hidden: int = 16,
    layers: int = 2,
    dropout: float = 0.5,
) -> GraphNet:
    """GCN or GraphSAGE for the nodes of a graph.

    Args:
        convolution: gcn or graphsage.
        shape: (1,): the number of a node.
        outputs: classes.
        features: numbers that describe a node; known from the data
        hidden: units of a layer
        layers: how far a node sees: this many steps along edges
        dropout: probability to drop a number of a layer's inputs in training

    Raises:
        ModelError: the inputs are no nodes.
        UsageError: a size below 1, a dropout outside [0, 1), or PyTorch Geometric is not installed.
    """
    graph_shape(shape, features, net=convolution)
    at_least_one(convolution, hidden=hidden, layers=layers)
    check_dropout(convolution, dropout)
    return GraphNet(convolution, features, hidden, layers, 1, 1, outputs, dropout)


def gat(
    shape: tuple[int, ...],
    outputs: int,
    features: int = 0,
    hidden: int = 8,
    layers: int = 2,
    heads: int = 8,
    last_heads: int = 1,
    dropout: float = 0.6,
) -> GraphNet:
    """Graph attention for the nodes of a graph.

    Args:
        shape: (1,): the number of a node.
        outputs: classes.
        features: numbers that describe a node; known from the data
        hidden: units of each head
        layers: how far a node sees: this many steps along edges
        heads: attentions side by side in each layer but the last
        last_heads: attentions in the last layer, which are averaged
        dropout: probability to drop a number of a layer's inputs, and a neighbour, in training

    Raises:
        ModelError: the inputs are no nodes.
        UsageError: a size below 1, a dropout outside [0, 1), or PyTorch Geometric is not installed.
    """
    graph_shape(shape, features, net="gat")
    at_least_one("gat", hidden=hidden, layers=layers, heads=heads, last_heads=last_heads)
    check_dropout("gat", dropout)
    return GraphNet("gat", features, hidden, layers, heads, last_heads, outputs, dropout)


_CORA = {"features": 1433}

GRAPH_NETS: dict[str, Entry] = {
    "gcn": Entry(
        name="gcn",
        build=partial(graph_net, "gcn"),
        kinds=("graph",),
        title="graph convolutional net, for nodes of graphs",
        paper="Kipf, Welling, Semi-supervised classification with graph convolutional networks, 2017",
        minimum=1,
        references=(Reference((1,), 7, 23_063, "1,433·16 + 16 + 16·7 + 7", _CORA),),
    ),
    "graphsage": Entry(
        name="graphsage",
        build=partial(graph_net, "graphsage"),
        kinds=("graph",),
        title="GraphSAGE with the mean over neighbours, for nodes of graphs",
        paper="Hamilton, Ying, Leskovec, Inductive representation learning on large graphs, 2017",
        minimum=1,
        references=(Reference((1,), 7, 46_103, "2·1,433·16 + 16 + 2·16·7 + 7", _CORA),),
    ),
    "gat": Entry(
        name="gat",
        build=gat,
        kinds=("graph",),
        title="graph attention, for nodes of graphs",
        paper="Veličković, Cucurull, Casanova, Romero, Liò, Bengio, Graph attention networks, 2018",
        minimum=1,
        references=(Reference((1,), 7, 92_373, "1,433·64 + 2·64 + 64 + 64·7 + 2·7 + 7", _CORA),),
    ),
}
