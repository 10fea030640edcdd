"""How one array looks to a network, and how new ones are read for prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glassnet.data.array_files import array_source, is_array_file
from glassnet.data.dataset import InMemory, Source
from glassnet.data.walk import shown
from glassnet.errors import DataError, GlassnetError, all_at_once


@dataclass(frozen=True)
class ArraySchema:
    """Arrays of one shape. A raw batch is float32 (batch, ...).

    Attributes:
        size: shape of one input, without the batch dimension.
    """

    size: tuple[int, ...]

    @property
    def kind(self) -> str:
        """``array``."""
        return "array"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self.size

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Read npy, npz or idx files whose rows have this shape.

        Raises:
            DataError: a path is missing, unreadable or does not fit; all such paths are told at once.
        """
        names: list[str] = []
        pieces: list[Tensor] = []
        errors: list[GlassnetError] = []
        for given in paths:
            path = Path(given)
            try:
                if not path.is_file():
                    raise DataError(
                        "no such file" if not path.exists() else "this is no file",
                        where=shown(path),
                        expected="an npy, npz or idx file",
                    )
                if not is_array_file(path):
                    raise DataError(
                        "arrays are read from npy and npz files",
                        where=shown(path),
                        got=path.suffix or "a name without an ending",
                        fix="save the array with numpy.save as NAME.npy",
                    )
                key, values = array_source(path)
                if tuple(values.shape[1:]) != self.size or values.ndim == 0:
                    raise DataError(
                        "these arrays do not fit the network",
                        where=shown(path),
                        got=f"shape {tuple(values.shape)}",
                        expected=f"(n, {', '.join(map(str, self.size))})",
                    )
                pieces.append(as_floats(values, f"{shown(path)}{f', key {key!r}' if key else ''}"))
                names += [f"{shown(path.name)}{f':{key}' if key else ''}[{row}]" for row in range(len(values))]
            except GlassnetError as error:
                errors.append(error)
        if errors:
            raise all_at_once(errors)
        return names, InMemory(torch.cat(pieces) if pieces else torch.empty((0, *self.size)))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kind": "array", "shape": list(self.size)}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> ArraySchema:
        """The schema that ``to_json`` told of."""
        return cls(tuple(int(size) for size in fields["shape"]))


def as_floats(values: NDArray[Any], where: str, numbers: Sequence[int] | None = None) -> Tensor:
    """Numbers as a float32 tensor.

    Args:
        values: (rows, ...).
        where: what to call them in a message.
        numbers: of the rows, where they are some of a larger array.

    Raises:
        DataError: text, or a number that is undefined, infinite or too large for float32; names the first row.
    """
    if values.dtype.kind not in "biuf":
        raise DataError("these are no numbers", where=where, got=str(values.dtype), expected="integers or floats")
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(values, dtype=np.float32)
    bad = ~np.isfinite(floats)
    if bad.any():
        row = int(np.argwhere(bad)[0][0]) if bad.ndim else 0
        first = values[row].ravel()[~np.isfinite(floats[row].ravel())][0] if bad.ndim else values
        rows = int(bad.reshape(len(bad), -1).any(axis=1).sum()) if bad.ndim else 1
        raise DataError(
            "a number is undefined, infinite or too large",
            where=f"{where}, row {row if numbers is None else numbers[row]} (counted from 0)",
            got=f"{first} there; {rows:,} of {len(floats):,} rows {'are affected' if numbers is None else 'of its batch are'}"
            if bad.ndim
            else str(first),
            expected="finite numbers",
            fix="remove these rows or fill them in",
        )
    return torch.from_numpy(floats)
