"""Two networks of the rows that Glassnet's zoo does not hold in this size, and those of the zoo without layers of Glassnet's own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassnet.layers import LocalResponseNorm


def of_pytorch(net: nn.Module) -> nn.Module:
    """The network with ``nn.LocalResponseNorm`` where Glassnet has its own; its α is counted for the whole window."""
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, LocalResponseNorm):
                setattr(module, name, nn.LocalResponseNorm(child.n, child.alpha * child.n, child.beta, child.k))
    return net


def vgg_like() -> nn.Module:
    """Three groups of two 3×3 convolutions (32, 64, 128 channels), each with pooling behind it, and two dense layers; for 3×32×32."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    below = 3
    for width in (32, 64, 128):
        layers += [nn.Conv2d(below, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        below = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, 128), nn.ReLU(), nn.Linear(128, 10))


class Block(nn.Module):
    """Two 3×3 convolutions with batch norm, around which the input is carried."""

    def __init__(self, below: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(below, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential()
        if stride != 1 or below != width:
            self.shortcut = nn.Sequential(nn.Conv2d(below, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, below, height, width) to (batch, width, height / stride, width / stride)."""
        inner = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(inner + self.shortcut(x))


def resnet18_small() -> nn.Module:
    """ResNet-18 with a 3×3 stem and no pooling before the blocks, as it is used on 3×32×32."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    below = 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(below, width, stride), Block(width, width, 1)]
        below = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
