"""Activation functions by name, so that a recipe can choose one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from glassnet.errors import unknown

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,  # slope 0.01 for x < 0
    "prelu": nn.PReLU,  # slope learned, 0.25 at the start, one for all channels
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


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
