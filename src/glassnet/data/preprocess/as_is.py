"""Nothing but the type is changed: for networks that prepare their own inputs, such as ensembles of unlike networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.preprocess.contract import Preprocess


class AsIs(Preprocess):
    """``y = x`` as float32.

    Args:
        input_shape: of one raw input, and of one output.
    """

    def __init__(self, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.name = "as-is"
        self.input_shape = self.output_shape = tuple(input_shape)

    def forward(self, raw: Tensor) -> Tensor:
        """(batch, *shape) to float32 of the same shape."""
        return raw.to(torch.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"form": "as-is", "input_shape": list(self.input_shape)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> AsIs:
        """The module that :meth:`to_json` described."""
        return cls(tuple(values["input_shape"]))
