"""Two gates that only PyTorch's networks need: a place where the gradient ends, and a line cut off as PyTorch cuts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates import Array, Elementwise, Gate, Gradients


class StopGradient(Gate):
    """y = x forward, nothing backward: what was detached, or computed under ``torch.no_grad``."""

    name = "stop-gradient"
    formula = "y = x"
    chain = ("",)

    def forward(self, x: Array) -> Array:
        """The same numbers."""
        return x

    def backward(self, upstream: Array) -> Gradients:
        """Nothing."""
        return (None,)


@dataclass(eq=False)
class HardTanh(Elementwise):
    """y = min(max(x, low), high); with 0 and 6 this is ReLU6. The slope is 1 between the bounds, 0 at them and outside.

    :class:`~glassnet.gates.Clip` has the slope 1 at the bounds, as ``torch.clamp``; ``nn.Hardtanh`` and ``nn.ReLU6`` have 0 there.

    Attributes:
        low: smallest value that passes.
        high: largest value that passes.
    """

    low: float = -1.0
    high: float = 1.0

    name = "hard-tanh"
    formula = "y = min(max(x, low), high)"
    chain = ("dx = dy where low < x < high, else 0",)

    def forward(self, x: Array) -> Array:
        """The cut line."""
        self.x = x
        return np.asarray(np.clip(x, self.low, self.high))

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1 between the bounds, else 0."""
        return (np.where((self.x > self.low) & (self.x < self.high), 1.0, 0.0),)
