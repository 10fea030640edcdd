"""Several arrays side by side: what an Inception block ends in, and what an unrolled sequence gathers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients


@dataclass(eq=False)
class Concatenate(Gate):
    """Arrays one after another along a dimension that there is; backward, each gets its own part.

    Attributes:
        axis: the dimension.
    """

    axis: int = 1

    name = "concatenate"
    formula = "y = [*x]"
    chain = ("d*x = its part of dy",)

    def forward(self, *x: Array) -> Array:
        """The long array."""
        self.ends = np.cumsum([each.shape[self.axis] for each in x])
        return np.concatenate(x, self.axis)

    def backward(self, upstream: Array) -> Gradients:
        """The parts."""
        return tuple(np.split(upstream, self.ends[:-1], self.axis))


@dataclass(eq=False)
class Stack(Gate):
    """Arrays of one shape along a new dimension; backward, each gets its own slice.

    Attributes:
        axis: the new dimension.
    """

    axis: int = 0

    name = "stack"
    formula = "y = [*x]"
    chain = ("d*x = its slice of dy",)

    def forward(self, *x: Array) -> Array:
        """The array of arrays."""
        return np.stack(x, self.axis)

    def backward(self, upstream: Array) -> Gradients:
        """The slices."""
        return tuple(np.moveaxis(upstream, self.axis, 0))
