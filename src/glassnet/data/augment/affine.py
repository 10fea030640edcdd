"""Affine changes of images: moving, turning, scaling, stretching, slanting, and ResNet's scale-and-crop.

Each is a map from a pixel of the result to the place in the source where its value is read, in pixels from the centre of the image,
x to the right and y down: source = A · (x, y) + t. Maps are composed before any pixel is read (:mod:`glassnet.data.augment.warp`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from glassnet.data.augment.augment import uniform

Map = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Affine:
    """Ranges of a random affine change about the centre, each drawn uniformly.

    What the eye sees is, first to last: stretching by (√a, 1/√a), scaling by s, slanting x += tan(φ)·y, turning by θ, moving by t.

    Attributes:
        rotate: θ within ± this many degrees; counterclockwise is positive.
        scale: s within 1 ± this fraction, less than 1.
        shear: φ within ± this many degrees, less than 90.
        stretch: the change of aspect a within 1/(1 + stretch) … 1 + stretch, uniform in log a; the area stays.
        translate: t within ± this fraction of width and of height.
    """

    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    stretch: float = 0.0
    translate: float = 0.0

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Columns θ (radians), s, φ (radians), log a, tx, ty (fractions of the side): float32 (count, 6).

        All six are always drawn, so that switching one on leaves the others as they were.
        """
        angle, slant, aspect = math.radians(self.rotate), math.radians(self.shear), math.log1p(self.stretch)
        most = (angle, 1 + self.scale, slant, aspect, self.translate, self.translate)
        least = (-angle, 1 - self.scale, -slant, -aspect, -self.translate, -self.translate)
        return uniform(count, least, most, generator)

    @staticmethod
    def map(drawn: Tensor, height: int, width: int) -> Map:
        """From result to source: A (batch, 2, 2) and t (batch, 2)."""
        angle, scale, slant, aspect, right, down = drawn.unbind(1)
        cos, sin, tan = angle.cos(), angle.sin(), slant.tan()
        wide, high = scale * (aspect / 2).exp(), scale * (-aspect / 2).exp()
        # y points down, hence the sign of the sine. The inverse of turn · slant · size is 1/size · slant⁻¹ · turn⁻¹.
        turn_back = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
        first = (turn_back[:, 0] - tan[:, None] * turn_back[:, 1]) / wide[:, None]
        second = turn_back[:, 1] / high[:, None]
        matrix = torch.stack([first, second], 1)
        moved = torch.stack([right * width, down * height], 1)
        return matrix, -times(matrix, moved)


@dataclass(frozen=True)
class ScaleCrop:
    """ResNet's scale-and-crop: bring the shorter side to L, drawn uniformly, then cut the original size out anywhere.

    Source: Simonyan & Zisserman 2015 (section 3.1), He et al. 2016 (section 3.4), with L in [256, 480] and cuts of 224.

    Attributes:
        least: smallest L in pixels, at least the shorter side of the image.
        most: largest L in pixels.
    """

    least: float
    most: float

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Columns L (pixels) and the place of the cut, down and right, −1 … 1: float32 (count, 3)."""
        return uniform(count, (self.least, -1.0, -1.0), (self.most, 1.0, 1.0), generator)

    @staticmethod
    def map(drawn: Tensor, height: int, width: int) -> Map:
        """From result to source: A (batch, 2, 2) and t (batch, 2)."""
        side, down, right = drawn.unbind(1)
        shrink = min(height, width) / side
        matrix = torch.diag_embed(shrink[:, None].expand(-1, 2))
        room = (1 - shrink) / 2
        return matrix, torch.stack([right * room * width, down * room * height], 1)


def times(matrix: Tensor, points: Tensor) -> Tensor:
    """The matrices (batch, 2, 2) times the points (batch, 2), without a library's multiplication, whose rounding may vary."""
    return matrix[:, :, 0] * points[:, :1] + matrix[:, :, 1] * points[:, 1:]


def compose(outer: Map, inner: Map) -> Map:
    """The map that applies ``inner`` first: outer(inner(x))."""
    columns = [times(outer[0], inner[0][:, :, column]) for column in (0, 1)]
    return torch.stack(columns, 2), times(outer[0], inner[1]) + outer[1]
