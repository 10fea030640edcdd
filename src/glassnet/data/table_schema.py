"""How a row of a table looks to a network, and how to read new rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from glassnet.data.columns import Column
from glassnet.data.dataset import InMemory, Source
from glassnet.data.given import read_all
from glassnet.data.table_file import TableFile
from glassnet.data.table_formats import read_table


@dataclass(frozen=True)
class TableSchema:
    """The columns that a network reads, in order.

    A raw input is float32 (columns,): a number as it is, yes or no as 1 or 0, a category as its index in the column's levels, 1 where a text has the column's word and
    else 0; NaN where a value is missing or a category was not in the training file.
    """

    columns: tuple[Column, ...]

    @property
    def kind(self) -> str:
        """``table``."""
        return "table"

    @property
    def shape(self) -> tuple[int, ...]:
        """(columns,)."""
        return (len(self.columns),)

    @property
    def names(self) -> tuple[str, ...]:
        """What to call each number of a raw input."""
        return tuple(column.name for column in self.columns)

    @property
    def sources(self) -> tuple[str, ...]:
        """The file's columns that are read, each once."""
        return tuple(dict.fromkeys(column.source for column in self.columns))

    def show(self, row: Tensor) -> dict[str, float | str | None]:
        """A raw input in the words of the file: category names instead of indices, None where a value is missing.

        Args:
            row: float32 (columns,).
        """
        told: dict[str, float | str | None] = {}
        for column, value in zip(self.columns, row.tolist(), strict=True):
            if value != value:
                told[column.name] = None
            elif column.kind == "category":
                told[column.name] = column.levels[int(value)]
            else:
                told[column.name] = value
        return told

    def worded(self) -> dict[str, list[int]]:
        """The texts among the file's columns, and the places in a raw input of the words that are told of each."""
        found: dict[str, list[int]] = {}
        for place, column in enumerate(self.columns):
            if column.kind == "word":
                found.setdefault(column.source, []).append(place)
        return found

    def nothing_known(self) -> Tensor:
        """The raw input of a row whose every cell is missing, float32 (columns,)."""
        return torch.tensor([0.0 if column.kind == "word" else torch.nan for column in self.columns])

    def lacks_word(self, row: Tensor) -> list[bool]:
        """For each number of a raw input whether it tells that a text has not some word, which is true of most."""
        return [column.kind == "word" and value == 0 for column, value in zip(self.columns, row.tolist(), strict=True)]

    def encode(self, table: TableFile) -> Tensor:
        """The raw inputs of a table that has been read, float32 (rows, columns). Other columns of the table are ignored.

        Raises:
            DataError: columns are missing, or hold what is no finite number.
        """
        table.require(self.sources, "the table lacks columns that the model reads")
        return torch.from_numpy(table.encode(self.columns))

    def unfit(self, table: TableFile, raw: Tensor) -> list[str]:
        """What in a table, of which :meth:`encode` made ``raw``, counts as missing although something stands there, as sentences."""
        return table.unfit(self.columns, raw.numpy())

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Rows of tables for prediction, named by file and line. Columns may stand in any order, and others are ignored.

        Raises:
            DataError: a file is absent, is no table, or does not fit; all such files at once.
        """
        tables = read_all(paths, self._rows, "no table was given", "at least one CSV, TSV, Parquet, JSON or Excel file")
        names = [name for table, _ in tables for name in table.names]
        notes = [note for table, raw in tables for note in self.unfit(table, raw)]
        return names, InMemory(torch.cat([raw for _, raw in tables]), tuple(notes))

    def _rows(self, path: str) -> list[tuple[TableFile, Tensor]]:
        table = read_table(Path(path), self.sources)
        return [(table, self.encode(table))]

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "table", "columns": [column.to_json() for column in self.columns]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TableSchema:
        """The schema that :meth:`to_json` described."""
        return cls(tuple(Column.from_json(each) for each in values["columns"]))
