"""Which network to take when the user does not say: ``--net auto``."""

from __future__ import annotations

from collections.abc import Callable
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


def choose(kind: str, shape: tuple[int, ...], samples: int) -> Choice:
    """Choose a network by the kind and size of the data.

    Arrays of two dimensions are taken for signals (channels, time), those of four for volumes (channels, depth, height, width).

    Args:
        kind: a key of ``CHOICES``.
        shape: shape of one raw input.
        samples: samples in the training part.

    Returns:
        The name, the options and the reason.
    """
    return CHOICES[kind](shape, samples)


def _for_images(shape: tuple[int, ...], samples: int) -> Choice:
    if len(shape) != 3 or min(shape[1:]) < SMALLEST_IMAGE:
        return _perceptron(f"images of {written(shape)} are too small to convolve", shape, samples)
    grey = shape[0] == 1
    width = 0.5 if grey or samples < FEW_IMAGES else 0.75
    told = "grey" if grey else "colour"
    return Choice(
        "small-vgg",
        {"width": width},
        f"a small convolutional net; {width:g} of its full width suits {samples:,} {told} images of {written(shape)}",
    )


def _for_arrays(shape: tuple[int, ...], samples: int) -> Choice:
    if len(shape) == 2 and shape[1] >= SHORTEST_SIGNAL:
        return Choice(
            "conv1d",
            {},
            f"a convolutional net along time for {samples:,} signals of {shape[0]} channels and {shape[1]:,} steps",
        )
    if len(shape) == 4 and min(shape[1:]) >= SMALLEST_VOLUME:
        return Choice(
            "conv3d", {}, f"a convolutional net in three dimensions for {samples:,} volumes of {written(shape)}"
        )
    return _perceptron("the data is an array", shape, samples)


def _for_tables(shape: tuple[int, ...], samples: int) -> Choice:
    return _perceptron("the data is a table", shape, samples)


def _perceptron(what: str, shape: tuple[int, ...], samples: int) -> Choice:
    """Width costs little and harms little; few samples need much dropout."""
    dropout = 0.5 if samples < FEW_ROWS else 0.2
    return Choice(
        "mlp",
        {"hidden": (256, 256), "dropout": dropout},
        f"a multilayer perceptron, because {what}; with dropout {dropout:g} for {samples:,} samples of {prod(shape)} numbers",
    )


def _for_texts(shape: tuple[int, ...], samples: int) -> Choice:
    if shape[0] > MOST_STEPS:
        return Choice(
            "text-cnn", {}, f"convolutions over tokens, because texts of {shape[0]:,} are long to read step by step"
        )
    return Choice(
        "gru", {}, f"a recurrent net that reads {samples:,} texts of up to {shape[0]:,} tokens in both directions"
    )


def _for_series(shape: tuple[int, ...], samples: int) -> Choice:
    return Choice(
        "mlp",
        {"hidden": (64, 64), "dropout": 0.2},
        f"a small multilayer perceptron on {samples:,} windows of {shape[1]:,} steps; gru, lstm and conv1d read them too",
    )


def _for_trees(shape: tuple[int, ...], samples: int) -> Choice:
    return Choice("tree-lstm", {}, f"a recurrent net that reads {samples:,} trees from their leaves to their roots")


def _for_graphs(shape: tuple[int, ...], samples: int) -> Choice:
    return Choice("gcn", {}, f"graph convolutions, which learn from {samples:,} nodes and all their neighbours")


def _for_tags(shape: tuple[int, ...], samples: int) -> Choice:
    return Choice(
        "tag-gru", {}, f"a recurrent net that reads {samples:,} sentences in both directions and tags each word"
    )


def _for_streams(shape: tuple[int, ...], samples: int) -> Choice:
    return Choice(
        "language-lstm",
        {} if samples >= FEW_WINDOWS else {"hidden": 256},
        f"a recurrent net that says what comes next, {samples * shape[0]:,} tokens to learn from",
    )


def _for_pairs(shape: tuple[int, ...], samples: int) -> Choice:
    return Choice("translator-gru", {}, f"an encoder and a decoder with attention, {samples:,} pairs to learn from")


def _for_sounds(shape: tuple[int, ...], samples: int) -> Choice:
    return Choice("small-vgg", {"width": 0.5}, f"a small convolutional net on the spectrograms of {samples:,} sounds")


CHOICES: dict[str, Callable[[tuple[int, ...], int], Choice]] = {
    "image": _for_images,
    "table": _for_tables,
    "array": _for_arrays,
    "graph": _for_graphs,
    "pairs": _for_pairs,
    "series": _for_series,
    "sound": _for_sounds,
    "stream": _for_streams,
    "tags": _for_tags,
    "text": _for_texts,
    "tree": _for_trees,
}
"""For each kind of data the network that is taken, by the shape of an input and the number of training samples."""
