"""Activations that squash: sigmoid, tanh, and LeCun's scaled tanh; and the identity, which does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Elementwise


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^−x) = e^−ln(1 + e^−x), in the form that neither overflows nor loses digits for large |x|."""
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


class Identity(Elementwise):
    """y = x."""

    name = "identity"
    formula = "y = x"
    chain = ("dx = dy",)

    def forward(self, x: Array) -> Array:
        """The input."""
        self.x = x
        return x

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1."""
        return (np.ones_like(self.x),)


class Sigmoid(Elementwise):
    """y = σ(x) = 1 / (1 + e^−x), in (0, 1). The slope y(1 − y) is at most 1/4, and vanishes where the unit is saturated."""

    name = "sigmoid"
    formula = "y = 1 / (1 + e^−x)"
    chain = ("dx = y · (1 − y) · dy",)

    def forward(self, x: Array) -> Array:
        """The sigmoid."""
        self.y = sigmoid(x)
        return self.y

    def local(self) -> tuple[Array]:
        """∂y/∂x = y(1 − y)."""
        return (self.y * (1 - self.y),)


class Tanh(Elementwise):
    """y = tanh x = 2σ(2x) − 1, in (−1, 1). The slope 1 − y² is 1 at 0."""

    name = "tanh"
    formula = "y = tanh x"
    chain = ("dx = (1 − y²) · dy",)

    def forward(self, x: Array) -> Array:
        """The hyperbolic tangent."""
        self.y = np.asarray(np.tanh(x))
        return self.y

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1 − y²."""
        return (1 - self.y**2,)


@dataclass(eq=False)
class ScaledTanh(Elementwise):
    """y = A tanh(S·x), with the constants of LeNet-5: f(±1) = ±1.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, appendix A.

    Attributes:
        amplitude: A.
        slope: S.
    """

    amplitude: float = 1.7159
    slope: float = 2 / 3

    name = "scaled-tanh"
    formula = "y = amplitude · tanh(slope · x)"
    chain = ("dx = amplitude · slope · (1 − (y / amplitude)²) · dy",)

    def forward(self, x: Array) -> Array:
        """The stretched hyperbolic tangent."""
        self.tanh = np.asarray(np.tanh(self.slope * x))
        return self.amplitude * self.tanh

    def local(self) -> tuple[Array]:
        """∂y/∂x = A·S·(1 − tanh²(S·x))."""
        return (self.amplitude * self.slope * (1 - self.tanh**2),)
