"""Local response normalisation, with the constants' meaning of the AlexNet paper."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class LocalResponseNorm(nn.Module):
    """b_i = a_i / (k + α · Σ_{j = max(0, i − ⌊n/2⌋)}^{min(N − 1, i + ⌊n/2⌋)} a_j²)^β over N channels, pixel by pixel.

    (batch, channels, …) → the same shape

    ``nn.LocalResponseNorm`` divides α by n, so that its α = 1e−4 is five times weaker than the paper's; and for an even n its
    window reaches one channel less far up. The computation is PyTorch's, with α · n in place of α.

    Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, section 3.3.

    Args:
        n: width of the window in channels.
        alpha: weight of the sum.
        beta: the exponent.
        k: added to the sum, above zero.
    """

    def __init__(self, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        self.n, self.alpha, self.beta, self.k = n, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel by its neighbours."""
        window = 2 * (self.n // 2) + 1
        return F.local_response_norm(x, window, self.alpha * window, self.beta, self.k)

    def extra_repr(self) -> str:
        """The constants, for ``print(net)``."""
        return f"n={self.n}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g}"
