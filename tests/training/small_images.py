"""A small network of images, and a batch for it."""

from __future__ import annotations

import torch
from torch import nn


def small(width: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36 * width, 3))


def example(batch: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(batch, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(batch) % 3
