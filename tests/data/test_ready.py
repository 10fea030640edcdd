"""Inputs preprocessed once are bit for bit those that each batch would get."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from glassnet.assembly import assemble
from glassnet.data import ready as room
from glassnet.data.batches import Batches
from glassnet.data.preprocess import fit
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.data.ready import ready
from glassnet.reading import divide
from glassnet.recipe import Recipe
from glassnet.resolve import resolve


def recipe(**more: object) -> Recipe:
    return Recipe().changed({"data.path": "arrays", "net.name": "mlp", "train.batch_size": 7, "train.precision": "float32", "augment.auto": False, **more})  # fmt: skip


def images() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (400, 3, 9, 11), dtype=np.uint8), random.integers(0, 3, 400)


@pytest.mark.parametrize("name", ["standardise", "none", "mean-image", "channel-mean"])
def test_batches_are_the_same_bits(name: str) -> None:
    asked = recipe(**{"preprocess.name": name})
    data = divide(data_from_arrays(*images()), asked)
    parts = assemble(resolve(asked, data)[0], data)
    assert parts.batches.prepare is None, "they are prepared"
    plain = Batches(data.train, 7, seed=parts.recipe.train.seed, prepare=lambda raw, _: parts.preprocess(raw))
    for ours, theirs in zip(parts.batches.epoch(3), plain.epoch(3), strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_what_changes_at_random_or_is_too_large_is_prepared_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = recipe(**{"augment.shift": 1})
    data = divide(data_from_arrays(*images()), moved)
    assert assemble(resolve(moved, data)[0], data).batches.prepare is not None
    monkeypatch.setattr(room, "MOST_BYTES", 10_000)
    asked = recipe()
    assert assemble(resolve(asked, data)[0], data).batches.prepare is not None


def test_few_but_large_pictures_are_prepared_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    data = divide(data_from_arrays(*images()), recipe())
    whole = fit("standardise", data.train, data.schema)
    monkeypatch.setattr(room, "MOST_NUMBERS", 3 * 9 * 11)
    assert ready(data.train, whole) is not None
    monkeypatch.setattr(room, "MOST_NUMBERS", 3 * 9 * 11 - 1)
    assert ready(data.train, whole) is None


def test_floats_are_not_held_twice_where_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, targets = images()
    data = divide(data_from_arrays(pictures.astype(np.float32), targets), recipe())
    whole = fit("standardise", data.train, data.schema)
    numbers = 3 * 9 * 11
    for most, each, taken in ((1, -1, False), (0, -1, True), (1, 0, True)):
        monkeypatch.setattr(room, "MOST_TWICE", 4 * len(data.train) * numbers - most)
        monkeypatch.setattr(room, "MOST_NUMBERS_TWICE", numbers + each)
        assert (ready(data.train, whole) is not None) == taken


def test_sums_of_products_are_not_taken_for_the_same_in_any_batch() -> None:
    data = divide(data_from_arrays(*images()), recipe())
    assert ready(data.train, fit("whiten", data.train, data.schema)) is None
    assert ready(data.train, fit("standardise", data.train, data.schema)) is not None
