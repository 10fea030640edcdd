"""Layer and group normalisation: every example by itself, so that training and evaluation are the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.normalise import normalised, normalised_backward


@dataclass(eq=False)
class LayerNorm(Gate):
    """y = γ · x̂ + β, x̂ = (x − mean) / √(variance + eps), mean and variance over the last dimensions of each example.

    x (…, *normalised), γ and β (*normalised,) or left out, as ``nn.LayerNorm``.

    Source: Ba, Kiros, Hinton, "Layer Normalization", 2016, section 3.

    Attributes:
        dimensions: how many of the last dimensions are normalised together.
        eps: added to the variance.
    """

    dimensions: int = 1
    eps: float = 1e-5

    name = "layer-norm"
    formula = "y = γ · (x − mean) / √(var + eps) + β"
    chain = (
        "dx = (γ · dy − mean(γ · dy) − x̂ · mean(x̂ · γ · dy)) / std",
        "dγ = Σ x̂ · dy",
        "dβ = Σ dy",
    )

    def forward(self, x: Array, γ: Array | None = None, β: Array | None = None) -> Array:
        """The normalised examples."""
        self.axes = tuple(range(-self.dimensions, 0))
        self.x_hat, _, _, self.std = normalised(x, self.axes, self.eps)
        self.γ = np.ones(()) if γ is None else γ
        return self.γ * self.x_hat + (0 if β is None else β)

    def backward(self, upstream: Array) -> Gradients:
        """Through the scale and shift, then through the normalisation."""
        batch = tuple(range(upstream.ndim - self.dimensions))
        dγ, dβ = (self.x_hat * upstream).sum(batch), upstream.sum(batch)
        return normalised_backward(self.γ * upstream, self.x_hat, self.std, self.axes), dγ, dβ


@dataclass(eq=False)
class GroupNorm(Gate):
    """y = γ · x̂ + β, x̂ = (x − mean) / √(variance + eps), mean and variance over a group of channels of each example.

    x (batch, channels, …), γ and β (channels,) or left out, as ``nn.GroupNorm``; as many groups as channels is instance normalisation.

    Source: Wu, He, "Group Normalization", 2018, section 3.

    Attributes:
        groups: parts into which the channels are divided.
        eps: added to the variance.
    """

    groups: int
    eps: float = 1e-5

    name = "group-norm"
    formula = "y = γ · (x − mean) / √(var + eps) + β"
    chain = (
        "dx = (γ · dy − mean(γ · dy) − x̂ · mean(x̂ · γ · dy)) / std",
        "dγ = Σ x̂ · dy",
        "dβ = Σ dy",
    )

    def forward(self, x: Array, γ: Array | None = None, β: Array | None = None) -> Array:
        """The normalised groups."""
        self.shape = x.shape
        grouped = x.reshape(len(x), self.groups, -1)  # (batch, groups, numbers of a group)
        self.x_hat, _, _, self.std = normalised(grouped, (2,), self.eps)
        channels = (-1, *[1] * (x.ndim - 2))
        self.γ = np.ones(()) if γ is None else γ.reshape(channels)
        return self.γ * self.x_hat.reshape(x.shape) + (0 if β is None else β.reshape(channels))

    def backward(self, upstream: Array) -> Gradients:
        """Through the scale and shift, then through the normalisation of each group."""
        axes = (0, *range(2, upstream.ndim))
        dγ, dβ = (self.x_hat.reshape(self.shape) * upstream).sum(axes), upstream.sum(axes)
        dx_hat = (self.γ * upstream).reshape(self.x_hat.shape)
        return normalised_backward(dx_hat, self.x_hat, self.std, (2,)).reshape(self.shape), dγ, dβ
