"""Filters that whiten small patches of the training images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from glassnet.errors import DataError

PATCHES = 1_000_000  # enough for a covariance of some dozen dimensions; more only costs time


@torch.no_grad()
def whitening_filters(images: Tensor, size: int, eps: float) -> Tensor:
    """Convolution filters whose answers to the images' patches are uncorrelated and of equal spread.

    With λ_i, v_i the eigenvalues and eigenvectors of the covariance of all size×size patches (C·size² numbers each), filter i is
    v_i / √(λ_i + eps). The filters are followed by their negatives, so that a rectifier after them loses nothing. Strongest first.
    Computed in float64 on the CPU, so that the device does not change the result.

    Source: K. Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.2; D. Page, "How to train your ResNet 8",
    2019.

    Args:
        images: standardised images (batch, C, height, width), each side at least ``size``.
        size: side of the patches.
        eps: added to the eigenvalues, so that directions in which nothing varies are not blown up.

    Returns:
        (2·C·size², C, size, size), float32.

    Raises:
        DataError: a value that is NaN or infinite.
    """
    channels = images.shape[1]
    dimensions = channels * size * size
    per_image = (images.shape[2] - size + 1) * (images.shape[3] - size + 1)
    images = images[: max(1, PATCHES // per_image)]

    count = 0
    total = torch.zeros(dimensions, dtype=torch.float64)
    products = torch.zeros(dimensions, dimensions, dtype=torch.float64)
    step = max(1, 100_000 // per_image)
    for start in range(0, len(images), step):
        patches = (
            F.unfold(images[start : start + step].double().cpu(), size).transpose(1, 2).reshape(-1, dimensions)
        )  # (patches, C·size²)
        count += len(patches)
        total += patches.sum(0)
        products += patches.T @ patches
    if not products.isfinite().all():
        raise DataError(
            "the training images hold values that are not finite",
            where="whitening of the first layer",
            fix="put numbers in their places, such as with torch.nan_to_num",
        )
    mean = total / count
    values, vectors = torch.linalg.eigh(products / count - torch.outer(mean, mean))  # ascending; vectors in columns
    # Rounding can leave an eigenvalue of a constant direction slightly below zero.
    filters = (vectors / torch.sqrt(values.clamp(min=0) + eps)).T.flip(0).reshape(-1, channels, size, size)
    return torch.cat([filters, -filters]).float()
