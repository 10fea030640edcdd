"""One resampling for everything that bends an image, however many changes it consists of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from glassnet.data.augment import affine
from glassnet.data.augment.affine import Affine, Map, ScaleCrop
from glassnet.data.augment.augment import Augment, Draws
from glassnet.data.augment.border import GROUND, Border, border_colour
from glassnet.data.augment.elastic import Elastic

_SAMPLER = {"reflect": "reflection", "edge": "border"}


class Warp(Augment):
    """Affine change, scale-and-crop and elastic distortion, composed and read from the source once with bilinear interpolation.

    What the eye sees is, first to last: elastic distortion, scale-and-crop, affine change. The result is float32 in the range of the input.

    Args:
        affine: ranges of the affine change.
        crop: range of the scale-and-crop.
        elastic: strength of the elastic distortion.
        border: what is read beyond the edge: the ``reflect``-ion, the ``edge`` pixels, or the colour of a
            ``dark`` or ``bright`` ground.
    """

    def __init__(
        self,
        affine: Affine | None = None,
        crop: ScaleCrop | None = None,
        elastic: Elastic | None = None,
        border: Border = "reflect",
    ) -> None:
        super().__init__()
        self.affine = affine
        self.crop = crop
        self.elastic = elastic
        self.border = border
        self.drawn = sum(part is not None for part in (crop, affine, elastic))

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """The draws of crop, affine change and elastic distortion, of those that are there, in this order."""
        drawn = [part.draw(shape[0], generator) for part in (self.crop, self.affine) if part is not None]
        if self.elastic is not None:
            drawn.append(self.elastic.draw(shape, generator))
        return tuple(drawn)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The bent images, float32."""
        height, width = images.shape[2:]
        left = iter(draws)
        total: Map | None = None
        for part in (self.crop, self.affine):
            if part is not None:
                inner = part.map(next(left), height, width)
                total = inner if total is None else affine.compose(total, inner)
        field = None if self.elastic is None else self.elastic.displacement(next(left))
        return resample(images, places(total, field, height, width, images.device), self.border)

    def extra_repr(self) -> str:
        """For printing."""
        parts = [str(part) for part in (self.crop, self.affine, self.elastic) if part is not None]
        return ", ".join([*parts, f"border={self.border!r}"])


def places(total: Map | None, field: Tensor | None, height: int, width: int, device: torch.device) -> Tensor:
    """Where every pixel of the result is read, −1 … 1 from edge to edge: (batch, height, width, 2), x and y.

    Points of the plane are handled as complex numbers x + i·y, because the grid is then one outer sum, a·x + (b·y + t) with the
    columns a and b of the matrix, which is several times as fast as multiplying matrices.

    Args:
        total: from result to source, in pixels from the centre; None for the identity.
        field: a displacement that is added, in pixels of the source (batch, 2, height, width).
        height: of the images.
        width: of the images.
        device: where to compute.
    """
    x = torch.arange(width, device=device, dtype=torch.float32) - (width - 1) / 2
    y = (torch.arange(height, device=device, dtype=torch.float32) - (height - 1) / 2)[:, None]
    matrix, moved = (
        total if total is not None else (torch.eye(2, device=device)[None], torch.zeros(1, 2, device=device))
    )
    sides = torch.tensor([2 / width, 2 / height], device=device)
    a, b = torch.view_as_complex((matrix * sides[:, None]).transpose(1, 2).contiguous())[:, :, None, None].unbind(1)
    origin = torch.view_as_complex((moved * sides).contiguous())[:, None, None]
    plane = a * x + (b * y + origin)  # (batch, height, width)
    if field is None:
        return torch.view_as_real(plane)
    grid = torch.view_as_real(plane.expand(len(field), -1, -1).contiguous())
    grid[..., 0].add_(field[:, 0], alpha=2 / width)
    grid[..., 1].add_(field[:, 1], alpha=2 / height)
    return grid


def resample(images: Tensor, grid: Tensor, border: Border) -> Tensor:
    """Bilinear interpolation at ``grid`` (batch, height, width, 2), −1 … 1 from edge to edge; float32."""
    values = images.to(torch.float32)
    if border in _SAMPLER:
        return F.grid_sample(values, grid, padding_mode=_SAMPLER[border], align_corners=False)
    # The sampler knows only zeros, so the ground's colour is made zero and put back.
    ground = border_colour(images, GROUND[border]).to(torch.float32)[:, :, None, None]
    return F.grid_sample(values - ground, grid, padding_mode="zeros", align_corners=False).add_(ground)
