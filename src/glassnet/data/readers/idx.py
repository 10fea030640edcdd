"""MNIST and its relatives: folders of idx files, gzipped or not."""

from __future__ import annotations

from pathlib import Path

import torch

from glassnet.data.dataset import Data, InMemory, Part
from glassnet.data.idx_set import is_idx_set, read_idx_set
from glassnet.data.image_schema import ImageSchema
from glassnet.data.naming import RowNames
from glassnet.data.options import ReadOptions


def recognises(path: Path) -> bool:
    """Whether this is an idx file of images under its usual name, or a folder that holds one."""
    return is_idx_set(path)


def read(path: Path, options: ReadOptions) -> Data:
    """Read the parts that are there; see :func:`glassnet.data.idx_set.read_idx_set`.

    Raises:
        DataError: a file is missing or damaged, or images and labels do not agree.
    """
    found = read_idx_set(path)
    parts = {
        part: Part(InMemory(torch.from_numpy(images)), torch.from_numpy(labels), RowNames(part, len(labels)))
        for part, (images, labels) in found.parts.items()
    }
    schema = ImageSchema(*found.shape)
    return Data(found.name, str(path), "classes", found.classes, ("class",), schema, parts, found.notes)
