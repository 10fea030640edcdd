"""Minibatches: a pure function of seed, epoch and position; every sample once; reading ahead."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from plain_schema import Plain
from torch import Tensor

from glassnet.data.batches import Batch, Batches, answered_at_once, read_ahead, seeded, sizes_of
from glassnet.data.dataset import InMemory, Part, Subset


def part(samples: int, *, in_memory: bool = True) -> Part:
    """Sample i has the input (i, −i) and the target i."""
    numbers = torch.arange(samples)
    source = InMemory(torch.stack([numbers, -numbers], dim=1).float())
    inputs = source if in_memory else Subset(source, numbers)
    return Part(inputs, numbers, [str(i) for i in range(samples)])


def noisy(inputs: Tensor, generator: torch.Generator) -> Tensor:
    return inputs + torch.rand(inputs.shape, generator=generator)


def same(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(a.inputs, b.inputs) and torch.equal(a.targets, b.targets)
        for a, b in zip(first, second, strict=True)
    )


@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_every_sample_is_seen_once_in_batches_of_which_none_is_nearly_empty(
    samples: int, batch_size: int, seed: int, epoch: int
) -> None:
    batches = Batches(part(samples), batch_size, seed=seed)
    made = list(batches.epoch(epoch))
    sizes = [len(batch.targets) for batch in made]
    assert len(made) == batches.steps_per_epoch == -(-samples // batch_size)
    assert batches.samples == samples
    assert max(sizes) <= batch_size
    assert samples < batch_size or min(sizes) >= batch_size // 2
    assert sum(size < batch_size for size in sizes) <= 2
    assert sizes == [len(piece) for piece in batches.pieces(epoch)] == batches.sizes
    targets = torch.cat([batch.targets for batch in made])
    assert sorted(targets.tolist()) == list(range(samples))
    assert torch.equal(torch.cat([batch.inputs for batch in made])[:, 0].long(), targets), "inputs belong to targets"


@pytest.mark.parametrize(
    ("samples", "batch_size", "expected"),
    [
        (1438, 64, [64] * 21 + [47, 47]),  # 30 are left over: two share
        (1450, 64, [64] * 22 + [42]),
        (65, 64, [33, 32]),
        (128, 64, [64, 64]),
        (100, 16, [16] * 5 + [10, 10]),
        (10, 7, [5, 5]),
        (8, 7, [4, 4]),
        (3, 64, [3]),
        (0, 64, []),
    ],
)
def test_sizes_of_batches_suit_kernels_that_work_in_blocks(samples: int, batch_size: int, expected: list[int]) -> None:
    assert sizes_of(samples, batch_size) == expected


@pytest.mark.parametrize("in_memory", [True, False])
def test_starting_at_any_position_gives_the_tail_of_the_epoch_augmentation_included(in_memory: bool) -> None:
    batches = Batches(part(23, in_memory=in_memory), 4, seed=7, prepare=noisy)
    whole = list(batches.epoch(3))
    for start in range(len(whole) + 1):
        assert same(list(batches.epoch(3, start=start)), whole[start:])


def test_the_same_numbers_give_the_same_batches_whatever_was_asked_before() -> None:
    one = Batches(part(20), 6, seed=1, prepare=noisy)
    other = Batches(part(20), 6, seed=1, prepare=noisy)
    list(other.epoch(0))
    torch.manual_seed(99)
    next(other.epoch(5))
    torch.rand(3)
    assert same(list(one.epoch(2)), list(other.epoch(2)))


def test_making_batches_draws_nothing_from_the_generator_of_the_process() -> None:
    before = torch.get_rng_state()
    list(Batches(part(20), 6, prepare=noisy).epoch(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_seed_and_epoch_each_change_the_order() -> None:
    orders = {(seed, epoch): tuple(Batches(part(50), 8, seed=seed).order(epoch).tolist()) for seed in range(4) for epoch in range(4)}  # fmt: skip
    assert len(set(orders.values())) == len(orders)


def test_seed_epoch_and_position_each_change_the_random_numbers_of_the_augmentation() -> None:
    drawn = {
        (seed, epoch, position): tuple(torch.rand(2, generator=seeded(seed, epoch, position)).tolist())
        for seed in range(5)
        for epoch in range(5)
        for position in range(-1, 5)
    }
    assert len(set(drawn.values())) == len(drawn), "also not (1, 0) for (0, 1)"


def test_the_orders_are_uniform() -> None:
    # Each sample stands first in one sixth of 6,000 epochs; 5 standard deviations of a binomial are 144.
    first = torch.bincount(
        torch.tensor([int(Batches(part(6), 6).order(epoch)[0]) for epoch in range(6000)]), minlength=6
    )
    assert (first - 1000).abs().max() < 144


def test_without_shuffling_the_order_is_the_parts_own_in_every_epoch() -> None:
    batches = Batches(part(10), 4, shuffle=False)
    for epoch in range(2):
        assert torch.cat([batch.targets for batch in batches.epoch(epoch)]).tolist() == list(range(10))


def test_images_are_laid_out_channels_last_where_asked_and_tables_are_left_alone() -> None:
    images = Part(InMemory(torch.rand(6, 3, 4, 4)), torch.zeros(6), [""] * 6)
    batch = next(Batches(images, 6, channels_last=True).epoch(0))
    assert batch.inputs.is_contiguous(memory_format=torch.channels_last)
    assert next(Batches(images, 6).epoch(0)).inputs.is_contiguous()
    assert next(Batches(part(6), 6, channels_last=True).epoch(0)).inputs.is_contiguous()


def numbered(count: int, fail_at: int | None = None) -> Iterator[Batch]:
    for number in range(count):
        if number == fail_at:
            raise ValueError(f"no batch {number}")
        yield Batch(torch.tensor(number), torch.tensor(number))


def threads() -> int:
    return sum(thread.name == "glassnet-read-ahead" for thread in threading.enumerate())


def test_reading_ahead_changes_nothing_but_the_thread() -> None:
    ahead = [int(batch.targets) for batch in read_ahead(numbered(20), depth=2)]
    assert ahead == list(range(20))
    assert threads() == 0


def test_an_error_surfaces_where_its_batch_would_have_come() -> None:
    seen: list[int] = []
    with pytest.raises(ValueError, match="no batch 5"):
        seen.extend(int(batch.targets) for batch in read_ahead(numbered(20, fail_at=5), depth=2))
    ahead = read_ahead(numbered(20, fail_at=5), depth=2)
    assert [int(next(ahead).targets) for _ in range(5)] == list(range(5))
    with pytest.raises(ValueError, match="no batch 5"):
        next(ahead)
    assert threads() == 0


@pytest.mark.parametrize("way", ["close", "forget"])
def test_abandoning_the_iterator_ends_the_thread(way: str) -> None:
    ahead = read_ahead(numbered(10**9), depth=2)
    next(ahead)
    assert threads() == 1
    if way == "close":
        ahead.close()  # type: ignore[attr-defined]
    else:
        del ahead
        gc.collect()
    assert threads() == 0


def test_no_more_is_read_ahead_than_the_depth() -> None:
    made: list[int] = []

    def counted() -> Iterator[Batch]:
        for batch in numbered(100):
            made.append(int(batch.targets))
            yield batch

    ahead = read_ahead(counted(), depth=2)
    next(ahead)
    for _ in range(50):
        if len(made) == 4:
            break
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(made) == 4, "one handed over, two waiting, one in the hand"
    ahead.close()  # type: ignore[attr-defined]


def test_what_is_not_in_memory_is_read_ahead() -> None:
    epoch = Batches(part(20, in_memory=False), 2).epoch(0)
    next(epoch)
    assert threads() == 1
    del epoch
    gc.collect()
    assert threads() == 0


def test_seed_epoch_and_position_each_change_the_augmentation_of_a_batch() -> None:
    def augmented(seed: int, epoch: int) -> list[tuple[float, ...]]:
        alike = Part(InMemory(torch.zeros(12, 2)), torch.zeros(12), [""] * 12)
        return [tuple(b.inputs.flatten().tolist()) for b in Batches(alike, 3, seed=seed, prepare=noisy).epoch(epoch)]

    drawn = [batch for seed in range(3) for epoch in range(3) for batch in augmented(seed, epoch)]
    assert len(set(drawn)) == len(drawn) == 36


@pytest.mark.parametrize(
    ("kind", "shape", "device", "expected"),
    [("image", (3, 32, 32), "cpu", 85), ("image", (3, 224, 224), "cpu", 16), ("image", (3, 224, 224), "cuda", 111), ("image", (1, 4, 4), "cpu", 500), ("table", (9000,), "cpu", 500)],
)  # fmt: skip
def test_of_large_images_fewer_are_asked_about_at_once(
    kind: str, shape: tuple[int, ...], device: str, expected: int
) -> None:
    schema = Plain(kind, shape)
    assert answered_at_once(schema, torch.device(device)) == expected
