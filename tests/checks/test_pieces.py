"""Samples in pieces of one size, whatever the batches that they come in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from glassnet.checks import pieces as module
from glassnet.checks.pieces import SIZE, Pieces, length


def batches(sizes: list[int], widths: list[int] | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Samples numbered from 0 on, in batches; each as wide as said."""
    begin = 0
    for size, width in zip(sizes, widths or [1] * len(sizes), strict=True):
        targets = torch.arange(begin, begin + size)
        yield targets[:, None].expand(size, width), targets
        begin += size


def numbers(groups: list[tuple[Tensor, Tensor]]) -> list[int]:
    for inputs, targets in groups:
        assert (inputs == targets[:, None]).all(), "inputs and targets stay together"
    return [int(each) for _, targets in groups for each in targets]


@pytest.mark.parametrize("size", [1, 7, 32, 64, 100, 300])
def test_whatever_the_batches_every_sample_comes_once_and_then_again(size: int) -> None:
    total = 300
    sizes = [size] * (total // size) + ([total % size] if total % size else [])
    made = Pieces(batches(sizes))
    kept = made.read(100)
    assert numbers(kept) == list(range(100))
    seen = [numbers(made.piece(number)) for number in range(7)]
    assert [len(each) for each in seen] == [SIZE] * 7
    assert [each for piece in seen[:3] for each in piece] == list(range(100, 100 + 3 * SIZE))
    assert seen[3:6] == seen[:3]  # the eight that are left are fewer than the others
    assert made.targets.tolist() == list(range(100, 100 + 3 * SIZE))


def test_batches_of_different_widths_are_groups_of_one_piece() -> None:
    made = Pieces(batches([40, 40, 40, 40], [3, 5, 5, 2]))
    assert [(length(group), group[0].shape[1]) for group in made.piece(0)] == [(40, 3), (24, 5)]
    assert [(length(group), group[0].shape[1]) for group in made.piece(1)] == [(56, 5), (8, 2)]


def test_few_samples_are_one_piece() -> None:
    made = Pieces(batches([5, 5]))
    assert numbers(made.piece(0)) == numbers(made.piece(1)) == list(range(10))
    assert Pieces(iter(())).piece(0) == []


def test_no_more_is_kept_than_the_memory_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 2 * SIZE * 8)
    made = Pieces(batches([SIZE] * 10))
    assert [numbers(made.piece(number))[0] // SIZE for number in range(7)] == [0, 1, 2, 0, 1, 2, 0]
