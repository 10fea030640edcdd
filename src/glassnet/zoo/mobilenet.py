"""MobileNet v1: depthwise separable convolutions for small devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import UsageError
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.shape import image_shape

Padding = Literal["same", "symmetric"]
STEM = 32
# (channels out, stride of the depthwise convolution): table 1 of the paper. Its last block is written there with stride 2,
# which its own sizes (7×7 to 7×7) and its authors' code contradict.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
SMALLEST = 32  # halved five times
FEWEST = 8  # channels that a width multiplier leaves a layer at least, as in the authors' code


class PaddedConv(nn.Conv2d):
    """Convolution whose result has ⌈size / stride⌉ pixels a side.

    The zeros p = max(0, (⌈size / stride⌉ − 1)·stride + kernel − size) are shared out as ⌊p/2⌋ before and the rest after
    (``same``, TensorFlow's way: the odd one comes last), or as ⌊kernel/2⌋ on both sides (``symmetric``, as usual in PyTorch). The two
    differ where a stride of 2 meets an even size: by one pixel in where the windows lie.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
        kernel: side of the window.
        stride: distance between two windows.
        groups: as in ``nn.Conv2d``; ``in_channels`` makes it depthwise.
        bias: whether to add one number to each map.
        way: ``same`` or ``symmetric``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = False,
        way: Padding = "same",
    ) -> None:
        padding = kernel // 2 if way == "symmetric" else 0
        super().__init__(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, h, w) → (batch, out_channels, ⌈h / stride⌉, ⌈w / stride⌉)."""
        if self.way == "same" and self.kernel_size[0] > 1:
            high, wide = (_missing(size, self.kernel_size[0], self.stride[0]) for size in x.shape[-2:])
            x = F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return super().forward(x)


def _missing(size: int, kernel: int, stride: int) -> int:
    return max(0, (-(-size // stride) - 1) * stride + kernel - size)


class MobileNet(nn.Module):
    """A convolution, thirteen depthwise separable blocks, global average pooling, classifier: 28 layers.

    A block is a 3×3 convolution of each map by itself and a 1×1 convolution across maps, each followed by batch norm and
    min(max(x, 0), 6). It costs 1/out_channels + 1/9 of an ordinary 3×3 convolution (section 3.1). Weights start from He's normal
    distribution over the fan-in.

    Source: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017, table 1.
    ReLU6 and TensorFlow's padding are those of the authors' published code; the paper leaves both open.

    Args:
        channels: channels of the images.
        outputs: classes or values.
        stem: channels of the first convolution.
        blocks: channels out and stride of each block.
        norm: True for batch norm, False for a bias in its place.
        padding: see :class:`PaddedConv`.
    """

    def __init__(
        self, channels: int, outputs: int, stem: int, blocks: Sequence[tuple[int, int]], norm: bool, padding: Padding
    ) -> None:
        super().__init__()
        self.stem = _layer(PaddedConv(channels, stem, 3, stride=2, bias=not norm, way=padding), norm)
        below, names = stem, ["stem"]
        for number, (width, stride) in enumerate(blocks, start=1):
            block = nn.Sequential()
            depthwise = PaddedConv(below, below, 3, stride=stride, groups=below, bias=not norm, way=padding)
            block.add_module("depthwise", _layer(depthwise, norm))
            block.add_module("pointwise", _layer(PaddedConv(below, width, 1, bias=not norm, way=padding), norm))
            self.add_module(f"block{number}", block)
            names.append(f"block{number}")
            below = width
        self.stages = tuple(names)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(below, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, last width)."""
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return self.flatten(self.pool(x))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _layer(conv: PaddedConv, norm: bool) -> nn.Sequential:
    layer = nn.Sequential()
    layer.add_module("conv", conv)
    if norm:
        layer.add_module("norm", nn.BatchNorm2d(conv.out_channels))
    layer.add_module("relu", nn.ReLU6(inplace=True))
    return layer


def mobilenet_v1(
    shape: tuple[int, ...],
    outputs: int,
    width: float = 1.0,
    batch_norm: bool = True,
    padding: Padding = "same",
) -> MobileNet:
    """MobileNet v1 for images of 32×32 pixels and larger; the paper's are 128, 160, 192 and 224 a side.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        width: factor on all channels, the paper's α: 1, 0.75, 0.5, 0.25
        batch_norm: false puts a bias in its place, as in files of weights whose batch norm is folded into the convolutions
        padding: same is TensorFlow's, as in the authors' weights; symmetric is PyTorch's, as in timm's weights

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: the width is not positive.
    """
    channels, _, _ = image_shape(shape, layer="mobilenet-v1.block13 (convolutions on maps of a 32nd)", minimum=SMALLEST)
    if width <= 0:
        raise UsageError(
            "the width is a factor on the channels",
            where="net mobilenet-v1, option width",
            got=f"{width:g}",
            expected="width > 0, such as 0.25",
        )
    blocks = [(_scaled(base, width), stride) for base, stride in BLOCKS]
    return MobileNet(channels, outputs, _scaled(STEM, width), blocks, batch_norm, padding)


def _scaled(base: int, width: float) -> int:
    return max(FEWEST, int(base * width))


MOBILENETS: Mapping[str, Entry] = MappingProxyType(
    {
        "mobilenet-v1": Entry(
            name="mobilenet-v1",
            build=mobilenet_v1,
            kinds=("image",),
            title="depthwise separable convolutions, for small devices",
            paper="Howard et al., MobileNets: efficient convolutional neural networks for mobile vision applications, 2017",
            minimum=SMALLEST,
            references=(
                # Each with 1,000 classes; tables 6 and 8 of the paper.
                *(
                    Reference(
                        (3, 224, 224),
                        1000,
                        parameters,
                        "the sum of table 1, with two numbers of batch norm for each channel",
                        {"width": width},
                        stated=stated,
                        stated_multiply_adds=multiply_adds,
                    )
                    for width, parameters, stated, multiply_adds in (
                        (1.0, 4_231_976, "4.2M", "569M"),
                        (0.75, 2_585_560, "2.6M", "325M"),
                        (0.5, 1_331_592, "1.3M", "149M"),
                        (0.25, 470_072, "0.5M", "41M"),
                    )
                ),
            ),
        )
    }
)
