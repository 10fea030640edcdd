"""From the settings of a recipe to the augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from glassnet.data.augment.affine import Affine, ScaleCrop
from glassnet.data.augment.augment import Augment
from glassnet.data.augment.border import Border
from glassnet.data.augment.colour import ColourJitter, PcaNoise, imagenet_colours, principal_colours
from glassnet.data.augment.compose import Compose
from glassnet.data.augment.crop import Crop
from glassnet.data.augment.cutout import Cutout
from glassnet.data.augment.elastic import Elastic
from glassnet.data.augment.flip import Flip
from glassnet.data.augment.looks import look
from glassnet.data.augment.noise import Noise
from glassnet.data.augment.settings import is_on, mistakes
from glassnet.data.augment.signal import SignalShift, SignalStretch
from glassnet.data.augment.sound import SoundNoise, TimeShift
from glassnet.data.augment.warp import Warp
from glassnet.data.augment.word_dropout import WordDropout
from glassnet.errors import all_at_once

SIGMA_SHARE = 4 / 28  # Simard's smoothness, 4 pixels on digits of 29, as a share of the side


def build_augment(
    settings: Mapping[str, Any], *, shape: tuple[int, ...], kind: str, sample: Tensor | None = None
) -> Augment | None:
    """The augmentation that a recipe asks for.

    The order is fixed: mirror, bend (one resampling), shift, colours, noise, blank square.

    Args:
        settings: values by the names in ``AUGMENTATIONS``; what is missing, None, zero or false is off.
        shape: shape of one raw sample: (channels, height, width) or, for signals, (channels, time).
        kind: of the data, such as ``image``. Arrays have no range of 0 to 255: their noise is relative and nothing is clamped.
        sample: some raw training images. From them come the principal colours (else ImageNet's), and what stands beyond the border:
            the colour of the ground for glyphs, the reflection for photographs (else grey images count as glyphs on a dark ground).

    Returns:
        The augmentation, or None when the settings ask for nothing.

    Raises:
        UsageError: unknown names (with the nearest spelling), wrong values, and what cannot be done on such data, all at once.
    """
    found = mistakes(settings, shape, kind)
    if found:
        raise all_at_once(found)
    on = {name: value for name, value in settings.items() if is_on(name, value)}
    if not on:
        return None
    if kind == "text":
        parts: list[Augment] = [WordDropout(float(on["word_dropout"]))]
    elif kind == "sound":
        parts = [SoundNoise(on["noise"])] if "noise" in on else []
        parts += [TimeShift(on["translate"])] if "translate" in on else []  # last, because it makes the batch longer
    elif len(shape) == 2:
        parts = _for_signals(on)
    else:
        sigma = float(settings.get("elastic_sigma") or SIGMA_SHARE * min(shape[1:]))
        parts = _for_images(on, shape, kind, sigma, sample)
    return parts[0] if len(parts) == 1 else Compose(parts)


def _for_signals(on: Mapping[str, Any]) -> list[Augment]:
    parts: list[Augment] = []
    if "stretch" in on:
        parts.append(SignalStretch(on["stretch"]))
    if "shift" in on:
        parts.append(SignalShift(int(on["shift"])))
    if "noise" in on:
        parts.append(Noise(on["noise"], relative=True))
    return parts


def _for_images(
    on: Mapping[str, Any], shape: tuple[int, ...], kind: str, sigma: float, sample: Tensor | None
) -> list[Augment]:
    border = border_of(shape, sample)
    moves = _some(on, "rotate", "scale", "shear", "stretch", "translate")
    jitter = _some(on, "brightness", "contrast", "saturation", "hue")
    affine = Affine(**moves) if moves else None
    crop = ScaleCrop(*on["scale_crop"]) if "scale_crop" in on else None
    elastic = Elastic(on["elastic"], sigma) if "elastic" in on else None
    parts: list[Augment] = []
    if "flip" in on:
        parts.append(Flip())
    if affine or crop or elastic:
        parts.append(Warp(affine, crop, elastic, border))
    if "shift" in on:
        parts.append(Crop(int(on["shift"]), border))
    if jitter:
        parts.append(ColourJitter(**jitter))
    if "pca_noise" in on:
        parts.append(PcaNoise(on["pca_noise"], *(imagenet_colours() if sample is None else principal_colours(sample))))
    if "noise" in on:
        parts.append(Noise(on["noise"], relative=kind != "image"))
    if "cutout" in on:
        parts.append(Cutout(int(on["cutout"]), border))
    return parts


def _some(on: Mapping[str, Any], *names: str) -> dict[str, float]:
    return {name: float(on[name]) for name in names if name in on}


def border_of(shape: tuple[int, ...], sample: Tensor | None) -> Border:
    """What stands beyond the edge of such images, judged by some of them."""
    if sample is None:
        return "dark" if shape[0] == 1 else "reflect"
    seen = look(sample)
    if seen.kind == "photo":
        return "reflect"
    return "bright" if seen.bright_ground > 0.5 else "dark"
