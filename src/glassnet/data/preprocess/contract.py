"""What every preprocessing module offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn


class Preprocess(nn.Module, ABC):
    """From a raw batch to what a network reads. Holds buffers only, and a sample's output does not depend on its batch mates.

    Attributes:
        name: the name it was fitted under, such as ``standardise``.
        input_shape: shape of one raw input.
        output_shape: shape of one output.
    """

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    @property
    def output_dtype(self) -> torch.dtype:
        """Type of the outputs."""
        return torch.float32

    @property
    def net_options(self) -> dict[str, int]:
        """What a network must know of its inputs besides their shape, as options of its builder."""
        return {}

    @abstractmethod
    def forward(self, raw: Tensor) -> Tensor:
        """Raw batch (batch, *input_shape) of any number type and memory format to float32 (batch, *output_shape)."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain values from which ``preprocess_from_json`` makes an equal module, but for the buffers."""
