"""Test-time augmentation: a model that looks at several versions of each image (requirement D4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from glassnet.combined import ManyViews, Member, Views
from glassnet.combined.views import D4_SCALES
from glassnet.data.image_schema import ImageSchema
from glassnet.data.preprocess import AsIs, TargetScale
from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown
from glassnet.joining import member_json
from glassnet.model import Model

BIG = 200  # pixels; of images this large several scales are worth looking at


def many_views(model: Model, views: Views | str | None = None) -> Model:
    """The same model, answering with the mean over several views of each image; it is used and saved like any other.

    Example:
        ``glassnet.many_views(glassnet.load("runs/photos-1")).predict("cat.jpg")``

    Args:
        model: any model of images, ensembles included.
        views: what is looked at, or as text, see :func:`views_from`; without it what the training's augmentation declared harmless.

    Raises:
        UsageError: the model is not one of images, no change of them is known to be harmless, or the views cannot be made.
    """
    if not isinstance(model.schema, ImageSchema):
        raise UsageError(
            "only images can be looked at in several ways",
            got=f"a model of {model.schema.kind} data",
            fix="ask the model as it is, without --tta, --views or many_views",
        )
    schema = model.schema
    size = (schema.height, schema.width)
    border = model.card.get("border", "dark" if schema.channels == 1 else "reflect")
    if isinstance(views, str):
        views = replace(views_from(views), border=border)
    elif views is None:
        views = replace(harmless(model.card.get("augment", {}), size), border=border)
        if views.count(size) == 1 and not views.scales:
            raise UsageError(
                "no change of these images is known to be harmless",
                where="--tta",
                got="the training's augmentation neither mirrored nor moved them",
                fix="name the views yourself, such as --views shift=1",
            )
    _check(views, size)
    member = Member(
        model.net, preprocess=model.preprocess, temperature=model.temperature, target_scale=model.target_scale
    )
    largest = max((size[0], *views.scales)) if views.scales else None
    return replace(
        model,
        net=ManyViews(member, views, size).eval(),
        net_json={
            "views": views.to_json(),
            "size": list(size),
            "of": member_json(model, prepared=True),
            "outputs": len(model.classes) or len(model.outputs),
        },
        preprocess=AsIs(schema.shape if largest is None else (schema.channels, largest, largest)),
        # Files are read as large as the largest view, so that enlarging shows what they hold.
        schema=schema if largest is None else ImageSchema(schema.channels, largest, largest),
        temperature=1.0,
        target_scale=None if model.target_scale is None else TargetScale.from_json({"outputs": len(model.outputs)}),
    )


def told(model: Model) -> str:
    """What a model of :func:`many_views` looks at, in words."""
    net = cast(ManyViews, model.net)
    return net.views.words(net.size)


def harmless(augment: Mapping[str, Any], size: tuple[int, int]) -> Views:
    """What the training's augmentation declared to change nothing about an image's class.

    Mirrored where it mirrored; moved by half as far as it moved (the mean of what it did); of photographs that it scaled and cropped,
    the corners and the centre at those of the scales 224, 256, 384, 480, 640 that it drew from. Letters and digits are not mirrored in
    training, and so not here.

    Args:
        augment: settings under the names of the recipe.
        size: (height, width) of the network's input.
    """
    shift = round(int(augment.get("shift") or 0) / 2 + 1e-9)
    if not shift:
        shift = int(float(augment.get("translate") or 0) * min(size) / 2 + 0.5)
    scales: tuple[int, ...] = ()
    if augment.get("scale_crop"):
        low, high = (int(side) for side in augment["scale_crop"])
        of_paper = [side for side in D4_SCALES if low <= side <= high] if min(size) >= BIG else []
        scales = tuple(sorted({min(size), *(of_paper or [round((low + high) / 2)])}))
        shift = 0  # the corners are moves enough
    return Views(flip=bool(augment.get("flip")), shift=shift, scales=scales)


def views_from(text: str) -> Views:
    """Views as typed: ``flip``, ``shift=2``, ``scales=224+256+384``, ``whole`` (no crops of enlarged images), joined by commas.

    ``d4`` stands for mirrored crops at the five scales of He et al. 2016.

    Raises:
        UsageError: what cannot be read so, all at once.
    """
    known = ("flip", "shift=PIXELS", "scales=SIDE+SIDE", "whole", "d4")
    made: dict[str, Any] = {}
    mistakes: list[GlassnetError] = []
    for word in text.replace(" ", ",").split(","):
        name, _, value = word.partition("=")
        try:
            match name:
                case "":
                    continue
                case "flip" if not value:
                    made["flip"] = True
                case "whole" if not value:
                    made["crops"] = False
                case "d4" if not value:
                    made |= {"flip": True, "scales": D4_SCALES}
                case "shift":
                    made["shift"] = int(value)
                case "scales":
                    made["scales"] = tuple(int(side) for side in value.split("+"))
                case _:
                    mistakes.append(unknown("view", word, known, where="--views"))
        except ValueError:
            mistakes.append(UsageError("wrong number of pixels", where="--views", got=word, expected=", ".join(known)))
    if mistakes:
        raise all_at_once(mistakes)
    if not made:
        raise UsageError("no views are named", where="--views", got=repr(text), expected=", ".join(known))
    return Views(**made)


def _check(views: Views, size: tuple[int, int]) -> None:
    small = [side for side in views.scales if side < max(size)]
    if views.crops and small:
        raise UsageError(
            "a scale is smaller than what the network reads",
            where="--views",
            got=", ".join(map(str, small)),
            expected=f"sides of {max(size)} pixels or more, or 'whole' for a network that takes any size",
        )
    if views.shift >= min(size):
        raise UsageError(
            "the images cannot be moved so far",
            where="--views",
            got=f"shift={views.shift}",
            expected=f"below {min(size)}",
        )
