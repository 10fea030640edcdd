"""In which order the numbers of images lie in an array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def images_as_array(values: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Images laid out in one of the usual ways as (n, channels, height, width), or None where the shape is not that of images.

    The channels are the dimension of size 1 or 3, or else of size 4 (with alpha, which is laid on white); at the end first.
    """
    if values.ndim == 3:
        values = values[:, np.newaxis]
    if values.ndim != 4:
        return None
    places = [place for sizes in ((1, 3), (4,)) for place in (3, 1) if values.shape[place] in sizes]
    if not places:
        return None
    if places[0] == 3:
        values = values.transpose(0, 3, 1, 2)
    if values.shape[1] == 4:
        alpha = values[:, 3:].astype(np.uint32)
        values = ((values[:, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(values)
