"""Images and their classes as arrays, out of formats that hold many images in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageSet:
    """A data set of images of one size.

    Attributes:
        name: of the data set.
        classes: names in the order of their numbers.
        parts: of each part the images, uint8 (n, channels, height, width), and the numbers of their classes, int64 (n,).
        notes: what to tell about it.
    """

    name: str
    classes: tuple[str, ...]
    parts: Mapping[str, tuple[NDArray[np.uint8], NDArray[np.int64]]]
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        _, channels, height, width = self.parts["train"][0].shape
        return channels, height, width
