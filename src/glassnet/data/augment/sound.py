"""Changes of sounds: begun earlier or later, and with noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glassnet.data.augment.augment import Augment, Draws, uniform
from glassnet.data.ragged import PADDING
from glassnet.data.sound_schema import SILENCE

LARGEST = 32767


class TimeShift(Augment):
    """Begins each sound later or earlier by up to ``share`` of the batch's longest; what moves out at the beginning is cut off.

    Args:
        share: 0 to 1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Samples that each sound begins later: int64 (batch,)."""
        most = int(self.share * shape[1])
        return (torch.randint(-most, most + 1, (shape[0],), generator=generator),)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The moved sounds, int32 (batch, samples and as many more as they can move)."""
        (later,) = draws
        wide = images.shape[1] + int(self.share * images.shape[1])
        place = torch.arange(wide, device=images.device) - later[:, None]
        inside = (place >= 0) & (place < images.shape[1])
        moved = images.gather(1, place.clamp(0, images.shape[1] - 1))
        # what comes before the sound is silence, so that its end is still where padding begins
        return torch.where(inside, moved, torch.where(place < 0, SILENCE, PADDING))

    def extra_repr(self) -> str:
        """For printing."""
        return f"share={self.share}"


class SoundNoise(Augment):
    """Adds white noise of up to ``most`` times each sound's own spread, where the sound is.

    Args:
        most: for each sound a strength is drawn between 0 and this.
    """

    drawn = 2

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Strengths (batch, 1), and standard normal numbers (batch, samples)."""
        return uniform(shape[0], (0.0,), (self.most,), generator), torch.randn(*shape, generator=generator)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The noisy sounds, int32 (batch, samples)."""
        strength, normal = draws
        inside = images != PADDING
        values = torch.where(inside, images - SILENCE, 0).float()
        spread = (values.square().sum(1, keepdim=True) / inside.sum(1, keepdim=True).clamp_min(1)).sqrt()
        noisy = (values + strength * spread * normal).round().clamp(-LARGEST, LARGEST).to(images.dtype) + SILENCE
        return torch.where(inside, noisy, PADDING)

    def extra_repr(self) -> str:
        """For printing."""
        return f"most={self.most}"
