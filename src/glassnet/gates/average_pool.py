"""Pooling that averages: plain, weighted by a Gaussian, over a whole map (requirement L5)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.window import Padding, Sizes, Window, make_window


class WeightedPool(Gate):
    """y[p] = Σ_k w[k] · x[p + k] / Σ_k w[k] · c[p + k], channel by channel, where c is 1 for places that count and 0 for others."""

    @abstractmethod
    def make(self, dimensions: int) -> Window:
        """The window."""

    @abstractmethod
    def weights(self, window: Window) -> Array:
        """w, of the window's shape."""

    @abstractmethod
    def counted(self, window: Window, size: tuple[int, ...]) -> Array:
        """Σ_k w[k] · c[p + k] for each place p, broadcastable to (batch, channels, *places)."""

    def forward(self, x: Array) -> Array:
        """The averages."""
        self.size = x.shape[2:]
        self.window = self.make(len(self.size))
        self.w = self.weights(self.window)
        self.total = self.counted(self.window, self.size)
        sums = np.tensordot(self.window.cut(x), self.w, len(self.size))
        return np.asarray(sums / self.total)

    def backward(self, upstream: Array) -> Gradients:
        """Each number of a window gets its weight's part of the window's gradient."""
        share = (upstream / self.total)[(..., *[None] * len(self.size))]  # (batch, channels, *places, 1, …)
        return (self.window.put_back(share * self.w, self.size),)


@dataclass(eq=False)
class AveragePool(WeightedPool):
    """y = 1/n · Σ x over each window, channel by channel.

    (batch, channels, *size) → (batch, channels, *places), as ``nn.AvgPool1d``, ``2d`` and ``3d``.

    Attributes:
        kernel: sides of the window.
        stride: from one window to the next; the sides without it.
        padding: zeros put around.
        ceil_mode: whether a last window may reach over the end; what lies behind the padding never counts.
        count_include_pad: whether the zeros of the padding count in n.
        dilation: distance between neighbouring numbers of a window.
    """

    kernel: Sizes
    stride: Sizes | None = None
    padding: Padding = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    dilation: Sizes = 1

    name = "average-pool"
    formula = "y = 1/n · Σ of each window of x"
    chain = ("dx = dy / n for each number of the window",)

    def make(self, dimensions: int) -> Window:
        """The window."""
        return make_window(dimensions, self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)

    def weights(self, window: Window) -> Array:
        """Ones."""
        return np.ones(window.kernel)

    def counted(self, window: Window, size: tuple[int, ...]) -> Array:
        """How many numbers each window averages."""
        ones = np.ones((1, 1, *size))
        if (
            self.count_include_pad
        ):  # the padding becomes part of the input; a last window may then start in it, and is left out
            ones = np.pad(ones, ((0, 0), (0, 0), *window.padding), constant_values=1)
            places = tuple(slice(count) for count in window.out_size(size))
            window = replace(window, padding=((0, 0),) * len(size))
            return np.asarray(window.cut(ones).sum(tuple(range(-len(size), 0)))[(slice(None), slice(None), *places)])
        return np.asarray(window.cut(ones).sum(tuple(range(-len(size), 0))))


@dataclass(eq=False)
class GaussianPool(WeightedPool):
    """An average that counts a number the less, the further it lies from the window's centre: w ∝ exp(−d² / 2σ²), Σ w = 1.

    Where the window reaches over the border, the weights that lie inside are brought to sum 1, so that a constant image keeps its
    value. As ``glassnet.layers.GaussianPool2d``, for any number of dimensions.

    Source: the weighted average of Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 9.3.

    Attributes:
        kernel: side of the window.
        stride: from one window to the next; the side without it.
        sigma: σ in pixels; half the side without it.
        padding: by which the window may reach over the border.
    """

    kernel: int
    stride: int | None = None
    sigma: float | None = None
    padding: int = 0

    name = "gaussian-pool"
    formula = "y = Σ w · x over each window, w = e^(−d²/2σ²) / Σ e^(−d²/2σ²)"
    chain = ("dx = w · dy for each number of the window",)

    def make(self, dimensions: int) -> Window:
        """The window."""
        return make_window(dimensions, self.kernel, self.stride, self.padding)

    def weights(self, window: Window) -> Array:
        """The bell curve, the product of one along each dimension."""
        distance = np.arange(self.kernel) - (self.kernel - 1) / 2
        bell = np.exp(-(distance**2) / (2 * (self.sigma or self.kernel / 2) ** 2))
        bell /= bell.sum()
        w = np.ones(())
        for _ in window.kernel:
            w = np.multiply.outer(w, bell)
        return np.asarray(w)

    def counted(self, window: Window, size: tuple[int, ...]) -> Array:
        """The sum of the weights inside the image."""
        return np.asarray(np.tensordot(window.cut(np.ones((1, 1, *size))), self.w, len(size)))


class GlobalAveragePool(Gate):
    """y = 1/n · Σ x over a whole map: one number for each channel.

    (batch, channels, *size) → (batch, channels)

    Source: Lin, Chen, Yan, "Network In Network", 2013, section 3.2.
    """

    name = "global-average"
    formula = "y = 1/n · Σ of each map of x"
    chain = ("dx = dy / n for each number of the map",)

    def forward(self, x: Array) -> Array:
        """The average of each map."""
        self.shape = x.shape
        return np.asarray(x.mean(tuple(range(2, x.ndim))))

    def backward(self, upstream: Array) -> Gradients:
        """Every number of a map gets the same part."""
        share = upstream / np.prod(self.shape[2:])
        return (np.broadcast_to(share.reshape(*share.shape, *[1] * (len(self.shape) - 2)), self.shape),)
