"""A small VGG-like network that learns from small images in few epochs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.layers import Scale, whitening_filters
from glassnet.layers import activation as activation_module
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import image_shape

PATCH = 2
WIDTHS = (64, 256, 256)
WHITENING_EPS = 5e-4
SMALLEST_POOLED = 2  # a map is halved only where at least this many pixels a side remain
NORM_MOMENTUM = 0.4  # running averages must settle within few steps
LARGEST_LAST = 12  # further groups are added until the last maps are no larger than this


class SmallVGG(nn.Module):
    """A whitening convolution, groups of two 3×3 convolutions each, global max pooling, a scaled classifier.

    The first convolution looks at 2×2 patches. Its weights are not trained: :meth:`initialise_from` computes them from training
    images, so that the layers above start from uncorrelated inputs; its biases are trained for images of several channels, and stay zero for grey ones. The other convolutions start as identities on their first
    channels (Dirac), so that the untrained network already passes its input through.

    Each group halves the map as long as at least 2×2 pixels remain. Batch norm learns its shift and keeps its scale at 1.

    Source: K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3 (airbench94). Here the
    number of groups, and of those that pool, follows the size of the images.

    Args:
        channels: channels of the images.
        side: the shorter side of the images.
        widths: channels of each group.
        outputs: classes or values.
        activation: name of the activation function.
        dropout: probability to drop a feature before the classifier.
    """

    def __init__(
        self, channels: int, side: int, widths: tuple[int, ...], outputs: int, activation: str, dropout: float
    ) -> None:
        super().__init__()
        self.computed = ("whiten",)
        whitened = 2 * channels * PATCH * PATCH
        self.whiten = nn.Conv2d(channels, whitened, PATCH)
        self.whiten.weight.requires_grad_(False)
        # Of grey images a fifth of a step goes through the next layer for the sake of these few numbers, which gain nothing (docs/log.md).
        assert self.whiten.bias is not None
        self.whiten.bias.requires_grad_(channels > 1)
        self.activation = activation_module(activation)
        side -= PATCH - 1
        names = []
        for number, (below, width) in enumerate(zip((whitened, *widths), widths, strict=False), start=1):
            pooled = side // 2 >= SMALLEST_POOLED
            side = side // 2 if pooled else side
            self.add_module(f"group{number}", _group(below, width, pooled, activation))
            names.append(f"group{number}")
        self.stages = tuple(names)
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Sequential()
        if dropout:
            self.head.add_module("dropout", nn.Dropout(dropout))
        self.head.add_module("linear", nn.Linear(widths[-1], outputs, bias=False))
        # The largest of many pixels is far from zero, so without a factor the first logits would be large.
        self.head.add_module("scale", Scale(1 / 9))
        nn.init.zeros_(self.whiten.bias)

    def initialise_from(self, inputs: Tensor) -> None:
        """Compute the whitening filters.

        Args:
            inputs: preprocessed training images (batch, channels, height, width); some hundred suffice.
        """
        filters = whitening_filters(inputs, PATCH, WHITENING_EPS)
        with torch.no_grad():
            self.whiten.weight.copy_(filters)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, last width)."""
        x = self.activation(self.whiten(x))
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return self.flatten(self.pool(x))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _group(in_channels: int, out_channels: int, pooled: bool, activation: str) -> nn.Sequential:
    """conv, pool, BN, activation, conv, BN, activation."""
    group = nn.Sequential()
    group.add_module("conv1", _identity_conv(in_channels, out_channels))
    if pooled:
        group.add_module("pool", nn.MaxPool2d(2))
    group.add_module("norm1", _norm(out_channels))
    group.add_module("activation1", activation_module(activation))
    group.add_module("conv2", _identity_conv(out_channels, out_channels))
    group.add_module("norm2", _norm(out_channels))
    group.add_module("activation2", activation_module(activation))
    return group


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, momentum=NORM_MOMENTUM)
    norm.weight.requires_grad_(False)
    return norm


def _identity_conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    with torch.no_grad():
        nn.init.dirac_(conv.weight[:in_channels])
    return conv


def small_vgg(
    shape: tuple[int, ...],
    outputs: int,
    width: float = 1.0,
    widths: tuple[int, ...] = WIDTHS,
    activation: str = "gelu",
    dropout: float = 0.0,
) -> SmallVGG:
    """A small, fast convolutional network for images of 8×8 pixels and larger.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        width: factor on all widths
        widths: channels of the groups; large images get further groups of the last width
        activation: activation function; relu is faster on a CPU
        dropout: probability to drop a feature before the classifier in training

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: a width that leaves no channel, no group, an unknown activation, or a dropout outside [0, 1).
    """
    channels, rows, columns = image_shape(shape, layer="small-vgg.group1.pool (pooling 2×2)", minimum=8)
    scaled = tuple(round(width * base) for base in widths)
    if not scaled or min(scaled) < 1:
        raise UsageError(
            "every group of the net needs at least one channel",
            where="net small-vgg, options width and widths",
            got=f"{width:g} × {','.join(map(str, widths)) or 'none'}",
            expected="1 or more channels for each group, such as width 1 and widths 64,256,256",
        )
    check_dropout("small-vgg", dropout)
    side = min(rows, columns)
    while side // 2 ** len(scaled) > LARGEST_LAST:
        scaled += scaled[-1:]
    return SmallVGG(channels, side, scaled, outputs, activation, dropout)
