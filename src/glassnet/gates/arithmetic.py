"""The gates of school arithmetic, number by number."""

from __future__ import annotations

import numpy as np

from glassnet.gates.gate import Array, Elementwise


class Add(Elementwise):
    """z = x + y. Hands the upstream gradient on to both inputs; the addition of a residual block is this gate."""

    name = "add"
    formula = "z = x + y"
    chain = ("dx = dz", "dy = dz")

    def forward(self, x: Array, y: Array) -> Array:
        """The sum."""
        self.keep_shapes(x, y)
        return x + y

    def local(self) -> tuple[Array, Array]:
        """∂z/∂x = 1, ∂z/∂y = 1."""
        return np.ones(self.shapes[0]), np.ones(self.shapes[1])


class Subtract(Elementwise):
    """z = x − y."""

    name = "subtract"
    formula = "z = x − y"
    chain = ("dx = dz", "dy = −dz")

    def forward(self, x: Array, y: Array) -> Array:
        """The difference."""
        self.keep_shapes(x, y)
        return x - y

    def local(self) -> tuple[Array, Array]:
        """∂z/∂x = 1, ∂z/∂y = −1."""
        return np.ones(self.shapes[0]), -np.ones(self.shapes[1])


class Multiply(Elementwise):
    """z = x · y. Each input's gradient is the upstream gradient times the other input."""

    name = "multiply"
    formula = "z = x · y"
    chain = ("dx = y · dz", "dy = x · dz")

    def forward(self, x: Array, y: Array) -> Array:
        """The product."""
        self.keep_shapes(x, y)
        self.x, self.y = x, y
        return x * y

    def local(self) -> tuple[Array, Array]:
        """∂z/∂x = y, ∂z/∂y = x."""
        return self.y, self.x


class Divide(Elementwise):
    """z = x / y."""

    name = "divide"
    formula = "z = x / y"
    chain = ("dx = dz / y", "dy = −x / y² · dz")

    def forward(self, x: Array, y: Array) -> Array:
        """The quotient; ±inf or nan where y is 0."""
        self.keep_shapes(x, y)
        self.x, self.y = x, y
        return x / y

    def local(self) -> tuple[Array, Array]:
        """∂z/∂x = 1/y, ∂z/∂y = −x/y²."""
        return 1 / self.y, -self.x / self.y**2


class Negate(Elementwise):
    """y = −x."""

    name = "negate"
    formula = "y = −x"
    chain = ("dx = −dy",)

    def forward(self, x: Array) -> Array:
        """The opposite."""
        self.x = x
        return -x

    def local(self) -> tuple[Array]:
        """∂y/∂x = −1."""
        return (-np.ones_like(self.x),)


class Power(Elementwise):
    """z = x^y, both may vary. A negative x is raised to whole powers only; elsewhere the value is nan."""

    name = "power"
    formula = "z = x^y"
    chain = ("dx = y · x^(y − 1) · dz", "dy = z · ln x · dz")

    def forward(self, x: Array, y: Array) -> Array:
        """The power."""
        self.keep_shapes(x, y)
        self.x, self.y = x, y
        self.z = np.asarray(x**y)
        return self.z

    def local(self) -> tuple[Array, Array]:
        """∂z/∂x = y·x^(y−1), and 0 where y is 0; ∂z/∂y = z·ln x, and 0 where z is 0 (the limit for x → 0, y > 0)."""
        by_x = np.where(self.y == 0, 0.0, self.y * self.x ** np.where(self.y == 0, 1.0, self.y - 1))
        by_y = np.where(self.z == 0, 0.0, self.z * np.log(np.where(self.z == 0, 1.0, self.x)))
        return by_x, by_y
