"""Which way a loss pushes the outputs: towards the targets, away from them, or neither."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from glassnet.training.losses import Loss

FEWEST = 8  # values
NEITHER = 0.1, 0.9  # share of the samples


def led_away(slopes: Tensor, targets: Tensor) -> float:
    """How surely the loss becomes lower as answers become wrong, 0 to 1 (and −1 to 1 for values); NaN where the targets do not tell.

    Args:
        slopes: of the loss in the outputs: (samples, classes), or one for each value.
        targets: class indices: the share of samples whose own class has a higher slope than the others have on average, so that a step down the loss takes its score down.
            Values: the correlation of slope and target: the higher the target, the lower the slope has to be.
    """
    slopes = slopes.double()
    if not targets.is_floating_point():
        if targets.ndim == 1 and slopes.ndim > 2:
            return sum(NEITHER) / 2  # several rows for each sample are no scores of its class
        if targets.ndim != 1 or slopes.ndim != 2 or slopes.shape[1] < 2:
            return math.nan
        rows = slopes.abs().amax(1) > 0
        slopes, targets = slopes[rows], targets[rows]
        if not len(targets) or int(targets.min()) < 0 or int(targets.max()) >= slopes.shape[1]:
            return math.nan
        right = slopes.gather(1, targets[:, None]).squeeze(1)
        others = (slopes.sum(1) - right) / (slopes.shape[1] - 1)
        return float((right > others).double().mean())
    if slopes.numel() != targets.numel() or len(targets) < FEWEST:
        return math.nan
    both = torch.stack([slopes.flatten(), targets.double().flatten()])
    return float(torch.corrcoef(both)[0, 1]) if bool((both.std(1) > 0).all()) else math.nan


def no_scores(away: float) -> bool:
    """Whether what a network puts out beside class indices are no scores of these classes, as embeddings under a contrastive loss: the output of a sample's own class is pushed up as often as down.

    Args:
        away: of :func:`led_away`.
    """
    return NEITHER[0] < away < NEITHER[1]


def are_no_scores(loss: Loss, outputs: Any, targets: Tensor) -> bool:
    """The same, asked of a loss with outputs that a network has said of some samples; no where that cannot be asked."""
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point():
        return False
    with torch.enable_grad():
        leaf = outputs.detach().clone().requires_grad_()
        value = loss(leaf, targets)
        if not value.requires_grad:
            return False
        (slopes,) = torch.autograd.grad(value, leaf, allow_unused=True)
    return slopes is not None and no_scores(led_away(slopes, targets))
