"""Gaussian noise during training (requirement L12): on activations and on weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

_NONLINEAR = (nn.ReLU, nn.GELU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.LeakyReLU, nn.PReLU, nn.SiLU, nn.Softplus)


class _AddNoise:
    """A forward hook; a class and not a closure, so that a network with it can be copied."""

    def __init__(self, std: float) -> None:
        self.std = std

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output + self.std * torch.randn_like(output) if module.training else output


def add_activation_noise(net: nn.Module, std: float) -> int:
    """Add N(0, std²) to the output of every nonlinearity in training mode; returns how many there are."""
    found = [module for module in net.modules() if isinstance(module, _NONLINEAR)]
    for module in found:
        module.register_forward_hook(_AddNoise(std))
    return len(found)


def weight_noise(std: float) -> Callable[[nn.Module], AbstractContextManager[None]]:
    """Noise N(0, std²) on every weight of two dimensions or more, around forward and backward (Graves 2011).

    The weight's own value is put back before the update, so that only the gradient feels the noise.
    """

    @contextmanager
    def around(net: nn.Module) -> Iterator[None]:
        weights = [p for p in net.parameters() if p.requires_grad and p.ndim >= 2]
        own = [p.detach().clone() for p in weights]
        with torch.no_grad():
            for weight in weights:
                weight.add_(torch.randn_like(weight), alpha=std)
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, before in zip(weights, own, strict=True):
                    weight.copy_(before)

    return around
