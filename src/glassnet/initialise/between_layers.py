"""Starting weights in which all layers change at the same rate: the second algorithm of Krähenbühl and others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from glassnet.initialise.adjustable import check_finite, evaluating, in_order, scale, weights_of
from glassnet.initialise.data_dependent import to_unit, within_layer

ROUNDS = 10  # as in the paper
DAMPING = 0.75  # α of the paper, which gives no value; with 1, networks of rectifiers would need one round and those of tanh swing
EVEN = 0.01  # rates within this share of their mean are even
SAMPLES, AT_ONCE = 128, 16  # that gradients are taken of; all at once, a large network would fill the memory


def between_layers(net: nn.Module, inputs: Tensor, generator: torch.Generator | None = None, bias: float = 0.0) -> None:
    """First :func:`within_layer`, then W_k ← r_k W_k so that no layer learns faster than another, ten times or until they are even.

    The rate of layer k is C_k = √(mean (∂ℓ/∂W_k)² / mean W_k²): by how much of itself a step changes it. The loss is
    ℓ = ηᵀz with the network's answers z and η ~ N(0, 1) drawn anew for every answer. With C the geometric mean of all
    layers' rates, r_k = (C_k / C)^(α/2): where every operation between is homogeneous, a layer's gradient falls as its weights
    grow, so that its rate falls as 1/r_k². The paper undoes each r_k in the layer above; here the product of all r_k is 1 instead,
    which leaves the answers of such a network as they were too, and needs no notion of "above" where a network branches. For others
    the spread of the answers is measured, and all layers are scaled alike until it is what it was. A bias is scaled with its weights and with the inputs of its layer.

    A layer that no gradient reaches (behind dead units, or in a further classifier that only training has, as GoogLeNet's) ends as the
    first algorithm makes it. What is left as drawn,
    :func:`glassnet.initialise.adjustable.left_as_drawn` tells in words.

    Source: Krähenbühl, Doersch, Donahue, Darrell, "Data-dependent Initializations of Convolutional Neural Networks", 2016, section 3.2
    and algorithm 2; the first author's code takes root mean squares over all weights of a layer for the rates, as here.

    Args:
        net: any module that takes one tensor; changed in place.
        inputs: a batch of preprocessed inputs (batch, …).
        generator: on the CPU, for η; None takes PyTorch's global one.
        bias: β of the first algorithm.

    Raises:
        ModelError: a layer answers with values that are not finite.
    """
    within_layer(net, inputs, bias=bias)
    reach, spread = _sizes(net, inputs)
    for _ in range(ROUNDS):
        rates = change_rates(net, inputs, generator)
        if not rates:
            return
        logs = torch.stack(list(rates.values())).log()
        off = logs - logs.mean()
        if off.abs().max() < EVEN:
            break
        _rescale(net, inputs, dict(zip(rates, (off * DAMPING / 2).exp(), strict=True)), reach)
        _hold(net, inputs, list(rates), reach, spread)
    with torch.no_grad():
        in_order(net, inputs, lambda layer, x: None if layer in rates else to_unit(layer, x, bias), further=True)


def _hold(
    net: nn.Module, inputs: Tensor, layers: Sequence[nn.Module], reach: dict[nn.Module, Tensor], spread: Tensor
) -> None:
    """Scale all layers alike until the answers' spread is what it was: by how much depends on how many follow one another."""
    _, now = _sizes(net, inputs)
    if (now / spread).log().abs() < EVEN:
        return
    probe = torch.tensor(1 + EVEN)
    _rescale(net, inputs, dict.fromkeys(layers, probe), reach)
    _, probed = _sizes(net, inputs)
    depth = ((probed / now).log() / probe.log()).clamp_min(1)
    _rescale(net, inputs, dict.fromkeys(layers, (spread / now) ** (1 / depth) / probe), reach)


def change_rates(net: nn.Module, inputs: Tensor, generator: torch.Generator | None = None) -> dict[nn.Module, Tensor]:
    """C_k = √(mean (∂ℓ/∂W_k)² / mean W_k²) of each layer that can be scaled and that a gradient reaches, in the order of the modules.

    Args:
        net: left as it is; so are the gradients of its parameters.
        inputs: a batch of preprocessed inputs (batch, …).
        generator: on the CPU, for η of ℓ = ηᵀz; None takes PyTorch's global one.
    """
    layers: dict[int, tuple[nn.Module, list[Tensor]]] = {}
    for module in net.modules():
        if weights := weights_of(module):
            layers.setdefault(id(weights[0]), (module, weights))  # a weight may serve two modules; the first is scaled
    wanted = [weight for _, weights in layers.values() for weight in weights]
    gradients: dict[int, Tensor] = {}
    for some in torch.split(inputs[:SAMPLES], AT_ONCE) if wanted else ():
        with evaluating(net), torch.enable_grad():
            answers = net(some.to(wanted[0].device))
            eta = torch.randn(answers.shape, generator=generator)
            found = torch.autograd.grad((answers * eta.to(answers)).sum(), wanted, allow_unused=True)
        for weight, gradient in zip(wanted, found, strict=True):
            if gradient is not None:
                gradients[id(weight)] = gradients[id(weight)] + gradient if id(weight) in gradients else gradient
    rates: dict[nn.Module, Tensor] = {}
    for layer, weights in layers.values():
        slopes = [gradients[id(weight)] for weight in weights if id(weight) in gradients]
        if len(slopes) == len(weights):
            rate = (_squares(slopes) / _squares(weights)).sqrt().cpu()
            check_finite(layer, torch.where(rate.isnan(), 0, rate))
            if rate > 0:
                rates[layer] = rate
    return rates


@torch.no_grad()
def _rescale(net: nn.Module, inputs: Tensor, factors: dict[nn.Module, Tensor], reach: dict[nn.Module, Tensor]) -> None:
    """One pass: each layer's weights times its factor, its bias also times what its inputs have grown since ``reach``, now noted there."""

    def adjust(layer: nn.Module, x: Tensor) -> None:
        now = x.abs().mean()
        factor = factors.get(layer, torch.ones(())).to(x)
        shift = getattr(layer, "bias", None)
        scale(layer, factor.expand(_channels(layer)))
        if shift is not None:
            shift.mul_(factor * (now / reach[layer] if reach.get(layer, 0) > 0 else 1))
        reach[layer] = now

    in_order(net, inputs, adjust)


@torch.no_grad()
def _sizes(net: nn.Module, inputs: Tensor) -> tuple[dict[nn.Module, Tensor], Tensor]:
    """The mean size of what reaches each layer, and the spread of the network's own answers."""
    reach: dict[nn.Module, Tensor] = {}
    answers = in_order(net, inputs, lambda layer, x: reach.__setitem__(layer, x.abs().mean()))
    return reach, answers.std(0).mean().clamp_min(torch.finfo(torch.float32).tiny).cpu()


def _channels(layer: nn.Module) -> int:
    channels = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
    assert isinstance(channels, int)
    return channels


def _squares(tensors: list[Tensor]) -> Tensor:
    """Mean of the squares of all their numbers."""
    total = torch.stack([tensor.detach().square().sum() for tensor in tensors]).sum()
    return total / sum(tensor.numel() for tensor in tensors)
