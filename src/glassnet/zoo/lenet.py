"""LeNet-5 in the form in which it is usually taught today."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from glassnet.layers import activation as activation_module
from glassnet.zoo.flatten import FlattenMaps
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import image_shape

POOLINGS: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class LeNet5(nn.Module):
    """Convolution, pooling, convolution, pooling, two dense layers, classifier.

    Against the 1998 original: every map of the second convolution sees every map of the first, pooling has no weights, and the
    classifier is linear. On 28×28 inputs the first convolution pads by 2, which gives the maps the size they had on 32×32.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section II.B.

    Args:
        channels: channels of the images.
        height: of the images, with ``width`` such that the second pooling leaves at least one pixel.
        width: of the images.
        outputs: classes or values.
        activation: name of the activation function.
        pool: class of the pooling modules.
        dropout: probability to drop a unit of the dense layers.
    """

    stages = ("block1", "block2", "dense1", "dense2")

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        outputs: int,
        activation: str,
        pool: type[nn.Module],
        dropout: float,
    ) -> None:
        super().__init__()
        padding = 2 if min(height, width) < 32 else 0
        rows, columns = (_after_blocks(side, padding) for side in (height, width))
        self.block1 = nn.Sequential(nn.Conv2d(channels, 6, 5, padding=padding), activation_module(activation), pool(2))
        self.block2 = nn.Sequential(nn.Conv2d(6, 16, 5), activation_module(activation), pool(2))
        self.flatten = FlattenMaps((16, rows, columns), "lenet5", "dense1", (height, width))
        self.dense1 = _dense(16 * rows * columns, 120, activation, dropout)
        self.dense2 = _dense(120, 84, activation, dropout)
        self.head = nn.Linear(84, outputs)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, 84)."""
        x = self.block2(self.block1(x))  # (batch, 16, rows, columns)
        return self.dense2(self.dense1(self.flatten(x)))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _dense(inputs: int, units: int, activation: str, dropout: float) -> nn.Sequential:
    layers = [nn.Linear(inputs, units), activation_module(activation)]
    return nn.Sequential(*layers, nn.Dropout(dropout)) if dropout else nn.Sequential(*layers)


def _after_blocks(side: int, padding: int) -> int:
    """Side of the maps that the second pooling leaves: each block is a convolution by 5 and a halving."""
    return ((side + 2 * padding - 4) // 2 - 4) // 2


def lenet5(
    shape: tuple[int, ...],
    outputs: int,
    activation: str = "relu",
    pooling: Literal["max", "average"] = "max",
    dropout: float = 0.0,
) -> LeNet5:
    """LeNet-5 for images of 12×12 and larger.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        activation: activation function; the original's was a scaled tanh
        pooling: how a window of 2×2 becomes one number
        dropout: probability to drop a unit of the two dense layers in training

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: an unknown activation, or a dropout outside [0, 1).
    """
    channels, height, width = image_shape(
        shape, layer="lenet5.block2.0 (convolution 5×5, then pooling 2×2)", minimum=12
    )
    check_dropout("lenet5", dropout)
    return LeNet5(channels, height, width, outputs, activation, POOLINGS[pooling], dropout)
