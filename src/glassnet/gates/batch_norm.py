"""Batch normalisation in training and in evaluation, dense and convolutional (requirement L10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.normalise import normalised, normalised_backward


@dataclass(eq=False)
class BatchNorm(Gate):
    """y = γ · x̂ + β, x̂ = (x − mean) / √(variance + eps), mean and variance of each channel over the batch and all places.

    x (batch, channels, …), γ and β (channels,) or both left out. This is the gate of training; in evaluation the running averages of
    mean and variance take their place (:class:`BatchNormEvaluation`). With γ = √variance and β = mean it undoes itself.

    Source: Ioffe, Szegedy, "Batch Normalization", 2015, algorithm 1.

    Attributes:
        eps: added to the variance.
    """

    eps: float = 1e-5

    name = "batch-norm"
    formula = "y = γ · (x − mean) / √(var + eps) + β"
    chain = (
        "dx = γ/std · (dy − mean(dy) − x̂ · mean(x̂ · dy))",
        "dγ = Σ x̂ · dy",
        "dβ = Σ dy",
    )

    def forward(self, x: Array, γ: Array | None = None, β: Array | None = None) -> Array:
        """The normalised batch; its mean and variance stay in ``self.mean`` and ``self.variance``, (channels,)."""
        self.axes = (0, *range(2, x.ndim))
        self.x_hat, mean, variance, self.std = normalised(x, self.axes, self.eps)
        self.mean, self.variance = mean.reshape(-1), variance.reshape(-1)
        self.γ = np.ones(mean.shape) if γ is None else γ.reshape(mean.shape)
        return self.γ * self.x_hat + (0 if β is None else β.reshape(mean.shape))

    def backward(self, upstream: Array) -> Gradients:
        """Through the scale and shift, then through the normalisation."""
        dγ = (self.x_hat * upstream).sum(self.axes)
        dβ = upstream.sum(self.axes)
        return normalised_backward(self.γ * upstream, self.x_hat, self.std, self.axes), dγ, dβ


@dataclass(eq=False)
class BatchNormEvaluation(Gate):
    """y = γ · (x − mean) / √(variance + eps) + β with mean and variance given: a straight line for each channel.

    x (batch, channels, …); mean, variance, γ and β (channels,), the last two may be left out. Mean and variance are running averages,
    not learned, and get no gradient.

    Source: Ioffe, Szegedy, "Batch Normalization", 2015, algorithm 2.

    Attributes:
        eps: added to the variance.
    """

    eps: float = 1e-5

    name = "batch-norm"
    formula = "y = γ · (x − mean) / √(variance + eps) + β"
    chain = ("dx = γ / √(variance + eps) · dy", "", "", "dγ = Σ (x − mean) / √(variance + eps) · dy", "dβ = Σ dy")

    def forward(self, x: Array, mean: Array, variance: Array, γ: Array | None = None, β: Array | None = None) -> Array:
        """The batch by the running averages."""
        self.axes = (0, *range(2, x.ndim))
        channels = (-1, *[1] * (x.ndim - 2))
        self.std = np.sqrt(variance.reshape(channels) + self.eps)
        self.x_hat = (x - mean.reshape(channels)) / self.std
        self.γ = np.ones(self.std.shape) if γ is None else γ.reshape(channels)
        return self.γ * self.x_hat + (0 if β is None else β.reshape(channels))

    def backward(self, upstream: Array) -> Gradients:
        """The slope of the line, and the sums for scale and shift."""
        dγ = (self.x_hat * upstream).sum(self.axes)
        return self.γ / self.std * upstream, None, None, dγ, upstream.sum(self.axes)
