"""The larger and the smaller of two numbers: switches, which send the gradient one way."""

from __future__ import annotations

import numpy as np

from glassnet.gates.gate import Array, Elementwise


class Maximum(Elementwise):
    """z = max(x, y). The gradient goes to the larger input; of two equal ones each gets half."""

    name = "maximum"
    formula = "z = max(x, y)"
    chain = ("dx = dz where x > y, else 0", "dy = dz where y > x, else 0")

    def forward(self, x: Array, y: Array) -> Array:
        """The larger."""
        self.keep_shapes(x, y)
        self.to_x = np.where(x == y, 0.5, np.where(x > y, 1.0, 0.0))
        return np.asarray(np.maximum(x, y))

    def local(self) -> tuple[Array, Array]:
        """1 for the larger, 0 for the smaller, ½ for both where they are equal."""
        return self.to_x, 1 - self.to_x


class Minimum(Elementwise):
    """z = min(x, y). The gradient goes to the smaller input; of two equal ones each gets half."""

    name = "minimum"
    formula = "z = min(x, y)"
    chain = ("dx = dz where x < y, else 0", "dy = dz where y < x, else 0")

    def forward(self, x: Array, y: Array) -> Array:
        """The smaller."""
        self.keep_shapes(x, y)
        self.to_x = np.where(x == y, 0.5, np.where(x < y, 1.0, 0.0))
        return np.asarray(np.minimum(x, y))

    def local(self) -> tuple[Array, Array]:
        """1 for the smaller, 0 for the larger, ½ for both where they are equal."""
        return self.to_x, 1 - self.to_x
