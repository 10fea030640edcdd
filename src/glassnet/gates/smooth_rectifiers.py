"""Rectifiers without a kink: softplus, SiLU, GELU."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, pi, sqrt

import numpy as np

from glassnet.gates.gate import Array, Elementwise
from glassnet.gates.squashing import sigmoid


@dataclass(eq=False)
class Softplus(Elementwise):
    """y = ln(1 + e^(b·x)) / b, a smooth ReLU whose slope is the sigmoid.

    PyTorch replaces it by x where b·x > 20, which changes less than 3e-9; here it is exact.

    Attributes:
        b: larger values come nearer to ReLU.
    """

    b: float = 1.0

    name = "softplus"
    formula = "y = ln(1 + e^(b · x)) / b"
    chain = ("dx = σ(b · x) · dy",)

    def forward(self, x: Array) -> Array:
        """The smooth positive part."""
        self.x = x
        return np.asarray(np.logaddexp(0, self.b * x) / self.b)

    def local(self) -> tuple[Array]:
        """∂y/∂x = σ(b·x)."""
        return (sigmoid(self.b * self.x),)


class SiLU(Elementwise):
    """y = x · σ(x), also called swish.

    Source: Elfwing, Uchibe, Doya, "Sigmoid-weighted linear units for neural network function approximation", 2017.
    """

    name = "silu"
    formula = "y = x · σ(x)"
    chain = ("dx = σ(x) · (1 + x · (1 − σ(x))) · dy",)

    def forward(self, x: Array) -> Array:
        """The number weighted with its own sigmoid."""
        self.x, self.sigmoid = x, sigmoid(x)
        return x * self.sigmoid

    def local(self) -> tuple[Array]:
        """∂y/∂x = σ(x)(1 + x(1 − σ(x)))."""
        return (self.sigmoid * (1 + self.x * (1 - self.sigmoid)),)


class GELU(Elementwise):
    """y = x · Φ(x), Φ the distribution function of the normal distribution: x times the chance that a smaller number is drawn.

    Source: Hendrycks, Gimpel, "Gaussian Error Linear Units", 2016.
    """

    name = "gelu"
    formula = "y = x · Φ(x)"
    chain = ("dx = (Φ(x) + x · φ(x)) · dy",)

    def forward(self, x: Array) -> Array:
        """The number weighted with its normal probability."""
        self.x = x
        # NumPy has no error function; Python's goes through the numbers one by one.
        self.below = 0.5 * (1 + np.vectorize(erf, otypes=[np.float64])(x / sqrt(2)))
        return np.asarray(x * self.below)

    def local(self) -> tuple[Array]:
        """∂y/∂x = Φ(x) + x·φ(x), φ(x) = e^(−x²/2) / √(2π)."""
        return (self.below + self.x * np.exp(-(self.x**2) / 2) / sqrt(2 * pi),)


class TanhGELU(Elementwise):
    """y = x/2 · (1 + tanh u), u = √(2/π) · (x + 0.044715·x³): GELU with a cheaper function in place of Φ.

    Source: Hendrycks, Gimpel, 2016, section 2.
    """

    name = "tanh-gelu"
    formula = "y = x/2 · (1 + tanh u), u = √(2/π) · (x + 0.044715 · x³)"
    chain = ("dx = ((1 + tanh u)/2 + x/2 · (1 − tanh² u) · u′) · dy",)

    def forward(self, x: Array) -> Array:
        """The approximate GELU."""
        self.x = x
        self.tanh = np.asarray(np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
        return np.asarray(0.5 * x * (1 + self.tanh))

    def local(self) -> tuple[Array]:
        """∂y/∂x = (1 + tanh u)/2 + x/2·(1 − tanh² u)·u′, u′ = √(2/π)·(1 + 3·0.044715·x²)."""
        inner = sqrt(2 / pi) * (1 + 3 * 0.044715 * self.x**2)
        return (0.5 * (1 + self.tanh) + 0.5 * self.x * (1 - self.tanh**2) * inner,)
