"""Rows on a disk: every one once, in runs that are told ahead, and batches that are random all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassnet.data import rows_ahead
from glassnet.data.batches import Batches, seeded
from glassnet.data.dataset import Part, Source
from glassnet.data.naming import RowNames
from glassnet.data.numpy_file import ArrayRows
from glassnet.data.options import ReadOptions
from glassnet.data.readers import arrays
from glassnet.data.rows_ahead import Announced, in_runs, run_of


@given(st.integers(1, 3000), st.integers(2, 300), st.integers(0, 2**32))
def test_every_sample_comes_once_and_the_same_seed_gives_the_same_order(samples: int, run: int, seed: int) -> None:
    order = in_runs(samples, run, torch.Generator().manual_seed(seed))
    assert sorted(order.tolist()) == list(range(samples))
    assert torch.equal(order, in_runs(samples, run, torch.Generator().manual_seed(seed)))


def test_a_window_asks_for_whole_runs_from_anywhere() -> None:
    samples, run = 400_000, 64
    order = in_runs(samples, run, seeded(0, 0, -1))
    window = order[: rows_ahead.RUNS * run].sort().values
    assert int((window.diff() > 1).sum()) <= rows_ahead.RUNS + 1, "rows that lie together are asked for together"
    thirds = torch.bincount(window * 3 // samples, minlength=3).float() / len(window)
    assert bool((thirds - 1 / 3).abs().max() < 0.06)
    apart = order[:64].sort().values.diff()
    assert int((apart == 1).sum()) <= 3, "the samples of a batch are no neighbours"
    again = in_runs(samples, run, seeded(0, 1, -1))
    assert len(set(order[:1000].tolist()) & set(again[:1000].tolist())) < 20


def test_of_a_file_sorted_by_class_every_batch_has_all_classes() -> None:
    samples, classes = 1_000_000, 10
    labels = in_runs(samples, 85, seeded(3, 0, -1)) * classes // samples
    shares = torch.stack([torch.bincount(batch, minlength=classes) for batch in torch.split(labels, 1000)[:-1]]) / 1000
    # A random batch of a thousand has a share of 0.1 ± 0.0095; a window of 1,024 runs adds as much again.
    assert float(shares.std()) == pytest.approx(0.0095 * 2**0.5, rel=0.2)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    """6,000 rows in a file of which 16 make a run and 4 runs a window; every fifth is left out, as a split does."""
    monkeypatch.setattr(rows_ahead, "RUN_BYTES", 16 * 3 * 4 * 4)
    monkeypatch.setattr(rows_ahead, "RUNS", 4)
    rows = np.arange(6000 * 3 * 4 * 4, dtype=np.int64).reshape(6000, 3, 4, 4).astype(np.uint8)
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "y.npy", np.arange(6000) % 7)
    data = arrays.read(tmp_path, ReadOptions(in_memory_limit=1000))
    kept = torch.tensor([place for place in range(6000) if place % 5])
    return data.train.subset(kept)


def test_what_is_asked_for_was_told_before_and_nothing_is_told_twice(
    stored: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, early = list[int](), list[bool]()
    monkeypatch.setattr(ArrayRows, "expect", lambda self, index: told.extend(index.tolist()))
    taken = ArrayRows.__getitem__

    def asked(self: ArrayRows, index: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        early.append(set(index) <= set(told))
        return taken(self, index)

    monkeypatch.setattr(ArrayRows, "__getitem__", asked)
    batches = Batches(stored, 32, seed=1)
    assert batches.run == 16
    whole = list(batches.epoch(2))
    assert len(early) == len(whole) == 150
    assert all(early)
    assert sorted(told) == [place for place in range(6000) if place % 5]
    targets = torch.cat([batch.targets for batch in whole])
    assert torch.equal(torch.cat([batch.inputs for batch in whole])[:, 0, 0, 0], rows_of(stored, batches.order(2)))
    assert torch.equal(targets, stored.targets[batches.order(2)])
    told.clear()
    later = list(batches.epoch(2, start=100))
    assert all(early)
    assert len(told) < 0.4 * 4800, "what lies before the start is not read again"
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(later, whole[100:], strict=True))


def rows_of(part: Part, order: torch.Tensor) -> torch.Tensor:
    return part.inputs.take(order)[:, 0, 0, 0]


def test_the_system_is_asked_for_each_run_of_rows_once(stored: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("os.posix_fadvise", lambda file, begin, length, how: asked.append((begin, length)))
    source: Source = stored.inputs
    Announced(source, torch.tensor([3, 1, 0, 2, 900, 901]), 16).reached(0)
    header = 128
    assert asked == [(header + 1 * 48, 4 * 48), (header + 1126 * 48, 2 * 48)]


def test_what_lies_in_memory_is_shuffled_as_before() -> None:
    part = arrays.data_from_arrays(np.zeros((500, 3), np.float32), np.arange(500) % 2).train
    assert run_of(part.inputs) == 1
    assert torch.equal(Batches(part, 10, seed=4).order(3), torch.randperm(500, generator=seeded(4, 3, -1)))
    assert isinstance(part.names, RowNames)
