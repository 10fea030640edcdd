"""Multiplication by a constant."""

from __future__ import annotations

from torch import Tensor, nn


class Scale(nn.Module):
    """y = factor · x with a factor that is fixed, not learned.

    At the end of a network, a factor below 1 keeps the first logits small, so that the first loss is near ln(classes).

    Args:
        factor: the constant.
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Scale ``x`` of any shape."""
        return x * self.factor

    def extra_repr(self) -> str:
        """The factor, for ``print(net)``."""
        return f"factor={self.factor:g}"
