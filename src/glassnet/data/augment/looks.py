"""How training images look: photographs, glyphs, or things on a plain ground. Decides which changes are harmless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from glassnet.data.augment.border import border_colour

Kind = Literal["photo", "glyph", "object"]
_NEAR = 0.1  # of the data's range: as close as this counts as the same grey


@dataclass(frozen=True)
class Looks:
    """Measured figures, and the kind they speak for.

    Attributes:
        colourful: share of images whose channels differ.
        plain_border: share of images three quarters of whose outermost pixels have one colour.
        two_tone: share of pixels that are nearly as dark as the darkest or as bright as the brightest of their image.
        bright_ground: share of images whose border is brighter than the middle of the range.
    """

    colourful: float
    plain_border: float
    two_tone: float
    bright_ground: float

    @property
    def kind(self) -> Kind:
        """``glyph``: ink on a ground. ``object``: shades on a plain ground. ``photo``: the rest."""
        if self.two_tone >= 0.5 and (self.colourful < 0.1 or self.plain_border >= 0.8):
            return "glyph"
        return "object" if self.plain_border >= 0.6 and self.colourful < 0.1 else "photo"


def look(images: Tensor) -> Looks:
    """Measure raw images, (n, channels, height, width), in any one range."""
    values = images.to(torch.float32)
    low, high = values.min(), values.max()
    values = (values - low) / (high - low).clamp_min(1e-12)
    apart = (values.amax(1) - values.amin(1)).flatten(1)  # (n, pixels)
    grey = values.mean(1, keepdim=True)
    ring = torch.cat([grey[:, 0, 0], grey[:, 0, -1], grey[:, 0, :, 0], grey[:, 0, :, -1]], 1)
    same = ((ring - border_colour(grey, 0.5)).abs() <= _NEAR).float().mean(1)
    pixels = grey.flatten(1)
    least, most = pixels.amin(1, keepdim=True), pixels.amax(1, keepdim=True)
    near = _NEAR * (most - least)
    return Looks(
        colourful=float((apart.mean(1) > 0.02).float().mean()),
        plain_border=float((same >= 0.75).float().mean()),
        two_tone=float(((pixels <= least + near) | (pixels >= most - near)).float().mean()),
        bright_ground=float((ring.median(1).values > 0.5).float().mean()),
    )
