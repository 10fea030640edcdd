"""Splits and folds: sizes by hand, shares of the classes, twins kept together, the same everywhere for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from plain_schema import Plain
from torch import Tensor

from glassnet.data.dataset import Data, InMemory, Part, class_counts
from glassnet.data.split import folds, split
from glassnet.errors import DataError, UsageError


def part(targets: Sequence[int] | Tensor, inputs: Sequence[float] | None = None, start: int = 0) -> Part:
    """Samples named by their own number, which is also their input unless inputs are given."""
    targets = torch.as_tensor(targets)
    numbers = range(start, start + len(targets))
    values = torch.tensor(list(inputs) if inputs is not None else [float(i) for i in numbers])
    return Part(InMemory(values[:, None]), targets, [str(i) for i in numbers])


def make(parts: dict[str, Part], classes: int = 0) -> Data:
    names = tuple(f"c{i}" for i in range(classes))
    return Data("made", "made", "classes" if classes else "values", names, ("y",), Plain(), parts)


def labels(*counts: int) -> Tensor:
    """Classes in turn, shuffled, as many of each as asked for."""
    ordered = torch.cat([torch.full((count,), i) for i, count in enumerate(counts)])
    return ordered[torch.randperm(len(ordered), generator=torch.Generator().manual_seed(1))]


def names(data: Data) -> dict[str, list[str]]:
    return {name: list(piece.names) for name, piece in data.parts.items()}


def test_every_sample_goes_to_exactly_one_part_with_its_input_and_target() -> None:
    whole = part(labels(300, 200))
    made = split(make({"train": whole}, 2), seed=3)
    seen = Counter(name for piece in made.parts.values() for name in piece.names)
    assert seen == Counter(whole.names)
    for piece in made.parts.values():
        for i, name in enumerate(piece.names):
            assert piece.inputs.take(torch.tensor([i])).item() == float(name)
            assert piece.targets[i] == whole.targets[int(name)]


@pytest.mark.parametrize(
    ("counts", "test", "val"),
    [
        ((500, 500), 200, 80),  # 20 % of 1,000; 10 % of the other 800 is enough: at least 20 a class
        ((100, 100), 40, 32),  # 20 %; 40 wished (20 a class), and at most a fifth of 160
        ((3000, 3000), 900, 510),  # 15 % from 5,000 on; 10 % of 5,100
        ((60_000, 40_000), 10_000, 5_000),  # the caps
    ],
)
def test_default_sizes(counts: tuple[int, int], test: int, val: int) -> None:
    made = split(make({"train": part(labels(*counts))}, 2))
    assert len(made.parts["test"]) == test
    assert len(made.val) == val
    assert len(made.train) == sum(counts) - test - val


def test_asked_shares() -> None:
    made = split(make({"train": part(labels(600, 400))}, 2), val=0.25, test=0.2)
    assert {name: len(piece) for name, piece in made.parts.items()} == {"train": 600, "val": 200, "test": 200}
    for wrong in (0.0, 1.0, -0.1):
        with pytest.raises(UsageError, match="between 0 and 1"):
            split(make({"train": part(labels(50, 50))}, 2), val=wrong)


def test_classes_keep_their_shares() -> None:
    counts = (700, 200, 73, 27)
    made = split(make({"train": part(labels(*counts))}, 4), val=0.2, test=0.2)
    for name, share in (("test", 0.2), ("val", 0.16), ("train", 0.64)):
        for got, count in zip(class_counts(made.parts[name], 4), counts, strict=True):
            assert abs(got - share * count) <= 2


def test_a_class_of_three_lies_in_every_part() -> None:
    made = split(make({"train": part(labels(200, 3))}, 2))
    assert [class_counts(piece, 2)[1] for piece in made.parts.values()] == [1, 1, 1]


def test_values_are_divided_within_bins() -> None:
    values = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0)).exp()
    made = split(make({"train": part(values)}), seed=5)
    edges = torch.quantile(values[:, 0], torch.linspace(0, 1, 11)[1:-1])
    for piece in made.parts.values():
        bins = torch.bincount(torch.searchsorted(edges, piece.targets[:, 0].contiguous()), minlength=10)
        assert (bins.double() / len(piece) - 0.1).abs().max() < 0.012


def test_given_parts_are_kept() -> None:
    train, test, val = part(labels(100, 100)), part(labels(10, 10), start=1000), part(labels(12, 12), start=2000)
    made = split(make({"train": train, "test": test}, 2))
    assert names(made)["test"] == list(test.names)
    assert len(made.val) == 40  # 20 a class, which is a fifth of 200
    made = split(make({"train": train, "test": test, "val": val}, 2))
    assert names(made) == {"train": list(train.names), "val": list(val.names), "test": list(test.names)}
    made = split(make({"train": train, "val": val}, 2))
    assert list(made.parts) == ["train", "val"]
    assert any("not from untouched data" in note for note in made.notes)
    made = split(make({"train": train, "val": val}, 2), test=0.1)
    assert [len(piece) for piece in made.parts.values()] == [180, 24, 20]


def test_twins_stay_together_and_are_told() -> None:
    inputs = [float(i // 3) for i in range(600)]  # every input three times
    inputs[0] = -0.0  # equals 0.0
    made = split(make({"train": part(labels(300, 300), inputs)}, 2), seed=1)
    homes: dict[float, set[str]] = {}
    for name, piece in made.parts.items():
        for value in piece.inputs.take(torch.arange(len(piece))).flatten().tolist():
            homes.setdefault(value + 0.0, set()).add(name)
    assert len(homes) == 200
    assert all(len(home) == 1 for home in homes.values())
    assert any("600 samples have an identical twin: 200 groups" in note for note in made.notes)
    assert 100 <= len(made.parts["test"]) <= 120


def test_missing_values_are_equal_to_each_other() -> None:
    inputs = [float("nan"), -float("nan")] * 20 + [float(i) for i in range(160)]  # of either sign bit
    made = split(make({"train": part(labels(100, 100), inputs)}, 2))
    homes = {name for name, piece in made.parts.items() if piece.inputs.take(torch.arange(len(piece))).isnan().any()}
    assert len(homes) == 1
    assert any("40 samples have an identical twin: one group" in note for note in made.notes)


def test_the_seed_alone_decides() -> None:
    data = make({"train": part(labels(300, 200))}, 2)
    torch.manual_seed(1)
    np.random.seed(1)
    first = names(split(data, seed=7))
    torch.manual_seed(2)
    assert names(split(data, seed=7)) == first
    assert names(split(data, seed=8)) != first


def test_the_same_split_on_every_platform() -> None:
    """The shuffle is NumPy's frozen stream: worked out here in the plainest way for data without twins."""
    targets = labels(30, 20)
    made = split(make({"train": part(targets)}, 2), val=0.25, test=0.2, seed=4)
    random = np.random.RandomState(4)
    test, val = set(), set()
    for c, (for_test, for_val) in enumerate([(6, 6), (4, 4)]):
        members = [i for i, t in enumerate(targets.tolist()) if t == c]
        shuffled = [str(members[i]) for i in random.permutation(len(members))]
        test |= set(shuffled[:for_test])
        val |= set(shuffled[for_test : for_test + for_val])
    assert set(made.parts["test"].names) == test
    assert set(made.val.names) == val


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            make({"train": part(labels(50, 1, 2))}, 3),
            ["2 classes have too few", "'c1' has 1", "'c2' has 2", "at least 3"],
        ),
        (make({"train": part(labels(50, 1)), "test": part(labels(5, 5))}, 2), ["'c1' has 1", "at least 2"]),
        (make({"train": part(labels(50))}, 1), ["one class only", "c0"]),
        (make({"train": part(labels(0, 50))}, 2), ["one class only", "c1"]),
        (make({"train": part(labels(4, 4))}, 2), ["too few samples", "8", "at least 10"]),
        (make({"train": part(torch.zeros(5, 1))}), ["too few samples", "5"]),
    ],
)
def test_too_little_data_is_told(data: Data, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        split(data)
    for word in words:
        assert word in str(caught.value)


def test_folds_are_disjoint_stratified_and_leave_the_test_part_alone() -> None:
    inputs = [float(i) for i in range(400)]
    inputs[10] = inputs[20]
    data = split(make({"train": part(labels(260, 140), inputs)}, 2), seed=2)
    made = list(folds(data, 5, seed=3))
    held = [set(fold.val.names) for fold in made]
    pool = set(data.train.names) | set(data.val.names)
    assert set().union(*held) == pool
    assert sum(map(len, held)) == len(pool)
    for fold, val in zip(made, held, strict=True):
        assert set(fold.train.names) == pool - val
        assert fold.test is data.test
        counts = class_counts(fold.val, 2)
        assert abs(counts[0] - 260 * len(pool) / 400 / 5) <= 2
        assert abs(counts[1] - 140 * len(pool) / 400 / 5) <= 2
        if {"10", "20"} <= pool:
            assert ("10" in val) == ("20" in val)
    assert [names(fold) for fold in folds(data, 5, seed=3)] == [names(fold) for fold in made]
    assert [names(fold) for fold in folds(data, 5, seed=4)] != [names(fold) for fold in made]


def test_folds_of_streamed_sources_join_their_parts() -> None:
    @dataclass(frozen=True)
    class Streamed:
        values: Tensor

        def __len__(self) -> int:
            return len(self.values)

        def take(self, index: Tensor) -> Tensor:
            return self.values[index]

    def streamed(start: int, targets: Tensor) -> Part:
        held = part(targets, start=start)
        assert isinstance(held.inputs, InMemory)
        return Part(Streamed(held.inputs.values), held.targets, held.names)

    data = make({"train": streamed(0, labels(30, 30)), "val": streamed(60, labels(10, 10))}, 2)
    for fold in folds(data, 4):
        for piece in (fold.train, fold.val):
            order = torch.randperm(len(piece), generator=torch.Generator().manual_seed(0))
            assert [float(piece.names[i]) for i in order] == piece.inputs.take(order).flatten().tolist()


def test_impossible_folds_are_told() -> None:
    data = make({"train": part(labels(20, 3))}, 2)
    with pytest.raises(DataError, match="'c1' has 3"):
        list(folds(data, 5))
    for k in (1, 24):
        with pytest.raises(UsageError, match="2 to 23"):
            list(folds(data, k))


def test_identical_files_of_a_streamed_source_stay_together(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Files:
        paths: tuple[Path, ...]

        def __len__(self) -> int:
            return len(self.paths)

        def take(self, index: Tensor) -> Tensor:
            raise AssertionError("a split must not decode")

    paths = tuple(tmp_path / f"{i}.bin" for i in range(200))
    for i, path in enumerate(paths):
        path.write_bytes(b"%03d" % (i // 2))
    whole = Part(Files(paths), torch.arange(200) % 2, [path.name for path in paths])
    made = split(make({"train": whole}, 2), seed=1)
    home = {name: part_name for part_name, piece in made.parts.items() for name in piece.names}
    assert all(home[f"{i}.bin"] == home[f"{i + 1}.bin"] for i in range(0, 200, 2))
    assert len(set(home.values())) == 3


def test_folds_differ_by_one_sample_at_most_of_each_class_and_in_all() -> None:
    made = list(folds(make({"train": part(labels(7, 8, 9, 6))}, 4), 5))
    assert {len(fold.val) for fold in made} == {6}
    for c, count in enumerate((7, 8, 9, 6)):
        assert {class_counts(fold.val, 4)[c] for fold in made} <= {count // 5, count // 5 + 1}


def test_greedy_shares_leave_one_sample_a_class_to_train_on() -> None:
    made = split(make({"train": part(labels(10, 10))}, 2), val=0.9, test=0.9)
    assert [class_counts(piece, 2) for piece in made.parts.values()] == [[1, 1], [1, 1], [8, 8]]


def test_a_large_group_in_one_class_does_not_unsettle_another() -> None:
    inputs = [0.0] * 5 + [float(i) for i in range(1, 16)]
    whole = part(torch.tensor([0] * 10 + [1] * 10), inputs)
    assert [class_counts(fold.val, 2)[1] for fold in folds(make({"train": whole}, 2), 5)] == [2] * 5


def test_inputs_that_are_all_alike_cannot_be_split() -> None:
    with pytest.raises(DataError, match="test and the validation part, because too many inputs are identical"):
        split(make({"train": part(labels(30, 30), [1.0] * 60)}, 2))
