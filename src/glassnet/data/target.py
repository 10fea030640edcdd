"""The column of a table that is to be learnt: which it is, and whether it names classes or gives values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from glassnet.data.columns import MAX_LEVELS, MOSTLY_NUMBERS, as_text
from glassnet.data.dataset import Simple
from glassnet.data.numerals import UNKNOWN, Numerals, numbers
from glassnet.data.rounding import refuse_merged
from glassnet.data.table_file import LARGEST, TableFile
from glassnet.errors import DataError

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

MAX_INTEGER_CLASSES = 20


@dataclass(frozen=True)
class Target:
    """What is to be learnt from a table.

    Attributes:
        name: the column.
        task: classes or values.
        classes: their names in order; numbers in the order of numbers, text in alphanumeric order. Empty for values.
        written: how its numbers are written, as far as the training file tells.
    """

    name: str
    task: Simple
    classes: tuple[str, ...]
    written: Numerals = UNKNOWN

    def encode(self, table: TableFile) -> Tensor:
        """Targets of a table without missing ones: class indices, int64 (rows,), or values, float32 (rows, 1).

        Raises:
            DataError: a class that the training file does not have, or a value that is no finite number.
        """
        series, written = table.frame[self.name], table.numerals(self.name, self.written)
        return self._classes(series, table, written) if self.task == "classes" else self._values(series, table, written)

    def _classes(self, series: pl.Series, table: TableFile, written: Numerals) -> Tensor:
        text = _class_names(series, written)
        index = text.replace_strict(
            list(self.classes), list(range(len(self.classes))), default=None, return_dtype=pl.Int64
        )
        if index.null_count():
            odd = sorted(text.filter(index.is_null()).unique().to_list())
            row = int(index.is_null().arg_max() or 0)
            dotted = all(name.endswith(".") and name[:-1] in self.classes for name in odd)
            raise DataError(
                f"{table.path.name} has classes that the training part lacks",
                where=f"{table.path}, column '{self.name}', row {table.lines[row]}",
                got=", ".join(f"'{name}'" for name in odd[:8]) + (" …" if len(odd) > 8 else ""),
                expected=", ".join(f"'{name}'" for name in self.classes[:20])
                + (" …" if len(self.classes) > 20 else ""),
                fix="each of these ends in a full stop that the training part does not have: remove it"
                if dotted
                else "correct these labels, or give the training part samples of these classes",
            )
        return torch.from_numpy(index.to_numpy().copy())

    def _values(self, series: pl.Series, table: TableFile, written: Numerals) -> Tensor:
        values = numbers(series, written)
        odd = values.is_null() | (values.abs() > LARGEST)
        if odd.any():
            rows = odd.arg_true().to_list()
            raise DataError(
                f"{len(rows)} {'target is no finite number' if len(rows) == 1 else 'targets are no finite numbers'}",
                where=f"{table.path}, column '{self.name}'",
                got=", ".join(f"'{series[row]}' in row {table.lines[row]}" for row in rows[:5])
                + (" …" if len(rows) > 5 else ""),
                fix="correct or empty them, or learn them as classes (--task classes)",
            )
        exact = values.to_numpy()
        refuse_merged(exact, f"{table.path}, column '{self.name}'")
        return torch.from_numpy(exact.astype(np.float32)).unsqueeze(1)


def choose_target(
    table: TableFile, wanted: str | None, task: Literal["auto", "classes", "values"]
) -> tuple[Target, list[str]]:
    """Decide what to learn, with notes that say so.

    Without a name the last column is the target. By itself, text names classes; numbers are classes when they are whole and exactly
    0 … k−1 or 1 … k with k at most 20, and values otherwise.

    Raises:
        DataError: no such column, all its values are missing, or it cannot be what was asked for.
    """
    name, notes = _target_column(table, wanted)
    series, written = table.frame[name].drop_nulls(), table.numerals(name)
    where = f"{table.path}, column '{name}'"
    if series.len() == 0:
        raise DataError("every target is missing", where=where, fix="name another column with --target")
    if written.unit and task != "values" and series.n_unique() <= MAX_INTEGER_CLASSES:
        written = replace(written, sign="")  # such as 5 stars: a name, not a quantity
    values = numbers(series, written)
    numeric = values.null_count() == 0
    if numeric and task == "auto":
        task, why = _of_numbers(values)
        other = "values" if task == "classes" else "classes"
        notes.append(f"Target '{name}' is learnt as {task}: {why}; --task {other} decides otherwise.")
    elif task == "auto":
        _refuse_mixture(series, values, table, where)
        task = "classes"
        notes.append(f"Target '{name}' is learnt as classes: it is text.")
    if series.n_unique() == 1:
        raise DataError(
            "there is nothing to learn: every target is the same",
            where=where,
            got=f"'{series[0]}' in every row",
            fix="name another column with --target",
        )
    if task == "values":
        return Target(name, "values", (), written), notes
    return Target(name, "classes", _classes_in_order(series, values if numeric else None, where), written), notes


def _target_column(table: TableFile, wanted: str | None) -> tuple[str, list[str]]:
    names = table.frame.columns
    if wanted is None:
        # A delimiter behind the last cell of every line makes a column without a name and without values.
        nothing = names[-1] == f"column {len(names)}" and table.frame[names[-1]].null_count() == table.frame.height
        last = names[-2] if nothing and len(names) > 1 else names[-1]
        return last, [
            f"Column '{last}', the last one{' with a name' if nothing else ''}, is the target; --target names another."
        ]
    if wanted in names:
        return wanted, []
    raise table.lacks(wanted, "for the target")


def _of_numbers(values: pl.Series) -> tuple[Simple, str]:
    distinct = sorted(values.unique().to_list())
    if any(value != int(value) if abs(value) < 2**53 else True for value in distinct):
        return "values", "it has numbers with fractions"
    count = len(distinct)
    if 2 <= count <= MAX_INTEGER_CLASSES and distinct in (list(range(count)), list(range(1, count + 1))):
        return "classes", f"it takes the whole numbers {int(distinct[0])} to {int(distinct[-1])} only"
    return "values", f"it takes {count:,} whole numbers from {int(distinct[0])} to {int(distinct[-1])}"


def _refuse_mixture(series: pl.Series, values: pl.Series, table: TableFile, where: str) -> None:
    if (
        values.drop_nulls().n_unique() <= MAX_INTEGER_CLASSES
        or values.null_count() > (1 - MOSTLY_NUMBERS) * series.len()
    ):
        return
    given = table.frame[series.name]
    odd = (given.is_not_null() & table.numbers(series.name).is_null()).arg_true().to_list()
    raise DataError(
        f"{len(odd)} {'target is no number' if len(odd) == 1 else 'targets are no numbers'} while the others are",
        where=where,
        got=", ".join(f"'{given[row]}' in row {table.lines[row]}" for row in odd[:5]) + (" …" if len(odd) > 5 else ""),
        fix="correct or empty them, or learn all as classes (--task classes)",
    )


def _class_names(series: pl.Series, written: Numerals) -> pl.Series:
    values = numbers(series, written)
    return as_text(values) if values.null_count() == 0 else as_text(series)


def _classes_in_order(series: pl.Series, values: pl.Series | None, where: str) -> tuple[str, ...]:
    if values is not None:
        names = as_text(values.unique().sort()).to_list()
    else:
        names = sorted(as_text(series).unique().to_list())
    if len(names) > MAX_LEVELS or 2 * len(names) > series.len():
        raise DataError(
            "the target cannot name classes: nearly every row has a value of its own",
            where=where,
            got=f"{len(names):,} different values in {series.len():,} rows",
            expected=f"at most {MAX_LEVELS:,} classes with 2 samples or more on average",
            fix="name another column with --target, or learn numbers with --task values",
        )
    return tuple(names)
