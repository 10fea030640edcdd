"""Convolution of any number of dimensions, as a matrix product of windows and kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.window import Padding, Sizes, make_window


@dataclass(eq=False)
class Convolution(Gate):
    """y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k] · x[n, c, stride · p − padding + dilation · k]: the cross-correlation x ⋆ w.

    x (batch, channels, *size), w (outputs, channels / groups, *kernel), b (outputs,) or left out → y (batch, outputs, *places), laid
    out as in ``nn.Conv1d``, ``nn.Conv2d`` and ``nn.Conv3d``; one sliding dimension or more. Along each dimension there are
    ⌊(M − extent + padding before and after) / stride⌋ + 1 places, extent = dilation · (kernel − 1) + 1.

    Every window is written as a column of numbers and every kernel as a row; their products are the outputs. Backward, each window gets
    back the kernels, weighted with the upstream gradients, and where windows overlap, their gradients add up.

    Attributes:
        stride: from one window to the next.
        padding: zeros put around; one number, one for each dimension, or (before, after) for each dimension; or "valid" or "same". For
            values of the edge instead of zeros, put a :class:`~glassnet.gates.Pad` before.
        dilation: distance between neighbouring numbers of a window.
        groups: parts of the channels that know nothing of each other.
    """

    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = 1
    groups: int = 1

    name = "convolution"
    formula = "y = x ⋆ w + b"
    chain = ("dx = dy spread with w", "dw = windows of x · dy", "db = Σ dy over batch and places")

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """The weighted sums of all windows."""
        self.x, self.w = x, w
        self.window = make_window(w.ndim - 2, w.shape[2:], self.stride, self.padding, self.dilation)
        y = self._kernels() @ self._windows()  # (batch, groups, outputs / groups, places)
        y = y.reshape(len(x), len(w), *self.window.out_size(x.shape[2:]))
        return np.asarray(y if b is None else y + b.reshape(-1, *[1] * (w.ndim - 2)))

    def backward(self, upstream: Array) -> Gradients:
        """The product rule of the matrix product, then the windows are put back where they were cut out."""
        batch, outputs, *places = upstream.shape
        dy = upstream.reshape(
            batch, self.groups, outputs // self.groups, -1
        )  # (batch, groups, outputs / groups, places)
        dw = (dy @ self._windows().swapaxes(2, 3)).sum(0).reshape(self.w.shape)
        windows = self._kernels().swapaxes(1, 2) @ dy  # (batch, groups, channels / groups · kernel, places)
        windows = windows.reshape(*self.x.shape[:2], *self.w.shape[2:], *places)
        kernel_last = np.moveaxis(windows, range(2, self.w.ndim), range(-len(places), 0))
        dx = self.window.put_back(kernel_last, self.x.shape[2:])
        db = upstream.sum((0, *range(2, upstream.ndim)))
        return dx, dw, db

    def _windows(self) -> Array:
        """Each window a column: (batch, groups, channels / groups · kernel, places)."""
        cut = self.window.cut(self.x)  # (batch, channels, *places, *kernel)
        dimensions = self.w.ndim - 2
        kernel_first = np.moveaxis(cut, range(-dimensions, 0), range(2, 2 + dimensions))
        places = int(np.prod(cut.shape[2 : 2 + dimensions]))
        return kernel_first.reshape(len(self.x), self.groups, -1, places)

    def _kernels(self) -> Array:
        """Each kernel a row: (groups, outputs / groups, channels / groups · kernel)."""
        return self.w.reshape(self.groups, len(self.w) // self.groups, -1)
