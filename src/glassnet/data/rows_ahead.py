"""Samples that lie one behind the other on a disk, in an order that is random and yet read in runs.

A disk reads what lies together many times faster than as many rows from anywhere: two and a half times where rows have 27 kB, a hundred times where they have 3. So neighbouring rows make a run, runs are put in random order, and a
thousand of them at a time, from anywhere in the file, share out their rows at random. The system is told which runs come next, and reads them meanwhile.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from glassnet.data.dataset import Source, beneath

RUN_BYTES = 2**18  # that are read together
RUNS = 2**10  # that are mixed with each other: 256 MiB, held by the system as long as it has room


@runtime_checkable
class OnDisk(Protocol):
    """A source whose rows lie one behind the other on a disk.

    Attributes:
        row_bytes: that one of them takes.
    """

    row_bytes: int

    def expect(self, index: Tensor) -> None:
        """Be told which rows will be asked for soon."""
        ...


def run_of(inputs: Source) -> int:
    """How many neighbouring samples are read together; 1 where it makes no difference."""
    source = beneath(inputs)[0]
    return max(1, RUN_BYTES // max(source.row_bytes, 1)) if isinstance(source, OnDisk) else 1


def in_runs(samples: int, run: int, generator: torch.Generator) -> Tensor:
    """All samples in random order, of which every ``RUNS`` runs of neighbours come together: int64 (samples,)."""
    shift = int(torch.randint(samples, (), generator=generator))  # so that runs begin elsewhere in every epoch
    begins = torch.randperm(-(-samples // run), generator=generator) * run
    order = (begins[:, None] + torch.arange(run)).flatten()
    order = (order[order < samples] + shift) % samples
    for window in torch.split(order, RUNS * run):
        window.copy_(window[torch.randperm(len(window), generator=generator)])
    return order


class Announced:
    """Tells a source what an epoch will ask for, one window of runs ahead.

    Args:
        inputs: the source, or a part of it.
        order: of the epoch, as :func:`in_runs` made it.
        run: as there.
    """

    def __init__(self, inputs: Source, order: Tensor, run: int) -> None:
        self.source, self.places = beneath(inputs)
        self.order, self.window = order, RUNS * run
        self.told = -1

    def reached(self, place: int) -> None:
        """The sample at this place of the order is asked for next; what comes after it is told, once."""
        present = place // self.window
        for number in range(max(self.told + 1, present), present + 2):
            rows = self.places[self.order[number * self.window : (number + 1) * self.window]]
            if len(rows) and isinstance(self.source, OnDisk):
                self.source.expect(rows)
        self.told = max(self.told, present + 1)
