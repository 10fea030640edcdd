"""Subsampling that learns: the sum of a window, times a coefficient, plus a bias (requirement L8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.window import make_window


@dataclass(eq=False)
class Subsampling(Gate):
    """y_c = w_c · Σ_window x + b_c: one coefficient and one bias for each map that goes out.

    x (batch, channels, *size), w and b (copies · channels,) → (batch, copies · channels, *places). Windows do not overlap; numbers that
    fill no window are left out. As ``glassnet.layers.Subsampling``.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section II.B, S2 and S4.

    Attributes:
        size: side of the window.
        copies: maps that go out for each map that comes in; they follow one another.
    """

    size: int = 2
    copies: int = 1

    name = "subsampling"
    formula = "y = w · (Σ of each window of x) + b"
    chain = ("dx = w · dy for each number of the window", "dw = Σ (Σ of each window of x) · dy", "db = Σ dy")

    def forward(self, x: Array, w: Array, b: Array) -> Array:
        """The scaled and shifted sums."""
        self.shape = x.shape
        self.window = make_window(x.ndim - 2, self.size)
        self.places = tuple(range(2, x.ndim))
        self.sums = np.repeat(self.window.cut(x).sum(tuple(range(-len(self.places), 0))), self.copies, axis=1)
        self.w = w.reshape(-1, *[1] * len(self.places))
        return np.asarray(self.w * self.sums + b.reshape(self.w.shape))

    def backward(self, upstream: Array) -> Gradients:
        """All numbers of a window get the same; coefficient and bias collect from batch and places."""
        dw = (self.sums * upstream).sum((0, *self.places))
        db = upstream.sum((0, *self.places))
        back = (self.w * upstream).reshape(*self.shape[:2], self.copies, *upstream.shape[2:]).sum(2)
        windows = np.broadcast_to(
            back.reshape(*back.shape, *[1] * len(self.places)), (*back.shape, *self.window.kernel)
        )
        return self.window.put_back(windows, self.shape[2:]), dw, db
