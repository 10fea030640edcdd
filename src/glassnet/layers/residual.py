"""Residual blocks: two or three convolutions beside a shortcut."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from glassnet.layers.channel_padding import SubsampleAndPad

Shortcut = Literal["A", "B", "C"]
EXPANSION = 4  # channels that leave a bottleneck, for each channel inside it


def make_shortcut(in_channels: int, out_channels: int, stride: int, option: Shortcut) -> nn.Module:
    """The path around a block's convolutions.

    Where the block keeps the shape, the identity (A, B) or a projection (C). Where it changes the shape, every ``stride``-th pixel
    padded with zero channels (A, no parameters) or a projection (B, C). A projection is a 1×1 convolution of the given stride and
    batch norm.

    Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, section 3.3 and table 3.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
        stride: distance between the pixels kept.
        option: ``A``, ``B`` or ``C``, the paper's letters.
    """
    changes = stride != 1 or in_channels != out_channels
    if option == "C" or (option == "B" and changes):
        return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))
    return SubsampleAndPad(in_channels, out_channels, stride) if changes else nn.Identity()


class BasicBlock(nn.Module):
    """y = relu(F(x) + shortcut(x)), F = BN(conv3×3(relu(BN(conv3×3(x))))).

    (batch, in_channels, h, w) → (batch, out_channels, ⌈h / stride⌉, ⌈w / stride⌉)

    Source: He et al., 2015, equation 1, figure 5 (left) and section 3.3.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
        stride: of the first convolution.
        shortcut: see :func:`make_shortcut`.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut = make_shortcut(in_channels, out_channels, stride, shortcut)
        self.relu2 = nn.ReLU(inplace=True)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The normalisation right before the addition."""
        return self.norm2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, and add what came in."""
        residual = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return self.relu2(residual + self.shortcut(x))  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """y = relu(F(x) + shortcut(x)), F = BN(conv1×1(relu(BN(conv3×3(relu(BN(conv1×1(x)))))))).

    The first 1×1 convolution reduces to a quarter of the channels that go out, the second restores them, so that the 3×3
    convolution is cheap: (batch, in_channels, h, w) → (batch, 4 · width, ⌈h / stride⌉, ⌈w / stride⌉).

    Source: He et al., 2015, figure 5 (right) and section 4.1. The paper's own models subsample in the first 1×1 convolution; to
    do it in the 3×3 convolution costs more multiplications and loses fewer pixels (Goyal et al., "Accurate, Large Minibatch SGD",
    2017, section 5.1).

    Args:
        in_channels: channels that come in.
        width: channels of the 3×3 convolution.
        stride: of one of the convolutions.
        shortcut: see :func:`make_shortcut`.
        strided: which convolution has the stride.
    """

    def __init__(
        self, in_channels: int, width: int, stride: int, shortcut: Shortcut, strided: Literal["1x1", "3x3"]
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if strided == "1x1" else (1, stride)
        self.conv1 = nn.Conv2d(in_channels, width, 1, first, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, second, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv3 = nn.Conv2d(width, EXPANSION * width, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(EXPANSION * width)
        self.shortcut = make_shortcut(in_channels, EXPANSION * width, stride, shortcut)
        self.relu3 = nn.ReLU(inplace=True)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The normalisation right before the addition."""
        return self.norm3

    def forward(self, x: Tensor) -> Tensor:
        """Reduce, convolve, restore, and add what came in."""
        residual = self.relu1(self.norm1(self.conv1(x)))
        residual = self.relu2(self.norm2(self.conv2(residual)))
        return self.relu3(self.norm3(self.conv3(residual)) + self.shortcut(x))  # type: ignore[no-any-return]
