"""A convolutional network for volumes: scans, stacks of slices, short films of one channel or more."""

from __future__ import annotations

from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.layers import activation as activation_module
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import axes_of


class Conv3dNet(nn.Module):
    """Groups of two 3×3×3 convolutions with batch norm and a halving by max pooling; global average pooling; classifier.

    Halving keeps a last odd plane, and the end is an average over all positions, so that volumes of any size fit.

    Source: the kernels are those of Tran, Bourdev, Fergus, Torresani, Paluri, "Learning Spatiotemporal Features with 3D
    Convolutional Networks", 2015, section 3.2, who found 3×3×3 throughout best; depth and width are cut down for small data.

    Args:
        channels: channels of the volumes.
        widths: channels of each group.
        outputs: classes or values.
        activation: name of the activation function.
        dropout: probability to drop a feature before the classifier.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], outputs: int, activation: str, dropout: float) -> None:
        super().__init__()
        for number, width in enumerate(widths, start=1):
            group = nn.Sequential()
            for place, below in enumerate((channels, width), start=1):
                # batch norm subtracts the mean, and a bias with it
                group.add_module(f"conv{place}", nn.Conv3d(below, width, 3, padding=1, bias=False))
                group.add_module(f"norm{place}", nn.BatchNorm3d(width))
                group.add_module(f"activation{place}", activation_module(activation))
            group.add_module("pool", nn.MaxPool3d(2, ceil_mode=True))
            self.add_module(f"group{number}", group)
            channels = width
        self.stages = tuple(f"group{number}" for number in range(1, len(widths) + 1))
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.flatten = nn.Flatten()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(channels, outputs)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, depth, height, width) → (batch, last width)."""
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return self.drop(self.flatten(self.pool(x)))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, depth, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def conv3d(
    shape: tuple[int, ...],
    outputs: int,
    widths: tuple[int, ...] = (16, 32, 64),
    activation: str = "relu",
    dropout: float = 0.0,
) -> Conv3dNet:
    """A convolutional network for volumes of any size.

    Args:
        shape: channels, depth, height, width.
        outputs: classes or values.
        widths: channels of the groups; each group halves every side
        activation: activation function
        dropout: probability to drop a feature before the classifier in training

    Raises:
        ModelError: the inputs are no volumes.
        UsageError: no group, a width below 1, an unknown activation, or a dropout outside [0, 1).
    """
    channels, *_ = axes_of(shape, net="conv3d", what="volumes", axes=("channels", "depth", "height", "width"))
    if not widths or min(widths) < 1:
        raise UsageError(
            "every group of the net needs at least one channel",
            where="net conv3d, option widths",
            got=widths,
            expected="1 or more for each group, such as 16,32,64",
        )
    check_dropout("conv3d", dropout)
    return Conv3dNet(channels, widths, outputs, activation, dropout)
