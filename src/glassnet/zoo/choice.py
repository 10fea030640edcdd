"""Which network to take when the user does not say: ``--net auto``."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from glassnet.zoo.shape import written

SMALLEST_IMAGE = 8  # pixels a side; below that a convolution sees more padding than picture
FEW_IMAGES = 5_000
FEW_ROWS = 2_000
MANY_ROWS = 20_000


class Choice(NamedTuple):
    """A chosen network.

    Attributes:
        name: a key of ``ZOO``.
        options: its options.
        reason: why, in one sentence.
    """

    name: str
    options: Mapping[str, Any]
    reason: str


def choose(kind: str, shape: tuple[int, ...], samples: int, outputs: int) -> Choice:
    """Choose a network by the kind and size of the data.

    Args:
        kind: ``image``, ``table`` or ``array``.
        shape: shape of one preprocessed input.
        samples: samples in the training part.
        outputs: classes or values.

    Returns:
        The name, the options and the reason.
    """
    if kind == "image" and len(shape) == 3 and min(shape[1:]) >= SMALLEST_IMAGE:
        if samples < FEW_IMAGES:
            return Choice(
                "small-vgg",
                {"width": 0.5},
                f"a small convolutional net, at half its width because {samples:,} images are few",
            )
        return Choice("small-vgg", {}, f"a small convolutional net suits {samples:,} images of {written(shape)}")
    hidden, dropout = _mlp_size(samples)
    what = f"images of {written(shape)} are too small to convolve" if kind == "image" else f"the data is {_a(kind)}"
    return Choice(
        "mlp",
        {"hidden": hidden, "dropout": dropout},
        f"a multilayer perceptron, because {what}; its width follows from {samples:,} samples of {prod(shape)} numbers",
    )


def _a(kind: str) -> str:
    return {"table": "a table", "array": "an array", "image": "images"}[kind]


def _mlp_size(samples: int) -> tuple[tuple[int, ...], float]:
    """Hidden widths and dropout: the fewer the samples, the smaller the net."""
    if samples < FEW_ROWS:
        return (64, 32), 0.1
    if samples < MANY_ROWS:
        return (128, 64), 0.1
    return (256, 128), 0.1
