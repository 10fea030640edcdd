"""Penalties on weights (requirement R), to be added to a loss; both together are the elastic net."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients


@dataclass(eq=False)
class L2Penalty(Gate):
    """y = λ · Σ w², over all numbers of all arrays given. Note the missing ½: the gradient is 2·λ·w.

    Attributes:
        strength: λ.
    """

    strength: float

    name = "l2-penalty"
    formula = "y = λ · Σ w² over [*w]"
    chain = ("d*w = 2 · λ · *w · dy",)

    def forward(self, *w: Array) -> Array:
        """The penalty, one number."""
        self.w = w
        return np.asarray(self.strength * sum(float((each**2).sum()) for each in w))

    def backward(self, upstream: Array) -> Gradients:
        """Each weight's own part."""
        return tuple(2 * self.strength * each * upstream for each in self.w)


@dataclass(eq=False)
class L1Penalty(Gate):
    """y = λ · Σ |w|, over all numbers of all arrays given; at 0 the slope is taken as 0.

    Attributes:
        strength: λ.
    """

    strength: float

    name = "l1-penalty"
    formula = "y = λ · Σ |w| over [*w]"
    chain = ("d*w = λ · sign(*w) · dy",)

    def forward(self, *w: Array) -> Array:
        """The penalty, one number."""
        self.w = w
        return np.asarray(self.strength * sum(float(np.abs(each).sum()) for each in w))

    def backward(self, upstream: Array) -> Gradients:
        """The sign of each weight."""
        return tuple(self.strength * np.sign(each) * upstream for each in self.w)
