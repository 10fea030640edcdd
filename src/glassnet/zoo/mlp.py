"""The multilayer perceptron of any depth and width."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.layers import ChannelMaxPool, ColumnEmbedding
from glassnet.layers import activation as activation_module
from glassnet.zoo.flatten import FlattenInputs
from glassnet.zoo.options import check_dropout

MAXOUT_PIECES = 2


class MLP(nn.Module):
    """h_i = dropout(g(BN(W_i h_{i−1} + b_i))), logits = W h_k + b, with BN and dropout where asked for.

    The hidden layers are called ``hidden1``, ``hidden2``, … Of a table h_0 may be the columns' embeddings, each after g (called ``embedding``); else it is the
    input.

    Args:
        inputs: numbers in one input.
        hidden: units of each hidden layer; empty gives linear regression.
        outputs: classes or values.
        activation: name of g, a key of ``glassnet.layers.ACTIVATIONS``, or ``maxout`` for the larger of two linear functions.
        dropout: probability to drop a hidden unit in training, 0 to below 1.
        batch_norm: whether to normalise before g.
        embed: numbers in each column's embedding; 0 for none.
        columns: how many inputs belong to each column.
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        activation: str,
        dropout: float,
        batch_norm: bool,
        embed: int = 0,
        columns: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.flatten = FlattenInputs(inputs, "mlp")
        self.embedding: nn.Module | None = None
        if embed:
            g = nn.ReLU() if activation == "maxout" else activation_module(activation)
            self.embedding = nn.Sequential(OrderedDict(linear=ColumnEmbedding(columns, embed), activation=g))
            inputs = embed * len(columns)
        for number, units in enumerate(hidden, start=1):
            # batch norm subtracts the mean, and a bias with it, so the layer before it has none
            block = nn.Sequential()
            pieces = MAXOUT_PIECES if activation == "maxout" else 1
            block.add_module("linear", nn.Linear(inputs, units * pieces, bias=not batch_norm))
            if batch_norm:
                block.add_module("norm", nn.BatchNorm1d(units * pieces))
            block.add_module("activation", ChannelMaxPool(pieces) if pieces > 1 else activation_module(activation))
            if dropout:
                block.add_module("dropout", nn.Dropout(dropout))
            self.add_module(f"hidden{number}", block)
            inputs = units
        self.stages = tuple(f"hidden{number}" for number in range(1, len(hidden) + 1)) or ("flatten",)
        self.head = nn.Linear(inputs, outputs)

    def in_order(self) -> list[nn.Module]:
        """What an input goes through, one after the other."""
        hidden = [] if self.stages == ("flatten",) else [self.get_submodule(stage) for stage in self.stages]
        return [self.flatten, *([] if self.embedding is None else [self.embedding]), *hidden, self.head]

    def features(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, units of the last hidden layer)."""
        for module in self.in_order()[:-1]:
            x = module(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def mlp(
    shape: tuple[int, ...],
    outputs: int,
    hidden: tuple[int, ...] = (256, 128),
    activation: str = "relu",
    dropout: float = 0.0,
    batch_norm: bool = False,
    embed: int = 0,
    columns: tuple[int, ...] = (),
) -> MLP:
    """A multilayer perceptron on inputs of any shape.

    Args:
        shape: shape of one input.
        outputs: classes or values.
        hidden: units of each hidden layer, such as 256,128
        activation: activation function of the hidden layers; maxout takes the larger of two linear functions
        dropout: probability to drop a hidden unit in training
        batch_norm: normalise before each activation
        embed: of a table: numbers in an embedding that every column gets for itself, 0 for none
        columns: how many inputs belong to each column of a table; the data say so

    Raises:
        UsageError: a width below 1, a dropout outside [0, 1), an unknown activation, or embeddings of something that has no columns.
    """
    if any(units < 1 for units in hidden):
        raise UsageError(
            "a hidden layer needs at least one unit",
            where="net mlp, option hidden",
            got=",".join(map(str, hidden)),
            expected="1 or more for each layer, such as 256,128",
        )
    check_dropout("mlp", dropout)
    if embed < 0 or (embed and sum(columns) != prod(shape)):
        raise UsageError(
            "only a table's columns can have embeddings" if embed > 0 else "an embedding has one number at least",
            where="net mlp, option embed",
            got=embed,
            fix="leave embed at 0",
        )
    return MLP(prod(shape), hidden, outputs, activation, dropout, batch_norm, embed, columns)
