"""The multilayer perceptron of any depth and width."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.layers import ChannelMaxPool
from glassnet.layers import activation as activation_module
from glassnet.zoo.flatten import FlattenInputs
from glassnet.zoo.options import check_dropout

MAXOUT_PIECES = 2


class MLP(nn.Module):
    """h_i = dropout(g(BN(W_i h_{i−1} + b_i))), logits = W h_k + b, with BN and dropout where asked for.

    The hidden layers are called ``hidden1``, ``hidden2``, …

    Args:
        inputs: numbers in one input.
        hidden: units of each hidden layer; empty gives linear regression.
        outputs: classes or values.
        activation: name of g, a key of ``glassnet.layers.ACTIVATIONS``, or ``maxout`` for the larger of two linear functions.
        dropout: probability to drop a hidden unit in training, 0 to below 1.
        batch_norm: whether to normalise before g.
    """

    def __init__(
        self, inputs: int, hidden: Sequence[int], outputs: int, activation: str, dropout: float, batch_norm: bool
    ) -> None:
        super().__init__()
        self.flatten = FlattenInputs(inputs, "mlp")
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

    def features(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, units of the last hidden layer)."""
        x = self.flatten(x)
        if self.stages != ("flatten",):
            for stage in self.stages:
                x = self.get_submodule(stage)(x)
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
) -> MLP:
    """A multilayer perceptron on inputs of any shape.

    Args:
        shape: shape of one input.
        outputs: classes or values.
        hidden: units of each hidden layer, such as 256,128
        activation: activation function of the hidden layers; maxout takes the larger of two linear functions
        dropout: probability to drop a hidden unit in training
        batch_norm: normalise before each activation

    Raises:
        UsageError: a width below 1, a dropout outside [0, 1), or an unknown activation.
    """
    if any(units < 1 for units in hidden):
        raise UsageError(
            "a hidden layer needs at least one unit", where="net mlp, option hidden", got=",".join(map(str, hidden))
        )
    check_dropout("mlp", dropout)
    return MLP(prod(shape), hidden, outputs, activation, dropout, batch_norm)
