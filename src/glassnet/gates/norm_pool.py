"""Pooling by the Lp norm of the window (requirement L5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.window import Padding, Sizes, make_window


@dataclass(eq=False)
class NormPool(Gate):
    """y = (Σ |x|^p)^(1/p) over each window and channel. p = 1 adds up sizes, p = 2 is the length; p = ∞ is MaxPool of Absolute.

    (batch, channels, *size) → (batch, channels, *places). In a window of zeros the gradient is 0.

    Source: Sermanet, Chintala, LeCun, "Convolutional Neural Networks Applied to House Numbers Digit Classification", 2012,
    section 2.2 (there with Gaussian weights).

    Attributes:
        p: the norm's order, 1 or more, finite.
        kernel: sides of the window.
        stride: from one window to the next; the sides without it.
        padding: zeros put around.
        ceil_mode: whether a last window may reach over the end.
        dilation: distance between neighbouring numbers of a window.
    """

    p: float
    kernel: Sizes
    stride: Sizes | None = None
    padding: Padding = 0
    ceil_mode: bool = False
    dilation: Sizes = 1

    name = "norm-pool"
    formula = "y = (Σ |x|^p)^(1/p) over each window"
    chain = ("dx = sign(x) · (|x| / y)^(p − 1) · dy for each number of the window",)

    def forward(self, x: Array) -> Array:
        """The norm of each window."""
        self.size = x.shape[2:]
        self.window = make_window(len(self.size), self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)
        self.cut = self.window.cut(x)
        self.y = (np.abs(self.cut) ** self.p).sum(tuple(range(-len(self.size), 0))) ** (1 / self.p)
        return np.asarray(self.y)

    def backward(self, upstream: Array) -> Gradients:
        """∂y/∂x = sign(x) · (|x| / y)^(p − 1)."""
        inner = (..., *[None] * len(self.size))  # beside the numbers of the window
        y = np.where(self.y == 0, 1.0, self.y)[inner]
        slope = np.sign(self.cut) * (np.abs(self.cut) / y) ** (self.p - 1)
        return (self.window.put_back(slope * upstream[inner], self.size),)
