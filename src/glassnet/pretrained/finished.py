"""A network with somebody else's weights as a finished model, without any training of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from glassnet import zoo
from glassnet.data.image_schema import ImageSchema
from glassnet.data.preprocess import Normalise
from glassnet.errors import ModelError, UsageError
from glassnet.model import Model
from glassnet.pretrained.matching import load_into
from glassnet.pretrained.reading import read_weights


def model_from(
    path: str | Path,
    net: str,
    *,
    classes: Sequence[str],
    image_size: int | tuple[int, int],
    mean: Sequence[float] = (0.0,),
    std: Sequence[float] = (1.0,),
    scale: float = 255.0,
    options: Mapping[str, object] | None = None,
) -> Model:
    """A model of images from a file of weights, ready to predict, to be measured and to be saved.

    A pixel x in 0…255 reaches the network as (x / scale − mean) / std. MobileNet's x/128 − 1 is ``scale=128, mean=(1,)``.

    Args:
        path: the file; see :func:`glassnet.pretrained.reading.read_weights`.
        net: a name of the zoo.
        classes: their names in the order of the file's outputs.
        image_size: side in pixels, or (height, width), to which images are brought.
        mean: one number, or one for each channel.
        std: likewise, positive.
        scale: what pixels are divided by first.
        options: of the net.

    Example:
        ``model_from("resnet20.th", "resnet20", classes=names, image_size=32, mean=(.485, .456, .406),
        std=(.229, .224, .225)).save(Path("resnet20"))`` writes a folder that ``glassnet predict resnet20 FILES`` reads.

    Raises:
        ModelError: the file cannot be read, or its weights do not fit the network; its head must have one output a class.
        UsageError: an unknown net or option, or a mean and a deviation that no image can have.
    """
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    _check(mean, std, scale)
    weights = read_weights(path)
    channels = 3
    shape = (channels, height, width)
    made = zoo.build(net, shape, len(classes), options, seed=0)
    loaded = load_into(made, weights)
    if loaded.left:
        raise ModelError(
            "the head of this file does not fit the classes",
            where=weights.path,
            got=f"{len(classes):,} names of classes; {loaded.why}",
            expected="one name for each output of the file's network",
        )
    each_channel = [
        torch.tensor(tuple(values)).reshape(-1, 1, 1).expand(channels, 1, 1).clone() for values in (mean, std)
    ]
    return Model(
        net=made.eval(),
        net_json={"zoo": net, "shape": list(shape), "outputs": len(classes), "options": dict(options or {})},
        preprocess=Normalise("fixed", scale, each_channel[0], each_channel[1], shape),
        schema=ImageSchema(*shape),
        task="classes",
        classes=tuple(classes),
        outputs=("class",),
        card={"pretrained": loaded.sentence()},
    )


def _check(mean: Sequence[float], std: Sequence[float], scale: float) -> None:
    if len(mean) not in (1, 3) or len(std) not in (1, 3) or min(std) <= 0 or scale <= 0:
        raise UsageError(
            "images cannot be normalised so",
            where="mean, std, scale",
            got=f"mean {tuple(mean)}, std {tuple(std)}, scale {scale:g}",
            expected="one number or three for mean and std; std and scale above 0",
        )
