"""Letters A to J drawn from the fonts of this machine, in the manner of notMNIST: real image work with no download.

Model: Y. Bulatov, "notMNIST dataset", 2011: 28 x 28 pixels, a glyph filling the box, white on black.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from glassnet.data.dataset import Data, InMemory, Part
from glassnet.data.fonts import BOX, LETTERS, TextFont, bolder, draw, families, fill_box, open_font, text_fonts
from glassnet.data.image_schema import ImageSchema
from glassnet.data.options import ReadOptions
from glassnet.errors import DataError

PER_CLASS = 500
MIN_FAMILIES = 5
MAX_TURN = 8.0  # degrees
MAX_SHEAR = 0.15
MAX_STRETCH = 0.12
MIN_SIDE = 22
SHARES = {"train": 0.65, "val": 0.15, "test": 0.2}


def read(options: ReadOptions | None = None) -> Data:
    """About 500 pictures of each letter. Families of fonts, not pictures, are divided among the parts: a family occurs in one only.

    Where there are fewer than 500 fonts, each letter of a font is drawn several times, slightly turned (8 degrees at most), sheared,
    stretched, made smaller or bolder, always the same way on the same fonts.

    Raises:
        DataError: fewer than five families of text fonts are on this machine.
    """
    groups = families(text_fonts())
    if len(groups) < MIN_FAMILIES:
        raise DataError(
            "too few text fonts on this machine to draw letters from",
            where="built-in data set 'letters'",
            got=f"{len(groups)} families",
            expected=f"{MIN_FAMILIES} or more",
            fix="install fonts (matplotlib brings enough), or take 'digits'",
        )
    fonts = sum(map(len, groups))
    each = max(1, round(PER_CLASS / fonts))
    divided = divide(groups)
    parts = {part: _drawn(own, each) for part, own in divided.items()}
    told = ", ".join(f"{len(own)} for {part}" for part, own in divided.items())
    note = (
        f"Drawn from {fonts} fonts of this machine ({told}; no family of fonts is in two parts), {f'{each} times' if each > 1 else 'once'} each. "
        "Another machine with other fonts draws other pictures."
    )
    return Data(
        name="letters",
        origin="letters",
        task="classes",
        classes=tuple(LETTERS),
        outputs=("class",),
        schema=ImageSchema(1, BOX, BOX),
        parts=parts,
        notes=(note,),
    )


def divide(groups: Sequence[list[TextFont]]) -> dict[str, list[TextFont]]:
    """Whole families to the parts: the largest first, each to the part that lacks most fonts of its share."""
    fonts = sum(map(len, groups))
    divided: dict[str, list[TextFont]] = {part: [] for part in SHARES}
    for group in sorted(groups, key=len, reverse=True):
        part = max(SHARES, key=lambda part: SHARES[part] * fonts - len(divided[part]))
        divided[part] += group
    return divided


def _drawn(fonts: Sequence[TextFont], each: int) -> Part:
    images, labels, names = [], [], []
    for font in fonts:
        opened = open_font(font.path)
        rng = np.random.default_rng(zlib.crc32(font.name.encode()))
        for label, letter in enumerate(LETTERS):
            glyphs = [draw(opened, letter), bolder(draw(opened, letter))]
            for copy in range(each):
                images.append(_varied(glyphs, rng) if copy else np.asarray(fill_box(glyphs[0], BOX)))
                labels.append(label)
                names.append(f"{font.name}: {letter} {copy + 1}")
    pixels = torch.from_numpy(np.stack(images)[:, np.newaxis])
    return Part(InMemory(pixels), torch.tensor(labels, dtype=torch.int64), names)


def _varied(glyphs: Sequence[Image.Image], rng: np.random.Generator) -> NDArray[np.uint8]:
    glyph = glyphs[int(rng.integers(len(glyphs)))]
    turn, shear, stretch = np.deg2rad(rng.uniform(-MAX_TURN, MAX_TURN)), *rng.uniform(-1, 1, 2)
    side = int(rng.integers(MIN_SIDE, BOX + 1))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ np.array([[1 + MAX_STRETCH * stretch, MAX_SHEAR * shear], [0, 1]])
    width, height = glyph.size
    room = int(1.5 * max(width, height))  # what turning and shearing may need
    # Pillow wants the way back: from a place in the result to the place in the glyph.
    offset = np.array([width / 2, height / 2]) - matrix @ np.array([room / 2, room / 2])
    way = (*matrix[0], offset[0], *matrix[1], offset[1])
    moved = glyph.transform((room, room), Image.Transform.AFFINE, way, resample=Image.Resampling.BILINEAR)
    return np.asarray(fill_box(moved, side))
