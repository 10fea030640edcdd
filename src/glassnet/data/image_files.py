"""Image files as a source: decoded once into memory, or anew for every batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from glassnet.data.decode_many import decode_into
from glassnet.data.walk import shown
from glassnet.errors import DataError

# What closes a file. Some programs append to it, so that it is looked for in the last bytes and not at the very end.
_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND", "GIF": b";"}
_TAIL = 4096


@dataclass(frozen=True)
class ImageFiles:
    """Images decoded when they are asked for, with a few threads at a time (Pillow decodes outside Python's lock).

    Attributes:
        paths: the files.
        channels: 1 or 3.
        height: of every decoded image.
        width: likewise.
        notes: what its reader found worth telling of new inputs, as sentences.
    """

    paths: Sequence[Path]
    channels: int
    height: int
    width: int
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, index: Tensor) -> Tensor:
        """The images at ``index`` as uint8 (batch, channels, height, width).

        Raises:
            DataError: a file can no longer be read.
        """
        images, bad = decode_all([self.paths[i] for i in index.tolist()], self.channels, (self.height, self.width))
        if bad:
            first, reason = next(iter(bad.items()))
            path = self.paths[int(index[first])]
            raise DataError("an image cannot be read", where=shown(path), got=reason, fix="remove or replace this file")
        return images


def decode_all(paths: Sequence[Path], channels: int, size: tuple[int, int]) -> tuple[Tensor, dict[int, str]]:
    """Decode files into one tensor.

    Returns:
        uint8 (files, channels, height, width) with zeros where a file could not be read, and the reason for each of those positions.
    """
    images = torch.zeros((len(paths), channels, *size), dtype=torch.uint8)
    return images, decode_into(images.numpy(), paths)


def looks_whole(path_and_format: tuple[Path, str]) -> bool:
    """Whether a file ends as its format demands; a cheap test that finds broken downloads without decoding."""
    path, format_name = path_and_format
    end = _ENDS.get(format_name)
    if end is None:
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return end in file.read()
