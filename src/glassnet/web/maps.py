"""Numbers as a page takes them: maps as bytes in base64, brightness 0 to 255 from each map's smallest to its largest value."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_MAP = 64  # pixels a side; larger maps are shrunk by averaging

Floats = NDArray[np.float32]


def map_of(values: Floats, largest: int = LARGEST_MAP) -> dict[str, Any]:
    """One map as bytes from its smallest to its largest value. Larger ones are averaged over blocks, and say by how much."""
    low, high = float(values.min()), float(values.max())
    step = -(-max(values.shape) // largest)
    step = min(step, *values.shape)
    if step > 1:
        rows, columns = values.shape[0] // step, values.shape[1] // step
        values = values[: rows * step, : columns * step].reshape(rows, step, columns, step).mean(axis=(1, 3))
    span = high - low
    share = (values - low) / span if np.isfinite(span) and span > 0 else np.zeros_like(values)
    shown = np.nan_to_num(255 * share).clip(0, 255).astype(np.uint8)
    return {
        "width": shown.shape[1],
        "height": shown.shape[0],
        "step": step,
        "low": finite_or_none(low),
        "high": finite_or_none(high),
        "pixels": base64.b64encode(shown.tobytes()).decode(),
    }


def picture_of(raw: Tensor) -> dict[str, Any]:
    """A raw image as bytes, channel after channel; of other numbers of channels than 3 the first."""
    pixels = raw[0].numpy()
    chosen = pixels if len(pixels) == 3 else pixels[:1]
    return {
        "channels": len(chosen),
        "width": chosen.shape[2],
        "height": chosen.shape[1],
        "pixels": base64.b64encode(np.ascontiguousarray(chosen).tobytes()).decode(),
    }


def finite_or_none(value: float) -> float | None:
    """The number, or None where it is not finite, which JSON has no words for."""
    return value if np.isfinite(value) else None
