"""An input that excites a unit of any layer, found by climbing (requirement V3); for images of any size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from glassnet.errors import UsageError
from glassnet.explain.layers import layers
from glassnet.explain.looking import looking, tapped
from glassnet.explain.subject import Array, Inputs, Subject, array, subject
from glassnet.layer_table.trace import trace
from glassnet.model import Model

STARTS = 4  # a unit behind a ReLU may be silent at one start and not at another
LR = 0.05
TURN, ZOOM = 5.0, 0.05  # degrees, share of the size


@dataclass(frozen=True)
class Maximised:
    """Pictures that excite units.

    Attributes:
        layer: the layer; ``output`` for classes.
        units: what each picture is for: names of classes, or ``unit 3``.
        images: (units, channels, height, width), 0…1, as they are drawn.
        x: the same as the network reads them.
        reached: the unit's value for its picture (units,).
        started: its value for the grey picture at the start (units,).
    """

    layer: str
    units: tuple[str, ...]
    images: Array
    x: Array
    reached: Array
    started: Array


def maximise(
    model: Model | nn.Module,
    inputs: Inputs,
    units: list[int] | None = None,
    *,
    layer: str | None = None,
    whole_map: bool = False,
    steps: int = 128,
    smoothness: float = 0.05,
    seed: int = 0,
) -> Maximised:
    """Climb the value of each unit from grey noise.

    The picture is sigmoid(Σ waves), its waves of frequency f weighted by 1/f so that all scales move alike (Olah, Mordvintsev, Schubert,
    "Feature visualization", 2017); at each step it is shifted by up to a sixteenth of what the unit sees, turned by up to 5° and zoomed by up to 5 %
    (robustness to these is what keeps high-frequency noise away; in the last quarter of the climb this fades out), and its total variation is a penalty (Mahendran and Vedaldi 2015,
    section 3). The best of four starts is kept.

    Args:
        model: a model of Glassnet or any module that reads images.
        inputs: one image or more. A model takes only their size from them, a module also the range of numbers it reads.
        units: outputs, or channels of the layer; None takes the first ten.
        layer: a module's name; None climbs the outputs.
        whole_map: climb the mean over a channel's positions instead of its middle one; shows textures rather than shapes.
        steps: of Adam.
        smoothness: weight of the total variation, relative to the spread of the unit at the starts.
        seed: of starts and shifts.

    Raises:
        UsageError: no images, or no such layer or unit.
    """
    about = subject(model, inputs)
    if not about.is_image:
        raise UsageError(
            "activation maximisation is for images",
            got=f"inputs of shape {tuple(about.x.shape[1:])}",
            expected="each of (channels, height, width)",
        )
    size = tuple(about.x.shape[1:]) if about.model is None else tuple(about.raw.shape[1:])
    generator = torch.Generator().manual_seed(seed)
    reach = 2 / 16 * _seen(about, layer)  # in grid_sample's units, where an image is 2 wide
    with looking(about.net), torch.enable_grad():
        count = _value(about, about.x[:1], layer, None, whole_map).shape[1]
        wanted = list(range(min(10, count))) if units is None else list(units)
        if not wanted or any(not 0 <= unit < count for unit in wanted):
            raise UsageError("no such unit", where=layer or "output", got=wanted, expected=f"0 to {count - 1}")
        index = torch.tensor([unit for unit in wanted for _ in range(STARTS)], device=about.x.device)
        weight = _weights(size[1], size[2]).to(about.x.device)
        waves = 0.02 * torch.randn((len(index), size[0], *weight.shape, 2), generator=generator)
        waves = waves.to(about.x.device).requires_grad_(True)
        with torch.no_grad():
            first = _value(about, _prepared(about, _drawn(waves, weight, size)), layer, index, whole_map)
        scale = float(first.std()) if float(first.std()) > 1e-6 else 1.0
        optimizer = torch.optim.Adam([waves], lr=LR)
        for step in range(steps):
            image = _drawn(waves, weight, size)
            value = _value(
                about,
                _prepared(about, _shaken(image, generator, reach, min(1.0, 4 * (1 - step / steps)))),
                layer,
                index,
                whole_map,
            )
            loss = (smoothness * scale * _variation(image) - value).sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            image = _drawn(waves, weight, size)
            x = _prepared(about, image)
            reached = _value(about, x, layer, index, whole_map).reshape(-1, STARTS)
    best = reached.argmax(1)
    rows = torch.arange(len(wanted), device=best.device) * STARTS + best
    told = tuple(about.output_name(unit) if layer is None else f"unit {unit}" for unit in wanted)
    return Maximised(
        layer or "output",
        told,
        array(image[rows]),
        array(x[rows]),
        array(reached.amax(1)),
        array(first.reshape(-1, STARTS).mean(1)),
    )


def _seen(about: Subject, layer: str | None) -> float:
    """Share of the image's width that a unit of the layer sees; 1 for outputs and where it is not known."""
    if layer is None:
        return 1.0
    calls = trace(about.net, tuple(about.x.shape[1:]), about.x.dtype).calls
    widths = [call.sees.axes[-1].width for call in calls if call.path == layer and call.sees is not None]
    return min(1.0, widths[0] / about.x.shape[3]) if widths else 1.0


def _value(about: Subject, x: Tensor, layer: str | None, index: Tensor | None, whole_map: bool) -> Tensor:
    """Each row's unit (batch,), or all units (batch, units) where no index is given."""
    if layer is None:
        out = about.answer(x)
    else:
        with tapped(about.net, layers(about.net, [layer])) as seen:
            about.net(x)
        out = next(iter(seen.values()))
        if out.ndim > 2:
            out = out.flatten(2)  # (batch, channels, positions)
            if whole_map:
                out = out.mean(2)
            else:
                height, width = next(iter(seen.values())).shape[2], next(iter(seen.values())).shape[-1]
                middle = (height // 2) * width + width // 2 if out.shape[2] == height * width else out.shape[2] // 2
                out = out[:, :, middle]
    return out if index is None else out.gather(1, index[:, None])[:, 0]


def _weights(height: int, width: int) -> Tensor:
    """1/frequency of each wave of a real Fourier transform, the slowest as 1/(longest side)."""
    frequency = (torch.fft.fftfreq(height)[:, None].square() + torch.fft.rfftfreq(width)[None].square()).sqrt()
    return torch.reciprocal(frequency.clamp_min(1 / max(height, width)))


def _drawn(waves: Tensor, weight: Tensor, size: tuple[int, ...]) -> Tensor:
    """Images of numbers 0…1 (batch, channels, height, width)."""
    spectrum = torch.view_as_complex(waves) * weight
    flat: Tensor = torch.fft.irfft2(spectrum, s=(size[1], size[2]), norm="ortho")
    return torch.sigmoid(flat)


def _prepared(about: Subject, image: Tensor) -> Tensor:
    if about.model is not None:
        made: Tensor = about.model.preprocess(image * 255 if about.raw.dtype == torch.uint8 else image)
        return made
    low, high = about.x.amin(), about.x.amax()
    if not float(high) > float(low):
        low, high = low - 1, high + 1
    return low + (high - low) * image


def _shaken(image: Tensor, generator: torch.Generator, reach: float, amount: float) -> Tensor:
    """The batch shifted, turned and zoomed a little, each image by its own share of ``amount``, 0 to 1."""
    count = len(image)
    drawn = amount * (2 * torch.rand((4, count), generator=generator) - 1).to(image)
    angle, zoom = drawn[0] * TURN * torch.pi / 180, 1 + ZOOM * drawn[1]
    rows = torch.stack((zoom * angle.cos(), -angle.sin(), reach * drawn[2]), 1)
    other = torch.stack((angle.sin(), zoom * angle.cos(), reach * drawn[3]), 1)
    grid = affine_grid(torch.stack((rows, other), 1), list(image.shape), align_corners=False)
    return grid_sample(image, grid, padding_mode="reflection", align_corners=False)


def _variation(image: Tensor) -> Tensor:
    """Mean absolute difference of neighbours, times the side so that it does not depend on the resolution (batch,)."""
    down = image.diff(dim=2).abs().flatten(1)
    right = image.diff(dim=3).abs().flatten(1)
    total: Tensor = (down.sum(1) + right.sum(1)) / image[0].numel()
    return total * min(image.shape[2:])
