"""Bringing the values of a regression to mean 0 and spread 1, and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from glassnet.data.preprocess.normalise import positive


class TargetScale(nn.Module):
    """``encode(t) = (t − mean)/std`` for each output, ``decode`` its inverse. The module's forward is ``decode``.

    Args:
        mean: (outputs,).
        std: (outputs,), positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.to(torch.float32))
        self.register_buffer("std", std.to(torch.float32))

    @classmethod
    def fit(cls, targets: Tensor) -> TargetScale:
        """From the training targets, (n, outputs). A constant output is divided by 1."""
        values = targets.to(torch.float64)
        mean = values.mean(dim=0)
        return cls(mean, positive((values - mean).square().mean(dim=0).sqrt(), mean))

    def encode(self, targets: Tensor) -> Tensor:
        """Values (batch, outputs) to what a network learns."""
        return (targets - self.mean) / self.std

    def decode(self, outputs: Tensor) -> Tensor:
        """A network's outputs (batch, outputs) to values."""
        return outputs * self.std + self.mean

    def forward(self, outputs: Tensor) -> Tensor:
        """The same as :meth:`decode`."""
        return self.decode(outputs)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"outputs": len(self.mean)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TargetScale:
        """The module that :meth:`to_json` described, with neutral buffers."""
        return cls(torch.zeros(values["outputs"]), torch.ones(values["outputs"]))
