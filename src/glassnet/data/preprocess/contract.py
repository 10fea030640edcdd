"""What every preprocessing module offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:  # which is made of the same parts as a preprocessing
    from glassnet.data.preprocess.target_scale import TargetScale


class Preprocess(nn.Module, ABC):
    """From a raw batch to what a network reads. Holds buffers only, and a sample's output does not depend on its batch mates.

    Attributes:
        name: the name it was fitted under, such as ``standardise``.
        input_shape: shape of one raw input.
        output_shape: shape of one output.
        alike_in_any_batch: whether a sample's output is the same to the last bit whatever the batch: so it is where numbers are added and multiplied one
            by one, and not where products of matrices are summed up in an order that depends on their size.
    """

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    alike_in_any_batch = False

    @property
    def output_dtype(self) -> torch.dtype:
        """Type of the outputs."""
        return torch.float32

    @property
    def net_options(self) -> dict[str, Any]:
        """What a network must know of its inputs besides their shape, as options of its builder."""
        return {}

    @property
    def target_scale(self) -> TargetScale | None:
        """The scale of the targets where it follows from that of the inputs, as in a series; else None."""
        return None

    @property
    def around(self) -> dict[str, Any] | None:
        """What a network that forecasts must know of the windows to be told around them; None where it says values outright."""
        return None

    @abstractmethod
    def forward(self, raw: Tensor) -> Tensor:
        """Raw batch (batch, *input_shape) of any number type and memory format to float32 (batch, *output_shape)."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain values from which ``preprocess_from_json`` makes an equal module, but for the buffers."""
