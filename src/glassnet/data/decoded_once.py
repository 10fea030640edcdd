"""Images that do not fit into memory together, decoded once in a run and not once in an epoch.

What has been decoded is kept in a file without a name: it takes room on the disk only while this process lives, however the process ends, and
no later run can meet it out of date.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glassnet.data.image_files import ImageFiles
from glassnet.data.read_soon import read_soon
from glassnet.errors import SpaceError
from glassnet.files import free_bytes, make_folder

SHARE_OF_DISK = 0.5  # of what is free, at most: other programs need room too


class DecodedOnce:
    """Image files whose pixels, once decoded, are read from a scratch file.

    A disk that fills up meanwhile, or fails, costs only time: what is not in the file is decoded again.

    Args:
        files: the images.
        scratch: the descriptor of an open file without a name, closed with this object.
    """

    def __init__(self, files: ImageFiles, scratch: int) -> None:
        self.files, self.scratch = files, scratch
        self._kept = np.zeros(len(files), dtype=bool)
        weakref.finalize(self, os.close, scratch)

    def __len__(self) -> int:
        return len(self.files)

    @property
    def row_bytes(self) -> int:
        """Bytes of an image in the scratch file."""
        return self.files.channels * self.files.height * self.files.width

    def expect(self, index: Tensor) -> None:
        """Let the system read these images meanwhile, as far as they have been decoded."""
        numbers = index.numpy()
        read_soon(self.scratch, numbers[self._kept[numbers]], self.row_bytes)

    @property
    def paths(self) -> Sequence[Path]:
        """The file of each image."""
        return self.files.paths

    def take(self, index: Tensor) -> Tensor:
        """The images at ``index`` as uint8 (batch, channels, height, width).

        Raises:
            DataError: a file that has not been decoded yet can no longer be read.
        """
        images = torch.empty((len(index), self.files.channels, self.files.height, self.files.width), dtype=torch.uint8)
        pixels = images.numpy()
        fresh = [place for place, image in enumerate(index.tolist()) if not self._read(image, pixels[place])]
        if fresh:
            images[fresh] = self.files.take(index[fresh])
            for place in fresh:
                self._write(int(index[place]), pixels[place])
        return images

    def _read(self, image: int, pixels: NDArray[np.uint8]) -> bool:
        if not self._kept[image]:
            return False
        try:
            return os.preadv(self.scratch, [pixels.data], image * pixels.nbytes) == pixels.nbytes
        except OSError:
            return False

    def _write(self, image: int, pixels: NDArray[np.uint8]) -> None:
        try:
            written = os.pwrite(self.scratch, pixels.data, image * pixels.nbytes)
        except OSError:
            return
        self._kept[image] = written == pixels.nbytes


def decoded_once(files: ImageFiles, folder: Path) -> DecodedOnce | None:
    """The images with a scratch file in ``folder``; None where that has no room for them or must not be written to."""
    needed = len(files) * files.channels * files.height * files.width
    if needed > SHARE_OF_DISK * free_bytes(folder):
        return None
    try:
        make_folder(folder)
        scratch, name = tempfile.mkstemp(prefix="images-", dir=folder)
        Path(name).unlink()
    except (OSError, SpaceError):
        return None
    return DecodedOnce(files, scratch)
