"""A finished network made for answering: the same to rounding, or in lower precision, and sooner."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from glassnet.combined.folded import fold
from glassnet.combined.quantised import quantised
from glassnet.layers.twin import twin

PRECISIONS = ("float32", "bfloat16", "int8")
"""Precisions in which a model may answer."""


class Answering(nn.Module):
    """net(x) with batch norms folded (:mod:`~glassnet.combined.folded`) and images laid out channels last, in which processors multiply fastest.

    It answers and is not for training or saving; the network is copied and stays as it is.

    Args:
        net: a finished network.
        example: inputs as the network takes them: some show what may be folded, and some hundreds what ranges int8 must span.
        precision: ``float32``: the same answers to rounding. ``bfloat16``: products of numbers with 8 bits of significand, summed up in float32;
            on a processor or card without instructions for it nothing is gained. ``int8``: :func:`~glassnet.combined.quantised.quantised`.

    Raises:
        UsageError: the network has no form in int8.
    """

    def __init__(self, net: nn.Module, example: Tensor, precision: str = "float32") -> None:
        super().__init__()
        self.precision = precision
        copied = twin(net).eval()
        if precision == "int8":
            copied = quantised(copied, example)
        else:
            fold(copied, example)
        self.net = copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, inputs: Tensor) -> Tensor:
        """As the network's, in float32."""
        if inputs.ndim == 4 and inputs.is_floating_point():
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        low = self.precision == "bfloat16"
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16) if low else nullcontext():
            outputs: Tensor = self.net(inputs)
        return outputs.float()
