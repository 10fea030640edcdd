"""What every augmentation is: a random change of a whole batch whose chance comes from one given generator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Draws = tuple[Tensor, ...]


class Augment(nn.Module):
    """A random change of a batch, drawn anew for every sample.

    The work is divided in two. :meth:`draw` takes all random numbers from the generator, on the CPU and in a fixed order; :meth:`change`
    is a function without chance, works on the device of the images, and treats every sample by its own draws alone. So the same
    generator state gives the same change on every device, and a test can hand in draws of its own.

    Attributes:
        drawn: how many tensors :meth:`draw` returns.
    """

    drawn: int = 1

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """The random numbers for a batch.

        Args:
            shape: shape of the batch, samples first.
            generator: a CPU generator, moved on by this call.

        Returns:
            Tensors on the CPU, samples along the first dimension of each; ``drawn`` of them.
        """
        raise NotImplementedError

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The changed batch, of the same shape; ``draws`` lie on the device of the images."""
        raise NotImplementedError

    def forward(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Draw and change.

        Args:
            images: uint8 or floating point in the range 0 to 255, (batch, channels, height, width); signals (batch, channels, time).
            generator: a CPU generator, the only source of chance.

        Returns:
            The changed batch: same shape, on the same device; of the same type where pixels only move, else float32.
        """
        draws = self.draw(images.shape, generator)
        return self.change(images, *(drawn.to(images.device, non_blocking=True) for drawn in draws))


def uniform(count: int, least: Sequence[float], most: Sequence[float], generator: torch.Generator) -> Tensor:
    """Uniform numbers, one column for each range: float32 (count, ranges)."""
    low, high = torch.tensor(least, dtype=torch.float32), torch.tensor(most, dtype=torch.float32)
    return low + (high - low) * torch.rand(count, len(least), generator=generator)
