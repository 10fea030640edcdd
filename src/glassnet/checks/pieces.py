"""Samples in pieces of one size, read when they are asked for, whatever the size of the batches they come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

SIZE = 64  # samples of a piece
MOST_BYTES = 2**30  # kept of the inputs; what has been kept is gone through again
Groups = list[tuple[Tensor, Tensor]]  # inputs and targets, of one shape in each group


class Pieces:
    """What comes of some batches, as long as they last; then what has come, again and again.

    Batches that were padded to lengths of their own cannot be joined: a piece is then several groups.

    Args:
        batches: of which every sample has a target.
    """

    def __init__(self, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
        self._batches = batches
        self._left: tuple[Tensor, Tensor] | None = None
        self._kept: list[Groups] = []
        self._bytes = 0
        self._ended = False

    def read(self, count: int) -> Groups:
        """The next samples, never given before; fewer at the end."""
        groups: Groups = []
        missing = count
        while missing:
            batch = self._left or next(self._batches, None)
            if batch is None:
                break
            inputs, targets = batch
            groups.append((inputs[:missing], targets[:missing]))
            self._left = (inputs[missing:], targets[missing:]) if len(targets) > missing else None
            missing -= min(missing, len(targets))
        return joined(groups)

    def piece(self, number: int) -> Groups:
        """The ``number``-th piece, counted from 0 and asked for in turn; all have the same size, but where there is only one."""
        if number == len(self._kept) and not self._ended:
            found = self.read(SIZE)
            self._bytes += sum(inputs.nbytes for inputs, _ in found)
            if sum(map(length, found)) == SIZE or (found and not self._kept):
                self._kept.append(found)
            self._ended = sum(map(length, found)) < SIZE or self._bytes > MOST_BYTES
        return self._kept[number % len(self._kept)] if self._kept else []

    @property
    def given(self) -> list[Groups]:
        """All pieces given so far."""
        return self._kept

    @property
    def targets(self) -> Tensor:
        """Of all pieces given so far."""
        return torch.cat([targets for groups in self._kept for _, targets in groups])


def joined(groups: Iterable[tuple[Tensor, Tensor]]) -> Groups:
    """Neighbours of one shape as one group."""
    runs: list[Groups] = []
    for group in groups:
        if runs and all(new.shape[1:] == old.shape[1:] for new, old in zip(group, runs[-1][-1], strict=True)):
            runs[-1].append(group)
        else:
            runs.append([group])
    return [
        (torch.cat([inputs for inputs, _ in run]), torch.cat([targets for _, targets in run]))
        if len(run) > 1
        else run[0]
        for run in runs
    ]


def length(group: tuple[Tensor, Tensor]) -> int:
    """Samples in a group."""
    return len(group[1])
