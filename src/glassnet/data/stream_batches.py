"""Batches of one long text: it is cut into lanes that are read side by side, so that each batch goes on where the one before it ended."""

from __future__ import annotations

import torch
from torch import Tensor

from glassnet.data.batches import Batches, Prepare, seeded
from glassnet.data.dataset import IGNORED, Part
from glassnet.data.stream import BEGIN

LANES = 32  # of a part that is measured
WARMING = 2  # windows that a lane of a measured part reads before its first counts, so that hardly anything is lost at the cuts
FEWEST = 4  # windows of such a lane


class StreamBatches(Batches):
    """The windows of a stream in lanes: batch ``position`` holds window ``position`` of every lane, and every batch has as many rows.

    In training the lanes are the ``batch_size`` (or fewer, of a short text) equal pieces of the text; of the windows that are left over, fewer than
    there are lanes, others are left out in each epoch. A part that is measured is read as a whole; each lane is told the 2 windows before its own, which do not
    count, so that the figure is that of reading it through.

    The first token of a lane is ``BEGIN``: there a network forgets what it carried from the batch before.

    Args:
        part: of a stream.
        batch_size: lanes, at most.
        seed: decides, with the epoch, which windows are left out.
        prepare: raw windows and a seeded generator -> what the network takes.
        measured: whether every token counts, once; else a training part.
        device: where batches are put.
    """

    def __init__(
        self,
        part: Part,
        batch_size: int,
        *,
        seed: int = 0,
        prepare: Prepare | None = None,
        measured: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(part, batch_size, seed=seed, prepare=prepare, shuffle=False, device=device)
        windows = len(part)
        self.measured = measured
        if measured:
            self.lanes = max(1, min(LANES, windows // FEWEST))
            self.steps_per_epoch = -(-windows // self.lanes) + (WARMING if self.lanes > 1 else 0)
        else:
            self.lanes = max(1, min(batch_size, windows))
            self.steps_per_epoch = windows // self.lanes
            self.samples = self.lanes * self.steps_per_epoch
        self.sizes = [self.lanes] * self.steps_per_epoch

    def order(self, epoch: int) -> Tensor:
        """The windows in the order they are read in: int64 (lanes · steps,), those of a batch side by side."""
        if self.measured:
            return self._places().clamp(0, len(self.part) - 1).T.flatten()
        spare = len(self.part) - self.samples
        left = int(torch.randint(0, spare + 1, (), generator=seeded(self.seed, epoch, -1)))
        lanes = left + torch.arange(self.samples).reshape(self.lanes, self.steps_per_epoch)
        return lanes.T.flatten()

    def _places(self) -> Tensor:
        """Of a measured part the window of each lane at each step, (lanes, steps); outside of the part where there is none."""
        warming = WARMING if self.lanes > 1 else 0
        own = -(-len(self.part) // self.lanes)
        return torch.arange(self.lanes)[:, None] * own - warming + torch.arange(own + warming)

    def taken(self, index: Tensor, position: int) -> tuple[Tensor, Tensor]:
        """The windows of a batch and what they should say; of what only warms a lane up, and of what is none, nothing counts."""
        inputs, targets = super().taken(index, position)
        if position == 0:
            inputs[:, 0] = BEGIN
        if self.measured:
            places = self._places()[:, position]
            warming = position < WARMING and self.lanes > 1
            outside = (places < 0) | (places >= len(self.part))
            targets = targets.masked_fill(outside[:, None] | warming, IGNORED)
        return inputs, targets
