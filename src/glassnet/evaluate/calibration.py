"""Whether a classifier is as often right as it says: confidence against accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BINS = 15


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The samples whose confidence, the probability of the class that was said, is above ``low`` and at most ``high``.

    Attributes:
        low: of the bin.
        high: of the bin.
        samples: how many fell into it.
        confidence: their mean confidence; 0 in an empty bin.
        accuracy: the share of them that is right; 0 in an empty bin.
    """

    low: float
    high: float
    samples: int
    confidence: float
    accuracy: float


def reliability(confidence: Floats, right: npt.NDArray[np.bool_], bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Confidence against accuracy in bins ((m−1)/M, m/M] of equal width, as in Guo et al. (2017), equations 1 and 2.

    Args:
        confidence: (n,) probability of the class that was said, 0 to 1.
        right: (n,) whether it is the true class.
        bins: M.
    """
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    least = np.maximum(counts, 1)
    confidences = np.bincount(place, weights=confidence, minlength=bins) / least
    accuracies = np.bincount(place, weights=right, minlength=bins) / least
    return tuple(
        ReliabilityBin(m / bins, (m + 1) / bins, int(counts[m]), float(confidences[m]), float(accuracies[m]))
        for m in range(bins)
    )


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Σ_m |B_m|/n · |accuracy(B_m) − confidence(B_m)|, Guo et al. (2017), "On calibration of modern neural networks", equation 3."""
    samples = sum(each.samples for each in bins)
    return sum(each.samples / samples * abs(each.accuracy - each.confidence) for each in bins)
