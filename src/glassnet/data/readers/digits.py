"""The handwritten digits that scikit-learn ships: no download, and small enough to train in seconds."""

from __future__ import annotations

import numpy as np
import torch

from glassnet.data.dataset import Data, InMemory, Part
from glassnet.data.image_schema import ImageSchema
from glassnet.data.naming import RowNames
from glassnet.data.options import ReadOptions


def read(options: ReadOptions | None = None) -> Data:
    """1,797 digits of 8 x 8 pixels, the test part of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI 1998.

    A pixel counts the dark ones among 4 x 4 of the original and so runs from 0 to 16; here it is scaled to 0 to 255.
    """
    from sklearn.datasets import load_digits  # takes most of a second to import

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8)
    targets = torch.from_numpy(digits.target.astype(np.int64))
    train = Part(InMemory(torch.from_numpy(images[:, np.newaxis])), targets, RowNames("digits", len(targets)))
    return Data(
        name="digits",
        origin="digits",
        task="classes",
        classes=tuple("0123456789"),
        outputs=("class",),
        schema=ImageSchema(1, 8, 8),
        parts={"train": train},
        notes=("Pixels were scaled from 0..16 to 0..255.",),
    )
