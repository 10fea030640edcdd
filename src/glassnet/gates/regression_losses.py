"""Losses of regression, each the mean over the batch and the outputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients


class SquaredError(Gate):
    """l = 1/n · Σ (y − t)²; outputs y and targets t of one shape → one number."""

    name = "squared-error"
    formula = "l = 1/n · Σ (y − t)²"
    chain = ("dy = 2 · (y − t) / n · dl", "dt = −2 · (y − t) / n · dl")

    def forward(self, y: Array, t: Array) -> Array:
        """The mean of the squares."""
        self.residual = residual(y, t)
        return np.asarray((self.residual**2).mean())

    def backward(self, upstream: Array) -> Gradients:
        """Twice the residual, divided by n."""
        dy = 2 * self.residual / self.residual.size * upstream
        return dy, -dy


class AbsoluteError(Gate):
    """l = 1/n · Σ |y − t|; outputs y and targets t of one shape → one number. At 0 the slope is taken as 0."""

    name = "absolute-error"
    formula = "l = 1/n · Σ |y − t|"
    chain = ("dy = sign(y − t) / n · dl", "dt = −sign(y − t) / n · dl")

    def forward(self, y: Array, t: Array) -> Array:
        """The mean of the sizes."""
        self.residual = residual(y, t)
        return np.asarray(np.abs(self.residual).mean())

    def backward(self, upstream: Array) -> Gradients:
        """The residual's sign, divided by n."""
        dy = np.sign(self.residual) / self.residual.size * upstream
        return dy, -dy


@dataclass(eq=False)
class Huber(Gate):
    """l = 1/n · Σ h(y − t), h(r) = r²/2 where |r| ≤ δ, else δ·(|r| − δ/2): squared near 0, absolute far away.

    Source: Huber, "Robust Estimation of a Location Parameter", 1964.

    Attributes:
        delta: δ, where the one becomes the other.
    """

    delta: float = 1.0

    name = "huber"
    formula = "l = 1/n · Σ h(y − t), h(r) = r²/2 where |r| ≤ δ, else δ · (|r| − δ/2)"
    chain = ("dy = clip(y − t, −δ, δ) / n · dl", "dt = −clip(y − t, −δ, δ) / n · dl")

    def forward(self, y: Array, t: Array) -> Array:
        """The mean."""
        self.residual = residual(y, t)
        size = np.abs(self.residual)
        h = np.where(size <= self.delta, size**2 / 2, self.delta * (size - self.delta / 2))
        return np.asarray(h.mean())

    def backward(self, upstream: Array) -> Gradients:
        """The residual, at most δ in size, divided by n."""
        dy = np.clip(self.residual, -self.delta, self.delta) / self.residual.size * upstream
        return dy, -dy


def residual(y: Array, t: Array) -> Array:
    """The difference y − t.

    Raises:
        ValueError: two shapes; broadcasting would pair each output with another's target.
    """
    if y.shape != t.shape:
        raise ValueError(f"targets of shape {y.shape}")
    return y - t
