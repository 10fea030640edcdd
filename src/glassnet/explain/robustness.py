"""How the accuracy falls when images are disturbed, and how far layers move with a shift (requirement V5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from glassnet.errors import UsageError
from glassnet.explain.layers import layers, spatial
from glassnet.explain.looking import looking, tapped
from glassnet.explain.subject import Array, Inputs, Subject, array, subject
from glassnet.layer_table.trace import trace
from glassnet.model import Model

SEVERITIES: dict[str, tuple[float, ...]] = {
    "noise": (0, 0.05, 0.1, 0.2, 0.3, 0.5),
    "shift": (0, 0.05, 0.1, 0.15, 0.2, 0.3),
    "rotation": (0, 10, 20, 30, 45, 60, 90),
    "scale": (0.5, 0.7, 0.85, 1, 1.2, 1.5, 2),
}
UNITS = {
    "noise": "noise / range of the pixels",
    "shift": "shift / side of the image",
    "rotation": "degrees",
    "scale": "size / size in the data",
}
AT_ONCE = 250


@dataclass(frozen=True)
class Robustness:
    """Accuracy under one disturbance.

    Attributes:
        kind: ``noise``, ``shift``, ``rotation`` or ``scale``.
        unit: of the severities.
        severities: as given.
        accuracy: share that is right at each severity.
        samples: images looked at.
    """

    kind: str
    unit: str
    severities: tuple[float, ...]
    accuracy: tuple[float, ...]
    samples: int


@dataclass(frozen=True)
class Equivariance:
    """How each layer follows a shift of the image.

    Attributes:
        layers: names, in the order of the forward pass.
        strides: pixels of the image for one pixel of the layer's maps.
        shifts: pixels by which the image was shifted.
        errors: (layers, shifts): ‖f(shifted x) − shifted f(x)‖ / ‖f(x)‖ away from the border; 0 where the maps move exactly with the image,
            about 1.4 where they have nothing to do with each other.
        kept: (shifts,) share of images whose most probable class stays the same.
    """

    layers: tuple[str, ...]
    strides: tuple[float, ...]
    shifts: tuple[int, ...]
    errors: Array
    kept: Array


def robustness(
    model: Model | nn.Module,
    inputs: Inputs,
    targets: Tensor,
    kinds: tuple[str, ...] = tuple(SEVERITIES),
    *,
    limit: int = 500,
    seed: int = 0,
) -> list[Robustness]:
    """Accuracy against noise, shift, rotation and scale.

    Images are disturbed as they came, before preprocessing, and cut to their range; what comes in from outside repeats the border. A shift goes
    in a direction of its own for each image, a rotation either way.

    Args:
        model: a model of Glassnet or any module that reads images.
        inputs: images.
        targets: class indices.
        kinds: some of ``SEVERITIES``.
        limit: at most so many images, evenly spread.
        seed: of noise and directions.

    Raises:
        UsageError: no images, an unknown kind, or other numbers of targets than inputs.
    """
    about = subject(model, inputs)
    if not about.is_image:
        raise UsageError(
            "robustness curves are for images",
            got=f"inputs of shape {tuple(about.x.shape[1:])}",
            expected="each of (channels, height, width)",
        )
    if len(targets) != len(about.x):
        raise UsageError("the targets do not match the inputs", got=len(targets), expected=len(about.x))
    unknown_kinds = [kind for kind in kinds if kind not in SEVERITIES]
    if unknown_kinds:
        raise UsageError("no such disturbance", got=", ".join(unknown_kinds), expected=", ".join(SEVERITIES))
    taken = torch.arange(min(limit, len(about.x))) * len(about.x) // min(limit, len(about.x))
    raw, wanted = (about.raw if about.model is not None else about.x.cpu())[taken], targets[taken].cpu()
    told = []
    with looking(about.net), torch.no_grad():
        for kind in kinds:
            right = [_right(about, disturbed(raw, kind, level, seed), wanted) for level in SEVERITIES[kind]]
            told.append(Robustness(kind, UNITS[kind], SEVERITIES[kind], tuple(right), len(raw)))
    return told


def disturbed(images: Tensor, kind: str, severity: float, seed: int = 0) -> Tensor:
    """Images (batch, channels, height, width) with one disturbance, in their own type and range."""
    if severity == (1 if kind == "scale" else 0):
        return images.clone()
    generator = torch.Generator().manual_seed(seed)
    values = images.float()
    low, high = (0.0, 255.0) if images.dtype == torch.uint8 else (float(values.min()), float(values.max()))
    count = len(images)
    if kind == "noise":
        values = values + severity * (high - low) * torch.randn(values.shape, generator=generator)
    else:
        turn = 2 * math.pi * torch.rand(count, generator=generator)
        side = torch.where(turn < math.pi, 1.0, -1.0)
        matrix = torch.zeros(count, 2, 3)
        matrix[:, 0, 0] = matrix[:, 1, 1] = 1
        if kind == "shift":
            matrix[:, 0, 2], matrix[:, 1, 2] = 2 * severity * turn.cos(), 2 * severity * turn.sin()
        elif kind == "scale":
            matrix /= severity
        else:
            angle, ratio = side * severity * math.pi / 180, images.shape[2] / images.shape[3]
            matrix[:, 0, 0] = matrix[:, 1, 1] = angle.cos()
            matrix[:, 0, 1], matrix[:, 1, 0] = -angle.sin() * ratio, angle.sin() / ratio
        grid = affine_grid(matrix, list(images.shape), align_corners=False)
        values = grid_sample(values, grid, padding_mode="border", align_corners=False)
    values = values.clamp(low, high)
    return values.round().to(torch.uint8) if images.dtype == torch.uint8 else values.to(images.dtype)


def equivariance(
    model: Model | nn.Module, inputs: Inputs, shifts: tuple[int, ...] = (1, 2, 3, 4), *, limit: int = 64
) -> Equivariance:
    """Measure whether maps move with the image: convolution promises it, strides and pooling break it, padding disturbs the border.

    Args:
        model: a model of Glassnet or any module that reads images.
        inputs: images.
        shifts: to the right, in pixels; the left edge repeats its first column.
        limit: at most so many images.

    Raises:
        UsageError: no images, or no layer has maps.
    """
    about = subject(model, inputs, limit)
    if not about.is_image:
        raise UsageError(
            "equivariance to shifts is for images",
            got=f"inputs of shape {tuple(about.x.shape[1:])}",
            expected="each of (channels, height, width)",
        )
    chosen = layers(about.net)
    jumps = _strides(about)
    with looking(about.net), torch.no_grad():
        with tapped(about.net, chosen) as still:
            said = about.answer(about.x).argmax(1)
        names = spatial(still)
        if not names:
            raise UsageError("no layer of this network has maps", expected="a convolutional network")
        strides = tuple(jumps.get(name, about.x.shape[3] / still[name].shape[3]) for name in names)
        errors, kept = torch.full((len(names), len(shifts)), torch.nan), torch.zeros(len(shifts))
        for column, shift in enumerate(shifts):
            with tapped(about.net, chosen) as moved:
                kept[column] = (about.answer(moved_right(about.x, shift)).argmax(1) == said).float().mean()
            for row, name in enumerate(names):
                errors[row, column] = _error(still[name], moved[name], shift / strides[row])
    return Equivariance(tuple(names), strides, tuple(shifts), array(errors), array(kept))


def moved_right(maps: Tensor, shift: float) -> Tensor:
    """Maps (batch, channels, height, width) moved by so many pixels, fractions by linear interpolation; the first column is repeated."""
    whole, part = math.floor(shift), shift - math.floor(shift)
    columns = torch.arange(maps.shape[3], device=maps.device)
    one = maps[..., (columns - whole).clamp_min(0)]
    return one if part == 0 else (1 - part) * one + part * maps[..., (columns - whole - 1).clamp_min(0)]


def _strides(about: Subject) -> dict[str, float]:
    """Pixels of the image for one pixel to the right in each layer's maps, followed through every operation."""
    calls = trace(about.net, tuple(about.x.shape[1:]), about.x.dtype).calls
    told = ((call.path, call.sees.axes[-1].jump) for call in calls if call.sees is not None and not call.function)
    return {path: float(jump) for path, jump in told if jump > 0}


def _error(still: Tensor, moved: Tensor, shift: float) -> float:
    edge = math.ceil(shift) + still.shape[3] // 8  # what came in from outside, and what padding touched
    inner = slice(edge, still.shape[3] - still.shape[3] // 8)
    expected = moved_right(still, shift)[..., inner]
    if expected.numel() == 0:
        return math.nan
    size = float(expected.norm())
    return float((moved[..., inner] - expected).norm()) / size if size > 0 else math.nan


def _right(about: Subject, images: Tensor, targets: Tensor) -> float:
    right = 0
    for batch, wanted in zip(torch.split(images, AT_ONCE), torch.split(targets, AT_ONCE), strict=True):
        x = batch.to(about.x.device)
        x = x if about.model is None else about.model.preprocess(x)
        right += int((about.answer(x).argmax(1).cpu() == wanted).sum())
    return right / max(len(images), 1)
