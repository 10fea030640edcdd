"""Residual networks for images of some 32×32 pixels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

from glassnet.layers import BasicBlock, Shortcut
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.shape import image_shape


class CifarResNet(nn.Module):
    """One convolution, three groups of n blocks with 16, 32 and 64 channels, global average pooling, classifier: 6n + 2 layers.

    Weights start from He's normal distribution over the fan-out (section 3.4 refers to it), batch norm from γ = 1, β = 0.

    Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, section 4.2.

    Args:
        blocks: n, blocks in a group.
        channels: channels of the images.
        outputs: classes or values.
        shortcut: see :class:`BasicBlock`.
    """

    stages = ("stem", "group1", "group2", "group3")

    def __init__(self, blocks: int, channels: int, outputs: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)
        )
        self.group1 = _group(blocks, 16, 16, 1, shortcut)
        self.group2 = _group(blocks, 16, 32, 2, shortcut)
        self.group3 = _group(blocks, 32, 64, 2, shortcut)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(64, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, 64)."""
        x = self.group3(self.group2(self.group1(self.stem(x))))  # (batch, 64, ⌈height / 4⌉, ⌈width / 4⌉)
        return self.flatten(self.pool(x))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _group(blocks: int, in_channels: int, out_channels: int, stride: int, shortcut: Shortcut) -> nn.Sequential:
    first = BasicBlock(in_channels, out_channels, stride, shortcut)
    return nn.Sequential(first, *(BasicBlock(out_channels, out_channels, 1, shortcut) for _ in range(blocks - 1)))


def cifar_resnet(depth: int, shape: tuple[int, ...], outputs: int, shortcut: Literal["A", "B"] = "A") -> CifarResNet:
    """ResNet-20, -32, -44, -56 or -110 for CIFAR-10 and other images of 8×8 pixels and larger, of any size once built.

    Args:
        depth: layers with weights, 6n + 2.
        shape: channels, height, width.
        outputs: classes or values.
        shortcut: A subsamples and pads with zeros, as in the paper; B projects with a 1×1 convolution

    Raises:
        ModelError: the inputs are no images or too small.
    """
    # Below 8×8 the last group would see a single pixel and eight of the nine weights of its filters only padding.
    channels, _, _ = image_shape(
        shape, layer=f"resnet{depth}.group3 (convolutions 3×3 on maps of a quarter)", minimum=8
    )
    return CifarResNet((depth - 2) // 6, channels, outputs, shortcut)


def _row(depth: int, parameters: int, stated: str) -> Entry:
    return Entry(
        name=f"resnet{depth}",
        build=partial(cifar_resnet, depth),
        kinds=("image",),
        title=f"residual network of {depth} layers for small images",
        paper="He, Zhang, Ren, Sun, Deep residual learning for image recognition, 2015, section 4.2",
        minimum=8,
        references=(
            Reference((3, 32, 32), 10, parameters, f"table 6 gives {stated}", stated=stated),
            Reference((3, 32, 32), 10, parameters + 2_752, "the same + 16·32 + 64 + 32·64 + 128", {"shortcut": "B"}),
        ),
    )


CIFAR_RESNETS: Mapping[str, Entry] = MappingProxyType(
    {
        "resnet20": _row(20, 269_722, "0.27M"),
        "resnet32": _row(32, 464_154, "0.46M"),
        "resnet44": _row(44, 658_586, "0.66M"),
        "resnet56": _row(56, 853_018, "0.85M"),
        "resnet110": _row(110, 1_727_962, "1.7M"),
    }
)
