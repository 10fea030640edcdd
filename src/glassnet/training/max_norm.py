"""Max-norm regularisation: the weights into one unit never grow beyond a ball (Srivastava et al. 2014, section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class MaxNorm:
    """After a step: w ← w · min(1, c/‖w‖) for the incoming weights w of every unit or filter.

    Attributes:
        c: largest Euclidean norm, positive; 3 to 4 is usual.
    """

    c: float

    @torch.no_grad()
    def __call__(self, net: nn.Module) -> None:
        """Correct every trainable weight of two dimensions or more in place."""
        for weight in net.parameters():
            if weight.requires_grad and weight.ndim >= 2:
                norms = weight.flatten(1).norm(dim=1).clamp_min(1e-12)
                weight.mul_((self.c / norms).clamp_max(1).reshape(-1, *[1] * (weight.ndim - 1)))
