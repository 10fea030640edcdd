"""How much a single column says about the target."""

from __future__ import annotations

import torch
from torch import Tensor

MAX_BINS = 100
ROWS_PER_BIN = 5


def one_column_accuracy(values: Tensor, targets: Tensor, classes: int) -> tuple[float, float]:
    """How often the class is told by one column alone, and by nothing at all.

    The column is divided into at most 100 bins of equal counts (its own values where they are fewer; missing values have a bin of their
    own), and each row gets the class that is most frequent among the other rows of its bin, so that a bin of one row tells nothing.

    Args:
        values: float (rows,), NaN where missing.
        targets: class indices, int64 (rows,).
        classes: number of classes.

    Returns:
        Accuracy of that answer, and the share of the most frequent class.
    """
    bins = _bins(values)
    counts = torch.zeros(int(bins.max()) + 1, classes, dtype=torch.int64)
    counts.index_put_((bins, targets), torch.ones_like(targets), accumulate=True)
    top = counts.topk(min(2, classes), dim=1).values  # (bins, 2)
    second = top[:, 1] if classes > 1 else torch.zeros_like(top[:, 0])
    right = torch.where(top[:, 0] - 1 > second, top[:, 0], 0).sum()
    return float(right) / len(targets), float(counts.sum(dim=0).max()) / len(targets)


def correlation(values: Tensor, targets: Tensor) -> float:
    """Pearson's correlation over the rows where the value is present; 0 where one side does not vary.

    Args:
        values: float (rows,), NaN where missing.
        targets: float (rows,).
    """
    present = ~values.isnan()
    if int(present.sum()) < 3:
        return 0.0
    x, y = values[present].to(torch.float64), targets[present].to(torch.float64)
    x, y = x - x.mean(), y - y.mean()
    scale = float(x.norm() * y.norm())
    return float(x @ y) / scale if scale > 0 else 0.0


def _bins(values: Tensor) -> Tensor:
    present = ~values.isnan()
    given = values[present]
    levels = torch.unique(given)
    wanted = max(min(MAX_BINS, len(given) // ROWS_PER_BIN), 2)
    if len(levels) > wanted:
        in_order = given.sort().values
        levels = torch.unique(in_order[torch.arange(1, wanted) * len(in_order) // wanted])
    bins = torch.zeros(len(values), dtype=torch.int64)
    bins[present] = torch.searchsorted(levels, given.contiguous(), right=True) + 1
    return bins
