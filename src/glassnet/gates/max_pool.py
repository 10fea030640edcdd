"""Pooling that keeps the largest number: of a window, of a whole map, of several maps (requirement L5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.window import Padding, Sizes, make_window


@dataclass(eq=False)
class MaxPool(Gate):
    """y = the largest number of each window, channel by channel; its gradient goes to where that number stood, the first of equals.

    (batch, channels, *size) → (batch, channels, *places), as ``nn.MaxPool1d``, ``2d`` and ``3d``. Windows may overlap (3×3 with stride
    2); a number that is the largest of several windows gets the sum of their gradients.

    Attributes:
        kernel: sides of the window.
        stride: from one window to the next; the sides without it.
        padding: around the input, with −∞, so that the padding never wins.
        dilation: distance between neighbouring numbers of a window.
        ceil_mode: whether a last window may reach over the end.
    """

    kernel: Sizes
    stride: Sizes | None = None
    padding: Padding = 0
    dilation: Sizes = 1
    ceil_mode: bool = False

    name = "max-pool"
    formula = "y = max of each window of x"
    chain = ("dx = dy at the largest of each window, else 0",)

    def forward(self, x: Array) -> Array:
        """The largest of each window."""
        self.shape = x.shape
        self.window = make_window(x.ndim - 2, self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)
        cut = self.window.cut(x, fill=-np.inf)  # (batch, channels, *places, *kernel)
        self.cut_shape = cut.shape
        flat = cut.reshape(*cut.shape[: x.ndim], -1)  # (batch, channels, *places, numbers of a window)
        self.winner = flat.argmax(-1)[..., None]
        return np.asarray(np.take_along_axis(flat, self.winner, -1)[..., 0])

    def backward(self, upstream: Array) -> Gradients:
        """Each window hands its gradient to its winner."""
        windows = np.zeros((*upstream.shape, int(np.prod(self.window.kernel))))
        np.put_along_axis(windows, self.winner, upstream[..., None], -1)
        return (self.window.put_back(windows.reshape(self.cut_shape), self.shape[2:]),)


@dataclass(eq=False)
class ChannelMaxPool(Gate):
    """y_i = max(x_{k·i}, …, x_{k·i + k − 1}), the largest of each run of k neighbouring channels, i counted from 0.

    (batch, k · channels, …) → (batch, channels, …). Behind a dense layer or a convolution this is Maxout.

    Source: Goodfellow, Warde-Farley, Mirza, Courville, Bengio, "Maxout Networks", 2013, section 3.

    Attributes:
        pieces: k, channels that become one; their number must be a multiple of it.
    """

    pieces: int

    name = "channel-max"
    formula = "y = max of each run of channels of x"
    chain = ("dx = dy at the largest of each run, else 0",)

    def forward(self, x: Array) -> Array:
        """The largest of each run."""
        self.shape = x.shape
        runs = x.reshape(len(x), -1, self.pieces, *x.shape[2:])
        self.winner = runs.argmax(2)[:, :, None]
        return np.asarray(np.take_along_axis(runs, self.winner, 2)[:, :, 0])

    def backward(self, upstream: Array) -> Gradients:
        """Each run hands its gradient to its winner, the first of equals."""
        runs = np.zeros((*upstream.shape[:2], self.pieces, *upstream.shape[2:]))
        np.put_along_axis(runs, self.winner, upstream[:, :, None], 2)
        return (runs.reshape(self.shape),)
