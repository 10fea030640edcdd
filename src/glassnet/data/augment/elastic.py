"""Elastic distortion: every pixel shaken at random, the shaking smoothed, as if the hand had trembled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Elastic:
    """Random displacement fields (Simard, Steinkraus & Platt 2003, section 2).

    displacement = alpha · (G_sigma * u), where u is uniform in −1 … 1 at every pixel and zero outside the image, and G_sigma is a Gaussian
    of sum 1. Inside the image a component is about alpha / (2·√(3π)·sigma) large (root mean square); never more than alpha.
    The paper's digits of 29×29 have sigma 4 and alpha 34, thus 1.4 pixels.

    Attributes:
        alpha: strength in pixels.
        sigma: width of the Gaussian in pixels.
    """

    alpha: float
    sigma: float

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """The shaking before smoothing, x and y, in 256 equal steps k for u = (k + 0.5) / 128: int8 (batch, 2, height, width)."""
        batch, _, height, width = shape
        numbers = 2 * height * width
        # Eight numbers from each random word: the draws would otherwise take longer than everything else together.
        words = torch.empty(batch, -(-numbers // 8), dtype=torch.int64).random_(-(2**63), None, generator=generator)
        return words.view(torch.int8)[:, :numbers].reshape(batch, 2, height, width)

    def displacement(self, drawn: Tensor) -> Tensor:
        """The smoothed field in pixels, x and y: (batch, 2, height, width)."""
        down = gaussian_matrix(drawn.shape[2], self.sigma, drawn.device)
        across = gaussian_matrix(drawn.shape[3], self.sigma, drawn.device)
        shaking = drawn.to(torch.float32).add_(0.5).mul_(self.alpha / 128)
        return down @ shaking @ across.T


def gaussian_matrix(size: int, sigma: float, device: torch.device) -> Tensor:
    """Smoothing of ``size`` values as a matrix (size, size): a Gaussian cut off at 4 sigma, zeros beyond the ends."""
    radius = int(4 * sigma + 0.5)
    taps = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(radius + 1)]
    total = taps[0] + 2 * sum(taps[1:])
    kernel = torch.tensor([tap / total for tap in taps] + [0.0], device=device)
    place = torch.arange(size, device=device)
    return kernel[(place[:, None] - place[None, :]).abs().clamp_max(radius + 1)]
