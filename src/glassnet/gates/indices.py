"""Whole numbers among the real ones: in a graph everything is float64, class indices too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glassnet.gates.gate import Array


def whole_numbers(values: Array, count: int) -> NDArray[np.intp]:
    """Indices from values.

    Args:
        values: of any shape.
        count: of what they choose from.

    Raises:
        ValueError: a value that is no whole number from 0 to count − 1.
    """
    indices = np.asarray(values).astype(np.intp)
    wrong = (indices != values) | (indices < 0) | (indices >= count)
    if wrong.any():
        raise ValueError(f"whole numbers from 0 to {count - 1}, not {np.asarray(values)[wrong].flat[0]:g}")
    return indices
