"""Batches of other people's making: a DataLoader, a list of pairs, a pair of tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import torch
from torch import Tensor

from glassnet.errors import DataError
from glassnet.training.loop import Batches

BATCH = 64


@dataclass
class Given:
    """(inputs, targets) pairs that can be gone through again and again, with the loop's way of asking.

    Attributes:
        pairs: a list of batches, a DataLoader, or anything else that starts anew at each ``iter``.
        samples: in all of them.
        steps_per_epoch: how many there are.
        smallest: samples of the smallest one.
        anew: they may come in another order whenever they are gone through, and begin at the first.
    """

    anew: ClassVar[bool] = True

    pairs: Iterable[tuple[Tensor, Tensor]]
    samples: int
    steps_per_epoch: int
    smallest: int

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches from a position on, whatever the epoch."""
        yield from islice(iter(self.pairs), start, None)


def as_batches(given: Any) -> Batches:
    """What the loop takes, from what people have.

    Args:
        given: batches of Glassnet's; a pair of tensors with the samples along the first dimension; a DataLoader or a list of (inputs, targets).

    Raises:
        DataError: anything else, batches that are no pairs of tensors, or none at all.
    """
    if hasattr(given, "epoch") and hasattr(given, "steps_per_epoch"):
        batches: Batches = given
        return batches
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(each, Tensor) for each in given):
        _agree(*given, where="inputs and targets")
        given = list(zip(given[0].split(BATCH), given[1].split(BATCH), strict=True))
    if not isinstance(given, Iterable) or isinstance(given, Iterator | str | Tensor):
        raise DataError(
            "these batches cannot be gone through again and again",
            got=type(given).__name__,
            expected="a DataLoader, a list of (inputs, targets), or a pair of tensors",
        )
    sizes: list[int] = []
    for batch in given:
        if (
            not isinstance(batch, tuple | list)
            or len(batch) != 2
            or not all(isinstance(each, Tensor) for each in batch)
        ):
            raise DataError(
                "a batch is not a pair of tensors",
                where=f"batch {len(sizes)}",
                got=_told(batch),
                expected="(inputs, targets)",
            )
        _agree(*batch, where=f"batch {len(sizes)}")
        sizes.append(len(batch[1]))
    if not sum(sizes):
        raise DataError(
            "there are no batches", got=type(given).__name__, expected="one batch or more, with a sample in it"
        )
    return Given(given, sum(sizes), len(sizes), min(sizes))


def _agree(inputs: Tensor, targets: Tensor, *, where: str) -> None:
    counts = [len(each) if each.dim() else 0 for each in (inputs, targets)]
    if counts[0] != counts[1]:
        raise DataError(
            "inputs and targets differ in number",
            where=where,
            got=f"{counts[0]} and {counts[1]}",
            expected="a target for each input",
        )


def _told(batch: Any) -> str:
    if isinstance(batch, tuple | list):
        return f"{type(batch).__name__} of " + ", ".join(type(each).__name__ for each in batch)
    return f"tensor of shape {tuple(batch.shape)}" if isinstance(batch, torch.Tensor) else type(batch).__name__
