"""Changes of one-dimensional signals, (batch, channels, time): moved in time, played faster or slower."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glassnet.data.augment.augment import Augment, Draws, uniform
from glassnet.data.augment.border import reflected


class SignalShift(Augment):
    """Moves each signal by a whole number of steps within ± ``most``; the ends are filled by reflection. Keeps the type."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Steps towards the end: int64 (batch,)."""
        return (torch.randint(-self.most, self.most + 1, (shape[0],), generator=generator),)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The moved signals."""
        (steps,) = draws
        place = torch.arange(images.shape[2], device=images.device) - steps[:, None]
        return images.gather(2, reflected(place, images.shape[2])[:, None].expand_as(images))

    def extra_repr(self) -> str:
        """For printing."""
        return f"most={self.most}"


class SignalStretch(Augment):
    """Stretches each signal about its middle by a factor within 1 ± ``fraction``, by linear interpolation; float32."""

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self.fraction = fraction

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """The factors: float32 (batch, 1)."""
        return (uniform(shape[0], (1 - self.fraction,), (1 + self.fraction,), generator),)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The stretched signals."""
        (factor,) = draws
        steps = images.shape[2]
        middle = (steps - 1) / 2
        place = (torch.arange(steps, device=images.device) - middle) / factor + middle  # (batch, time)
        before = place.floor()
        share = (place - before)[:, None]
        values = images.to(torch.float32)
        ends = [
            values.gather(2, reflected(index, steps)[:, None].expand_as(values))
            for index in (before.long(), before.long() + 1)
        ]
        return torch.lerp(ends[0], ends[1], share)

    def extra_repr(self) -> str:
        """For printing."""
        return f"fraction={self.fraction}"
