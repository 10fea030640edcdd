"""A finished network that answers in lower precision, for speed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

PRECISIONS = ("float32", "bfloat16")
"""Precisions in which a model may answer."""


class Lowered(nn.Module):
    """net(x), where products are taken in bfloat16 (8 bits of significand) and summed up in float32; weights stay as they are, and so do the outputs' types.

    Images are laid out channels last, in which processors multiply fastest. On a processor or card without instructions for bfloat16 nothing is gained.

    Args:
        net: a finished network.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, inputs: Tensor) -> Tensor:
        """As the network's, in float32."""
        if inputs.ndim == 4 and inputs.is_floating_point():
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16):
            outputs: Tensor = self.net(inputs)
        return outputs.float()
