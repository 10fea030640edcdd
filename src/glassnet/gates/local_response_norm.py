"""Local response normalisation by AlexNet's definition and by PyTorch's (requirement L9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients


@dataclass(eq=False)
class LocalResponseNorm(Gate):
    """b_i = a_i / s_i^β, s_i = k + α · Σ_j a_j² over the channels j near i, place by place.

    By the paper, the window reaches from i − ⌊n/2⌋ to i + ⌊n/2⌋. PyTorch divides α by n, and for an even n its window reaches one
    channel less far up. (batch, channels, …) → the same shape.

    Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, section 3.3.

    Attributes:
        n: width of the window in channels.
        alpha: α.
        beta: β.
        k: added to the sum.
        definition: "paper" or "torch".
    """

    n: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 2.0
    definition: Literal["paper", "torch"] = "paper"

    name = "local-response-norm"
    formula = "y = x / s^β, s = k + α · Σ x² over n channels"
    chain = ("dx = s^−β · dy − 2 · α · β · x · Σ (x · s^(−β − 1) · dy) over n channels",)

    def forward(self, x: Array) -> Array:
        """Each channel divided by its neighbours."""
        channels = np.arange(x.shape[1])
        distance = channels[None, :] - channels[:, None]  # from the channel of the row to that of the column
        below, above = self.n // 2, self.n // 2 if self.definition == "paper" else (self.n - 1) // 2
        self.near = ((distance >= -below) & (distance <= above)).astype(np.float64)  # (channels, channels), a band
        self.factor = self.alpha if self.definition == "paper" else self.alpha / self.n
        self.x = x
        self.s = self.k + self.factor * self._over(self.near, x**2)
        return np.asarray(x / self.s**self.beta)

    def backward(self, upstream: Array) -> Gradients:
        """Each a_j stands in its own numerator, and in the denominators of all channels whose window holds it."""
        through_s = self.x * self.s ** (-self.beta - 1) * upstream
        own = self.s**-self.beta * upstream
        return (own - 2 * self.factor * self.beta * self.x * self._over(self.near.T, through_s),)

    def _over(self, band: Array, x: Array) -> Array:
        return np.asarray(np.einsum("ij,bj...->bi...", band, x))
