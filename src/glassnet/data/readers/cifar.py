"""CIFAR-10 and CIFAR-100, in the binary version and in the Python version."""

from __future__ import annotations

from pathlib import Path

import torch

from glassnet.data.cifar_files import is_cifar, read_cifar
from glassnet.data.dataset import Data, InMemory, Part
from glassnet.data.image_schema import ImageSchema
from glassnet.data.naming import RowNames
from glassnet.data.options import ReadOptions


def recognises(path: Path) -> bool:
    """Whether this is the folder of one of the four versions, or holds it."""
    return is_cifar(path)


def read(path: Path, options: ReadOptions) -> Data:
    """Read the training and the test part; see :func:`glassnet.data.cifar_files.read_cifar`.

    Raises:
        DataError: a file is missing or damaged, or a label is out of range.
    """
    found = read_cifar(path)
    parts = {
        part: Part(InMemory(torch.from_numpy(images)), torch.from_numpy(labels), RowNames(part, len(labels)))
        for part, (images, labels) in found.parts.items()
    }
    schema = ImageSchema(*found.shape)
    return Data(found.name, str(path), "classes", found.classes, ("class",), schema, parts, found.notes)
