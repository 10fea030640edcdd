"""Rows of a table to numbers of comparable size: imputed, standardised or binned, and categories one-hot."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Part
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.normalise import positive
from glassnet.data.table_schema import TableSchema

MAX_BINS = 32
TREE_BINS, TREE_LEAF = (
    64,
    16,
)  # at most so many, of at least so many rows: fewer rows than that show more chance than target
CERTAIN = 3.0  # standard errors
BINNED = ("quantile", "tree-bins")  # names under which numbers are binned


class TableInputs(Preprocess):
    """Numbers, then the missing-value flags, then the categories one-hot, side by side.

    A number x that is missing becomes the training part's median. Then ``standardise`` gives (x − mean)/std, and ``quantile`` the
    piecewise-linear encoding of Gorishniy, Rubachev and Babenko (2022), "On embeddings for numerical features in tabular deep learning",
    equation 1: with bin edges b₀ < … < b_T at training quantiles the t-th output is (x − b_{t−1})/(b_t − b_{t−1}), cut to at most 1
    except in the last bin and to at least 0 except in the first. ``tree-bins`` is the same with edges where a decision tree that tells the target from this
    column alone splits it (section 3.2 of the paper), so that there are many where the target changes. ``none`` passes numbers on. A column with missing values in the training
    part has a flag, 1 where its value is missing. A category is one-hot over its levels; missing and unknown levels are all zeros.

    Args:
        name: ``none``, ``standardise``, ``quantile`` or ``tree-bins``.
        numbers: positions of the numeric columns in a raw row.
        flagged: positions of the columns that have a flag.
        levels: for each category column its position and its number of levels.
        bins: for ``quantile`` and ``tree-bins`` the number of bins of each numeric column; empty otherwise.
        columns: columns of a raw row.
    """

    alike_in_any_batch = True
    number_at: Tensor
    flag_at: Tensor
    level_at: Tensor
    level: Tensor
    median: Tensor
    mean: Tensor
    std: Tensor
    bin_at: Tensor
    first_bin: Tensor
    last_bin: Tensor
    low: Tensor
    width: Tensor

    def __init__(
        self,
        name: str,
        numbers: list[int],
        flagged: list[int],
        levels: list[tuple[int, int]],
        bins: list[int],
        columns: int,
    ) -> None:
        super().__init__()
        self.name, self.numbers, self.flagged, self.levels, self.bins = name, numbers, flagged, levels, bins
        wide = sum(bins) if name in BINNED else len(numbers)
        self.input_shape = (columns,)
        self.output_shape = (wide + len(flagged) + sum(count for _, count in levels),)
        # where things stand follows from the arguments, and so is not saved with the weights
        self._place("number_at", numbers)
        self._place("flag_at", flagged)
        self._place("level_at", [position for position, count in levels for _ in range(count)])
        self._place("bin_at", [number for number, count in enumerate(bins) for _ in range(count)])
        self._place("first_bin", [step == 0 for count in bins for step in range(count)], torch.bool)
        self._place("last_bin", [step == count - 1 for count in bins for step in range(count)], torch.bool)
        level = [index for _, count in levels for index in range(count)]
        self.register_buffer("level", torch.tensor(level, dtype=torch.float32), persistent=False)
        self.register_buffer("median", torch.zeros(len(numbers)))
        self.register_buffer("mean", torch.zeros(len(numbers)))
        self.register_buffer("std", torch.ones(len(numbers)))
        self.register_buffer("low", torch.zeros(len(self.bin_at)))
        self.register_buffer("width", torch.ones(len(self.bin_at)))

    def _place(self, name: str, values: list[int] | list[bool], kind: torch.dtype = torch.int64) -> None:
        self.register_buffer(name, torch.tensor(values, dtype=kind), persistent=False)

    def forward(self, raw: Tensor) -> Tensor:
        """(batch, columns) with NaN for what is missing to float32 (batch, outputs) without NaN."""
        raw = raw.to(torch.float32)
        values = raw[:, self.number_at]
        values = torch.where(values.isnan(), self.median, values)
        values = self._binned(values) if self.name in BINNED else (values - self.mean) / self.std
        flags = raw[:, self.flag_at].isnan().to(torch.float32)
        one_hot = (raw[:, self.level_at] == self.level).to(torch.float32)
        return torch.cat([values, flags, one_hot], dim=1)  # (batch, numbers + flags + levels)

    def _binned(self, values: Tensor) -> Tensor:
        within = (values[:, self.bin_at] - self.low) / self.width  # (batch, bins of all columns)
        within = torch.where(self.last_bin, within, within.clamp_max(1.0))
        return torch.where(self.first_bin, within, within.clamp_min(0.0))

    @property
    def net_options(self) -> dict[str, Any]:
        """How many of the outputs belong to each column; a flag is a column of its own."""
        numbers = self.bins if self.name in BINNED else [1] * len(self.numbers)
        widths = (*numbers, *[1] * len(self.flagged), *(count for _, count in self.levels))
        return {"columns": tuple(width for width in widths if width)}

    def output_names(self, schema: TableSchema) -> tuple[str, ...]:
        """What to call each output, such as ``age``, ``age missing``, ``sex = Male`` or ``age from 25``."""
        names = schema.names
        if self.name in BINNED:
            told = [
                f"{names[self.numbers[number]]} from {low:.4g}"
                for number, low in zip(self.bin_at.tolist(), self.low.tolist(), strict=True)
            ]
        else:
            told = [names[position] for position in self.numbers]
        told += [f"{names[position]} missing" for position in self.flagged]
        told += [
            f"{names[position]} = {level}" for position, _ in self.levels for level in schema.columns[position].levels
        ]
        return tuple(told)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "form": "table",
            "name": self.name,
            "numbers": self.numbers,
            "flagged": self.flagged,
            "levels": [list(pair) for pair in self.levels],
            "bins": self.bins,
            "columns": self.input_shape[0],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TableInputs:
        """The module that :meth:`to_json` described, with neutral buffers."""
        return cls(
            values["name"],
            list(values["numbers"]),
            list(values["flagged"]),
            [(position, count) for position, count in values["levels"]],
            list(values["bins"]),
            values["columns"],
        )


def fit_table(name: str, part: Part, schema: TableSchema) -> TableInputs:
    """Fit on the training part.

    Args:
        name: see :class:`TableInputs`.
        part: the training part, inputs float32 (rows, columns); its targets are looked at by ``tree-bins`` alone.
        schema: tells which columns are categories.

    A column that is constant over the training part is divided by 1, and one that is missing in all of it is taken as 0. Of the words of a text those stay
    that tell of the target (:func:`tells`).
    """
    raw = part.inputs.take(torch.arange(len(part))).to(torch.float64)  # (rows, columns)
    numbers = [
        i
        for i, column in enumerate(schema.columns)
        if column.kind != "category" and (column.kind != "word" or tells(raw[:, i], part.targets))
    ]
    levels = [(i, len(column.levels)) for i, column in enumerate(schema.columns) if column.kind == "category"]
    flagged = torch.nonzero(raw.isnan().any(dim=0)).flatten().tolist()
    values = raw[:, numbers]
    median = median_of_present(values)
    values = torch.where(values.isnan(), median, values)
    edges = []
    if name == "quantile":
        edges = [bin_edges(values[:, i]) for i in range(len(numbers))]
    elif name == "tree-bins":
        edges = [tree_edges(values[:, i], part.targets) for i in range(len(numbers))]
    fitted = TableInputs(name, numbers, flagged, levels, [len(each) - 1 for each in edges], len(schema.columns))
    fitted.median.copy_(median)
    if name == "standardise":
        mean = values.mean(dim=0)
        fitted.mean.copy_(mean)
        fitted.std.copy_(positive((values - mean).square().mean(dim=0).sqrt(), mean))
    if edges:
        fitted.low.copy_(torch.cat([each[:-1] for each in edges]))
        fitted.width.copy_(torch.cat([each.diff() for each in edges]))
    return fitted


def tells(word: Tensor, targets: Tensor) -> bool:
    """Whether a word's occurrence goes along with a class or a value more than chance would have it: a correlation of 3/√rows, three standard errors, or more.

    Args:
        word: 0 and 1, float64 (rows,).
        targets: classes, int64 (rows,), or values, (rows, outputs).
    """
    values = targets.to(torch.float64) if targets.is_floating_point() else one_hot_of(targets)
    apart, spread = word - word.mean(), values - values.mean(dim=0)
    size = apart.norm() * spread.norm(dim=0)
    related = (apart @ spread).abs() / size.clamp_min(1e-12)
    return bool((related >= CERTAIN / math.sqrt(len(word))).any())


def one_hot_of(classes: Tensor) -> Tensor:
    """Classes, int64 (rows,), as float64 (rows, classes)."""
    return torch.nn.functional.one_hot(classes).to(torch.float64)


def median_of_present(values: Tensor) -> Tensor:
    """Median of each column's present values, the mean of the middle two where they are even; 0 for a column without any.

    Args:
        values: float64 (rows, columns), NaN where missing.
    """
    middles = []
    for column in values.T:
        in_order = column[~column.isnan()].sort().values
        count = len(in_order)
        middles.append(float(in_order[(count - 1) // 2] + in_order[count // 2]) / 2 if count else 0.0)
    return torch.tensor(middles, dtype=torch.float64)


def bin_edges(values: Tensor, bins: int = MAX_BINS) -> Tensor:
    """Distinct quantiles of a column at 0, 1/bins, …, 1, each the observed value at or below it.

    A constant column gets one bin, of width 1 or a thousandth of its value, so that float32 can tell its edges apart.

    Args:
        values: float64 (rows,), none missing.
        bins: at most this many, fewer where quantiles coincide.

    Returns:
        float64 (edges,), at least 2, rising.
    """
    in_order = values.sort().values
    at = torch.arange(bins + 1) * (len(in_order) - 1) // bins  # observed values, so that whole numbers keep whole edges
    return apart(in_order[at])


def apart(edges: Tensor) -> Tensor:
    """Edges as float32 tells them apart, rising and at least two, and no bin wider than float32's largest number."""
    edges = torch.unique(edges.to(torch.float32)).to(torch.float64)
    wide = edges.diff() >= torch.finfo(torch.float32).max
    edges = torch.cat([edges, (edges[:-1] + edges.diff() / 2)[wide]]).sort().values
    return edges if len(edges) > 1 else torch.cat([edges, edges + (1e-3 * edges.abs()).clamp_min(1.0)])


def tree_edges(values: Tensor, targets: Tensor) -> Tensor:
    """The ends of a column, and where a decision tree splits it that tells the target from it alone.

    Args:
        values: float64 (rows,), none missing.
        targets: classes, int64 (rows,), or values, (rows, outputs).

    Returns:
        float64 (edges,), at least 2, rising.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeRegressor if targets.is_floating_point() else DecisionTreeClassifier
    tree = kind(max_leaf_nodes=TREE_BINS, min_samples_leaf=min(TREE_LEAF, len(values)), random_state=0)
    tree.fit(values[:, None].numpy(), targets.numpy())
    splits = torch.from_numpy(tree.tree_.threshold[tree.tree_.feature >= 0])
    return apart(torch.cat([values.min()[None], splits, values.max()[None]]))
