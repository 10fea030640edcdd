"""Images and labels in IDX files, as the examples beside this file read them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np


def read(path: Path) -> np.ndarray:
    """The array of bytes in an IDX file."""
    content = gzip.decompress(path.read_bytes())
    dims = content[3]
    shape = [int(n) for n in np.frombuffer(content, ">u4", dims, 4)]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape)


def part(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 28, 28) from 0 to 1 and their classes; ``name`` is ``train`` or ``t10k``."""
    images = read(folder / f"{name}-images-idx3-ubyte.gz").astype(np.float32) / 255
    return images, read(folder / f"{name}-labels-idx1-ubyte.gz").astype(np.int64)
