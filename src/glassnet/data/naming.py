"""Names of samples that have none of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
