"""Tables as JSON records: what is read, and what is wrong with a file, said with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from glassnet.data.opening import open_data
from glassnet.data.table_formats import is_table, read_table
from glassnet.errors import DataError

ROWS = [{"size": n, "colour": "red" if n % 3 else "blue", "old": n % 2 == 0, "price": n * 1.5} for n in range(40)]


def as_lines(path: Path) -> None:
    path.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")


def as_list(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=2))


@pytest.mark.parametrize(
    ("name", "write"), [("t.jsonl", as_lines), ("t.ndjson", as_lines), ("t.json", as_lines), ("t.json", as_list)]
)
def test_records_are_read_as_the_same_table_in_csv_is(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    cells = ["size,colour,old,price"] + [
        f"{r['size']},{r['colour']},{str(r['old']).lower()},{r['price']}" for r in ROWS
    ]
    (tmp_path / "t.csv").write_text("\n".join(cells))
    ours, csv = open_data(str(tmp_path / name)), open_data(str(tmp_path / "t.csv"))
    assert ours.schema == csv.schema
    assert ours.train.targets.equal(csv.train.targets)
    everything = torch.arange(len(ROWS))
    assert ours.train.inputs.take(everything).equal(csv.train.inputs.take(everything))


def test_what_a_record_lacks_is_missing_and_lists_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1, "b": ["x"]}\n\n{"a": null, "c": "NA"}\n{"c": "word", "a": "2"}\n')
    table = read_table(path)
    assert table.frame.to_dict(as_series=False) == {"a": ["1", None, "2"], "c": [None, None, "word"]}
    assert table.names == ["t.jsonl:1", "t.jsonl:3", "t.jsonl:4"]
    assert "'b'" in table.notes[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1}\n{"a": 2\n', ", line 2"),
        ('{"a": 1}\n[2]\n', "line 2"),
        ('[{"a": 1}, 3]', "item 2"),
        ('[{"a": 1},', "not JSON"),
        ("[]", "no records"),
        ("{}", "no records"),
        ('{"a": [1]}', "'a'"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert told in str(caught.value)


def test_other_json_is_no_table_and_does_not_hide_one(tmp_path: Path) -> None:
    for text in ('{"name": "a set", "images": []}', "[1, 2]", '"a"', "", '{\n "a": 1\n}'):
        (tmp_path / "about.json").write_text(text)
        assert not is_table(tmp_path / "about.json"), text
    as_list(tmp_path / "about.json")
    assert is_table(tmp_path / "about.json")
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *(f"{7 * n % 11},{n % 3}.5" for n in range(40))]))
    assert open_data(str(tmp_path)).outputs == ("b",)
