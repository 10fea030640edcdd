"""The augmentation to start with, chosen by looking at the training images."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from glassnet.data.augment.looks import Looks, look

TINY = 12  # pixels; below, a turn or a slant is smaller than the blur of drawing it
LARGE = 64  # pixels; above, photographs are worth scaling
FEW = 10_000  # photographs; below, colours are changed too


def auto_augment(shape: tuple[int, ...], samples: int, images: Tensor) -> tuple[dict[str, Any], str]:
    """Settings for :func:`build_augment`, and why.

    Args:
        shape: shape of one raw sample, (channels, height, width); for anything else nothing is chosen.
        samples: how many training samples there are.
        images: some hundred of the training images, raw, (n, channels, height, width), from all over the set: the first ones of a
            folder are often of one class.

    Returns:
        The settings, and one sentence for the user with the figures that decided.
    """
    if len(shape) != 3:
        return {}, "not images, so nothing is changed"
    seen = look(images)
    side = min(shape[1:])
    if seen.kind == "photo":
        return _photo(side, samples, seen)
    if side <= TINY:
        return {"shift": 1}, f"tiny images ({side} pixels): moved by one pixel; {_told(seen)}"
    what = "glyphs" if seen.kind == "glyph" else "things on a plain ground"
    settings = {"rotate": 10.0, "scale": 0.1, "stretch": 0.1, "shear": 5.0, "translate": 0.07}
    return settings, f"{what}: small turns, moves, slants and sizes, never mirrored; {_told(seen)}"


def _photo(side: int, samples: int, seen: Looks) -> tuple[dict[str, Any], str]:
    why = f"photographs: mirrored (augment.flip=false where left and right matter) and moved; {_told(seen)}"
    if side < LARGE:
        return {"flip": True, "shift": max(1, round(side / 16))}, why
    settings: dict[str, Any] = {"flip": True, "scale_crop": (side, round(side * 1.3))}
    if samples < FEW:
        settings |= {"brightness": 0.2, "contrast": 0.2} | ({"saturation": 0.2} if seen.colourful >= 0.1 else {})
        why += f"; only {samples:,}, so the light is changed too"
    return settings, why


def _told(seen: Looks) -> str:
    return (
        f"{seen.colourful:.0%} of the images have colours, {seen.plain_border:.0%} a plain border, "
        f"{seen.two_tone:.0%} of the pixels are near black or white"
    )
