"""The matrix product."""

from __future__ import annotations

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients, unbroadcast


class MatrixProduct(Gate):
    """z = x · y, z_ij = Σ_k x_ik y_kj, for matrices, stacks of matrices and vectors, as NumPy's ``@`` takes them.

    (…, n, k), (…, k, m) → (…, n, m). A vector on the left counts as a row, on the right as a column, and its side of length 1 is
    left out of the product.
    """

    name = "product"
    formula = "z = x · y"
    chain = ("dx = dz · yᵀ", "dy = xᵀ · dz")

    def forward(self, x: Array, y: Array) -> Array:
        """The product."""
        self.shapes = x.shape, y.shape
        self.x = x[None, :] if x.ndim == 1 else x
        self.y = y[:, None] if y.ndim == 1 else y
        product = self.x @ self.y
        self.full = product.shape  # before sides of length 1 are left out
        left_out = tuple(axis for axis, vector in ((-2, x.ndim == 1), (-1, y.ndim == 1)) if vector)
        return np.asarray(product.squeeze(left_out))

    def backward(self, upstream: Array) -> Gradients:
        """∂L/∂x = dz · yᵀ and ∂L/∂y = xᵀ · dz; the shapes leave no other way to multiply."""
        dz = upstream.reshape(self.full)
        dx = unbroadcast(dz @ self.y.swapaxes(-1, -2), self.x.shape)
        dy = unbroadcast(self.x.swapaxes(-1, -2) @ dz, self.y.shape)
        return dx.reshape(self.shapes[0]), dy.reshape(self.shapes[1])
