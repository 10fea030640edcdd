"""Which network to take when the user does not say: ``--net auto``."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from glassnet.zoo.shape import written

SMALLEST_IMAGE = 8  # pixels a side; below that a convolution sees more padding than picture
# Colour images; fewer, and grey ones, are learned as well at half the width and a quarter of the cost.
FEW_IMAGES = 5_000
FEW_ROWS = 5_000
SHORTEST_SIGNAL = 8  # steps; in less there is nothing for a window to slide over
FEW_WINDOWS = 3_000  # of a text; fewer are learned by heart, and a smaller net is faster
MOST_STEPS = 200  # tokens; beyond, a net that takes one after the other takes long
SMALLEST_VOLUME = 4  # positions a side


class Choice(NamedTuple):
    """A chosen network.

    Attributes:
        name: a key of ``ZOO``.
        options: its options.
        reason: why, in one sentence.
    """

    name: str
    options: dict[str, Any]
    reason: str


def choose(kind: str, shape: tuple[int, ...], samples: int, outputs: int) -> Choice:
    """Choose a network by the kind and size of the data.

    Arrays of two dimensions are taken for signals (channels, time), those of four for volumes (channels, depth, height, width).

    Args:
        kind: ``image``, ``table``, ``array``, ``series``, ``text`` or ``sound``.
        shape: shape of one preprocessed input.
        samples: samples in the training part.
        outputs: classes or values.

    Returns:
        The name, the options and the reason.
    """
    if kind == "text":
        if shape[0] > MOST_STEPS:
            return Choice(
                "text-cnn", {}, f"convolutions over tokens, because texts of {shape[0]:,} are long to read step by step"
            )
        return Choice(
            "gru", {}, f"a recurrent net that reads {samples:,} texts of up to {shape[0]:,} tokens in both directions"
        )
    if kind == "series":
        return Choice(
            "mlp",
            {"hidden": (64, 64), "dropout": 0.2},
            f"a small multilayer perceptron on {samples:,} windows of {shape[1]:,} steps; gru, lstm and conv1d read them too",
        )
    if kind == "tree":
        return Choice("tree-lstm", {}, f"a recurrent net that reads {samples:,} trees from their leaves to their roots")
    if kind == "graph":
        return Choice("gcn", {}, f"graph convolutions, which learn from {samples:,} nodes and all their neighbours")
    if kind == "graphs":
        return Choice("graph-gin", {}, f"a net that reads {samples:,} graphs and tells apart what neighbours can tell")
    if kind == "tags":
        return Choice(
            "tag-gru", {}, f"a recurrent net that reads {samples:,} sentences in both directions and tags each word"
        )
    if kind == "stream":
        return Choice(
            "language-lstm",
            {} if samples >= FEW_WINDOWS else {"hidden": 256},
            f"a recurrent net that says what comes next, {samples * shape[0]:,} tokens to learn from",
        )
    if kind == "pairs":
        return Choice("translator-gru", {}, f"an encoder and a decoder with attention, {samples:,} pairs to learn from")
    if kind == "sound":
        return Choice(
            "small-vgg", {"width": 0.5}, f"a small convolutional net on the spectrograms of {samples:,} sounds"
        )
    if kind == "image" and len(shape) == 3 and min(shape[1:]) >= SMALLEST_IMAGE:
        grey = shape[0] == 1
        width = 0.5 if grey or samples < FEW_IMAGES else 0.75
        told = "grey" if grey else "colour"
        return Choice(
            "small-vgg",
            {"width": width},
            f"a small convolutional net; {width:g} of its full width suits {samples:,} {told} images of {written(shape)}",
        )
    if kind == "array" and len(shape) == 2 and shape[1] >= SHORTEST_SIGNAL:
        return Choice(
            "conv1d",
            {},
            f"a convolutional net along time for {samples:,} signals of {shape[0]} channels and {shape[1]:,} steps",
        )
    if kind == "array" and len(shape) == 4 and min(shape[1:]) >= SMALLEST_VOLUME:
        return Choice(
            "conv3d", {}, f"a convolutional net in three dimensions for {samples:,} volumes of {written(shape)}"
        )
    hidden, dropout = _mlp_size(samples)
    what = f"images of {written(shape)} are too small to convolve" if kind == "image" else f"the data is {_a(kind)}"
    return Choice(
        "mlp",
        {"hidden": hidden, "dropout": dropout},
        f"a multilayer perceptron, because {what}; with dropout {dropout:g} for {samples:,} samples of {prod(shape)} numbers",
    )


def _a(kind: str) -> str:
    return {"table": "a table", "array": "an array", "image": "images"}[kind]


def _mlp_size(samples: int) -> tuple[tuple[int, ...], float]:
    """Hidden widths and dropout. Width costs little and harms little; few samples need much dropout."""
    return (256, 256), 0.5 if samples < FEW_ROWS else 0.2
