"""Names: of data sets, of samples that have none of their own, and the order in which people expect them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload


@dataclass(frozen=True)
class RowNames(Sequence[str]):
    """``train[0]``, ``train[1]``, ...: made when asked for, so that sixty thousand names cost nothing.

    Attributes:
        part: what stands before the bracket.
        rows: how many there are.
    """

    part: str
    rows: int

    def __len__(self) -> int:
        return self.rows

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [f"{self.part}[{row}]" for row in range(self.rows)[index]]
        return f"{self.part}[{range(self.rows)[index]}]"


def name_of(path: Path) -> str:
    """What to call the data set at a path: a file without its extension, or a folder."""
    return path.stem if path.is_file() else path.resolve().name


def in_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which names are sorted with their numbers by size: 2 before 10."""
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part)
