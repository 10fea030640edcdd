"""Random crop after padding: the image moved by whole pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glassnet.data.augment.augment import Augment, Draws
from glassnet.data.augment.border import Border, memory_format, pad


class Crop(Augment):
    """Pads by ``padding`` pixels on each side and cuts out the original size anywhere (He et al. 2016, section 4.2).

    Every one of the (2·padding + 1)² positions is as likely. Keeps the type.
    """

    def __init__(self, padding: int, border: Border = "reflect") -> None:
        super().__init__()
        self.padding = padding
        self.border = border

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Upper left corner of the cut in the padded image, row and column: int64 (batch, 2), 0 … 2·padding."""
        return (torch.randint(0, 2 * self.padding + 1, (shape[0], 2), generator=generator),)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The cuts."""
        (corner,) = draws
        batch, channels, height, width = images.shape
        wanted = memory_format(images)
        padded = pad(images, self.padding, self.border).contiguous(memory_format=wanted)
        # All cuts of all images are windows of one overlapping view that starts at every element, so one selection takes them.
        to_image, to_channel, to_row, to_column = padded.stride()
        starts = torch.arange(batch, device=images.device) * to_image + corner[:, 0] * to_row + corner[:, 1] * to_column
        extent = (channels - 1) * to_channel + (height - 1) * to_row + (width - 1) * to_column
        if wanted == torch.channels_last:
            size, stride = (height, width, channels), (to_row, to_column, to_channel)
        else:
            size, stride = (channels, height, width), (to_channel, to_row, to_column)
        windows = padded.as_strided((padded.numel() - extent, *size), (1, *stride))
        cuts = windows.index_select(0, starts)
        return cuts.permute(0, 3, 1, 2) if wanted == torch.channels_last else cuts

    def extra_repr(self) -> str:
        """For printing."""
        return f"padding={self.padding}, border={self.border!r}"
