"""Networks that say one thing of a whole graph: graph convolutions, a readout, a classifier; of PyTorch Geometric's layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import UsageError
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.graph_nets import MeanConv
from glassnet.zoo.graph_shape import geometric, graph_shape, pieces
from glassnet.zoo.options import check_dropout
from glassnet.zoo.text_shape import at_least_one

Convolution = Literal["gcn", "graphsage", "gat", "gin"]
Readout = Literal["mean", "max", "sum"]

HEADS = 4
FIRST = (
    0.1  # how small the classifier begins: sums over nodes are large, and a net should not be sure before it has learnt
)


class GraphReader(nn.Module):
    """Graph convolutions over all graphs of a batch at once, and what they say of each graph read out of its nodes.

    A batch is one graph that hangs together in pieces: nothing flows from one piece to another, so the answer to a graph does not depend on the others. With k =
    1 … K the layers, N(v) the neighbours of v, and σ ReLU::

        H⁰ = the features,   H^k = σ(BN(convolution_k(dropout(H^{k−1}))))
        gcn, graphsage, gat: as in :class:`glassnet.zoo.graph_nets.GraphNet`
        gin  convolution_k(h)_v = MLP((1 + ε) h_v + Σ h_u over u in N(v))            Xu, Hu, Leskovec, Jegelka 2019, equation 4.1
        g = [readout of H¹ ; … ; readout of H^K],   logits = W g + b                  there equation 4.2, without H⁰

    The readout is the mean, the largest, or the sum over a graph's nodes, number by number. Only the sum knows how many nodes there are.

    Args:
        convolution: gcn, graphsage, gat or gin.
        inputs: features of a node.
        hidden: units of a layer.
        layers: K.
        readout: mean, max or sum.
        outputs: classes.
        dropout: probability to drop a number between layers and before the classifier.
    """

    def __init__(
        self,
        convolution: Convolution,
        inputs: int,
        hidden: int,
        layers: int,
        readout: Readout,
        outputs: int,
        dropout: float,
    ) -> None:
        super().__init__()
        make = partial(CONVOLUTIONS[convolution], geometric(f"graph-{convolution}"))
        self.inputs, self.readout = inputs, readout
        self.body = nn.ModuleList([make(inputs if k == 0 else hidden, hidden) for k in range(layers)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(hidden) for _ in range(layers)])
        self.drop = nn.Dropout(dropout)
        self.stages = tuple(f"body.{k}" for k in range(layers))
        self.head = nn.Linear(layers * hidden, outputs)
        with torch.no_grad():
            self.head.weight.mul_(FIRST)

    def features(self, x: Tensor) -> Tensor:
        """Numbers of graphs with their graphs, int64 (batch, 1) → (batch, layers · hidden)."""
        given = pieces(x, self.inputs, next(self.parameters()).dtype)
        state, told = given.features, []
        for layer, norm in zip(self.body, self.norms, strict=True):
            state = layer(state, given.edges)
            if len(state) > 1 or not self.training:  # one node alone has no spread
                state = norm(state)
            state = F.relu(state)  # (nodes, hidden)
            told.append(read_out(self.readout, state, given.member, len(x)))
            state = self.drop(state)
        return self.drop(torch.cat(told, dim=1))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """int64 (batch, 1) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def read_out(readout: Readout, state: Tensor, member: Tensor, graphs: int) -> Tensor:
    """The mean, the largest or the sum over the nodes of each graph.

    Args:
        readout: which.
        state: (nodes, numbers).
        member: the graph that each node is in, int64 (nodes,); every graph has a node.
        graphs: how many there are.

    Returns:
        (graphs, numbers).
    """
    if readout == "max":
        place = member[:, None].expand_as(state)
        return state.new_zeros(graphs, state.shape[1]).scatter_reduce(0, place, state, "amax", include_self=False)
    total = state.new_zeros(graphs, state.shape[1]).index_add(0, member, state)
    if readout == "sum":
        return total
    return total / torch.bincount(member, minlength=graphs).clamp_min(1).to(state.dtype)[:, None]


def _isomorphism(pyg: Any, inputs: int, hidden: int) -> nn.Module:
    inner = nn.Sequential(nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, hidden))
    return pyg.GINConv(Inner(inner), train_eps=True)  # type: ignore[no-any-return]


class Inner(nn.Module):
    """A perceptron with batch normalisation inside, which leaves a single row as it is in training.

    Args:
        layers: linear, norm, activation, linear.
    """

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, state: Tensor) -> Tensor:
        """(nodes, inputs) → (nodes, hidden)."""
        alone = self.training and len(state) < 2
        for layer in self.layers:
            if not (alone and isinstance(layer, nn.BatchNorm1d)):
                state = layer(state)
        return state


CONVOLUTIONS: Mapping[str, Callable[[Any, int, int], nn.Module]] = MappingProxyType(
    {
        "gcn": lambda pyg, inputs, hidden: pyg.GCNConv(inputs, hidden),
        "graphsage": MeanConv,
        "gat": lambda pyg, inputs, hidden: pyg.GATConv(inputs, hidden // HEADS, heads=HEADS),
        "gin": _isomorphism,
    }
)


def graph_reader(
    convolution: Convolution,
    shape: tuple[int, ...],
    outputs: int,
    features: int = 0,
    hidden: int = 64,
    layers: int = 4,
    readout: Readout = "mean",
    dropout: float = 0.3,
) -> GraphReader:
    """A net that says one thing of a whole graph.

    Args:
        convolution: gcn, graphsage, gat or gin.
        shape: (1,): the number of a graph.
        outputs: classes.
        features: numbers that describe a node; known from the data
        hidden: units of a layer
        layers: how far a node sees: this many steps along edges
        readout: what is said of a graph from what is said of its nodes: mean, max or sum
        dropout: probability to drop a number between layers and before the classifier in training

    Raises:
        ModelError: the inputs are no graphs.
        UsageError: a size below 1, units that four heads cannot share, a dropout outside [0, 1), or PyTorch Geometric is not installed.
    """
    name = f"graph-{convolution}"
    graph_shape(shape, features, net=name)
    at_least_one(name, hidden=hidden, layers=layers)
    check_dropout(name, dropout)
    if convolution == "gat" and hidden % HEADS:
        raise UsageError(
            f"{HEADS} heads share the units of a layer",
            where=f"net {name}, option hidden",
            got=hidden,
            expected="a multiple of 4",
        )
    return GraphReader(convolution, features, hidden, layers, readout, outputs, dropout)


_SMALL = {"features": 7, "hidden": 16, "layers": 2}

WHOLE_GRAPH_NETS: dict[str, Entry] = {
    "graph-gin": Entry(
        name="graph-gin",
        build=partial(
            graph_reader, "gin", readout="sum"
        ),  # of the readouts the one that knows how many nodes there are
        kinds=("graphs",),
        title="graph isomorphism net, for whole graphs",
        paper="Xu, Hu, Leskovec, Jegelka, How powerful are graph neural networks?, 2019",
        minimum=1,
        references=(
            Reference(
                (1,),
                2,
                (8 * 16 + 32 + 17 * 16 + 1 + 32) + (17 * 16 + 32 + 17 * 16 + 1 + 32) + 33 * 2,
                "(8·16 + 32 + 17·16 + 1 + 32) + (17·16 + 32 + 17·16 + 1 + 32) + 33·2",
                _SMALL,
            ),
        ),
    ),
    "graph-gcn": Entry(
        name="graph-gcn",
        build=partial(graph_reader, "gcn"),
        kinds=("graphs",),
        title="graph convolutional net with a readout, for whole graphs",
        paper="Kipf, Welling, Semi-supervised classification with graph convolutional networks, 2017",
        minimum=1,
        references=(Reference((1,), 2, 8 * 16 + 32 + 17 * 16 + 32 + 33 * 2, "8·16 + 32 + 17·16 + 32 + 33·2", _SMALL),),
    ),
    "graph-graphsage": Entry(
        name="graph-graphsage",
        build=partial(graph_reader, "graphsage"),
        kinds=("graphs",),
        title="GraphSAGE with a readout, for whole graphs",
        paper="Hamilton, Ying, Leskovec, Inductive representation learning on large graphs, 2017",
        minimum=1,
        references=(
            Reference(
                (1,), 2, 15 * 16 + 32 + 33 * 16 + 32 + 33 * 2, "(2·7 + 1)·16 + 32 + (2·16 + 1)·16 + 32 + 33·2", _SMALL
            ),
        ),
    ),
    "graph-gat": Entry(
        name="graph-gat",
        build=partial(graph_reader, "gat"),
        kinds=("graphs",),
        title="graph attention with a readout, for whole graphs",
        paper="Veličković, Cucurull, Casanova, Romero, Liò, Bengio, Graph attention networks, 2018",
        minimum=1,
        references=(
            Reference(
                (1,),
                2,
                7 * 16 + 3 * 16 + 32 + 16 * 16 + 3 * 16 + 32 + 33 * 2,
                "7·16 + 3·16 + 32 + 16·16 + 3·16 + 32 + 33·2",
                _SMALL,
            ),
        ),
    ),
}
