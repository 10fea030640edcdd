"""Several augmentations, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor, nn

from glassnet.data.augment.augment import Augment, Draws


class Compose(Augment):
    """Applies its parts in order."""

    def __init__(self, parts: Sequence[Augment]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.drawn = sum(part.drawn for part in parts)

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """The draws of all parts, in order."""
        return tuple(drawn for part in self._augments() for drawn in part.draw(shape, generator))

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """All changes, one after the other."""
        left = iter(draws)
        for part in self._augments():
            images = part.change(images, *islice(left, part.drawn))
        return images

    def _augments(self) -> list[Augment]:
        return [part for part in self.parts if isinstance(part, Augment)]
