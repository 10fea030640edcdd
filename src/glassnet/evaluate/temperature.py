"""Temperature scaling: making a classifier's probabilities mean what they say (Guo et al. 2017, section 4.2)."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

FEWEST = 50  # samples below which the logits are left as they are
LOWEST, HIGHEST = 0.1, 10.0
ROUNDS = 60  # of golden-section search: narrows the interval by 0.618^60


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """The T for which softmax(logits / T) gives the validation targets the greatest likelihood.

    Minimises Σ −log softmax(s/T)_y + (log T)²/2 over log T: the second term, a standard normal prior, matters only for few samples
    or none wrong, where the likelihood alone would make the network infinitely sure. Which class is said does not change.

    Args:
        logits: (samples, classes), or one logit (samples, 1), of data that were not trained on.
        targets: class indices (samples,).

    Returns:
        T > 0; 1 for fewer than 50 samples. Above 1 the network was too sure of itself, below 1 not sure enough.
    """
    if len(logits) < FEWEST:
        return 1.0
    wide = logits.double()

    def cost(log_t: float) -> float:
        scaled = wide / math.exp(log_t)
        if wide.shape[1] == 1:
            loss = F.binary_cross_entropy_with_logits(scaled[:, 0], targets.double(), reduction="sum")
        else:
            loss = F.cross_entropy(scaled, targets, reduction="sum")
        return float(loss) + log_t**2 / 2

    low, high = math.log(LOWEST), math.log(HIGHEST)
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(ROUNDS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)
