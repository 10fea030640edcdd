"""Activation functions by name, so that a recipe can choose one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from glassnet.errors import unknown
from glassnet.layers.scaled_tanh import ScaledTanh

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,  # 1 / (1 + e^−x)
    "tanh": nn.Tanh,  # 2σ(2x) − 1
    "scaled-tanh": ScaledTanh,  # 1.7159 tanh(2x/3), which keeps ±1
    "relu": nn.ReLU,  # max(0, x)
    "leaky-relu": nn.LeakyReLU,  # slope 0.01 for x < 0
    "prelu": nn.PReLU,  # slope learned, 0.25 at the start, one for all channels
    "elu": nn.ELU,  # α(e^x − 1) for x ≤ 0, α = 1
    "gelu": nn.GELU,  # x · Φ(x), Φ the normal distribution function
    "silu": nn.SiLU,  # x · σ(x)
    "softmax": lambda: nn.Softmax(dim=1),  # e^x_i / Σ e^x_j over the channels or units
}
"""Maxout is not among them: it makes one number of several, so it is a layer (:mod:`glassnet.layers.maxout`)."""


def activation(name: str) -> nn.Module:
    """A new activation module.

    Args:
        name: a key of ``ACTIVATIONS``.

    Raises:
        UsageError: there is no such activation.
    """
    if name not in ACTIVATIONS:
        raise unknown("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()


def activation_curve(name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """Values g(x) and derivatives g'(x) of an activation function, for curves and tables.

    Where g has a kink, the derivative is the one that PyTorch uses. Softmax, which is no function of one number, is shown as the
    first output for the pair (x, 0), which is the sigmoid.

    Args:
        name: a key of ``ACTIVATIONS``.
        x: places, of any shape.

    Returns:
        Two tensors of the shape of ``x``.

    Raises:
        UsageError: there is no such activation.
    """
    module = activation(name).to(x.dtype)
    places = x.detach().clone().requires_grad_()
    pairs = torch.stack([places.flatten(), torch.zeros_like(places).flatten()], dim=1)  # (places, 2)
    values = module(pairs)[:, 0]
    (slopes,) = torch.autograd.grad(values.sum(), places)
    return values.detach().reshape(x.shape), slopes
