"""Gaussian noise on activations, as a layer to put into a network of one's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError


class GaussianNoise(nn.Module):
    """y = x + N(0, std²) in training, y = x at test.

    This is for who builds a network by hand. To put noise behind every nonlinearity of a network that is there already, and on
    weights, see :mod:`glassnet.training.noise`, which the recipe's ``regularise.noise`` and ``weight_noise`` use.

    Source: Bishop, "Training with noise is equivalent to Tikhonov regularization", 1995; Srivastava et al., "Dropout", 2014,
    section 10, for noise on hidden units.

    Args:
        std: standard deviation of the noise, 0 or more, in units of the activations.

    Raises:
        UsageError: a negative std.
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        if not std >= 0:
            raise UsageError(
                "a standard deviation is 0 or more", where="GaussianNoise", got=std, expected="such as 0.1"
            )
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Add noise to ``x`` of any shape."""
        return x + self.std * torch.randn_like(x) if self.training else x

    def extra_repr(self) -> str:
        """The argument, for ``print(net)``."""
        return f"std={self.std:g}"
