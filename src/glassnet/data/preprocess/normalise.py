"""Scaling, subtracting a mean and dividing by a spread: everything that keeps each number in its place."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Source
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.moments import mean_and_variance
from glassnet.errors import UsageError

# (mean, std) of pixels in 0…1 that published networks of photographs were trained with.
FIXED: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "centred": ((0.5,), (0.5,)),
}


class Normalise(Preprocess):
    """``y = (x / scale − mean) / std`` with ``mean`` and ``std`` for the whole input, for each channel or for each number.

    Args:
        name: the name it was fitted under.
        scale: 255 for images, 1 for other data.
        mean: broadcastable to one input.
        std: likewise, positive.
        input_shape: of one raw input.
    """

    alike_in_any_batch = True
    mean: Tensor
    std: Tensor

    def __init__(self, name: str, scale: float, mean: Tensor, std: Tensor, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.name, self.scale = name, scale
        self.input_shape = self.output_shape = tuple(input_shape)
        self.register_buffer("mean", mean.to(torch.float32))
        self.register_buffer("std", std.to(torch.float32))

    def forward(self, raw: Tensor) -> Tensor:
        """(batch, *shape) to float32 of the same shape."""
        if raw.dtype == self.mean.dtype:
            scaled = raw if self.scale == 1 else raw / self.scale
            return (scaled - self.mean).div_(self.std)
        # The copy that changes the type belongs to nobody else.
        return raw.to(self.mean.dtype).div_(self.scale).sub_(self.mean).div_(self.std)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "form": "normalise",
            "name": self.name,
            "scale": self.scale,
            "input_shape": list(self.input_shape),
            "statistics_shape": list(self.mean.shape),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Normalise:
        """The module that :meth:`to_json` described, with neutral buffers."""
        shape = values["statistics_shape"]
        return cls(values["name"], values["scale"], torch.zeros(shape), torch.ones(shape), tuple(values["input_shape"]))


def fit_normalise(name: str, source: Source, shape: tuple[int, ...], scale: float) -> Normalise:
    """Fit on the training inputs.

    Args:
        name: ``none`` scales only. ``mean-image`` subtracts the mean of each number (Krizhevsky, Sutskever and Hinton 2012, section
            2). ``channel-mean`` subtracts the mean of each channel (Simonyan and Zisserman 2015, section 2.1). ``standardise`` also divides
            by the standard deviation: of each channel where an input has channels and positions, otherwise of each number.
        source: the training inputs.
        shape: of one input, (channels, height, width) or any other.
        scale: what to divide by first.

    A number that is constant over the training part is divided by 1.
    """
    each = name == "mean-image" or len(shape) < 2
    if name == "none":
        return Normalise(name, scale, torch.zeros(()), torch.ones(()), shape)
    dims = (0,) if each else (0, *range(2, len(shape) + 1))
    mean, variance = mean_and_variance(source, shape, dims)
    mean, std = mean / scale, variance.sqrt() / scale
    if name != "standardise":
        return Normalise(name, scale, mean, torch.ones(()).expand(mean.shape).clone(), shape)
    return Normalise(name, scale, mean, positive(std, mean), shape)


def positive(std: Tensor, mean: Tensor) -> Tensor:
    """Spreads to divide by: 1 where a spread is nothing but rounding beside its mean."""
    return torch.where(std > 1e-7 * mean.abs().clamp_min(1e-30), std, torch.ones_like(std))


def fixed_normalise(name: str, shape: tuple[int, ...], scale: float) -> Normalise:
    """What published networks expect, whatever the data at hand: nothing is fitted.

    Args:
        name: ``imagenet`` subtracts the means of ImageNet's three colours and divides by their deviations, as torchvision's and most of
            timm's files expect it. ``centred`` brings pixels to −1…1, as Inception and MobileNet expect it.
        shape: of one input, (channels, height, width).
        scale: what to divide by first.

    Raises:
        UsageError: the means are of three colours and the images have another number of channels.
    """
    mean, std = FIXED[name]
    if len(mean) not in (1, shape[0]):
        raise UsageError(
            f"the preprocessing '{name}' is for colour images",
            where="preprocess.name",
            got=f"{shape[0]} channels",
            expected=f"{len(mean)} channels",
        )
    each = [torch.tensor(values).reshape(-1, 1, 1).expand(shape[0], 1, 1).clone() for values in (mean, std)]
    return Normalise(name, scale, each[0], each[1], shape)
