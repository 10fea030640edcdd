"""How one image looks to a network, and how new ones are read for prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glassnet.data.array_files import array_source, is_array_file
from glassnet.data.dataset import InMemory, Source
from glassnet.data.decode import BadImage, header
from glassnet.data.given import left_out_told
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

        Returns:
            Names and inputs. Of a folder, images that cannot be read are left out, and the source's ``notes`` name them.

        Raises:
            DataError: a path is missing, unreadable or does not fit, or nothing in a folder can be read; all such paths are told at once.
        """
        found: list[_Given] = []
        errors: list[GlassnetError] = []
        for given in paths:
            path = Path(given)
            try:
                if path.is_file() and is_array_file(path):
                    key, values = array_source(path)
                    images = self.images(values, given)
                    names = [f"{shown(path.name)}{f':{key}' if key else ''}[{row}]" for row in range(len(values))]
                    found.append(_Given(names, images))
                else:
                    found.append(_Given.of_files(_files(path), folder=path.is_dir()))
            except GlassnetError as error:
                errors.append(error)
        files = [each.files for each in found if each.images is None]
        count = sum(map(len, files))
        if len(files) == len(found) and count * self.channels * self.height * self.width > GIB:
            source: Source = ImageFiles(
                [path for some in files for path in some], *self.shape, notes=left_out_told(_left_out(found))
            )
        elif not errors:
            decoded = [each.decoded(self.channels, (self.height, self.width)) for each in found]
            found = [each for each, _ in decoded]
            empty = torch.empty((0, *self.shape), dtype=torch.uint8)
            source = InMemory(torch.cat([empty, *(images for _, images in decoded)]), left_out_told(_left_out(found)))
        errors += [error for each in found for error in each.errors]
        if not errors:
            return [name for each in found for name in each.names], source
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


@dataclass(frozen=True)
class _Given:
    """What one of the paths that are to be read holds.

    Attributes:
        names: of its images.
        images: their pixels, where they are known.
        files: the files, else.
        folder: whether a file that cannot be read is left out.
        left_out: the files that are.
    """

    names: list[str]
    images: Tensor | None = None
    files: Sequence[Path] = ()
    folder: bool = False
    left_out: tuple[GlassnetError, ...] = ()

    @classmethod
    def of_files(cls, files: Sequence[Path], *, folder: bool) -> _Given:
        """Files whose headers can be read; the others are left out."""
        whole = cls([shown(file) for file in files], files=files, folder=folder)
        reasons = in_threads(_reason, files)
        return whole.without({place: reason for place, reason in enumerate(reasons) if reason is not None})

    def without(self, bad: Mapping[int, BadImage]) -> _Given:
        """Without the files at these places."""
        keep = [place for place in range(len(self.files)) if place not in bad]
        return replace(
            self,
            names=[self.names[place] for place in keep],
            files=[self.files[place] for place in keep],
            left_out=self.left_out + tuple(_unreadable(self.files[place], error) for place, error in bad.items()),
        )

    def decoded(self, channels: int, size: tuple[int, int]) -> tuple[_Given, Tensor]:
        """What can be decoded, and its pixels."""
        if self.images is not None:
            return self, self.images
        images, bad = decode_all(self.files, channels, size)
        if not bad:
            return self, images
        keep = torch.tensor([place not in bad for place in range(len(images))])
        return self.without({place: BadImage(reason) for place, reason in bad.items()}), images[keep]

    @property
    def errors(self) -> tuple[GlassnetError, ...]:
        """The files that cannot be left out: those that were named one by one, or all of a folder."""
        return () if self.folder and self.names else self.left_out


def _left_out(found: Sequence[_Given]) -> list[GlassnetError]:
    return [error for each in found for error in each.left_out]


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


def _reason(path: Path) -> BadImage | None:
    """Why a file's header cannot be read."""
    try:
        header(path)
    except BadImage as error:
        return error
    return None


def _unreadable(path: Path, error: BadImage) -> DataError:
    otherwise = "copy it again from where it came from, or save it anew as PNG in an image program"
    return DataError(
        "this image cannot be read", where=shown(path), got=error, fix=fix_to_read(error, shown(path), otherwise)
    )
