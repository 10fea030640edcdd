"""Elementary functions of one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Elementwise


class Exp(Elementwise):
    """y = e^x, its own derivative."""

    name = "exp"
    formula = "y = e^x"
    chain = ("dx = y · dy",)

    def forward(self, x: Array) -> Array:
        """The exponential."""
        self.y = np.asarray(np.exp(x))
        return self.y

    def local(self) -> tuple[Array]:
        """∂y/∂x = y."""
        return (self.y,)


class Log(Elementwise):
    """y = ln x; −inf at 0, nan below."""

    name = "log"
    formula = "y = ln x"
    chain = ("dx = dy / x",)

    def forward(self, x: Array) -> Array:
        """The natural logarithm."""
        self.x = x
        return np.asarray(np.log(x))

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1/x."""
        return (1 / self.x,)


class Sqrt(Elementwise):
    """y = √x; the slope at 0 is infinite."""

    name = "sqrt"
    formula = "y = √x"
    chain = ("dx = dy / (2·y)",)

    def forward(self, x: Array) -> Array:
        """The square root."""
        self.y = np.asarray(np.sqrt(x))
        return self.y

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1 / 2y."""
        return (0.5 / self.y,)


class Square(Elementwise):
    """y = x²."""

    name = "square"
    formula = "y = x²"
    chain = ("dx = 2·x · dy",)

    def forward(self, x: Array) -> Array:
        """The square."""
        self.x = x
        return x**2

    def local(self) -> tuple[Array]:
        """∂y/∂x = 2x."""
        return (2 * self.x,)


class Reciprocal(Elementwise):
    """y = 1/x."""

    name = "reciprocal"
    formula = "y = 1 / x"
    chain = ("dx = −y² · dy",)

    def forward(self, x: Array) -> Array:
        """One divided by x."""
        self.y = 1 / x
        return self.y

    def local(self) -> tuple[Array]:
        """∂y/∂x = −1/x² = −y²."""
        return (-(self.y**2),)


class Absolute(Elementwise):
    """y = |x|; at the kink, the slope is taken as 0."""

    name = "abs"
    formula = "y = |x|"
    chain = ("dx = sign(x) · dy",)

    def forward(self, x: Array) -> Array:
        """The size."""
        self.x = x
        return np.asarray(np.abs(x))

    def local(self) -> tuple[Array]:
        """∂y/∂x = sign x."""
        return (np.asarray(np.sign(self.x)),)


class Sin(Elementwise):
    """y = sin x, in radians."""

    name = "sin"
    formula = "y = sin x"
    chain = ("dx = cos x · dy",)

    def forward(self, x: Array) -> Array:
        """The sine."""
        self.x = x
        return np.asarray(np.sin(x))

    def local(self) -> tuple[Array]:
        """∂y/∂x = cos x."""
        return (np.asarray(np.cos(self.x)),)


class Cos(Elementwise):
    """y = cos x, in radians."""

    name = "cos"
    formula = "y = cos x"
    chain = ("dx = −sin x · dy",)

    def forward(self, x: Array) -> Array:
        """The cosine."""
        self.x = x
        return np.asarray(np.cos(x))

    def local(self) -> tuple[Array]:
        """∂y/∂x = −sin x."""
        return (-np.sin(self.x),)


@dataclass(eq=False)
class Clip(Elementwise):
    """y = min(max(x, low), high); with 0 and 6 this is ReLU6. The slope is 1 within and at the bounds, 0 outside.

    Attributes:
        low: smallest value that passes.
        high: largest value that passes.
    """

    low: float = -np.inf
    high: float = np.inf

    name = "clip"
    formula = "y = min(max(x, low), high)"
    chain = ("dx = dy where low ≤ x ≤ high, else 0",)

    def forward(self, x: Array) -> Array:
        """The clipped value."""
        self.x = x
        return np.asarray(np.minimum(np.maximum(x, self.low), self.high))

    def local(self) -> tuple[Array]:
        """∂y/∂x = 1 within the bounds, else 0."""
        return (np.where((self.x >= self.low) & (self.x <= self.high), 1.0, 0.0),)
