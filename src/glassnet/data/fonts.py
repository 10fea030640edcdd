"""The text fonts of this machine that can write the letters A to J."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageFont

LETTERS = "ABCDEFGHIJ"
MAX_FONTS = 200
BOX = 28
_HEIGHT = 64
# Where Linux, macOS and Windows keep fonts.
_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
    "C:/Windows/Fonts",
)
# Fonts of signs: mathematics, pictures, bar codes. What slips through is caught by its looks, below.
_NO_TEXT = re.compile(
    r"math|symbol|emoji|dingbat|icon|awesome|barcode|braille|music|cmex|cmsy|nonuni|siz(one|two|three|four|five)|lastresort|webding|wingding",
    re.I,
)
_TWINS = 0.97
_LIKE_OTHERS = 0.6


@dataclass(frozen=True)
class TextFont:
    """A font that has the letters.

    Attributes:
        name: family and style.
        family: what its bold, oblique and narrow faces have in common.
        path: its file.
        looks: its letters stretched to the whole box, float32 (10, 28, 28) from 0 to 1.
    """

    name: str
    family: str
    path: Path
    looks: NDArray[np.float32]


def text_fonts() -> list[TextFont]:
    """Fonts of the system and of matplotlib, each face once, in the order of their names, without those that write signs."""
    by_name: dict[str, TextFont] = {}
    for path in _font_files():
        font = _opened(path)
        if font is not None and font.name not in by_name:
            by_name[font.name] = font
        if len(by_name) >= MAX_FONTS:
            break
    return _readable([by_name[name] for name in sorted(by_name)])


def families(fonts: Sequence[TextFont]) -> list[list[TextFont]]:
    """Fonts in groups that belong together: faces of one family, and fonts that look nearly the same under different names.

    An oblique face is the upright one sheared, and a narrow one is it squeezed; what was learned from one would be tested on the
    other. Looks are compared with the letters stretched to the whole box; a correlation of 0.97 over all letters counts as the same.
    """
    looks = np.stack([_normal(font.looks) for font in fonts]) if fonts else np.empty((0, 1))
    alike = looks @ looks.T >= _TWINS
    groups: list[list[int]] = []
    for number, font in enumerate(fonts):
        joined = [
            group
            for group in groups
            if any(alike[number, other] or fonts[other].family == font.family for other in group)
        ]
        groups = [group for group in groups if group not in joined] + [
            [number, *(one for group in joined for one in group)]
        ]
    return sorted(([fonts[number] for number in sorted(group)] for group in groups), key=lambda group: group[0].name)


def fill_box(glyph: Image.Image, side: int) -> Image.Image:
    """The glyph, cropped to its ink and scaled so that its longer side is ``side``, at the centre of a black box of 28 x 28."""
    glyph = glyph.crop(glyph.getbbox())
    scale = side / max(glyph.size)
    width, height = (max(1, round(length * scale)) for length in glyph.size)
    box = Image.new("L", (BOX, BOX))
    box.paste(
        glyph.resize((width, height), Image.Resampling.BOX, reducing_gap=None),
        ((BOX - width) // 2, (BOX - height) // 2),
    )
    return box


def draw(font: ImageFont.FreeTypeFont, text: str) -> Image.Image:
    """White ink on black, grey at the edges, with the bounds of the ink; nothing to draw gives a picture of size 0."""
    mask = font.getmask(text, mode="L")
    picture = Image.new("L", mask.size)
    if mask.size[0] and mask.size[1]:
        picture.im.paste(mask, (0, 0, *mask.size))
    return picture


def bolder(glyph: Image.Image) -> Image.Image:
    """The glyph with its strokes about one pixel wider on each side."""
    room = Image.new("L", (glyph.width + 2, glyph.height + 2))
    room.paste(glyph, (1, 1))
    return room.filter(ImageFilter.MaxFilter(3))


def open_font(path: Path) -> ImageFont.FreeTypeFont:
    """The font in the size at which letters are drawn."""
    return ImageFont.truetype(str(path), _HEIGHT, layout_engine=ImageFont.Layout.BASIC)


def _font_files() -> list[Path]:
    folders = [Path(folder).expanduser() for folder in _FOLDERS]
    matplotlib = importlib.util.find_spec("matplotlib")  # found, not imported
    if matplotlib is not None and matplotlib.origin:
        folders.append(Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf")
    files = []
    for folder in folders:
        for place, _, names in os.walk(folder):
            files += [Path(place) / name for name in names if name.lower().endswith((".ttf", ".otf", ".ttc"))]
    # By file name, so that the order does not depend on where a system keeps a font.
    return sorted((file for file in files if not _NO_TEXT.search(file.name)), key=lambda file: (file.name, str(file)))


def _opened(path: Path) -> TextFont | None:
    try:
        font = open_font(path)
        name = " ".join(part or "" for part in font.getname()).strip() or path.stem
        pictures = [draw(font, letter) for letter in LETTERS]
        missing = draw(font, "\U0010fffe")  # no character: drawn as the font's sign for a missing one
    except (OSError, ValueError):
        return None
    bytes_of = [(picture.size, picture.tobytes()) for picture in pictures]
    empty = any(picture.getbbox() is None for picture in pictures)
    if (
        empty
        or _NO_TEXT.search(name)
        or len(set(bytes_of)) < len(LETTERS)
        or (missing.size, missing.tobytes()) in bytes_of
    ):
        return None
    stretched = [picture.crop(picture.getbbox()).resize((BOX, BOX), Image.Resampling.BOX) for picture in pictures]
    looks = np.stack([np.asarray(picture, np.float32) / np.float32(255) for picture in stretched]).astype(np.float32)
    return TextFont(name, font.getname()[0] or name, path, looks)


def _readable(fonts: list[TextFont]) -> list[TextFont]:
    """Without fonts whose letters look more like the other fonts' other letters, as those of signs and of foreign scripts do."""
    if len(fonts) < 4:
        return fonts
    common = np.median(np.stack([font.looks for font in fonts]), axis=0)  # (10, 28, 28)
    common_flat = np.stack([_normal(letter) for letter in common])
    kept = []
    for font in fonts:
        nearest = (np.stack([_normal(letter) for letter in font.looks]) @ common_flat.T).argmax(axis=1)
        if (nearest == np.arange(len(LETTERS))).mean() >= _LIKE_OTHERS:
            kept.append(font)
    return kept


def _normal(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = picture.ravel() - picture.mean()
    normal: NDArray[np.float32] = flat / np.float32(max(float(np.linalg.norm(flat)), 1e-12))
    return normal
