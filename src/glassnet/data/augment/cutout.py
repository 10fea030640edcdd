"""A square of the image blanked out, so that the net does not lean on one part alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glassnet.data.augment.augment import Augment, Draws
from glassnet.data.augment.border import GROUND, Border, border_colour


class Cutout(Augment):
    """Fills a square whose centre lies anywhere in the image and which may reach over its edge (DeVries & Taylor 2017). Keeps the type.

    Args:
        side: side of the square in pixels.
        border: with ``dark`` or ``bright`` the square takes the colour of the image's ground, else the image's mean colour. (The paper fills
            with the mean of the training set; an image's own mean needs no figure from elsewhere and hides as much.)
    """

    def __init__(self, side: int, border: Border = "reflect") -> None:
        super().__init__()
        self.side = side
        self.border = border

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Row and column of the centre: int64 (batch, 2)."""
        return (torch.stack([torch.randint(0, size, (shape[0],), generator=generator) for size in shape[2:4]], 1),)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The images with a blank square."""
        (centre,) = draws
        rows = self._hidden(centre[:, 0], images.shape[2])
        columns = self._hidden(centre[:, 1], images.shape[3])
        mask = rows[:, None, :, None] & columns[:, None, None, :]  # (batch, 1, height, width)
        fill = self._fill(images)[:, :, None, None]
        if images.dtype != torch.uint8:
            return torch.where(mask, fill, images)
        # The bits of the fill where the mask is all ones, else the image's: several times as fast as torch.where on bytes.
        return images ^ ((images ^ fill) & mask.to(torch.uint8).neg())

    def _hidden(self, centre: Tensor, size: int) -> Tensor:
        first = centre[:, None] - self.side // 2
        place = torch.arange(size, device=centre.device)
        return (place >= first) & (place < first + self.side)

    def _fill(self, images: Tensor) -> Tensor:
        if self.border in GROUND:
            return border_colour(images, GROUND[self.border])
        mean = images.to(torch.float32).mean((2, 3))
        return mean.to(images.dtype) if images.is_floating_point() else mean.round().to(images.dtype)

    def extra_repr(self) -> str:
        """For printing."""
        return f"side={self.side}, border={self.border!r}"
