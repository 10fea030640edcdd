"""What stands beyond the edge of an image when it is moved: its reflection, its last row, or the colour of its ground."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Border = Literal["reflect", "edge", "dark", "bright"]
GROUND = {"dark": 0.25, "bright": 0.75}  # for ink on a ground: which quantile of an image's own border is its ground


def reflected(index: Tensor, size: int) -> Tensor:
    """Indices brought into 0 … size−1 by reflection at the first and last element, which are not repeated."""
    period = max(2 * (size - 1), 1)
    folded = index.remainder(period)
    return torch.minimum(folded, period - folded).clamp_max(size - 1)


def border_colour(images: Tensor, quantile: float) -> Tensor:
    """A quantile of the outermost ring of pixels, for each sample and channel: (batch, channels), of the images' type.

    The lower quartile finds a dark ground even where half the ring is crossed by bright strokes, and a bright ground where the ring is
    nearly plain; the upper quartile the other way round. Of long rings some 32 pixels, evenly spaced, are looked at.
    """
    ring = torch.cat([images[:, :, 0], images[:, :, :, -1], images[:, :, -1], images[:, :, :, 0]], dim=-1)
    some = ring[..., :: max(1, ring.shape[-1] // 32)]
    # Sorted, because torch.median is refused on some devices when deterministic algorithms are asked for.
    return some.sort(dim=-1).values[..., int(quantile * (some.shape[-1] - 1))]


def pad(images: Tensor, amount: int, border: Border) -> Tensor:
    """Images grown by ``amount`` pixels on each side, (batch, channels, height + 2·amount, width + 2·amount).

    Works on integers on every device, unlike the library's own. ``amount`` is less than height and width.
    """
    batch, channels, height, width = images.shape
    size = (batch, channels, height + 2 * amount, width + 2 * amount)
    padded = torch.empty(size, dtype=images.dtype, device=images.device, memory_format=memory_format(images))
    rows, columns = slice(amount, amount + height), slice(amount, amount + width)
    if border in GROUND:
        padded[:] = border_colour(images, GROUND[border])[:, :, None, None]
        padded[:, :, rows, columns] = images
        return padded
    padded[:, :, rows, columns] = images
    for k in range(1, amount + 1):
        inward = k if border == "reflect" else 0
        padded[:, :, amount - k, columns] = images[:, :, inward]
        padded[:, :, amount + height - 1 + k, columns] = images[:, :, height - 1 - inward]
    for k in range(1, amount + 1):
        inward = k if border == "reflect" else 0
        padded[:, :, :, amount - k] = padded[:, :, :, amount + inward]
        padded[:, :, :, amount + width - 1 + k] = padded[:, :, :, amount + width - 1 - inward]
    return padded


def memory_format(images: Tensor) -> torch.memory_format:
    """How a batch of images lies in memory."""
    last = images.shape[1] > 1 and images.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
