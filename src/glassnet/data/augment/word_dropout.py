"""Words of a text that are made unknown by chance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from glassnet.data.augment.augment import Augment, Draws
from glassnet.data.ragged import PADDING
from glassnet.data.tokens import UNKNOWN


class WordDropout(Augment):
    """Makes each token unknown with a probability; the lengths stay.

    So no single word decides, and the network learns what to make of a word that it does not know. Source: Iyyer, Manjunatha, Boyd-Graber, Daumé,
    "Deep unordered composition rivals syntactic methods for text classification", 2015, section 3.1, where the words are left out.

    Args:
        share: the probability, 0 to 1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Draws:
        """Which tokens: bool in the shape of the batch."""
        return (torch.rand(*shape, generator=generator) < self.share,)

    def change(self, images: Tensor, *draws: Tensor) -> Tensor:
        """The texts, int64 (batch, tokens), with unknown tokens."""
        return torch.where(draws[0] & (images != PADDING), UNKNOWN, images)

    def extra_repr(self) -> str:
        """For printing."""
        return f"share={self.share}"
