"""Convolution without weight sharing: every place has weights of its own (requirement L6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.window import Padding, Sizes, make_window


@dataclass(eq=False)
class LocallyConnected(Gate):
    """y[n, o, p] = b[o, p] + Σ_c Σ_k w[p, o, c, k] · x[n, c, stride · p − padding + k].

    x (batch, channels, *size), w (*places, outputs, channels, *kernel), b (outputs, *places) or left out → (batch, outputs, *places);
    laid out as in ``glassnet.layers.LocallyConnected2d``.

    Source: LeCun, "Generalization and network design strategies", 1989, section 6.3.

    Attributes:
        stride: from one window to the next.
        padding: zeros put around.
    """

    stride: Sizes = 1
    padding: Padding = 0

    name = "locally-connected"
    formula = "y = windows of x · w + b"
    chain = (
        "dx = dy spread with w, place by place",
        "dw = windows of x · dy, place by place",
        "db = Σ dy over the batch",
    )

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """The weighted sums of all windows."""
        dimensions = x.ndim - 2
        self.x, self.w = x, w
        self.window = make_window(dimensions, w.shape[-dimensions:], self.stride, self.padding)
        self.places = self.window.out_size(x.shape[2:])
        if self.places != w.shape[:dimensions]:
            raise ValueError(f"weights for {w.shape[:dimensions]} places, windows at {self.places}")
        self.windows = self._flat(self.window.cut(x))  # (places, batch, channels · kernel)
        y = self.windows @ self._weights().swapaxes(1, 2)  # (places, batch, outputs)
        y = np.moveaxis(y, 0, -1).reshape(len(x), -1, *self.places)
        return np.asarray(y if b is None else y + b)

    def backward(self, upstream: Array) -> Gradients:
        """A dense layer's gradients at each place; where windows overlap, their gradients add up."""
        batch, outputs = upstream.shape[:2]
        dy = np.moveaxis(upstream.reshape(batch, outputs, -1), -1, 0)  # (places, batch, outputs)
        dw = (dy.swapaxes(1, 2) @ self.windows).reshape(self.w.shape)
        windows = (dy @ self._weights()).reshape(*self.places, batch, *self.w.shape[len(self.places) + 1 :])
        n = len(self.places)
        windows = np.moveaxis(windows, (n, n + 1), (0, 1))  # (batch, channels, *places, *kernel)
        return self.window.put_back(windows, self.x.shape[2:]), dw, upstream.sum(0)

    def _flat(self, cut: Array) -> Array:
        batch, n = len(cut), len(self.places)
        rows = np.moveaxis(cut, (0, 1), (n, n + 1))  # (*places, batch, channels, *kernel)
        return rows.reshape(int(np.prod(self.places)), batch, -1)

    def _weights(self) -> Array:
        n = len(self.places)
        return self.w.reshape(int(np.prod(self.places)), self.w.shape[n], -1)
