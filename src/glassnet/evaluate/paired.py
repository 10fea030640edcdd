"""Two answers to the same samples compared: how much better one is, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from glassnet.evaluate.interval import Interval, quantile_interval, resampled_sums


@dataclass(frozen=True, slots=True)
class McNemar:
    """The samples on which exactly one of two classifiers is right; the others say nothing about which is better.

    Attributes:
        gained: samples that the first has right and the second wrong.
        lost: the reverse.
        p: two-sided exact probability of a split at least as uneven, if both were as likely.
    """

    gained: int
    lost: int
    p: float


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> McNemar:
    """The exact test of McNemar (1947): with b + c samples that exactly one has right, b is binomial(b + c, ½) if none is better.

    p = min(1, 2 · Σ_{k ≤ min(b, c)} C(b + c, k) / 2^(b + c)), and 1 where they agree on everything.

    Args:
        first: (n,) whether each sample is right.
        second: likewise.
    """
    gained, lost = int((first & ~second).sum()), int((second & ~first).sum())
    n = gained + lost
    tail = sum(comb(n, k) for k in range(min(gained, lost) + 1))  # whole numbers, so that nothing is rounded
    return McNemar(gained, lost, min(1.0, 2 * tail / 2**n))


def mean_interval(differences: npt.NDArray[np.float64], seed: int = 0) -> Interval:
    """The 95 % bootstrap interval of the mean of (n,) differences, the samples drawn anew with replacement (Efron 1979)."""
    sums = resampled_sums(np.stack([np.ones_like(differences), differences], axis=1), seed)
    return quantile_interval(sums[:, 1] / sums[:, 0])


def r2_interval(
    targets: npt.NDArray[np.float64],
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    seed: int = 0,
) -> Interval:
    """The 95 % bootstrap interval of how much higher the first answer's R² is, averaged over outputs.

    R²_first − R²_second = (Σ e²_second − Σ e²_first) / Σ (y − ȳ)², for each output.

    Args:
        targets: (n, outputs).
        first: squared errors (n, outputs).
        second: likewise.
        seed: of the resamples.
    """
    outputs = targets.shape[1]
    centred = targets - targets.mean(0)
    terms = np.concatenate([np.ones((len(targets), 1)), second - first, centred, centred**2], axis=1)
    sums = resampled_sums(terms, seed)
    count, less, total, squares = np.split(sums, [1, 1 + outputs, 1 + 2 * outputs], axis=1)
    spread = np.maximum(squares - total**2 / count, 1e-12)
    return quantile_interval((less / spread).mean(1))
