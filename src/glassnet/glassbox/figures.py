"""Numbers and arrays as text for people: small ones whole, large ones by their shape, mean, spread and ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from glassnet.gates import Array, Gate

MOST_ROWS, MOST_COLUMNS = 8, 10  # of a matrix that is printed whole


def figure(value: float) -> str:
    """A number with four significant digits; zero without a sign."""
    return f"{value + 0.0:.4g}"


def shape(sizes: tuple[int, ...]) -> str:
    """``6×28×28``; a single number has no shape to speak of."""
    return "×".join(map(str, sizes)) or "one number"


def is_small(array: Array) -> bool:
    """Whether it is printed whole."""
    columns = array.shape[-1] if array.ndim else 1
    return array.size > 0 and columns <= MOST_COLUMNS and array.size // columns <= MOST_ROWS and array.ndim <= 2


def summary(array: Array) -> str:
    """Shape, mean, standard deviation, smallest and largest number."""
    if array.size == 0:
        return f"{shape(array.shape)}: no numbers"
    with np.errstate(all="ignore"):
        ends = f"from {figure(float(array.min()))} to {figure(float(array.max()))}"
        middle = f"mean {figure(float(array.mean()))}, std {figure(float(array.std()))}"
    zeros = float((array == 0).mean())
    return f"{shape(array.shape)}: {middle}, {ends}" + (f", {zeros:.0%} zeros" if zeros >= 0.005 else "")


def lines(array: Array) -> list[str]:
    """A small array as rows of numbers below each other, a large one as a summary."""
    if not is_small(array):
        return [summary(array)]
    if array.ndim == 0:
        return [figure(float(array))]
    rows = np.atleast_2d(array)
    words = [[figure(float(value)) for value in row] for row in rows]
    width = max(len(word) for row in words for word in row)
    return ["[" + "  ".join(word.rjust(width) for word in row) + "]" for row in words]


def settings(gate: Gate) -> str:
    """A gate with those settings that are not the usual ones: ``Convolution(padding=(2, 2))``."""
    fields: Iterable[dataclasses.Field[Any]] = getattr(gate, "__dataclass_fields__", {}).values()
    told = []
    for each in fields:
        if not each.repr:
            continue
        value = getattr(gate, each.name)
        usual = value in (each.default, None) or (
            isinstance(value, tuple) and value and all(one == each.default for one in value)
        )
        if not usual:
            told.append(f"{each.name}={_written(value)}")
    return f"{type(gate).__name__}({', '.join(told)})"


def _written(value: object) -> str:
    """A setting as one would type it: slices as in brackets, such as [:, 3:6]."""
    several = value if isinstance(value, tuple) else (value,)
    if any(isinstance(each, slice) for each in several):
        return f"[{', '.join(_run(each) if isinstance(each, slice) else str(each) for each in several)}]"
    return repr(value)


def _run(run: slice) -> str:
    begin, end = ("" if bound is None else str(bound) for bound in (run.start, run.stop))
    return f"{begin}:{end}" + ("" if run.step in (None, 1) else f":{run.step}")


def size_of(array: Array | None) -> float:
    """The root mean square of an array's numbers: how large they are, whatever their number."""
    if array is None or array.size == 0:
        return 0.0
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(array))))


def norm_of(array: Array | None) -> float:
    """The Euclidean norm."""
    with np.errstate(all="ignore"):
        return 0.0 if array is None else float(np.sqrt(np.square(array).sum()))
