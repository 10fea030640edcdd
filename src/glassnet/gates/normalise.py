"""x̂ = (x − mean) / √(variance + eps), the heart of batch, layer and group normalisation, forward and backward."""

from __future__ import annotations

import numpy as np

from glassnet.gates.gate import Array


def normalised(x: Array, axes: tuple[int, ...], eps: float) -> tuple[Array, Array, Array, Array]:
    """x̂ with mean and variance taken over some axes; the variance divides by n, not by n − 1.

    Args:
        x: any shape.
        axes: over which mean and variance are taken.
        eps: added to the variance.

    Returns:
        x̂, mean, variance and √(variance + eps); the last three keep the axes with length 1.
    """
    mean = x.mean(axes, keepdims=True)
    variance = ((x - mean) ** 2).mean(axes, keepdims=True)
    std = np.sqrt(variance + eps)
    return (x - mean) / std, mean, variance, std


def normalised_backward(dx_hat: Array, x_hat: Array, std: Array, axes: tuple[int, ...]) -> Array:
    """∂L/∂x = (dx̂ − mean(dx̂) − x̂ · mean(x̂ · dx̂)) / std.

    Each x moves its own x̂, and all others through the mean (the second term) and through the variance (the third).

    Args:
        dx_hat: ∂L/∂x̂.
        x_hat: what :func:`normalised` gave.
        std: what :func:`normalised` gave.
        axes: those of the forward step.
    """
    by_mean = dx_hat.mean(axes, keepdims=True)
    by_variance = x_hat * (x_hat * dx_hat).mean(axes, keepdims=True)
    return np.asarray((dx_hat - by_mean - by_variance) / std)
