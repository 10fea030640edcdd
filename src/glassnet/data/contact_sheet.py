"""One picture of a data set: a row for each class, with some of its images.

Drawing needs no PyTorch, so that the picture can be there before PyTorch is loaded (:mod:`glassnet.data.glance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from glassnet.data.evenly import evenly
from glassnet.errors import DataError

if TYPE_CHECKING:
    from glassnet.data.dataset import Data

LEAST_CELL, GREATEST_CELL = 48, 128
MAX_ROWS = 50
PER_CLASS = 8
GAP = 4
LABEL_LETTERS = 24


def contact_sheet(data: Data, per_class: int = PER_CLASS) -> Image.Image:
    """Draw training images, evenly spread over each class; for values, over the images in order of their first target.

    Args:
        data: of kind ``image``.
        per_class: images in a row.

    Returns:
        An RGB picture: the class's name, its number of training images, then the images. At most 50 classes are shown.

    Raises:
        DataError: the inputs are no images.
    """
    import torch  # the data are there, hence so is PyTorch

    if data.schema.kind != "image":
        raise DataError(
            "a contact sheet needs images",
            where=data.origin,
            got=f"data of kind '{data.schema.kind}'",
            expected="data of kind 'image'",
        )
    channels, height, width = data.schema.shape
    targets = data.train.targets.numpy()
    if data.task == "values":
        rows = _value_rows(data.outputs[0], targets[:, 0], per_class)
    else:
        rows = class_rows(data.classes, targets, per_class)
    taken = [
        (label, data.train.inputs.take(torch.from_numpy(places)).numpy() if len(places) else _nothing(channels))
        for label, places in rows
    ]
    return draw_sheet(taken, (channels, height, width), per_class)


def class_rows(
    classes: Sequence[str], targets: NDArray[np.int64], per_class: int = PER_CLASS
) -> list[tuple[str, NDArray[np.int64]]]:
    """For each class that is shown its label and the places of its images, evenly spread over the class.

    Args:
        classes: names in the order of their numbers.
        targets: numbers of classes, (training images,).
        per_class: images in a row.
    """
    rows = []
    for number, name in enumerate(classes[:MAX_ROWS]):
        here = np.flatnonzero(targets == number)
        short = name if len(name) <= LABEL_LETTERS else name[: LABEL_LETTERS - 1] + "…"
        rows.append((f"{short}\n{len(here):,}", here[evenly(len(here), per_class)]))
    return rows


def draw_sheet(
    rows: Sequence[tuple[str, NDArray[np.uint8]]], shape: tuple[int, int, int], per_class: int = PER_CLASS
) -> Image.Image:
    """Draw rows of images with a label each.

    Args:
        rows: labels of two lines, and images (at most ``per_class``, channels, height, width).
        shape: (channels, height, width) of an image; of more than three channels the first three are shown.
        per_class: images for which a row has room.
    """
    channels, height, width = shape
    longest = max(height, width)
    factor = -(-LEAST_CELL // longest) if longest < LEAST_CELL else min(GREATEST_CELL / longest, 1.0)
    cell = (max(round(width * factor), 1), max(round(height * factor), 1))
    font = ImageFont.load_default(14)
    label_width = int(max(font.getlength(line) for label, _ in rows for line in label.split("\n"))) + 3 * GAP
    row_height = max(cell[1], 40) + GAP
    sheet = Image.new("RGB", (label_width + per_class * (cell[0] + GAP), GAP + len(rows) * row_height), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (label, images) in enumerate(rows):
        top = GAP + number * row_height
        pen.text((GAP, top), label, fill="black", font=font)
        for place, raw in enumerate(images):
            picture = _picture(raw, channels).resize(
                cell, Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX
            )
            sheet.paste(picture, (label_width + place * (cell[0] + GAP), top))
    return sheet


def _value_rows(output: str, values: NDArray[np.float32], per_class: int) -> list[tuple[str, NDArray[np.int64]]]:
    order = values.argsort(kind="stable")
    chosen = order[evenly(len(order), per_class * min(5, max(len(order) // per_class, 1)))]
    rows = [chosen[start : start + per_class] for start in range(0, len(chosen), per_class)]
    return [(f"{output}\nfrom {values[places[0]]:.4g}", places) for places in rows]


def _nothing(channels: int) -> NDArray[np.uint8]:
    return np.zeros((0, channels, 1, 1), dtype=np.uint8)


def _picture(raw: NDArray[np.uint8], channels: int) -> Image.Image:
    if channels < 3:
        return Image.fromarray(np.ascontiguousarray(raw[0])).convert("RGB")
    return Image.fromarray(np.ascontiguousarray(raw[:3].transpose(1, 2, 0)))  # (height, width, 3)
