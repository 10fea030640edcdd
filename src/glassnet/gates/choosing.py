"""Numbers chosen by lists of places, and numbers put in place of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import UsageError
from glassnet.gates.gate import Array, Gate, Gradients


@dataclass(eq=False)
class Select(Gate):
    """y[…, j, …] = x[…, i_j, …]: places along one dimension, in any order and as often as wanted.

    Attributes:
        places: i, whole numbers of any shape; its dimensions stand in y where the dimension of x was.
        axis: the dimension of x.

    Raises:
        UsageError: a place that x does not have.
    """

    places: NDArray[np.intp] = field(repr=False)
    axis: int = 0

    name = "select"
    formula = "y = x at the places i"
    chain = ("dx = Σ dy at the places i, else 0",)

    def forward(self, x: Array) -> Array:
        """The chosen places."""
        if self.places.size and not (self.places.min() >= 0 and self.places.max() < x.shape[self.axis]):
            raise UsageError(
                "a place is chosen that is not there",
                where=self.name,
                got=f"{self.places.min()} to {self.places.max()}",
                expected=f"0 to {x.shape[self.axis] - 1}",
            )
        self.before = x.shape
        return np.asarray(np.take(x, self.places, axis=self.axis))

    def backward(self, upstream: Array) -> Gradients:
        """Each place collects from everywhere it was taken to."""
        dx = np.zeros(self.before)
        places = cast("Any", (slice(None),) * self.axis + (self.places,))  # NumPy's types know no tuple here
        np.add.at(dx, places, upstream)
        return (dx,)


@dataclass(eq=False)
class Fill(Gate):
    """y = v where the mask m is not 0, else x.

    Attributes:
        value: v, which may be infinite: a product with zeros and ones would not do.
    """

    value: float

    name = "fill"
    formula = "y = v where m, else x"
    chain = ("dx = dy where not m, else 0", "")

    def forward(self, x: Array, m: Array) -> Array:
        """What is left of x (…), where m spreads to the shape of x."""
        self.left = np.broadcast_to(m == 0, x.shape)
        return np.where(self.left, x, self.value)

    def backward(self, upstream: Array) -> Gradients:
        """What was covered gets 0."""
        return np.where(self.left, upstream, 0.0), None
