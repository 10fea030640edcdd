"""Subsampling that learns: the sum of a window, times a coefficient, plus a bias."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Subsampling(nn.Module):
    """y_c = w_c · Σ_window x + b_c: one coefficient and one bias for each map that goes out.

    (batch, channels, h, w) → (batch, copies·channels, ⌊h / size⌋, ⌊w / size⌋). Windows of size×size pixels do not overlap; rows and
    columns that fill no window are left out. A small coefficient leaves the squashing function behind it near its linear part, so
    that the layer blurs; a large one makes it a noisy OR or a noisy AND of the window, by the sign of the bias. The squashing function
    is not part of this layer. At the start the layer averages: w = 1/size², b = 0.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section II.B, S2 and S4:
    12 parameters for 6 maps, 32 for 16.

    Args:
        channels: maps that come in.
        size: side of the window.
        copies: maps that go out for each map that comes in, each with a coefficient of its own; they follow one another.
    """

    def __init__(self, channels: int, size: int = 2, copies: int = 1) -> None:
        super().__init__()
        self.channels, self.copies = channels, copies
        self.kernel_size = (size, size)
        self.coefficient = nn.Parameter(torch.full((copies * channels,), 1 / size**2))
        self.bias = nn.Parameter(torch.zeros(copies * channels))

    def forward(self, x: Tensor) -> Tensor:
        """Add up the windows, scale and shift."""
        # The mean times the size, since a divisor of one's own is lost where a network is written as ONNX.
        sums = F.avg_pool2d(x, self.kernel_size) * prod(self.kernel_size)
        if self.copies > 1:
            sums = sums.unsqueeze(2).expand(-1, -1, self.copies, -1, -1).flatten(1, 2)
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]

    def count_connections(self, output: Sequence[int]) -> int:
        """Connections as the paper counts them: each unit has its window and a bias.

        Args:
            output: (maps, h, w) that go out.
        """
        return prod(output) * (prod(self.kernel_size) + 1)

    def extra_repr(self) -> str:
        """The arguments, for ``print(net)``."""
        return f"{self.channels}, size={self.kernel_size[0]}" + (f", copies={self.copies}" if self.copies > 1 else "")
