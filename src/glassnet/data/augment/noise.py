"""Gaussian noise on every pixel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glassnet.data.augment.augment import Augment, Draws


class Noise(Augment):
    """Adds independent normal noise to every value; float32.

    Args:
        std: standard deviation: for images in units of the full range, so that 0.1 is 25.5 levels of 255, and the result is clamped to
            0 … 255; with ``relative`` in units of each sample's own standard deviation, and nothing is clamped.
        relative: for signals and arrays, which have no range of their own.
    """

    def __init__(self, std: float, *, relative: bool = False) -> None:
        super().__init__()
        self.std = std
        self.relative = relative

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Standard normal numbers in the shape of the batch, float32."""
        return (torch.randn(*shape, generator=generator),)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The noisy batch."""
        (drawn,) = draws
        values = images.to(torch.float32)
        if not self.relative:
            return values.add(drawn, alpha=self.std * 255).clamp_(0, 255)
        spread = values.flatten(1).std(1, correction=0).reshape(-1, *[1] * (values.ndim - 1))
        return values + self.std * spread * drawn

    def extra_repr(self) -> str:
        """For printing."""
        return f"std={self.std}, relative={self.relative}"
