"""Small data and networks on which training takes milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor


@dataclass
class Fixed:
    """Batches of given tensors: shuffled anew in every epoch, as a pure function of the epoch, or in their own order."""

    inputs: Tensor
    targets: Tensor
    batch_size: int
    shuffle: bool = True

    def __post_init__(self) -> None:
        self.samples = len(self.inputs)
        self.steps_per_epoch = -(-self.samples // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of an epoch from a position on."""
        order = torch.arange(self.samples)
        if self.shuffle:
            order = torch.randperm(self.samples, generator=torch.Generator().manual_seed(epoch))
        for index in order.split(self.batch_size)[start:]:
            yield self.inputs[index], self.targets[index]


def three_classes(batch_size: int) -> tuple[Fixed, Fixed, Fixed]:
    """(train, validation, sample of train): three classes in the plane, 48, 24 and 20 samples."""
    generator = torch.Generator().manual_seed(3)
    targets = torch.arange(72) % 3
    centres = torch.tensor([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]])
    inputs = centres[targets] + torch.randn(72, 2, generator=generator)
    train = Fixed(inputs[:48], targets[:48], batch_size)
    return (
        train,
        Fixed(inputs[48:], targets[48:], 10, shuffle=False),
        Fixed(inputs[:20], targets[:20], 20, shuffle=False),
    )


@pytest.fixture
def data() -> tuple[Fixed, Fixed, Fixed]:
    """Six steps in an epoch."""
    return three_classes(8)


@pytest.fixture(scope="session")
def four_steps() -> tuple[Fixed, Fixed, Fixed]:
    """Four steps in an epoch."""
    return three_classes(12)
