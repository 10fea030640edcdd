"""The network of convolutions alone: no pooling but the last average, no dense layer, images of any size."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import UsageError
from glassnet.layers import activation as activation_module
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import image_shape

WIDTHS = (96, 192)


class AllConv(nn.Module):
    """Seven 3×3 convolutions, of which two halve the map by their stride, one of 1×1, a 1×1 classifier, an average over the map.

    The classifier is a linear map of each pixel's features, so that averaging its answers and classifying the average are the same;
    :meth:`forward` does the latter and :meth:`class_maps` shows the former, where in the image each class is seen. The paper has a
    rectifier between the two, which is left out, for logits may be negative. Batch norm is an option that the paper lacks.

    Source: Springenberg, Dosovitskiy, Brox, Riedmiller, "Striving for Simplicity: The All Convolutional Net", 2015, tables 1 and 2,
    All-CNN-C.

    Args:
        channels: channels of the images.
        widths: channels of the first three convolutions, and of the others.
        outputs: classes or values.
        activation: name of the activation function.
        batch_norm: whether to normalise before it.
        dropout: probability to drop a number after each of the two convolutions that halve.
        input_dropout: probability to drop a number of the image.
    """

    stages = ("block1", "block2", "block3")

    def __init__(
        self,
        channels: int,
        widths: tuple[int, int],
        outputs: int,
        activation: str,
        batch_norm: bool,
        dropout: float,
        input_dropout: float,
    ) -> None:
        super().__init__()
        first, last = widths
        self.drop0 = nn.Dropout(input_dropout)
        # (channels in, channels out, kernel, stride, padding)
        self.block1 = _block(
            [(channels, first, 3, 1, 1), (first, first, 3, 1, 1), (first, first, 3, 2, 1)], activation, batch_norm
        )
        self.drop1 = nn.Dropout(dropout)
        self.block2 = _block(
            [(first, last, 3, 1, 1), (last, last, 3, 1, 1), (last, last, 3, 2, 1)], activation, batch_norm
        )
        self.drop2 = nn.Dropout(dropout)
        self.block3 = _block([(last, last, 3, 1, 0), (last, last, 1, 1, 0)], activation, batch_norm)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(last, outputs)

    def maps(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, last width, ⌈height / 4⌉ − 2, ⌈width / 4⌉ − 2)."""
        x = self.drop1(self.block1(self.drop0(x)))
        return self.block3(self.drop2(self.block2(x)))  # type: ignore[no-any-return]

    def class_maps(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs, rows, columns), whose mean over the pixels is ``forward(x)``."""
        return F.conv2d(self.maps(x), self.head.weight[:, :, None, None], self.head.bias)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, last width)."""
        return self.flatten(self.pool(self.maps(x)))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _block(convolutions: list[tuple[int, int, int, int, int]], activation: str, batch_norm: bool) -> nn.Sequential:
    block = nn.Sequential()
    for number, (below, width, kernel, stride, padding) in enumerate(convolutions, start=1):
        block.add_module(f"conv{number}", nn.Conv2d(below, width, kernel, stride, padding))
        if batch_norm:
            block.add_module(f"norm{number}", nn.BatchNorm2d(width))
        block.add_module(f"activation{number}", activation_module(activation))
    return block


def all_conv(
    shape: tuple[int, ...],
    outputs: int,
    width: float = 1.0,
    activation: str = "relu",
    batch_norm: bool = True,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
) -> AllConv:
    """The all-convolutional net for images of 9×9 pixels and larger; once built, it takes images of any such size.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        width: factor on the paper's 96 and 192 channels
        activation: activation function
        batch_norm: normalise before each activation; the paper does not
        dropout: probability to drop a number after each halving in training; 0.5 in the paper
        input_dropout: probability to drop a number of the image in training; 0.2 in the paper

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: a width that leaves no channel, an unknown activation, or a dropout outside [0, 1).
    """
    # Two halvings must leave 3×3 pixels for a convolution without padding.
    channels, _, _ = image_shape(shape, layer="all-conv.block3.conv1 (convolution 3×3, no padding)", minimum=9)
    first, last = (round(width * base) for base in WIDTHS)
    if min(first, last) < 1:
        raise UsageError(
            "every convolution of the net needs at least one channel",
            where="net all-conv, option width",
            got=width,
            expected="0.01 or more",
        )
    check_dropout("all-conv", dropout)
    check_dropout("all-conv", input_dropout)
    return AllConv(channels, (first, last), outputs, activation, batch_norm, dropout, input_dropout)
