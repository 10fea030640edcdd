"""How one image looks to a network, and how new ones are read for prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glassnet.data.array_files import array_source, is_array_file
from glassnet.data.dataset import InMemory, Source
from glassnet.data.decode import BadImage, header
from glassnet.data.image_files import ImageFiles, decode_all
from glassnet.data.image_layout import images_as_array
from glassnet.data.options import GIB
from glassnet.data.threads import in_threads
from glassnet.data.walk import find_images, shown
from glassnet.errors import DataError, GlassnetError, all_at_once, fix_to_read

MAX_TOLD = 20


@dataclass(frozen=True)
class ImageSchema:
    """Images of one size. A raw batch is uint8 (batch, channels, height, width).

    Attributes:
        channels: 1 for grey, 3 for RGB.
        height: in pixels.
        width: in pixels.
    """

    channels: int
    height: int
    width: int

    @property
    def kind(self) -> str:
        """``image``."""
        return "image"

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width)."""
        return self.channels, self.height, self.width

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Read images for prediction, decoded exactly as for training.

        Args:
            paths: image files, folders (all images below them, in the order of their names), idx files, and npy or npz files that
                hold images of this schema's size.

        Raises:
            DataError: a path is missing, unreadable or does not fit; all such paths are told at once.
        """
        names: list[str] = []
        pieces: list[list[Path] | Tensor] = []
        errors: list[GlassnetError] = []
        for given in paths:
            path = Path(given)
            try:
                if path.is_file() and is_array_file(path):
                    key, values = array_source(path)
                    pieces.append(self.images(values, given))
                    names += [f"{shown(path.name)}{f':{key}' if key else ''}[{row}]" for row in range(len(values))]
                else:
                    files = _files(path)
                    pieces.append(files)
                    names += [shown(file) for file in files]
            except GlassnetError as error:
                errors.append(error)
        errors += _bad(piece for piece in pieces if isinstance(piece, list))
        if not errors:
            try:
                return names, self._source(pieces)
            except GlassnetError as error:
                errors.append(error)
        told = errors[:MAX_TOLD]
        if len(errors) > MAX_TOLD:
            told.append(DataError(f"and {len(errors) - MAX_TOLD} more"))
        raise all_at_once(told)

    def images(self, values: NDArray[Any], where: object) -> Tensor:
        """An array of images (n, height, width), (n, height, width, channels) or (n, channels, height, width) as a raw batch.

        Raises:
            DataError: another size, other channels or another type.
        """
        fitting = images_as_batch(values) if values.dtype == np.uint8 else None
        if fitting is None or tuple(fitting.shape[1:]) != self.shape:
            raise DataError(
                "these images do not fit the network",
                where=where,
                got=f"{values.dtype} {tuple(values.shape)}",
                expected=f"uint8 (n, {self.channels}, {self.height}, {self.width})",
            )
        return fitting

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kind": "image", "channels": self.channels, "height": self.height, "width": self.width}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> ImageSchema:
        """The schema that ``to_json`` told of."""
        return cls(int(fields["channels"]), int(fields["height"]), int(fields["width"]))

    def _source(self, pieces: Sequence[list[Path] | Tensor]) -> Source:
        files = [path for piece in pieces if isinstance(piece, list) for path in piece]
        only_files = all(isinstance(piece, list) for piece in pieces)
        if only_files and len(files) * self.channels * self.height * self.width > GIB:
            return ImageFiles(files, *self.shape)
        tensors = [piece if isinstance(piece, Tensor) else self._decoded(piece) for piece in pieces]
        return InMemory(torch.cat(tensors) if tensors else torch.empty((0, *self.shape), dtype=torch.uint8))

    def _decoded(self, files: list[Path]) -> Tensor:
        images, bad = decode_all(files, self.channels, (self.height, self.width))
        if bad:
            raise all_at_once(
                [_unreadable(files[position], BadImage(reason)) for position, reason in bad.items()][:MAX_TOLD]
            )
        return images


def images_as_batch(values: NDArray[np.uint8]) -> Tensor | None:
    """:func:`glassnet.data.image_layout.images_as_array` as a tensor."""
    images = images_as_array(values)
    return None if images is None else torch.from_numpy(images)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = find_images(path).images
        if not files:
            raise DataError(
                "no image in this folder",
                where=shown(path),
                expected="PNG, JPEG, GIF, BMP, WEBP, TIFF or PPM files in it",
            )
        return files
    if not path.exists():
        raise DataError(
            "no such file or folder",
            where=shown(path),
            expected="an image, a folder of images, or an npy, npz or idx file",
        )
    if not path.is_file():
        raise DataError(
            "this is no plain file",
            where=shown(path),
            expected="an image, a folder of images, or an npy, npz or idx file",
        )
    return [path]


def _bad(pieces: Any) -> list[GlassnetError]:
    files = [path for piece in pieces for path in piece]

    def reason(path: Path) -> BadImage | None:
        try:
            header(path)
        except BadImage as error:
            return error
        return None

    return [_unreadable(path, why) for path, why in zip(files, in_threads(reason, files), strict=True) if why]


def _unreadable(path: Path, error: BadImage) -> DataError:
    otherwise = "copy it again from where it came from, or save it anew as PNG in an image program"
    return DataError(
        "this image cannot be read", where=shown(path), got=error, fix=fix_to_read(error, shown(path), otherwise)
    )
