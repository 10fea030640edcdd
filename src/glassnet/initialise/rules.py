"""The rules for starting weights by name, as the lectures and papers give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod, sqrt
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from glassnet.initialise.between_layers import between_layers
from glassnet.initialise.data_dependent import lsuv, within_layer


@dataclass(frozen=True, slots=True)
class Fans:
    """How many connections a unit has.

    Attributes:
        fan_in: into one output unit: inputs of a dense layer, in_channels / groups · kernel pixels of a convolution.
        fan_out: out of one input unit, counted alike.
    """

    fan_in: int
    fan_out: int


@dataclass(frozen=True, slots=True)
class Init:
    """A rule for starting weights.

    Attributes:
        formula: the rule in one line, n = fan_in, m = fan_out.
        fill: fills a weight tensor in place.
        adapt: for rules that look at data: ``adapt(net, inputs, generator, bias)`` goes on from the filled weights.
    """

    formula: str
    fill: Callable[[Tensor, Fans, torch.Generator | None], Tensor]
    adapt: Callable[[nn.Module, Tensor, torch.Generator | None, float], None] | None = None


INITS: Mapping[str, Init] = MappingProxyType(
    {
        "zero": Init("0; every unit of a layer stays the same as its neighbours", lambda w, fans, rng: w.zero_()),
        "normal001": Init("N(0, 0.01²)", lambda w, fans, rng: w.normal_(0, 0.01, generator=rng)),
        "normal1": Init("N(0, 1)", lambda w, fans, rng: w.normal_(0, 1, generator=rng)),
        "uniform": Init("U[−1/√n, 1/√n]", lambda w, fans, rng: _uniform(w, 1 / sqrt(fans.fan_in), rng)),
        "xavier": Init("N(0, 1/n)", lambda w, fans, rng: w.normal_(0, 1 / sqrt(fans.fan_in), generator=rng)),
        # Glorot and Bengio, 2010, equation 16
        "glorot": Init(
            "U[−√(6/(n+m)), √(6/(n+m))]",
            lambda w, fans, rng: _uniform(w, sqrt(6 / (fans.fan_in + fans.fan_out)), rng),
        ),
        # He et al., "Delving Deep into Rectifiers", 2015, equation 10
        "he": Init("N(0, 2/n)", lambda w, fans, rng: w.normal_(0, sqrt(2 / fans.fan_in), generator=rng)),
        # Saxe, McClelland, Ganguli, 2014
        "orthogonal": Init(
            "random orthonormal rows (or columns, where these are fewer)",
            lambda w, fans, rng: nn.init.orthogonal_(w, generator=rng),
        ),
        "lsuv": Init(
            "orthogonal, then each layer divided by the spread of its answers to a batch of inputs",
            lambda w, fans, rng: nn.init.orthogonal_(w, generator=rng),
            lsuv,
        ),
        "data-dependent": Init(
            "N(0, 1/n), then each channel brought to variance 1 and mean bias on a batch of inputs",
            lambda w, fans, rng: w.normal_(0, 1 / sqrt(fans.fan_in), generator=rng),
            within_layer,
        ),
        "between-layer": Init(
            "as data-dependent, then layers scaled until all change at the same rate",
            lambda w, fans, rng: w.normal_(0, 1 / sqrt(fans.fan_in), generator=rng),
            between_layers,
        ),
    }
)


def fans_of(module: nn.Module, weight: Tensor) -> Fans:
    """Connections of the units of a layer.

    Args:
        module: the layer that owns the weight.
        weight: (out, in / groups, kernel…), or (in, out / groups, kernel…) of a transposed convolution. A layer whose weight is
            ordered otherwise tells its own with an attribute ``fans``, (fan_in, fan_out).
    """
    own = getattr(module, "fans", None)
    if isinstance(own, tuple):
        return Fans(*own)
    first, second = weight.shape[:2]
    window = prod(weight.shape[2:])
    groups = module.groups if isinstance(module, _ConvNd) else 1
    if isinstance(module, _ConvTransposeNd):
        return Fans(first // groups * window, second * window)
    return Fans(second * window, first // groups * window)


def _uniform(weight: Tensor, bound: float, generator: torch.Generator | None) -> Tensor:
    return weight.uniform_(-bound, bound, generator=generator)
