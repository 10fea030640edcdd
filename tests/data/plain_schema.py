"""A schema of which only kind and shape matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glassnet.data.dataset import Source


@dataclass(frozen=True)
class Plain:
    kind: str = "array"
    shape: tuple[int, ...] = (1,)

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        return {}
