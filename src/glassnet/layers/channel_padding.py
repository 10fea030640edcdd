"""The shortcut without parameters of the residual network paper."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class SubsampleAndPad(nn.Module):
    """Identity for a residual block that halves the map and widens it: every ``stride``-th pixel, and zeros for the new channels.

    (batch, in_channels, height, width) → (batch, out_channels, ⌈height / stride⌉, ⌈width / stride⌉)

    Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, section 3.3, option A. Half of the new
    channels are put before the old ones and half after them; the paper leaves the place open.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out, not fewer than come in.
        stride: distance between the pixels kept.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before = (out_channels - in_channels) // 2
        self.after = out_channels - in_channels - self.before

    def forward(self, x: Tensor) -> Tensor:
        """Subsample and pad a batch of maps."""
        kept = x[:, :, :: self.stride, :: self.stride]
        return F.pad(kept, (0, 0, 0, 0, self.before, self.after))

    def extra_repr(self) -> str:
        """The arguments, for ``print(net)``."""
        return f"stride={self.stride}, channels before={self.before}, after={self.after}"
