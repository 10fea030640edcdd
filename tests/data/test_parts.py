"""Parts of a data set: the names by which files are known as parts, and a whole that is divided by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from glassnet.data.dataset import InMemory, Part, divided, spread
from glassnet.data.opening import open_data
from glassnet.data.parts import checked_share
from glassnet.errors import UsageError


@pytest.mark.parametrize(("val", "test"), [("val", "test"), ("dev", "testing"), ("validation", "test")])
def test_every_reader_knows_the_same_names_of_parts(tmp_path: Path, val: str, test: str) -> None:
    rng = np.random.default_rng(0)
    counts = {"train": 40, val: 20, test: 30}
    arrays = {}
    for part, count in counts.items():
        arrays |= {f"x_{part}": rng.normal(size=(count, 3)), f"y_{part}": np.arange(count) % 2}
        rows = "".join(f"{a:.3f},{b:.3f},{'uv'[i % 2]}\n" for i, (a, b) in enumerate(rng.normal(size=(count, 2))))
        (tmp_path / f"rows-{part}.csv").write_text("a,b,class\n" + rows)
        (tmp_path / "trees").mkdir(exist_ok=True)
        (tmp_path / "trees" / f"{part}.txt").write_text("".join(f"({i % 2} (1 a) (0 b))\n" for i in range(count)))
    np.savez(tmp_path / "arrays.npz", **arrays)
    for place in ("arrays.npz", "rows-train.csv", "trees"):
        found = {name: len(part) for name, part in open_data(str(tmp_path / place)).parts.items()}
        assert found == {"train": 40, "val": 20, "test": 30}, place


def test_a_whole_is_divided_in_the_usual_order_of_parts() -> None:
    whole = Part(InMemory(torch.arange(5)[:, None]), torch.arange(5), list("abcde"))
    parts = divided(whole, ["test", "train", "val", "train", "test"])
    assert {name: list(part.names) for name, part in parts.items()} == {
        "train": ["b", "d"],
        "val": ["c"],
        "test": ["a", "e"],
    }
    assert list(parts) == ["train", "val", "test"]
    assert divided(whole, ["train"] * 5)["train"] is whole


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, float("nan")])
def test_a_share_lies_between_nothing_and_everything(share: float) -> None:
    with pytest.raises(UsageError, match=r"share of the validation part is out of range"):
        checked_share(share, "val")
    assert checked_share(0.2, "test") == 0.2


def test_places_are_spread_over_all_samples() -> None:
    assert spread(10, 4).tolist() == [0, 2, 5, 7]
    assert spread(3, 10).tolist() == [0, 1, 2]
    assert spread(0, 4).tolist() == []
