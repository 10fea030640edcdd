"""The audit finds each planted trouble, says nothing about clean data, and is quick."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_schema import Plain
from torch import Tensor

from glassnet.data.audit import Audit, audit
from glassnet.data.columns import Column
from glassnet.data.contact_sheet import contact_sheet
from glassnet.data.dataset import Data, InMemory, Part
from glassnet.data.leaks import correlation, one_column_accuracy
from glassnet.data.options import ReadOptions
from glassnet.data.readers import tables
from glassnet.data.split import split
from glassnet.data.table_schema import TableSchema
from glassnet.data.unreadable import Unreadable
from glassnet.errors import DataError


@dataclass(frozen=True)
class Streamed:
    values: Tensor

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: Tensor) -> Tensor:
        assert len(index) <= 500, "an audit decodes a sample only"
        return self.values[index]


def part(values: Tensor, targets: Tensor, name: str = "") -> Part:
    return Part(InMemory(values), targets, [f"{name}{i}" for i in range(len(values))])


def pictures(count: int = 300, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 1, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def image_data(values: Tensor | None = None, targets: Tensor | None = None, **parts: Part) -> Data:
    values = pictures() if values is None else values
    targets = torch.arange(len(values)) % 3 if targets is None else targets
    schema = Plain("image", tuple(values.shape[1:]))
    return Data(
        "made", "made", "classes", ("a", "b", "c"), ("class",), schema, {"train": part(values, targets, "t")} | parts
    )


def table_data(values: Tensor, targets: Tensor, *columns: Column, **parts: Part) -> Data:
    columns = columns or tuple(Column(f"x{i}", "number") for i in range(values.shape[1]))
    schema = TableSchema(columns)
    whole = {"train": part(values, targets, "row ")} | parts
    if targets.is_floating_point():
        return Data("made", "made", "values", (), ("y",), schema, whole)
    names = tuple("abcdef"[: int(targets.max()) + 1])
    return Data("made", "made", "classes", names, ("y",), schema, whole)


def noise(rows: int, columns: int) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))


def rules(found: Audit) -> list[str]:
    return [trouble.rule for trouble in found.troubles]


def only(found: Audit, rule: str) -> Any:
    (trouble,) = [trouble for trouble in found.troubles if trouble.rule == rule]
    return trouble


def test_clean_data_has_no_trouble() -> None:
    assert rules(audit(image_data())) == []
    assert rules(audit(table_data(noise(300, 4), torch.arange(300) % 3))) == []
    assert rules(audit(table_data(noise(300, 4), noise(300, 5)[:, 4:]))) == []
    assert rules(audit(split(image_data()))) == []


def test_sizes_counts_and_ranges_by_hand() -> None:
    values = torch.tensor([[[[0, 10]]], [[[20, 30]]], [[[40, 60]]], [[[7, 255]]]], dtype=torch.uint8)
    test = part(values[:1], torch.tensor([1]))
    found = audit(image_data(values, torch.tensor([0, 1, 1, 2]), test=test))
    assert found.sizes == {"train": 4, "test": 1}
    assert found.counts == {"train": (1, 2, 1), "test": (0, 1, 0)}
    (channel,) = found.ranges
    assert (channel.name, channel.least, channel.mean, channel.greatest) == ("channel 0", 0.0, 422 / 8, 255.0)
    nan = float("nan")
    table = audit(
        table_data(
            torch.tensor([[1.0, 0.0], [nan, 1.0], [4.0, nan]]),
            torch.tensor([[2.0], [4.0], [9.0]]),
            Column("n", "number"),
            Column("c", "category", ("u", "v")),
        )
    )
    assert [(r.name, r.least, r.mean, r.greatest, r.missing, r.levels) for r in table.ranges] == [
        ("n", 1.0, 2.5, 4.0, 1, 0),
        ("c", 0.0, 0.5, 1.0, 1, 2),
    ]
    assert [(r.name, r.least, r.mean, r.greatest) for r in table.targets] == [("y", 2.0, 5.0, 9.0)]


def test_unreadable_files_are_named() -> None:
    found = audit(replace(image_data(), unreadable=(Unreadable("cats/7.png", "truncated"),)))
    trouble = only(found, "unreadable")
    assert "cats/7.png" in trouble.what
    assert trouble.evidence["reasons"] == {"cats/7.png": "truncated"}
    assert found.unreadable == (Unreadable("cats/7.png", "truncated"),)


def test_duplicates_within_and_across_are_named() -> None:
    train, test, val = pictures(), pictures(90, seed=1), pictures(90, seed=2)
    train[30] = train[3]
    train[33] = train[3]
    test[4] = train[9]
    train[39] = train[9]
    val[5] = train[12]
    val[8] = test[2]
    targets = torch.arange(300) % 3
    data = image_data(train, targets, val=part(val, targets[:90], "v"), test=part(test, targets[:90], "e"))
    targets[:90][4] = 0
    found = audit(data)
    within = only(found, "duplicates-within")
    assert within.evidence == {"part": "train", "extra": 3, "groups": [["t3", "t30", "t33"], ["t9", "t39"]]}
    assert within.severity == "info"
    across = [t.evidence for t in found.troubles if t.rule == "duplicates-across-parts"]
    assert {tuple(e["parts"]): e["pairs"] for e in across} == {
        ("train", "test"): [["t9", "e4"]],
        ("train", "val"): [["t12", "v5"]],
        ("val", "test"): [["v8", "e2"]],
    }


def test_many_repetitions_are_a_warning() -> None:
    assert only(audit(image_data(pictures(50).repeat(6, 1, 1, 1))), "duplicates-within").severity == "warning"


def test_the_same_input_with_two_targets_is_told_also_across_parts() -> None:
    train, test = pictures(), pictures(90, seed=1)
    train[30] = train[3]  # class 0 and 0
    train[31] = train[5]  # class 1 and 2
    test[0] = train[7]  # class 0 and 1
    found = audit(image_data(train, test=part(test, torch.arange(90) % 3, "e")))
    trouble = only(found, "contradicting-targets")
    assert trouble.evidence["examples"] == [["t5 (c)", "t31 (b)"], ["t7 (b)", "e0 (a)"]]


@pytest.mark.parametrize(("counts", "told"), [((20, 200, 100), True), ((21, 200, 100), False)])
def test_imbalance_from_ten_to_one(counts: tuple[int, ...], told: bool) -> None:
    targets = torch.cat([torch.full((count,), i) for i, count in enumerate(counts)])
    found = audit(image_data(pictures(len(targets)), targets))
    assert ("imbalance" in rules(found)) == told
    if told:
        assert only(found, "imbalance").evidence == {
            "ratio": 10.0,
            "most": "b",
            "least": "a",
            "majority_share": 200 / 320,
        }


def test_few_samples_and_classes_that_are_not_measured() -> None:
    targets = torch.cat([torch.zeros(19), torch.ones(30), torch.full((30,), 2.0)]).long()
    found = audit(image_data(pictures(79), targets, val=part(pictures(2, seed=1), torch.tensor([0, 2]))))
    assert only(found, "few-samples").evidence == {"classes": {"a": 19}}
    assert only(found, "class-not-measured").evidence == {"part": "val", "classes": ["b"]}


def test_constant_positions_and_columns() -> None:
    values = pictures()
    values[:, :, 0] = 9
    trouble = only(audit(image_data(values)), "constant-positions")
    assert (trouble.severity, trouble.evidence["count"]) == ("info", 6)
    rows = noise(100, 3)
    rows[:, 1] = 5
    rows[:, 2] = float("nan")
    found = audit(table_data(rows, torch.arange(100) % 2))
    assert only(found, "constant-columns").evidence == {"columns": ["x1", "x2"]}


def test_blank_and_dark_images() -> None:
    values = pictures()
    values[[4, 8]] = 77
    trouble = only(audit(image_data(values)), "blank-images")
    assert trouble.evidence["names"] == ["t4", "t8"]
    dark = audit(
        image_data(torch.randint(0, 2, (300, 1, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)))
    )
    assert only(dark, "narrow-range").evidence == {"least": 0, "greatest": 1}


def test_missing_values() -> None:
    rows = noise(100, 3)
    rows[:60, 0] = float("nan")
    rows[:50, 1] = float("nan")
    found = audit(table_data(rows, torch.arange(100) % 2))
    assert only(found, "mostly-missing").evidence == {"columns": {"x0": 0.6}}
    assert only(found, "missing-values").evidence == {"columns": {"x0": 0.6, "x1": 0.5}}


def test_numbers_far_outside_are_named_in_columns_and_targets() -> None:
    values, targets = noise(300, 4), noise(300, 5)[:, 4:].clone()
    values[17, 2], targets[40, 0] = 1e5, -999.0
    test = part(noise(80, 4), torch.zeros(80, 1), "test ")
    test.inputs.values[5, 0] = 400.0  # type: ignore[attr-defined]
    found = only(audit(table_data(values, targets, test=test)), "outlying-values")
    assert found.evidence == {"columns": {"x0": ["x0 of test 5"], "x2": ["x2 of row 17"], "y": ["y of row 40"]}}
    assert "3 numbers lie far outside of all others: x0 of test 5, x2 of row 17, y of row 40; 400 lies" in found.what


def test_long_tails_and_rare_events_are_not_far_outside() -> None:
    generator = torch.Generator().manual_seed(1)
    tails = torch.randn(5_000, 3, generator=generator).mul(torch.tensor([1.0, 1.5, 2.0])).exp()
    rare = (torch.rand(5_000, 1, generator=generator) < 0.005).float() * 40
    assert rules(audit(table_data(torch.cat([tails, rare], 1), torch.arange(5_000) % 3))) == []
    few = noise(49, 2)
    few[3, 0] = 1e6
    assert "outlying-values" not in rules(audit(table_data(few, torch.arange(49) % 3)))


def test_numbers_that_are_not_finite_are_errors_and_come_first() -> None:
    rows = noise(100, 3)
    rows[[7, 9], 1] = float("nan")
    arrays = replace(table_data(rows, torch.arange(100) % 2), schema=Plain("array", (3,)))
    targets = noise(100, 1)
    targets[3] = float("inf")
    found = audit(replace(arrays, task="values", classes=(), parts={"train": part(rows, targets, "row ")}))
    assert [(t.severity, t.evidence["names"]) for t in found.troubles[:2]] == [
        ("error", ["row 7", "row 9"]),
        ("error", ["row 3"]),
    ]
    assert rules(audit(table_data(rows, torch.arange(100) % 2))) == ["missing-values"]


@pytest.mark.parametrize("how", ["threshold", "category", "missing", "bands"])
def test_a_column_that_tells_the_class_is_a_leak(how: str) -> None:
    targets = (torch.arange(600) * 7 % 10 < 3).long()
    rows = noise(600, 3)
    columns = [Column("x0", "number"), Column("bad", "number"), Column("x2", "number")]
    if how == "threshold":
        rows[:, 1] = rows[:, 1].abs() * (2 * targets - 1)
    elif how == "category":
        rows[:, 1] = targets * 2 + (rows[:, 2] > 0)
        columns[1] = Column("bad", "category", ("p", "q", "r", "s"))
    elif how == "missing":
        rows[:, 1] = torch.where(targets == 1, float("nan"), rows[:, 1])
    else:
        targets = torch.arange(600) % 3
        rows[:, 1] = (targets + 0.9 * torch.rand(600, generator=torch.Generator().manual_seed(1))) % 3
    found = audit(table_data(rows, targets, *columns))
    trouble = only(found, "leaking-column")
    assert trouble.evidence["column"] == "bad"
    assert trouble.evidence["figure"] >= 0.99


def test_a_column_that_is_the_value_is_a_leak() -> None:
    rows, targets = noise(200, 3), noise(200, 4)[:, 3:]
    rows[:, 2] = -3 * targets[:, 0] + 100 + 0.01 * noise(200, 1)[:, 0]
    rows[::9, 2] = float("nan")
    assert only(audit(table_data(rows, targets)), "leaking-column").evidence["column"] == "x2"


def test_ids_and_strong_but_honest_columns_are_no_leak() -> None:
    targets = (noise(400, 1)[:, 0] > 0).long()
    rows = torch.stack([torch.arange(400).float(), targets + 0.5 * noise(400, 2)[:, 1]], 1)
    levels = tuple(str(i) for i in range(400))
    found = audit(table_data(rows, targets, Column("id", "category", levels), Column("strong", "number")))
    assert "leaking-column" not in rules(found)
    rare = (torch.arange(1000) % 200 == 0).long()  # 99.5 % is what always answering "no" reaches
    assert "leaking-column" not in rules(audit(table_data(noise(1000, 2), rare)))


def test_one_column_accuracy_by_hand() -> None:
    values = torch.tensor([1.0, 1, 1, 2, 2, 2, float("nan"), float("nan"), 1])
    targets = torch.tensor([0, 0, 0, 1, 1, 0, 2, 2, 1])
    # value 1: 0,0,0,1 -> 3 right; value 2: 1,1,0 -> a tie without oneself, none; missing: 2,2 -> 2 right
    assert one_column_accuracy(values, targets, 3) == (5 / 9, 4 / 9)


def test_correlation_equals_numpy() -> None:
    x, y = noise(50, 2).T
    assert correlation(x, y) == pytest.approx(np.corrcoef(x.double(), y.double())[0, 1], abs=1e-12)
    assert correlation(x, torch.ones(50)) == 0.0


def test_parts_that_differ_are_told() -> None:
    test = part(noise(300, 3) + torch.tensor([0.0, 0.5, 0.1]), torch.arange(300) % 2)
    found = audit(table_data(noise(500, 3), torch.arange(500) % 2, test=test))
    assert list(only(found, "parts-differ").evidence["shift"]) == ["x1"]
    bright = part(pictures(300, seed=5) // 2, torch.arange(300) % 3)
    assert list(only(audit(image_data(test=bright)), "parts-differ").evidence["shift"]) == ["channel 0"]


def test_streamed_sources_are_sampled() -> None:
    values = pictures(5000)
    whole = Part(Streamed(values), torch.arange(5000) % 3, [str(i) for i in range(5000)])
    found = audit(Data("made", "made", "classes", ("a", "b", "c"), ("y",), Plain("image", (1, 6, 6)), {"train": whole}))
    assert (found.looked_at, found.sizes) == (500, {"train": 5000})


def test_an_audit_is_plain_values() -> None:
    train = pictures()
    train[30] = train[3]
    values = dataclasses.asdict(audit(image_data(train)))
    assert json.loads(json.dumps(values))["troubles"][0]["rule"] == "duplicates-within"


def test_real_tables(shared_data: Path) -> None:
    found = audit(tables.read(shared_data / "tabular" / "adult-train.csv", ReadOptions()))
    assert only(found, "duplicates-across-parts").evidence["count"] == 26
    assert only(found, "missing-values").evidence["columns"].keys() == {"workclass", "occupation", "native-country"}
    assert "leaking-column" not in rules(found)
    wine = audit(tables.read(shared_data / "tabular" / "winequality-red.csv", ReadOptions()))
    assert only(wine, "duplicates-within").evidence["extra"] == 240


def test_sixty_thousand_digits_take_seconds() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(0, 256, (60_000, 1, 28, 28), dtype=torch.uint8, generator=generator)
    data = Data(
        "big", "big", "classes", tuple("0123456789"), ("class",), Plain("image", (1, 28, 28)),
        {"train": part(values, torch.arange(60_000) % 10)},
    )  # fmt: skip
    start = time.perf_counter()
    audit(data)
    assert time.perf_counter() - start < 10  # about one second on a free core


def test_contact_sheet_shows_the_images_of_each_class() -> None:
    values = torch.zeros(30, 3, 16, 16, dtype=torch.uint8)
    targets = torch.arange(30) % 3
    for c in range(3):
        values[targets == c, c] = 255  # class 0 red, 1 green, 2 blue
    sheet = np.asarray(contact_sheet(image_data(values, targets), per_class=4))
    for c in range(3):
        colour = [255 if i == c else 0 for i in range(3)]
        rows = np.flatnonzero((sheet == colour).all(axis=2).any(axis=1))
        pixels = int((sheet == colour).all(axis=2).sum())
        assert pixels == 4 * 48 * 48
        assert rows.max() - rows.min() == 47
    order = [
        np.flatnonzero((sheet == [255 if i == c else 0 for i in range(3)]).all(axis=2).any(axis=1))[0] for c in range(3)
    ]
    assert order == sorted(order)


def test_contact_sheet_of_values_and_of_other_data() -> None:
    data = image_data()
    by_value = replace(
        data, task="values", classes=(), parts={"train": part(pictures(), torch.linspace(0, 1, 300)[:, None])}
    )
    assert contact_sheet(by_value, per_class=5).mode == "RGB"
    with pytest.raises(DataError, match="kind 'table'"):
        contact_sheet(table_data(noise(30, 2), torch.arange(30) % 2))


def test_an_empty_part_is_no_trouble_to_the_audit() -> None:
    nothing = part(pictures(0), torch.zeros(0, dtype=torch.int64))
    assert audit(image_data(test=nothing)).sizes == {"train": 300, "test": 0}
    rows = part(torch.zeros(0, 2), torch.zeros(0, 1))
    assert audit(table_data(noise(300, 2), noise(300, 3)[:, 2:], test=rows)).counts == {}
