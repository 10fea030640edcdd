"""Residual networks for photographs of some 224×224 pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

from glassnet.layers import EXPANSION, BasicBlock, Bottleneck, Shortcut
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.shape import image_shape
from glassnet.zoo.width import check_width

CHANNELS = (64, 128, 256, 512)
SMALLEST = 32  # halved five times
# Table 1 of the paper: blocks in each group.
BLOCKS: Mapping[int, tuple[int, ...]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}

MakeBlock = Callable[[int, int, int], BasicBlock | Bottleneck]


class ResNet(nn.Module):
    """Convolution 7×7 / 2, pooling 3×3 / 2, four groups of residual blocks, global average pooling, classifier.

    The first block of groups 2 to 4 halves the map. Weights of convolutions start from He's normal distribution over the fan-out,
    N(0, 2 / m), as section 3.4 asks by its reference 13; batch norm from γ = 1, β = 0.

    Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, table 1 and sections 3.3, 3.4, 4.1.

    Args:
        channels: channels of the images.
        outputs: classes or values.
        blocks: how many in each of the four groups.
        widths: channels of the stem and the first group, and of each further group, inside the blocks.
        block: makes a block from the channels that come in, the channels inside and the stride.
        expansion: channels that leave a block, for each channel inside.
        zero_gamma: start the last batch norm of every block at γ = 0, so that each block starts as its shortcut.
    """

    stages = ("stem", "group1", "group2", "group3", "group4")

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        blocks: Sequence[int],
        widths: Sequence[int],
        block: MakeBlock,
        expansion: int,
        zero_gamma: bool,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(channels, widths[0], 7, 2, padding=3, bias=False))
        self.stem.add_module("norm", nn.BatchNorm2d(widths[0]))
        self.stem.add_module("relu", nn.ReLU(inplace=True))
        self.stem.add_module("pool", nn.MaxPool2d(3, 2, padding=1))
        below = widths[0]
        for number, (count, width) in enumerate(zip(blocks, widths, strict=True), start=1):
            group = nn.Sequential()
            for place in range(count):
                group.append(block(below, width, 2 if number > 1 and place == 0 else 1))
                below = expansion * width
            self.add_module(f"group{number}", group)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(below, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_gamma and isinstance(module, BasicBlock | Bottleneck):
                nn.init.zeros_(module.last_norm.weight)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, 512), or (batch, 2048) with bottlenecks."""
        for stage in self.stages:
            x = self.get_submodule(stage)(x)  # at last (batch, channels, ⌈height / 32⌉, ⌈width / 32⌉)
        return self.flatten(self.pool(x))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def basic_resnet(
    depth: int,
    shape: tuple[int, ...],
    outputs: int,
    shortcut: Shortcut = "B",
    zero_gamma: bool = False,
    width: float = 1.0,
) -> ResNet:
    """ResNet-18 or -34 for images of 32×32 and larger, of any size once built; 224×224 in the paper.

    Args:
        depth: 18 or 34.
        shape: channels, height, width.
        outputs: classes or values.
        shortcut: A pads with zeros where the shape changes, B projects there, C projects everywhere
        zero_gamma: start every block as its shortcut, by γ = 0 in its last batch norm (Goyal et al., 2017); not in the paper
        width: factor on all channels

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: a width that leaves no channel.
    """

    def block(below: int, inside: int, stride: int) -> BasicBlock:
        return BasicBlock(below, inside, stride, shortcut)

    channels, widths = _checked(depth, shape, width)
    return ResNet(
        channels, outputs, blocks=BLOCKS[depth], widths=widths, block=block, expansion=1, zero_gamma=zero_gamma
    )


def bottleneck_resnet(
    depth: int,
    shape: tuple[int, ...],
    outputs: int,
    shortcut: Shortcut = "B",
    strided: Literal["1x1", "3x3"] = "1x1",
    zero_gamma: bool = False,
    width: float = 1.0,
) -> ResNet:
    """ResNet-50, -101 or -152 for images of 32×32 and larger, of any size once built; 224×224 in the paper.

    Args:
        depth: 50, 101 or 152.
        shape: channels, height, width.
        outputs: classes or values.
        shortcut: A pads with zeros where the shape changes, B projects there, C projects everywhere
        strided: which convolution of a block halves the map: the first 1x1, as in the paper, or the 3x3
        zero_gamma: start every block as its shortcut, by γ = 0 in its last batch norm (Goyal et al., 2017); not in the paper
        width: factor on all channels

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: a width that leaves no channel.
    """

    def block(below: int, inside: int, stride: int) -> Bottleneck:
        return Bottleneck(below, inside, stride, shortcut, strided)

    channels, widths = _checked(depth, shape, width)
    return ResNet(
        channels, outputs, blocks=BLOCKS[depth], widths=widths, block=block, expansion=EXPANSION, zero_gamma=zero_gamma
    )


def _checked(depth: int, shape: tuple[int, ...], width: float) -> tuple[int, tuple[int, ...]]:
    """Channels of the images, and of the groups."""
    # On a smaller image the last group would see less than one whole pixel of its input's map.
    channels, _, _ = image_shape(
        shape, layer=f"resnet{depth}.group4 (convolutions 3×3 on maps of a 32nd)", minimum=SMALLEST
    )
    check_width(f"resnet{depth}", width, min(CHANNELS))
    return channels, tuple(round(width * base) for base in CHANNELS)


def _row(depth: int, parameters: int, stated_multiply_adds: str) -> Entry:
    return Entry(
        name=f"resnet{depth}",
        build=partial(basic_resnet if depth < 50 else bottleneck_resnet, depth),
        kinds=("image",),
        title=f"residual network of {depth} layers for photographs",
        paper="He, Zhang, Ren, Sun, Deep residual learning for image recognition, 2015, table 1",
        minimum=SMALLEST,
        references=(
            Reference(
                (3, 224, 224),
                1000,
                parameters,
                "the count of the published weights",
                stated_multiply_adds=stated_multiply_adds,
            ),
        ),
    )


RESNETS: Mapping[str, Entry] = MappingProxyType(
    {
        "resnet18": _row(18, 11_689_512, "1.8G"),
        "resnet34": _row(34, 21_797_672, "3.6G"),
        "resnet50": _row(50, 25_557_032, "3.8G"),
        "resnet101": _row(101, 44_549_160, "7.6G"),
        "resnet152": _row(152, 60_192_808, "11.3G"),
    }
)
