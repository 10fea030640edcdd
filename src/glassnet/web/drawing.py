"""What is drawn or uploaded, as one raw input of a network that reads pictures. Nothing here knows of requests."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnet.errors import DataError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.model import Model

LARGEST_PAD = 512  # pixels a side that a drawing may have
LARGEST_UPLOAD = 25_000_000  # pixels of a picture that is uploaded
DIGIT_SHARE = 20 / 28  # of a side that a digit of MNIST fills

Bytes = NDArray[np.uint8]


def drawing(model: Model, pixels: str, width: int, height: int, *, dark: bool = False, centre: bool = True) -> Tensor:
    """A drawing as one raw input of the network, uint8 (1, channels, height, width).

    Args:
        model: whose schema says the size.
        pixels: base64 of width × height bytes, the strength of the ink 0 to 255, row after row.
        width: of the drawing.
        height: of the drawing.
        dark: the network was trained on dark ink on light paper.
        centre: bring the ink into the middle and to the size that a digit has in MNIST: its longer side 20/28 of the picture, the centre of
            mass in the middle (LeCun, Cortes and Burges, "The MNIST database").

    Raises:
        UsageError: sizes or bytes that do not agree.
    """
    import torch

    channels, rows, columns = _image_shape(model)
    if not (1 <= width <= LARGEST_PAD and 1 <= height <= LARGEST_PAD):
        raise UsageError("the drawing is too large", got=f"{width}×{height}", expected=f"at most {LARGEST_PAD} a side")
    content = unpacked(pixels, width * height)
    if len(content) != width * height:
        raise UsageError("the drawing is incomplete", got=f"{len(content)} bytes", expected=f"{width * height}")
    ink = np.frombuffer(content, dtype=np.uint8).reshape(height, width)
    brought = centred(ink, rows, columns) if centre else resized(ink, rows, columns)
    if dark:
        brought = 255 - brought
    return torch.from_numpy(np.repeat(brought[None, None], channels, axis=1).copy())


def uploaded(model: Model, content: str, most: int) -> Tensor:
    """A picture file as one raw input, uint8 (1, channels, height, width).

    Args:
        model: whose schema says the size.
        content: base64 of the file.
        most: bytes that are taken.

    Raises:
        DataError: it is no picture, damaged, or has too many pixels.
        UsageError: it is no base64, or longer.
    """
    import torch

    from glassnet.data.decode import BadImage, decode, header

    channels, rows, columns = _image_shape(model)
    file = unpacked(content, most)
    try:
        size = header(file)
        if size.width * size.height > LARGEST_UPLOAD:
            raise BadImage(f"it has {size.width:,} × {size.height:,} pixels; at most {LARGEST_UPLOAD:,} are read")
        pixels = decode(file, channels, (rows, columns))
    except BadImage as error:
        raise DataError(
            "this file cannot be read as a picture",
            got=str(error),
            expected="a PNG, JPEG, GIF, BMP, WebP, TIFF or PPM file",
        ) from error
    return torch.from_numpy(pixels[None].copy())


def centred(ink: Bytes, rows: int, columns: int) -> Bytes:
    """Ink brought to 20/28 of the smaller side, its centre of mass in the middle; an empty drawing stays empty."""
    from PIL import Image

    used_rows, used_columns = np.flatnonzero(ink.max(axis=1) > 20), np.flatnonzero(ink.max(axis=0) > 20)
    canvas = np.zeros((rows, columns), dtype=np.uint8)
    if len(used_rows) == 0:
        return canvas
    cut = ink[used_rows[0] : used_rows[-1] + 1, used_columns[0] : used_columns[-1] + 1]
    scale = DIGIT_SHARE * min(rows, columns) / max(cut.shape)
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    small = np.asarray(
        Image.fromarray(cut).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    )
    mass = small.astype(np.float64)
    total = max(mass.sum(), 1.0)
    middle_row = (mass.sum(axis=1) * np.arange(len(mass))).sum() / total
    middle_column = (mass.sum(axis=0) * np.arange(mass.shape[1])).sum() / total
    top = int(np.clip(round((rows - 1) / 2 - middle_row), 0, rows - size[1]))
    left = int(np.clip(round((columns - 1) / 2 - middle_column), 0, columns - size[0]))
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def resized(ink: Bytes, rows: int, columns: int) -> Bytes:
    """Ink at the network's size, as it lies."""
    from PIL import Image

    return np.asarray(Image.fromarray(ink).resize((columns, rows), Image.Resampling.BOX))


def unpacked(text: str, most: int) -> bytes:
    """Bytes from base64.

    Raises:
        UsageError: it is none, or of more than ``most`` bytes.
    """
    if len(text) > 4 * (most // 3 + 1):
        raise UsageError("too many bytes were sent", got=f"about {len(text) * 3 // 4:,}", expected=f"at most {most:,}")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            "this is no base64", got=type(error).__name__, expected="bytes as letters, digits, + and /, padded with ="
        ) from error


def _image_shape(model: Model) -> tuple[int, int, int]:
    if model.schema.kind != "image":
        raise UsageError(
            "this network reads no pictures", got=model.schema.kind, fix="open a run that was trained on images"
        )
    channels, rows, columns = model.schema.shape
    return channels, rows, columns
