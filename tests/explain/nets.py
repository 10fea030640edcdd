"""Small networks whose answers are known beforehand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SIDE = 12
PLANTED = (7, 2)  # top left corner of the 3×3 patch that decides


class Fails(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("on purpose")


def cross() -> Tensor:
    """A filter (3, 3) of length 1 that sums to 0."""
    pattern = torch.tensor([[1.0, -1.0, 1.0], [-1.0, 0.0, -1.0], [1.0, -1.0, 1.0]])
    return pattern / pattern.norm()


def patch_net() -> nn.Sequential:
    """Class 1 counts what lies in one patch of the image, class 0 says nothing: the head reads a map of copies at the planted place."""
    conv = nn.Conv2d(1, 2, 1, bias=False)
    linear = nn.Linear(2 * SIDE * SIDE, 2)
    with torch.no_grad():
        conv.weight[:] = torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1)
        linear.weight.zero_()
        linear.bias.zero_()
        where = torch.zeros(2, SIDE, SIDE)
        where[0, PLANTED[0] : PLANTED[0] + 3, PLANTED[1] : PLANTED[1] + 3] = 1
        linear.weight[1] = where.flatten()
    return nn.Sequential(conv, nn.ReLU(inplace=True), nn.Flatten(), linear)


def random_net(seed: int = 0) -> nn.Sequential:
    """With everything that a look could disturb: batch norm, dropout, a frozen weight, a gradient, operations in place."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, padding=1),
            nn.Tanh(),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(6 * 36, 3),
        )
    net[4].weight.requires_grad_(False)
    net[8].weight.grad = torch.ones_like(net[8].weight)
    return net


def images(count: int = 4, seed: int = 1, channels: int = 1) -> Tensor:
    return torch.randn(count, channels, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
