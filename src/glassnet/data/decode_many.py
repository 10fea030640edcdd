"""Many image files to pixels, on all cores: Pillow decodes outside Python's lock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glassnet.data.decode import BadImage, decode
from glassnet.data.threads import in_threads


def decode_into(pixels: NDArray[np.uint8], paths: Sequence[Path]) -> dict[int, str]:
    """Decode files into an array of zeros, uint8 (files, channels, height, width).

    Returns:
        The reason for each position where a file could not be read; it stays zero.
    """
    channels, height, width = pixels.shape[1:]
    bad: dict[int, str] = {}

    def fill(position: int) -> None:
        try:
            pixels[position] = decode(paths[position], channels, (height, width))
        except BadImage as error:
            bad[position] = str(error)

    in_threads(fill, range(len(paths)))
    return dict(sorted(bad.items()))
