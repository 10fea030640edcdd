"""The samples that several experiments share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from glassnet.errors import DataError
from glassnet.experiments.images import load_images


def test_the_digits_in_three_parts_standardised_by_the_first() -> None:
    images = load_images(None, seed=1)
    assert images.name == "digits"
    assert images.shape == (1, 8, 8)
    assert images.classes == 10
    assert len(images.train[1]) + len(images.val[1]) + len(images.test[1]) == 1797
    assert float(images.train[0].mean()) == pytest.approx(0, abs=1e-5)
    assert float(images.train[0].std()) == pytest.approx(1, abs=1e-2)
    assert "others by --data PATH" in images.told


def test_fewer_samples_are_chosen_at_random_and_the_same_again() -> None:
    first, again, other = (load_images(None, seed=seed, train=100, val=50, test=40) for seed in (1, 1, 2))
    assert [len(part[1]) for part in (first.train, first.val, first.test)] == [100, 50, 40]
    assert torch.equal(first.train[0], again.train[0])
    assert not torch.equal(first.train[1], other.train[1])
    assert len(set(first.train[1].tolist())) == 10


def test_tables_with_classes_serve_and_values_are_refused(tmp_path: Path) -> None:
    rows = [f"{i % 7},{(i * 5) % 11},{'high' if (i % 7) > 3 else 'low'},{i * 0.37:.3f}" for i in range(200)]
    (tmp_path / "kinds.csv").write_text("\n".join(["a,b,kind", *(row.rsplit(",", 1)[0] for row in rows)]))
    images = load_images(str(tmp_path / "kinds.csv"))
    assert images.classes == 2
    assert len(images.shape) == 1
    (tmp_path / "values.csv").write_text("\n".join(["a,b,c,y", *rows]))
    with pytest.raises(DataError, match="tells classes apart"):
        load_images(str(tmp_path / "values.csv"))
