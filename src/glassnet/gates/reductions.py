"""Many numbers become one: sum, mean, largest, smallest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients

Axis: TypeAlias = int | tuple[int, ...] | None


def widened(array: Array, axis: Axis, shape: tuple[int, ...], keepdims: bool) -> Array:
    """What was reduced, repeated along the reduced axes to the shape before."""
    if not keepdims and axis is not None:
        axes = (axis,) if isinstance(axis, int) else axis
        array = np.expand_dims(array, tuple(each % len(shape) for each in axes))
    return np.broadcast_to(array, shape)


@dataclass(eq=False)
class Sum(Gate):
    """y = Σ x: hands the upstream gradient to every number that was added up.

    Attributes:
        axis: which axes are summed over; None for all.
        keepdims: whether these stay, with length 1.
    """

    axis: Axis = None
    keepdims: bool = False

    name = "sum"
    formula = "y = Σ x"
    chain = ("dx = dy for every number",)

    def forward(self, x: Array) -> Array:
        """The sum."""
        self.shape = x.shape
        return np.asarray(x.sum(self.axis, keepdims=self.keepdims))

    def backward(self, upstream: Array) -> Gradients:
        """∂y/∂x_i = 1."""
        return (widened(upstream, self.axis, self.shape, self.keepdims),)


@dataclass(eq=False)
class Mean(Gate):
    """y = 1/n · Σ x.

    Attributes:
        axis: which axes are averaged over; None for all.
        keepdims: whether these stay, with length 1.
    """

    axis: Axis = None
    keepdims: bool = False

    name = "mean"
    formula = "y = 1/n · Σ x"
    chain = ("dx = dy / n for every number",)

    def forward(self, x: Array) -> Array:
        """The average."""
        self.shape = x.shape
        y = np.asarray(x.mean(self.axis, keepdims=self.keepdims))
        self.n = x.size / max(1, y.size)
        return y

    def backward(self, upstream: Array) -> Gradients:
        """∂y/∂x_i = 1/n."""
        return (widened(upstream / self.n, self.axis, self.shape, self.keepdims),)


@dataclass(eq=False)
class Max(Gate):
    """y = max x: the gradient goes to the largest number; where several are equal, each gets the same part.

    Attributes:
        axis: the axes over which the largest is taken; None for all.
        keepdims: whether these stay, with length 1.
    """

    axis: Axis = None
    keepdims: bool = False

    name = "max"
    formula = "y = max x"
    chain = ("dx = dy at the largest, else 0",)

    def forward(self, x: Array) -> Array:
        """The largest number."""
        y = x.max(self.axis, keepdims=True)
        chosen = x == y
        self.parts = chosen / chosen.sum(self.axis, keepdims=True)
        return np.asarray(x.max(self.axis, keepdims=self.keepdims))

    def backward(self, upstream: Array) -> Gradients:
        """∂y/∂x_i = 1 at the largest, else 0."""
        return (self.parts * widened(upstream, self.axis, self.parts.shape, self.keepdims),)


@dataclass(eq=False)
class Min(Gate):
    """y = min x: the gradient goes to the smallest number; where several are equal, each gets the same part.

    Attributes:
        axis: the axes over which the smallest is taken; None for all.
        keepdims: whether these stay, with length 1.
    """

    axis: Axis = None
    keepdims: bool = False

    name = "min"
    formula = "y = min x"
    chain = ("dx = dy at the smallest, else 0",)

    def forward(self, x: Array) -> Array:
        """The smallest number."""
        y = x.min(self.axis, keepdims=True)
        chosen = x == y
        self.parts = chosen / chosen.sum(self.axis, keepdims=True)
        return np.asarray(x.min(self.axis, keepdims=self.keepdims))

    def backward(self, upstream: Array) -> Gradients:
        """∂y/∂x_i = 1 at the smallest, else 0."""
        return (self.parts * widened(upstream, self.axis, self.parts.shape, self.keepdims),)
