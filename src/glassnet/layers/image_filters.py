"""Classic hand-made image filters: what people wrote into kernels before networks learned them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

from glassnet.errors import DataError, unknown

Kernel = tuple[tuple[float, ...], ...]

FILTERS: Mapping[str, Kernel] = MappingProxyType(
    {
        "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
        "edge-vertical": ((1, 0, -1), (1, 0, -1), (1, 0, -1)),  # Prewitt: answers where left and right differ
        "edge-horizontal": ((1, 1, 1), (0, 0, 0), (-1, -1, -1)),
        "laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),  # second derivative, down plus across
        "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),  # identity less Laplacian
        "box-blur": tuple((1 / 9,) * 3 for _ in range(3)),
        "gaussian-blur": ((1 / 16, 2 / 16, 1 / 16), (2 / 16, 4 / 16, 2 / 16), (1 / 16, 2 / 16, 1 / 16)),
    }
)


def kernel(name: str) -> Tensor:
    """A filter's kernel, float32 (rows, columns).

    Raises:
        UsageError: there is no such filter.
    """
    if name not in FILTERS:
        raise unknown("image filter", name, FILTERS)
    return torch.tensor(FILTERS[name])


def apply(image: Tensor, name: str) -> Tensor:
    """Filter an image, each channel by itself; beyond the border it is continued with its edge values.

    y[i, j] = Σ_{u, v} kernel[u, v] · x[i + u − 1, j + v − 1], as convolutional layers compute it, without turning the kernel over.

    Args:
        image: (height, width), (channels, height, width) or (batch, channels, height, width), of any real type.
        name: a key of ``FILTERS``.

    Returns:
        The same shape; float32, or the image's own floating type. Values may leave the image's range: edges are negative, too.

    Raises:
        UsageError: there is no such filter.
        DataError: the tensor has another number of dimensions or no pixel.
    """
    window = kernel(name)
    if image.dim() not in (2, 3, 4) or image.numel() == 0:
        raise DataError(
            "this is no image",
            where=f"image filter {name}",
            got=f"a tensor of shape {tuple(image.shape)}",
            expected="(height, width), (channels, height, width) or (batch, channels, height, width)",
        )
    x = image if image.is_floating_point() else image.float()
    rows, columns = x.shape[-2:]
    window = window.to(x.device, x.dtype)
    down, across = (side // 2 for side in window.shape)
    planes = F.pad(x.reshape(-1, 1, rows, columns), (across, across, down, down), mode="replicate")
    return F.conv2d(planes, window[None, None]).reshape(image.shape)
