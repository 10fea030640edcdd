"""Gates that compute nothing: the same numbers in another shape or order. Backward, every number goes back where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients, unbroadcast

Place: TypeAlias = int | slice | tuple[int | slice, ...]


@dataclass(eq=False)
class Reshape(Gate):
    """The same numbers in the same order in another shape.

    Attributes:
        shape: the new one; one −1 stands for what is left.
    """

    shape: tuple[int, ...]

    name = "reshape"
    formula = "y = x in another shape"
    chain = ("dx = dy in the shape of x",)

    def forward(self, x: Array) -> Array:
        """The new shape."""
        self.before = x.shape
        return x.reshape(self.shape)

    def backward(self, upstream: Array) -> Gradients:
        """The old shape."""
        return (upstream.reshape(self.before),)


@dataclass(eq=False)
class Flatten(Gate):
    """(batch, …) → (batch, all the rest in one row).

    Attributes:
        start: the first dimension that goes into the row.
    """

    start: int = 1

    name = "flatten"
    formula = "y = x in one row"
    chain = ("dx = dy in the shape of x",)

    def forward(self, x: Array) -> Array:
        """The row."""
        self.before = x.shape
        return x.reshape(*x.shape[: self.start], -1)

    def backward(self, upstream: Array) -> Gradients:
        """The old shape."""
        return (upstream.reshape(self.before),)


@dataclass(eq=False)
class Transpose(Gate):
    """The dimensions in another order.

    Attributes:
        axes: the old dimensions in their new order; without it, reversed.
    """

    axes: tuple[int, ...] | None = None

    name = "transpose"
    formula = "y = xᵀ"
    chain = ("dx = dyᵀ",)

    def forward(self, x: Array) -> Array:
        """The new order."""
        return x.transpose(self.axes)

    def backward(self, upstream: Array) -> Gradients:
        """The old order."""
        return (upstream.transpose(None if self.axes is None else tuple(np.argsort(self.axes))),)


@dataclass(eq=False)
class Slice(Gate):
    """Some of the numbers: whole runs along each dimension; the others get the gradient 0.

    Attributes:
        place: whole numbers and slices, as NumPy takes them in brackets.
    """

    place: Place

    name = "slice"
    formula = "y = part of x"
    chain = ("dx = dy at its place, else 0",)

    def forward(self, x: Array) -> Array:
        """The part."""
        self.before = x.shape
        return np.asarray(x[self.place])

    def backward(self, upstream: Array) -> Gradients:
        """The part back in its place, among zeros."""
        dx = np.zeros(self.before)
        dx[self.place] = upstream
        return (dx,)


@dataclass(eq=False)
class Pad(Gate):
    """Numbers put around: a constant, or the nearest of the edge, or the mirrored inside.

    Attributes:
        widths: (before, after) for each dimension, from the first.
        mode: "constant", "edge" or "reflect".
        value: of the constant.
    """

    widths: tuple[tuple[int, int], ...]
    mode: Literal["constant", "edge", "reflect"] = "constant"
    value: float = 0.0

    name = "pad"
    formula = "y = x with a margin"
    chain = ("dx = dy without the margin, and what the margin's copies got",)

    def forward(self, x: Array) -> Array:
        """The padded array."""
        self.before = x.shape
        if self.mode == "constant":
            return np.pad(x, self.widths, constant_values=self.value)
        self.origin = np.pad(np.arange(x.size).reshape(x.shape), self.widths, self.mode)  # which number stands where
        return x.ravel()[self.origin]

    def backward(self, upstream: Array) -> Gradients:
        """The inside; a number that was copied to the margin collects from its copies."""
        if self.mode == "constant":
            inside: tuple[Any, ...] = tuple(
                slice(start, start + size) for (start, _), size in zip(self.widths, self.before, strict=True)
            )
            return (upstream[inside],)
        dx = np.bincount(self.origin.ravel(), weights=upstream.ravel(), minlength=int(np.prod(self.before)))
        return (np.asarray(dx.reshape(self.before)),)


@dataclass(eq=False)
class Expand(Gate):
    """Dimensions of length 1, and new ones at the front, repeated to a shape (broadcasting).

    Attributes:
        shape: after the repetition.
    """

    shape: tuple[int, ...]

    name = "expand"
    formula = "y = x repeated"
    chain = ("dx = Σ dy over the repetitions",)

    def forward(self, x: Array) -> Array:
        """The repeated array."""
        self.before = x.shape
        return np.broadcast_to(x, self.shape)

    def backward(self, upstream: Array) -> Gradients:
        """The sum over the repetitions."""
        return (unbroadcast(upstream, self.before),)
