"""Rectifiers: activations that pass positive numbers through. At the kink, each takes the slope that PyTorch takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Elementwise


class ReLU(Elementwise):
    """y = max(0, x). The slope is 1 above 0 and 0 elsewhere: a unit whose inputs are never positive learns nothing (it is dead).

    Source: Nair, Hinton, "Rectified Linear Units Improve Restricted Boltzmann Machines", 2010.
    """

    name = "relu"
    formula = "y = max(0, x)"
    chain = ("dx = dy where x > 0, else 0",)

    def forward(self, x: Array) -> Array:
        """The positive part."""
        self.positive = x > 0
        return np.where(self.positive, x, 0.0)

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1 where x > 0, else 0."""
        return (np.where(self.positive, 1.0, 0.0),)


@dataclass(eq=False)
class LeakyReLU(Elementwise):
    """y = x above 0, slope · x elsewhere, so that no unit is ever dead.

    Source: Maas, Hannun, Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.

    Attributes:
        slope: below 0; 0.01 in the paper, 0.1 seen too.
    """

    slope: float = 0.01

    name = "leaky-relu"
    formula = "y = x where x > 0, else slope · x"
    chain = ("dx = dy where x > 0, else slope · dy",)

    def forward(self, x: Array) -> Array:
        """The leaky positive part."""
        self.positive = x > 0
        return np.where(self.positive, x, self.slope * x)

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1 where x > 0, else the slope."""
        return (np.where(self.positive, 1.0, self.slope),)


class PReLU(Elementwise):
    """y = x above 0, a · x elsewhere, with a learned.

    ``a`` is broadcast against x: one number for all, or (channels, 1, 1) for a slope of its own for each map.

    Source: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers", 2015, section 2.1.
    """

    name = "prelu"
    formula = "y = x where x > 0, else a · x"
    chain = ("dx = dy where x > 0, else a · dy", "da = Σ x · dy where x ≤ 0")

    def forward(self, x: Array, a: Array) -> Array:
        """The leaky positive part with a given slope."""
        self.keep_shapes(x, a)
        self.x, self.a = x, a
        return np.where(x > 0, x, a * x)

    def local(self) -> tuple[Array, Array]:
        """∂y/∂x = 1 where x > 0, else a; ∂y/∂a = x where x ≤ 0, else 0."""
        return np.where(self.x > 0, 1.0, self.a), np.where(self.x > 0, 0.0, self.x)


@dataclass(eq=False)
class ELU(Elementwise):
    """y = x above 0, α(e^x − 1) elsewhere: smooth at 0 for α = 1, and −α far below.

    Source: Clevert, Unterthiner, Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2015.

    Attributes:
        alpha: α.
    """

    alpha: float = 1.0

    name = "elu"
    formula = "y = x where x > 0, else α · (e^x − 1)"
    chain = ("dx = dy where x > 0, else (y + α) · dy",)

    def forward(self, x: Array) -> Array:
        """The exponential linear unit."""
        self.positive = x > 0
        self.y = np.where(self.positive, x, self.alpha * np.expm1(np.minimum(x, 0)))
        return self.y

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1 where x > 0, else α·e^x = y + α."""
        return (np.where(self.positive, 1.0, self.y + self.alpha),)


@dataclass(eq=False)
class SELU(Elementwise):
    """y = λ·ELU(x) with the two constants that keep mean 0 and variance 1 through the layers.

    Source: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-Normalizing Neural Networks", 2017, equation 2.

    Attributes:
        alpha: α.
        scale: λ.
    """

    alpha: float = 1.6732632423543772
    scale: float = 1.0507009873554805

    name = "selu"
    formula = "y = λ · x where x > 0, else λ · α · (e^x − 1)"
    chain = ("dx = λ · dy where x > 0, else (y + λ · α) · dy",)

    def forward(self, x: Array) -> Array:
        """The scaled exponential linear unit."""
        self.positive = x > 0
        self.y = self.scale * np.where(self.positive, x, self.alpha * np.expm1(np.minimum(x, 0)))
        return self.y

    def local(self) -> tuple[Array]:
        """∂y/∂x = λ where x > 0, else λ·α·e^x = y + λ·α."""
        return (np.where(self.positive, self.scale, self.y + self.scale * self.alpha),)
