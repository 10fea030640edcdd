"""Changes of colour: brightness, contrast, saturation and hue, and AlexNet's noise along the principal colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from glassnet.data.augment.augment import Augment, Draws, uniform

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_YIQ = ((0.299, 0.587, 0.114), (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135))
# Photographs at large: eigenvalues and eigenvectors (columns) of the covariance of ImageNet's colours, pixels in 0 … 1.
IMAGENET_VALUES = (0.2175, 0.0188, 0.0045)
IMAGENET_VECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))


class ColourJitter(Augment):
    """Random brightness, contrast, saturation and hue, in this order; float32 clamped to 0 … 255 once at the end.

    brightness:  x ← b·x
    contrast:    x ← c·x + (1 − c)·m, m the mean brightness of the image
    saturation:  x ← s·x + (1 − s)·y, y the brightness of the pixel (ITU-R BT.601)
    hue:         the chroma turned by 2π·h in the YIQ plane, the brightness of the pixel unchanged

    All four are linear, so each sample needs one 3×3 matrix and one offset. Grey images have brightness and contrast only.

    Args:
        brightness: b within 1 ± this, at most 1.
        contrast: c within 1 ± this, at most 1.
        saturation: s within 1 ± this, at most 1.
        hue: h within ± this, in turns of the colour circle, at most 0.5.
    """

    def __init__(self, brightness: float = 0, contrast: float = 0, saturation: float = 0, hue: float = 0) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Columns b, c, s, h: float32 (batch, 4)."""
        reach = (self.brightness, self.contrast, self.saturation)
        most = (*(1 + r for r in reach), self.hue)
        least = (*(1 - r for r in reach), -self.hue)
        return (uniform(shape[0], least, most, generator),)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The images in other colours."""
        (drawn,) = draws
        values = images.to(torch.float32)
        bright, contrast, saturation, hue = drawn[:, :, None, None].unbind(1)  # each (batch, 1, 1)
        means = values.mean((2, 3))  # (batch, channels)
        if images.shape[1] != 3:
            mean = means.mean(1)[:, None, None]
            offset = (1 - contrast) * bright * mean
            return (values * (contrast * bright)[..., None] + offset[..., None]).clamp_(0, 255)
        luma = torch.tensor(LUMA, device=images.device)
        offset = (1 - contrast) * bright * (means * luma).sum(1)[:, None, None]
        eye = torch.eye(3, device=images.device)
        matrix = saturation * eye + (1 - saturation) * luma.expand(3, 3)
        matrix = times(turned_hue(hue), matrix) * (contrast * bright)  # (batch, 3, 3)
        # The offset is grey, which neither saturation nor hue changes.
        red, green, blue = matrix.transpose(1, 2)[..., None, None].unbind(
            1
        )  # what each channel gives: (batch, 3, 1, 1)
        out = values[:, :1] * red + offset[..., None]
        return out.addcmul_(values[:, 1:2], green).addcmul_(values[:, 2:], blue).clamp_(0, 255)

    def extra_repr(self) -> str:
        """For printing."""
        return f"brightness={self.brightness}, contrast={self.contrast}, saturation={self.saturation}, hue={self.hue}"


class PcaNoise(Augment):
    """AlexNet's colour noise: adds Σ p_i · a_i · λ_i to every pixel of an image (Krizhevsky et al. 2012, section 4.1).

    p_i and λ_i are eigenvectors and eigenvalues of the covariance of the colours of the training pixels, scaled to 0 … 1; a_i is
    normal with standard deviation ``std``, drawn once for an image. The sum is scaled to 0 … 255, the result clamped; float32.

    Args:
        std: standard deviation of a_i; the paper's is 0.1.
        values: eigenvalues (channels,).
        vectors: eigenvectors in columns (channels, channels).
    """

    values: Tensor
    vectors: Tensor

    def __init__(self, std: float, values: Tensor, vectors: Tensor) -> None:
        super().__init__()
        self.std = std
        self.register_buffer("values", values.to(torch.float32))
        self.register_buffer("vectors", vectors.to(torch.float32))

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """The a_i: float32 (batch, channels)."""
        return (torch.randn(shape[0], len(self.values), generator=generator) * self.std,)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The images in another light."""
        (drawn,) = draws
        values, vectors = self.values.to(images.device), self.vectors.to(images.device)
        shift = 255 * (drawn * values)[:, None, :].mul(vectors).sum(2)  # (batch, channels)
        return (images.to(torch.float32) + shift[:, :, None, None]).clamp_(0, 255)

    def extra_repr(self) -> str:
        """For printing."""
        return f"std={self.std}"


def principal_colours(images: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues, largest first, and eigenvectors (columns) of the covariance of pixel colours in 0 … 1.

    Args:
        images: uint8 or floating point in 0 … 255, (n, channels, height, width).
    """
    pixels = images.to(torch.float64).transpose(0, 1).flatten(1) / 255  # (channels, pixels)
    found = torch.linalg.eigh(torch.cov(pixels).reshape(len(pixels), len(pixels)))
    return found.eigenvalues.flip(0).to(torch.float32), found.eigenvectors.flip(1).to(torch.float32)


def imagenet_colours() -> tuple[Tensor, Tensor]:
    """The principal colours of ImageNet, for want of the training set's own."""
    return torch.tensor(IMAGENET_VALUES), torch.tensor(IMAGENET_VECTORS)


def turned_hue(turns: Tensor) -> Tensor:
    """Matrices (batch, 3, 3) that turn the chroma of RGB by ``turns`` (batch, 1, 1) of the circle."""
    to_yiq = torch.tensor(_YIQ, dtype=torch.float64)
    from_yiq = torch.linalg.inv(to_yiq)
    # Turning is 1 · (brightness part) + cos · (chroma part) + sin · (chroma part turned by a quarter).
    bright, chroma, quarter = (
        (from_yiq @ torch.tensor(middle, dtype=torch.float64) @ to_yiq).to(turns.device, torch.float32)
        for middle in (
            [[1.0, 0, 0], [0, 0, 0], [0, 0, 0]],
            [[0.0, 0, 0], [0, 1, 0], [0, 0, 1]],
            [[0.0, 0, 0], [0, 0, -1], [0, 1, 0]],
        )
    )
    angle = 2 * math.pi * turns
    turned: Tensor = bright + angle.cos() * chroma + angle.sin() * quarter
    return turned


def times(left: Tensor, right: Tensor) -> Tensor:
    """Product of matrices (batch, 3, 3), summed in a fixed order."""
    product: Tensor = (left[:, :, :, None] * right[:, None, :, :]).sum(2)
    return product
