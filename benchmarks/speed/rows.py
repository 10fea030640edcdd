"""The rows: a network, the data it sees, and the size of its batches."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks.speed import torch_nets
from glassnet import zoo

CLASSES = 10


@dataclass(frozen=True)
class Row:
    """One training that every contender runs.

    Attributes:
        name: of the row.
        shape: of one input: (channels, height, width) of images, or (features, time).
        batch: samples in a step.
        samples: how many different ones there are.
        build: makes the PyTorch network; other frameworks build the same by the row's name.
    """

    name: str
    shape: tuple[int, ...]
    batch: int
    samples: int
    build: Callable[[], nn.Module]

    @property
    def images(self) -> bool:
        """Whether the inputs are images of bytes rather than numbers."""
        return len(self.shape) == 3

    def by_hand(self) -> nn.Module:
        """The network of PyTorch's own layers, as someone writes it who has nothing else."""
        return torch_nets.of_pytorch(self.build())

    def data(self) -> tuple[NDArray[np.uint8] | NDArray[np.float32], NDArray[np.int64]]:
        """Inputs and classes, the same for every contender: a pattern for each class, with noise over it."""
        random = np.random.default_rng(zlib.crc32(self.name.encode()))
        targets = random.integers(0, CLASSES, self.samples)
        patterns = random.normal(size=(CLASSES, *self.shape)).astype(np.float32)
        inputs = np.empty((self.samples, *self.shape), np.uint8 if self.images else np.float32)
        for start in range(0, self.samples, 256):
            some = slice(start, start + 256)
            mixed = 0.5 * patterns[targets[some]] + random.normal(size=inputs[some].shape).astype(np.float32)
            inputs[some] = np.clip(128 + 50 * mixed, 0, 255) if self.images else mixed
        return inputs, targets.astype(np.int64)

    def floats(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The same, standardised, as people hold them who feed a framework by hand."""
        inputs, targets = self.data()
        return ((inputs - np.float32(128)) / np.float32(56) if self.images else inputs).astype(np.float32), targets


def of_zoo(name: str, shape: tuple[int, ...], **options: object) -> Callable[[], nn.Module]:
    """A network of Glassnet's zoo, which holds plain PyTorch modules."""
    return partial(zoo.build, name, shape, CLASSES, options, 0)


_LSTM = {"hidden": 128, "both_ways": False, "dropout": 0.0}

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row("mlp-32", (1, 28, 28), 32, 8192, of_zoo("mlp", (1, 28, 28))),
        Row("mlp-128", (1, 28, 28), 128, 8192, of_zoo("mlp", (1, 28, 28))),
        Row("3072-50-10", (3, 32, 32), 100, 5000, of_zoo("mlp", (3, 32, 32), hidden=(50,))),
        Row("lenet5-32", (1, 28, 28), 32, 8192, of_zoo("lenet5", (1, 28, 28))),
        Row("lenet5-128", (1, 28, 28), 128, 8192, of_zoo("lenet5", (1, 28, 28))),
        Row("vgg-like", (3, 32, 32), 64, 4096, torch_nets.vgg_like),
        Row("resnet20", (3, 32, 32), 128, 4096, of_zoo("resnet20", (3, 32, 32))),
        Row("resnet18", (3, 32, 32), 64, 2048, torch_nets.resnet18_small),
        Row("alexnet", (3, 224, 224), 16, 256, of_zoo("alexnet", (3, 224, 224))),
        Row("googlenet", (3, 224, 224), 8, 256, of_zoo("googlenet", (3, 224, 224))),
        Row("lstm-50", (64, 50), 64, 4096, of_zoo("lstm", (64, 50), **_LSTM)),
        Row("lstm-200", (64, 200), 64, 2048, of_zoo("lstm", (64, 200), **_LSTM)),
    )
}
