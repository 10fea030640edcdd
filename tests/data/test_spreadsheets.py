"""Spreadsheets are read as the CSV file would be to which they are exported."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import torch

from glassnet.data.dataset import Data
from glassnet.data.options import ReadOptions
from glassnet.data.readers import tables
from glassnet.data.table_schema import TableSchema
from glassnet.errors import DataError

HEADER = ["weight", "sold", "new", "code", "colour", "price"]


def rows(count: int = 60) -> list[list[Any]]:
    start = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - cells of a sheet have no time zone
    return [
        [
            800 + 3.5 * n if n % 9 else None,
            start + dt.timedelta(days=n),
            n % 2 == 0,
            f"{n % 7:05d}",
            ["red", "green", "blue"][n % 3],
            20_000 + 37.25 * (n * 29 % 61),
        ]
        for n in range(count)
    ]


def book(path: Path, *sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, content in enumerate(sheets):
        sheet = made.create_sheet(f"sheet {number + 1}")
        for row in content:
            sheet.append(row)
    made.save(path)
    return path


def exported(path: Path, content: list[list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(content)
    return path


def inputs(data: Data) -> torch.Tensor:
    return data.train.inputs.take(torch.arange(len(data.train)))


def test_it_is_read_as_the_csv_file_to_which_it_is_exported(tmp_path: Path) -> None:
    content = [HEADER, *rows()]
    sheet = tables.read(book(tmp_path / "cars.xlsx", content), ReadOptions())
    plain = tables.read(exported(tmp_path / "cars.csv", content), ReadOptions())
    assert isinstance(sheet.schema, TableSchema)
    assert sheet.schema == plain.schema
    assert {column.kind for column in sheet.schema.columns} > {"number", "bool", "category"}
    assert torch.equal(inputs(sheet).nan_to_num(-1), inputs(plain).nan_to_num(-1))


def test_titles_above_the_table_empty_columns_and_further_sheets_are_left_out_and_told(tmp_path: Path) -> None:
    content = [HEADER, *rows()]
    titled = [["Sales of 2020"], [], ["by the branch in town"], *([None, *row, None] for row in content), [None] * 8]
    data = tables.read(book(tmp_path / "cars.xlsx", titled, [["x"]], [["y"]]), ReadOptions())
    assert data.schema == tables.read(book(tmp_path / "plain.xlsx", content), ReadOptions()).schema
    told = " ".join(data.notes)
    assert "its first sheet, 'sheet 1', is read; 'sheet 2', 'sheet 3' are not" in told
    assert "what stands above the table is left out: 'Sales of 2020', 'by the branch in town'" in told


def test_rows_are_named_by_their_lines_in_the_sheet(tmp_path: Path) -> None:
    data = tables.read(book(tmp_path / "cars.xlsx", [["Cars"], HEADER, *rows()]), ReadOptions())
    new = book(tmp_path / "new.xlsx", [["More cars"], HEADER, *rows(3), ["heavy", None, True, "00001", "red", None]])
    assert isinstance(data.schema, TableSchema)
    names, source = data.schema.read([str(new)])
    assert len(names) == 4
    assert "'heavy' (row 6)" in " ".join(source.notes)


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(60), b"a,b\n1,2\n", b""])
def test_what_is_no_spreadsheet_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cars.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"(?s)cannot be read.*cars\.xlsx.*export the sheet as CSV"):
        tables.read(path, ReadOptions())


def test_an_empty_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the table is empty"):
        tables.read(book(tmp_path / "cars.xlsx", []), ReadOptions())
