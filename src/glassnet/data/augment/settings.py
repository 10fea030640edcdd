"""What can be asked of the augmentation: the literal table of settings, and the check of what a user gave."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from glassnet.data.kinds import KINDS
from glassnet.errors import GlassnetError, UsageError, unknown

Form = Literal["switch", "count", "number", "range"]
SIZES = {1: "signals", 2: "images"}  # by the number of dimensions besides channels


@dataclass(frozen=True)
class Setting:
    """One row of the table.

    Attributes:
        form: a ``switch`` (true or false), a ``count`` (whole number), a ``number``, or a ``range`` (two numbers).
        most: largest value; the smallest is 0, which means off.
        unit: what the number counts.
        says: what it does, for help texts.
        signals: whether it works on signals (channels, time) too.
        colours: whether it needs three channels.
        levels: whether it needs images with values from 0 to 255.
        texts: whether it works on texts, and on them alone.
        sounds: whether it works on sounds too.
    """

    form: Form
    most: float
    unit: str
    says: str
    signals: bool = False
    colours: bool = False
    levels: bool = False
    texts: bool = False
    sounds: bool = False


AUGMENTATIONS: dict[str, Setting] = {
    "flip": Setting("switch", 1, "", "mirror left and right, one image in two"),
    "shift": Setting("count", math.inf, "pixels", "random crop after padding by this much", signals=True),
    "rotate": Setting("number", 180, "degrees", "turn by up to this angle either way"),
    "scale": Setting("number", 0.9, "fraction", "shrink or enlarge by up to this share"),
    "shear": Setting("number", 80, "degrees", "slant by up to this angle either way"),
    "stretch": Setting("number", 0.9, "fraction", "change the aspect, or a signal's speed", signals=True),
    "translate": Setting(
        "number", 1, "fraction of the side", "move by up to this share of width and height", sounds=True
    ),
    "elastic": Setting("number", math.inf, "pixels", "elastic distortion, alpha of Simard et al. (34 in the paper)"),
    "elastic_sigma": Setting("number", math.inf, "pixels", "smoothness of the elastic distortion (4 for a side of 28)"),
    "scale_crop": Setting("range", math.inf, "pixels", "bring the shorter side to a length in this range, then crop"),
    "brightness": Setting("number", 1, "fraction", "brightness times 1 ± this share", levels=True),
    "contrast": Setting("number", 1, "fraction", "contrast times 1 ± this share", levels=True),
    "saturation": Setting("number", 1, "fraction", "saturation times 1 ± this share", colours=True, levels=True),
    "hue": Setting("number", 0.5, "turns", "turn the hue by up to this share of the circle", colours=True, levels=True),
    "pca_noise": Setting("number", 10, "std", "AlexNet's colour noise (0.1 in the paper)", colours=True, levels=True),
    "noise": Setting("number", 10, "std", "Gaussian noise, in units of the full range", signals=True, sounds=True),
    "word_dropout": Setting("number", 1, "fraction", "make this share of a text's words unknown", texts=True),
    "cutout": Setting("count", math.inf, "pixels", "blank out a square of this side"),
}


def mistakes(settings: Mapping[str, Any], shape: tuple[int, ...], kind: str) -> list[GlassnetError]:
    """Everything that is wrong with the settings for samples of this shape: unknown names, values, and what does not fit the data."""
    found: list[GlassnetError] = []
    for name, value in settings.items():
        where = f"augment.{name}"
        if name not in AUGMENTATIONS:
            found.append(unknown("augmentation", name, AUGMENTATIONS, where=where))
            continue
        wrong = value_mistake(name, value)
        if wrong is not None:
            found.append(UsageError(f"this value does not suit '{name}'", where=where, got=repr(value), expected=wrong))
        elif is_on(name, value):
            problem = misfit(name, value, shape, kind)
            if problem is not None:
                found.append(problem)
    return found


def is_on(name: str, value: Any) -> bool:
    """Whether a well-formed value asks for a change. The smoothness alone does not."""
    return value is not None and name != "elastic_sigma" and (isinstance(value, list | tuple) or bool(value))


def value_mistake(name: str, value: Any) -> str | None:
    """What would have been right, or None. None as a value means that nothing was set; false switches anything off."""
    row = AUGMENTATIONS[name]
    if value is None or value is False:
        return None
    if row.form == "switch":
        return None if value is True or (is_number(value) and value in (0, 1)) else "true or false"
    unit = f" ({row.unit})"
    top = "" if row.most == math.inf else f" to {row.most:g}"
    if row.form == "range":
        fits = isinstance(value, list | tuple) and len(value) == 2 and all(is_number(v) and v > 0 for v in value)
        return None if fits and value[0] <= value[1] else f"two numbers{unit}, the smaller first"
    if not is_number(value) or not 0 <= value <= row.most or (row.form == "count" and value != int(value)):
        what = "a whole number" if row.form == "count" else "a number"
        return f"{what} from 0{top or ' up'}{unit}"
    if name == "elastic_sigma" and value == 0:
        return f"a number above 0{unit}"
    return None


def is_number(value: Any) -> bool:
    """A finite number that is not a switch."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def misfit(name: str, value: Any, shape: tuple[int, ...], kind: str) -> UsageError | None:
    """The error for a setting that samples of this kind and shape do not allow, or None."""
    row, where = AUGMENTATIONS[name], f"augment.{name}"
    sizes = shape[1:]
    if row.texts or kind == "text":
        if row.texts and kind == "text":
            return None
        what = "'word_dropout' is for texts alone" if row.texts else f"'{name}' cannot be done on texts"
        return UsageError(what, where=where, fix=f"leave {where} out")
    if kind == "sound":
        if row.sounds:
            return None
        can = ", ".join(key for key, entry in AUGMENTATIONS.items() if entry.sounds)
        return UsageError(f"'{name}' cannot be done on sounds", where=where, expected=f"one of {can}")
    if not KINDS[kind].places:
        return UsageError(f"'{name}' cannot be done on {KINDS[kind].sample}s", where=where, fix=f"leave {where} out")
    if kind == "table" or len(sizes) not in SIZES:
        what = "tables" if kind == "table" else f"samples of shape {shape}"
        return UsageError(f"'{name}' cannot be done on {what}", where=where, fix=f"leave {where} out")
    if len(sizes) == 1 and not row.signals:
        can = ", ".join(key for key, entry in AUGMENTATIONS.items() if entry.signals)
        return UsageError(f"'{name}' is for images, these are signals", where=where, expected=f"one of {can}")
    if row.levels and kind != "image":
        return UsageError(
            f"'{name}' needs images, these are arrays without a range of 0 to 255",
            where=where,
            fix=f"leave {where} out",
        )
    if row.colours and shape[0] != 3:
        return UsageError(
            f"'{name}' changes colours, these images have none",
            where=where,
            got=f"{shape[0]} channels",
            expected="3 channels",
        )
    side = min(sizes)
    if row.form == "count" and value >= side:
        return UsageError(f"'{name}' is larger than the samples", where=where, got=value, expected=f"less than {side}")
    if row.form == "range" and value[0] < side:
        return UsageError(
            f"'{name}' would make images smaller than what is cut from them", where=where, got=list(value),
            expected=f"numbers of pixels from {side}, the shorter side, up", fix=f"try {where}=[{side}, {round(side * 1.3)}]",
        )  # fmt: skip
    return None
