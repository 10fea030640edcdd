"""Softmax and its logarithm: several numbers become a distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients


def log_softmax(x: Array, axis: int) -> Array:
    """x_i − ln Σ_j e^x_j; the largest is taken off first, so that no exponential overflows."""
    shifted = x - x.max(axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis, keepdims=True)))


@dataclass(eq=False)
class Softmax(Gate):
    """y_i = e^x_i / Σ_j e^x_j. Every output depends on every input: ∂y_i/∂x_j = y_i (δ_ij − y_j).

    Attributes:
        axis: of the numbers that become a distribution.
    """

    axis: int = 1

    name = "softmax"
    formula = "y = e^x / Σ e^x"
    chain = ("dx = y · (dy − Σ y · dy)",)

    def forward(self, x: Array) -> Array:
        """The distribution."""
        self.y = np.asarray(np.exp(log_softmax(x, self.axis)))
        return self.y

    def backward(self, upstream: Array) -> Gradients:
        """dx_j = Σ_i y_i (δ_ij − y_j) dy_i = y_j (dy_j − Σ_i y_i dy_i)."""
        return (self.y * (upstream - (self.y * upstream).sum(self.axis, keepdims=True)),)


@dataclass(eq=False)
class LogSoftmax(Gate):
    """y_i = x_i − ln Σ_j e^x_j, the logarithm of softmax, which is exact where softmax is too small to be told from 0.

    Attributes:
        axis: of the numbers that become a distribution.
    """

    axis: int = 1

    name = "log-softmax"
    formula = "y = x − ln Σ e^x"
    chain = ("dx = dy − e^y · Σ dy",)

    def forward(self, x: Array) -> Array:
        """The logarithms of the probabilities."""
        self.y = log_softmax(x, self.axis)
        return self.y

    def backward(self, upstream: Array) -> Gradients:
        """dx_j = Σ_i (δ_ij − p_j) dy_i = dy_j − p_j Σ_i dy_i."""
        return (upstream - np.exp(self.y) * upstream.sum(self.axis, keepdims=True),)
