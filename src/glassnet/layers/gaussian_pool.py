"""Pooling by an average that counts a pixel the less, the further it lies from the window's centre."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GaussianPool2d(nn.Module):
    """y[i, j] = Σ_{u, v} w[u, v] · x[stride · i + u, stride · j + v], w ∝ exp(−d² / 2σ²), Σ w = 1.

    d is the distance of pixel (u, v) from the window's centre, which lies between pixels where the window's side is even. Each
    channel is pooled by itself. Where the window reaches over the border, the weights that lie inside are brought to sum 1, so
    that a constant image keeps its value.

    (batch, channels, height, width) → (batch, channels, rows, columns), sized as by ``nn.AvgPool2d``

    Source: the weighted average of Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 9.3.

    Args:
        kernel_size: side of the window.
        stride: step of the window; the side without it.
        sigma: σ in pixels; half the side without it, large values approach the plain average.
        padding: pixels by which the window may reach over the border.
    """

    def __init__(
        self, kernel_size: int, stride: int | None = None, sigma: float | None = None, padding: int = 0
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride or kernel_size, padding
        self.sigma = sigma or kernel_size / 2

    def weight(self, like: Tensor) -> Tensor:
        """w, (1, 1, kernel_size, kernel_size), in the type and on the device of another tensor."""
        distance = torch.arange(self.kernel_size, dtype=torch.float64) - (self.kernel_size - 1) / 2
        bell = torch.exp(-distance.square() / (2 * self.sigma**2))
        bell = bell / bell.sum()
        return torch.outer(bell, bell).to(like.device, like.dtype)[None, None]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, channels, rows, columns)."""
        channels = x.shape[1]
        weight = self.weight(x)
        pooled = F.conv2d(x, weight.expand(channels, -1, -1, -1), None, self.stride, self.padding, groups=channels)
        if not self.padding:
            return pooled
        inside = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        return pooled / F.conv2d(inside, weight, None, self.stride, self.padding)

    def extra_repr(self) -> str:
        """The arguments, for ``print(net)``."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, sigma={self.sigma:g}, padding={self.padding}"
