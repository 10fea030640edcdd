"""Pooling by the Lp norm of the window."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import UsageError


class NormPool2d(nn.Module):
    """y = (Σ |x|^p)^(1/p) over each window and channel; p = 1 sums sizes, p = 2 is the length, p = ∞ the largest size.

    ``nn.LPPool2d`` raises x itself to the power, so that signed values give wrong sums for odd p and NaN for broken p; of values
    that are never negative, such as those after ReLU, it gives the same. In a window of zeros the gradient is 0. The powers must fit
    into the numbers' type.

    (batch, channels, height, width) → (batch, channels, rows, columns), sized as by ``nn.AvgPool2d``

    Source: Sermanet, Chintala, LeCun, "Convolutional Neural Networks Applied to House Numbers Digit Classification", 2012,
    section 2.2 (there with Gaussian weights).

    Args:
        p: the norm's order, 1 or more, or infinity.
        kernel_size: side of the window.
        stride: step of the window; the side without it.
        padding: zeros put around.

    Raises:
        UsageError: p below 1.
    """

    def __init__(self, p: float, kernel_size: int, stride: int | None = None, padding: int = 0) -> None:
        super().__init__()
        if not p >= 1:
            raise UsageError(
                "the order of a norm is 1 or more",
                where="NormPool2d",
                got=p,
                expected="such as 2 for the Euclidean norm",
            )
        self.p, self.kernel_size, self.stride, self.padding = float(p), kernel_size, stride or kernel_size, padding

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, channels, rows, columns)."""
        sizes = x.abs()
        if self.p == float("inf"):
            return F.max_pool2d(sizes, self.kernel_size, self.stride, self.padding)
        # The mean times the size, since a divisor of one's own is lost where a network is written as ONNX.
        mean = F.avg_pool2d(sizes.pow(self.p), self.kernel_size, self.stride, self.padding)
        total = mean * self.kernel_size**2
        root = torch.where(total > 0, total, 1).pow(1 / self.p)  # the root's slope at 0 is infinite
        return torch.where(total > 0, root, 0)

    def extra_repr(self) -> str:
        """The arguments, for ``print(net)``."""
        return f"p={self.p:g}, kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
