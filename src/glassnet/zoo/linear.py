"""Softmax regression and linear regression: the network without a hidden layer."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn

from glassnet.zoo.flatten import FlattenInputs


class Linear(nn.Module):
    """logits = W x + b on the flattened input.

    With cross-entropy this is softmax (multinomial logistic) regression, with squared error linear regression.

    Args:
        inputs: numbers in one input.
        outputs: classes or values.
    """

    stages = ("flatten",)

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.flatten = FlattenInputs(inputs, "linear")
        self.head = nn.Linear(inputs, outputs)

    def features(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, inputs)."""
        return self.flatten(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def linear(shape: tuple[int, ...], outputs: int) -> Linear:
    """Softmax or linear regression on inputs of any shape."""
    return Linear(prod(shape), outputs)
