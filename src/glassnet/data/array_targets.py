"""What an array of targets means: classes or values, decided by the training part for all parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import DataError

if TYPE_CHECKING:
    from glassnet.data.dataset import Simple

MANY_CLASSES = 50


@dataclass(frozen=True)
class Targets:
    """What the training targets have decided for all parts.

    Attributes:
        task: classes or values.
        values: the distinct targets in order, a class each; empty for values.
        outputs: numbers to predict; 1 for classes.
        notes: what to tell about it.
    """

    task: Simple
    values: NDArray[Any]
    outputs: int
    notes: tuple[str, ...] = ()


def decide(targets: NDArray[Any], task: Literal["auto", "classes", "values"], where: str) -> Targets:
    """Decide by the training targets.

    Integers, booleans and text are classes, floats are values. Integers of which more than 50, and more than a quarter, are different
    are taken as values. Rows with a single 1 among zeros are one-hot classes.

    Raises:
        DataError: the task does not fit the targets.
    """
    none = np.empty(0)
    kind = targets.dtype.kind
    if kind not in "biufUS":
        raise DataError(
            "targets of this type cannot be learned", where=where, got=targets.dtype, expected="numbers or text"
        )
    if targets.ndim == 2:
        if task != "values" and _one_hot(targets):
            note = f"Targets are one-hot rows and were read as {targets.shape[1]} classes."
            return Targets("classes", np.arange(targets.shape[1]), 1, (note,))
        return Targets("values", none, targets.shape[1])
    if kind == "f":
        whole = task == "classes" and bool(np.isfinite(targets).all()) and not np.any(targets % 1)
        if task == "classes" and not whole:
            raise DataError(
                "classes must be whole numbers or text", where=where, got=str(targets.dtype), fix="use --task values"
            )
        return Targets("classes", np.unique(targets.astype(np.int64)), 1) if whole else Targets("values", none, 1)
    if task == "values":
        return Targets("values", none, 1)
    distinct = np.unique(targets)
    if task == "auto" and kind in "iu" and len(distinct) > max(MANY_CLASSES, len(targets) // 4):
        note = f"The targets are whole numbers, but {len(distinct):,} different ones occur: taken as values, not as classes."
        return Targets("values", none, 1, (note,))
    return Targets("classes", distinct, 1)


def _one_hot(targets: NDArray[Any]) -> bool:
    if targets.dtype.kind not in "biuf" or targets.shape[1] < 2:
        return False
    ones = targets == 1
    return bool((ones | (targets == 0)).all() and (ones.sum(axis=1) == 1).all())


def class_numbers(targets: NDArray[Any], decided: Targets, where: str) -> NDArray[np.int64]:
    """Targets of any part as class indices, int64 (n,).

    Raises:
        DataError: a class that the training part has not; names the first row.
    """
    if targets.ndim == 2:
        if not _one_hot(targets) or targets.shape[1] != len(decided.values):
            raise DataError(
                "these targets are not one-hot like those of the training part",
                where=where,
                got=f"shape {tuple(targets.shape)}",
                expected=f"{len(decided.values)} numbers a row, one of them 1 and the others 0",
            )
        places: NDArray[np.int64] = targets.argmax(axis=1).astype(np.int64)
        return places
    if (targets.dtype.kind in "US") != (decided.values.dtype.kind in "US"):
        raise DataError(
            "the parts have different types of targets",
            where=where,
            got=str(targets.dtype),
            expected=str(decided.values.dtype),
        )
    index = np.searchsorted(decided.values, targets).clip(max=len(decided.values) - 1)
    unknown = np.flatnonzero(decided.values[index] != targets)
    if len(unknown):
        row = int(unknown[0])
        raise DataError(
            "a class that does not occur in the training part",
            where=f"{where}, row {row} (counted from 0)",
            got=str(targets[row])[:80],
            expected=", ".join(str(value)[:40] for value in decided.values[:20]),
        )
    return index.astype(np.int64)


def column(targets: NDArray[Any], where: str) -> NDArray[Any]:
    """Targets as (n,) where they have one column, else (n, outputs).

    Raises:
        DataError: another shape.
    """
    if targets.dtype.kind == "S":
        targets = np.char.decode(targets, "utf-8", "replace")
    if targets.ndim == 2 and targets.shape[1] == 1:
        return targets[:, 0]
    if targets.ndim not in (1, 2) or 0 in targets.shape:
        raise DataError(
            "targets of this shape cannot be learned",
            where=where,
            got=tuple(targets.shape),
            expected="(n,) or (n, outputs)",
        )
    return targets
