"""The Inception block: four branches side by side."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class InceptionWidths(NamedTuple):
    """Channels inside an Inception block; the names are the columns of table 1 of the paper.

    Attributes:
        conv1: of the 1×1 convolution.
        reduce3: of the 1×1 convolution before the 3×3.
        conv3: of the 3×3 convolution.
        reduce5: of the 1×1 convolution before the 5×5.
        conv5: of the 5×5 convolution.
        pool: of the 1×1 convolution behind the pooling.
    """

    conv1: int
    reduce3: int
    conv3: int
    reduce5: int
    conv5: int
    pool: int

    @property
    def out_channels(self) -> int:
        """Channels of the concatenated branches."""
        return self.conv1 + self.conv3 + self.conv5 + self.pool


class Inception(nn.Module):
    """y = [conv1×1(x), conv3×3(conv1×1(x)), conv5×5(conv1×1(x)), conv1×1(maxpool3×3(x))], concatenated along the channels.

    (batch, in_channels, h, w) → (batch, conv1 + conv3 + conv5 + pool, h, w). Every convolution is followed by a rectifier. The 1×1
    convolutions reduce the channels before the large windows: on 14×14 maps, 480 → 48 channels by 5×5 are 112.9 million
    multiply-adds, through 16 channels 1.5 + 3.8 = 5.3 million.

    Source: Szegedy et al., "Going Deeper with Convolutions", 2014, figure 2 (b) and table 1.

    Args:
        in_channels: channels that come in.
        widths: channels of the branches.
        batch_norm: put batch normalisation between each convolution and its rectifier (Ioffe and Szegedy, 2015).
    """

    def __init__(self, in_channels: int, widths: InceptionWidths, batch_norm: bool = False) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int, size: int) -> nn.Sequential:
            return conv_relu(inputs, outputs, size, batch_norm=batch_norm)

        self.branch1 = conv(in_channels, widths.conv1, 1)
        self.branch3 = nn.Sequential(conv(in_channels, widths.reduce3, 1), conv(widths.reduce3, widths.conv3, 3))
        self.branch5 = nn.Sequential(conv(in_channels, widths.reduce5, 1), conv(widths.reduce5, widths.conv5, 5))
        self.branch_pool = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), conv(in_channels, widths.pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Run the four branches and put their maps behind one another."""
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(x)], 1)


def conv_relu(
    in_channels: int, out_channels: int, size: int, stride: int = 1, *, batch_norm: bool = False
) -> nn.Sequential:
    """Convolution padded by half its window, batch normalisation on request (then without bias), rectifier.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
        size: side of the window, odd.
        stride: of the convolution.
        batch_norm: whether to normalise.
    """
    layers = nn.Sequential()
    layers.add_module("conv", nn.Conv2d(in_channels, out_channels, size, stride, size // 2, bias=not batch_norm))
    if batch_norm:
        layers.add_module("norm", nn.BatchNorm2d(out_channels))
    layers.add_module("relu", nn.ReLU(inplace=True))
    return layers
