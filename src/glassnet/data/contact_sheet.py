"""One picture of a data set: a row for each class, with some of its images."""

from __future__ import annotations

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from glassnet.data.dataset import Data, spread
from glassnet.errors import DataError

LEAST_CELL, GREATEST_CELL = 48, 128
MAX_ROWS = 50
GAP = 4
LABEL_LETTERS = 24


def contact_sheet(data: Data, per_class: int = 8) -> Image.Image:
    """Draw training images, evenly spread over each class; for values, over the images in order of their first target.

    Args:
        data: of kind ``image``.
        per_class: images in a row.

    Returns:
        An RGB picture: the class's name, its number of training images, then the images. At most 50 classes are shown.

    Raises:
        DataError: the inputs are no images.
    """
    if data.schema.kind != "image":
        raise DataError(
            "a contact sheet needs images",
            where=data.origin,
            got=f"data of kind '{data.schema.kind}'",
            expected="data of kind 'image'",
        )
    rows = _rows(data, per_class)
    channels, height, width = data.schema.shape
    longest = max(height, width)
    factor = -(-LEAST_CELL // longest) if longest < LEAST_CELL else min(GREATEST_CELL / longest, 1.0)
    cell = (max(round(width * factor), 1), max(round(height * factor), 1))
    font = ImageFont.load_default(14)
    label_width = int(max(font.getlength(line) for label, _ in rows for line in label.split("\n"))) + 3 * GAP
    row_height = max(cell[1], 40) + GAP
    sheet = Image.new("RGB", (label_width + per_class * (cell[0] + GAP), GAP + len(rows) * row_height), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (label, index) in enumerate(rows):
        top = GAP + number * row_height
        pen.text((GAP, top), label, fill="black", font=font)
        for place, raw in enumerate(data.train.inputs.take(index) if len(index) else ()):
            picture = _picture(raw, channels).resize(
                cell, Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX
            )
            sheet.paste(picture, (label_width + place * (cell[0] + GAP), top))
    return sheet


def _rows(data: Data, per_class: int) -> list[tuple[str, Tensor]]:
    targets = data.train.targets
    if data.task == "values":
        order = targets[:, 0].argsort(stable=True)
        chosen = order[spread(len(order), per_class * min(5, max(len(order) // per_class, 1)))]
        return [
            (f"{data.outputs[0]}\nfrom {targets[index[0], 0]:.4g}", index) for index in torch.split(chosen, per_class)
        ]
    rows = []
    for number, name in enumerate(data.classes[:MAX_ROWS]):
        here = torch.nonzero(targets == number).flatten()
        short = name if len(name) <= LABEL_LETTERS else name[: LABEL_LETTERS - 1] + "…"
        rows.append((f"{short}\n{len(here):,}", here[spread(len(here), per_class)]))
    return rows


def _picture(raw: Tensor, channels: int) -> Image.Image:
    shown = raw[:3] if channels >= 3 else raw[:1]
    rows = shown.permute(1, 2, 0).contiguous().numpy()  # (height, width, 3 or 1)
    return Image.fromarray(rows if channels >= 3 else rows[:, :, 0]).convert("RGB")
