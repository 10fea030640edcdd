"""What rounding to float32, in which networks count, takes from numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import DataError

COARSE = 0.05  # share of a column's standard deviation that rounding may take
LARGE = 1e6  # numbers of which the like happens to times and numbered things
FEWEST_ROWS, LOOKED_AT = 20, 2000  # of fewer rows a spread says little; of more, so many evenly


def merged(values: NDArray[Any]) -> tuple[int, float] | None:
    """The first column that loses more than :data:`COARSE` of its spread by rounding to float32, and its first number; None where none does.

    Args:
        values: (rows, ...), of a part that is trained or measured on; some :data:`LOOKED_AT` rows are looked at.
    """
    if values.dtype.kind not in "iuf" or values.dtype.itemsize <= 4 or len(values) < FEWEST_ROWS:
        return None
    exact = values[:: -(-len(values) // LOOKED_AT)].reshape(-1, max(1, values[0].size)).astype(np.float64)
    with np.errstate(all="ignore"):
        lost = np.sqrt(np.mean((exact.astype(np.float32) - exact) ** 2, axis=0))
        close = (lost > COARSE * np.std(exact, axis=0)) & (np.ptp(exact, axis=0) > 0)
        # Not the noise of a column that is constant but for its last digits.
        coarse = np.flatnonzero(close & (np.abs(exact).min(axis=0) >= LARGE))
    return (int(coarse[0]), float(exact[0, coarse[0]])) if len(coarse) else None


def refuse_merged(values: NDArray[Any], where: str) -> None:
    """Refuse numbers of which rounding to float32 takes away what tells them apart, such as times in seconds since 1970 that lie within a minute.

    Args:
        values: see :func:`merged`.
        where: what to call them in a message.

    Raises:
        DataError: a column loses more than :data:`COARSE` of its spread.
    """
    found = merged(values)
    if found is not None:
        column, first = found
        raise DataError(
            "these numbers differ by less than float32 tells apart, in which networks count",
            where=where if values.size == len(values) else f"{where}, column {column} (counted from 0)",
            got=f"{first:,.6g} and others as near",
            expected="numbers that stay apart when they are rounded to seven digits",
            fix="subtract a constant from them first, such as the smallest",
        )
