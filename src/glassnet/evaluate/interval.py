"""How sure a figure is: the interval of a share, and the spread over repeated trainings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from glassnet.errors import DataError, UsageError

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """From ``low`` to ``high``, both included."""

    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a share, Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    With p = successes/n and z the normal quantile of the confidence (1.96 for 95 %)::

        (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)

    Unlike p ± z·√(p(1−p)/n) it stays within 0 and 1 and says something sensible when nothing, or everything, was right.

    Args:
        successes: how many were right, 0 to n.
        n: how many were tried, at least 1.
        confidence: above 0 and below 1.

    Raises:
        DataError: nothing was tried.
        UsageError: the counts or the confidence make no sense.
    """
    if n < 1:
        raise DataError("a share of no samples has no interval", got=f"{n} samples", expected="at least 1")
    if not 0 <= successes <= n:
        raise UsageError("more was right than was tried", got=f"{successes} of {n}", expected=f"0 to {n}")
    if not 0 < confidence < 1:
        raise UsageError("no such confidence", got=confidence, expected="a number between 0 and 1, such as 0.95")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    scale = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # at the two ends the formula gives 0 and 1 exactly, rounding does not
    return Interval(0.0 if successes == 0 else middle - half, 1.0 if successes == n else middle + half)


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over several trainings that differ only in their seed.

    Attributes:
        mean: of the figures.
        std: sample standard deviation (divided by n − 1): how far single trainings lie apart; NaN for one.
        error: standard error of the mean, std/√n: how well the mean is known; NaN for one.
        count: trainings, n.
    """

    mean: float
    std: float
    error: float
    count: int

    def percent(self, digits: int = 2) -> str:
        """``98.52 ± 0.11 %``: mean and standard deviation of a share; ``98.52 %`` for a single training."""
        return f"{self._plain(100.0, digits)} %"

    def plain(self, digits: int = 3) -> str:
        """``0.512 ± 0.008``: mean and standard deviation; the mean alone for a single training."""
        return self._plain(1.0, digits)

    def _plain(self, scale: float, digits: int) -> str:
        mean = f"{scale * self.mean:.{digits}f}"
        return mean if self.count < 2 else f"{mean} ± {scale * self.std:.{digits}f}"


def spread(figures: Sequence[float]) -> Spread:
    """Mean, standard deviation and standard error.

    Raises:
        DataError: there are no figures.
    """
    if not figures:
        raise DataError("the spread of no figures is not defined", expected="at least one training")
    std = stdev(figures) if len(figures) > 1 else math.nan
    return Spread(fmean(figures), std, std / math.sqrt(len(figures)), len(figures))


Sums = npt.NDArray[np.float64]
RESAMPLES = 1000
GROUPS = 10_000


def resampled_sums(terms: Sums, seed: int, resamples: int = RESAMPLES) -> Sums:
    """Sums of the terms over bootstrap resamples of the samples (Efron 1979), from which figures and their quantiles follow.

    Of more than 10,000 samples, 10,000 random groups of nearly equal size are summed first and the groups resampled. Groups of samples
    drawn independently are drawn independently too, so the distribution of the sums keeps its mean and variance, at a fixed cost.

    Args:
        terms: (samples, terms), what each sample adds to each sum; one column should be 1 where the count is needed.
        seed: the same seed gives the same resamples.
        resamples: how many.

    Returns:
        (resamples, terms).
    """
    rng = np.random.default_rng(seed)
    if len(terms) > GROUPS:
        shuffled = terms[rng.permutation(len(terms))]
        starts = np.linspace(0, len(terms), GROUPS, endpoint=False).astype(np.int64)
        terms = np.add.reduceat(shuffled, starts, axis=0)
    n = len(terms)
    made = np.empty((resamples, terms.shape[1]))
    for row in range(resamples):
        times = np.bincount(rng.integers(0, n, n), minlength=n)
        made[row] = times @ terms
    return made


def quantile_interval(figures: Sums, confidence: float = CONFIDENCE) -> Interval:
    """The middle ``confidence`` of resampled figures (the percentile interval)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(figures, (tail, 1 - tail))
    return Interval(float(low), float(high))
