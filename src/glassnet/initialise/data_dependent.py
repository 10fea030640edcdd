"""Starting weights that look at data: scales measured on a batch of inputs, layer after layer, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from glassnet.errors import ModelError

TOLERANCE = 0.1  # Mishkin and Matas, 2016, section 3.1: Tol_var and T_max
ROUNDS = 10

Adjust = Callable[[nn.Module, Tensor], None]


@torch.no_grad()
def lsuv(net: nn.Module, inputs: Tensor, bias: float = 0.0) -> None:
    """Layer-sequential unit-variance: W ← W / √Var(W x + b) for each dense and convolutional layer, until |Var − 1| < 0.1.

    The weights should start orthonormal. The layers are met in the order of the pass, each with all before it already scaled.

    Source: Mishkin, Matas, "All You Need is a Good Init", 2016, algorithm 1.

    Args:
        net: any module that takes one tensor; scaled in place.
        inputs: a batch of preprocessed inputs (batch, …); some hundred suffice.
        bias: what all biases are; it does not change the variance.

    Raises:
        ModelError: a layer answers with values that are not finite.
    """

    def adjust(layer: nn.Module, x: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        for _ in range(ROUNDS):
            variance = layer.forward(x).var()
            _check_finite(layer, variance)
            if variance == 0 or abs(variance - 1) < TOLERANCE:
                return
            layer.weight.div_(variance.sqrt())

    _in_order(net, inputs, adjust)


@torch.no_grad()
def within_layer(net: nn.Module, inputs: Tensor, bias: float = 0.0) -> None:
    """Every output channel i of every dense and convolutional layer gets variance 1 and mean β = ``bias`` on the inputs.

    With μ_i, σ_i of the channel over batch and positions, measured without bias: W_i ← W_i / σ_i, b_i ← β − μ_i / σ_i. A channel
    that does not vary is left; a layer without bias is only scaled.

    Source: Krähenbühl, Doersch, Donahue, Darrell, "Data-dependent Initializations of Convolutional Neural Networks", 2016,
    algorithm 1. Their second algorithm, which evens out the layers' rates of change, is not applied: it undoes each scaling in the
    layer above, and with branches and normalisation between there is no such layer.

    Args:
        net: any module that takes one tensor; changed in place.
        inputs: a batch of preprocessed inputs (batch, …).
        bias: β.

    Raises:
        ModelError: a layer answers with values that are not finite.
    """

    def adjust(layer: nn.Module, x: Tensor) -> None:
        weight, shift = layer.weight, getattr(layer, "bias", None)
        assert isinstance(weight, Tensor)
        if shift is not None:
            shift.zero_()
        answers = layer.forward(x)
        answers = answers.movedim(1 if _is_spatial(layer) else -1, 0).flatten(1)  # (channels, batch · positions)
        spread, mean = answers.std(1, correction=0), answers.mean(1)
        _check_finite(layer, spread.sum())
        spread = torch.where(spread > 0, spread, 1)
        _divide(layer, weight, spread)
        if shift is not None:
            shift.copy_((bias - mean / spread).reshape(-1, *(1,) * (shift.dim() - 1)).expand_as(shift))

    _in_order(net, inputs, adjust)


def _in_order(net: nn.Module, inputs: Tensor, adjust: Adjust) -> None:
    """One pass in evaluation mode, in which each layer is adjusted to what reaches it, before its answer goes on."""
    done: set[Tensor] = set()

    def hook(layer: nn.Module, arguments: tuple[Tensor, ...], answer: Tensor) -> Tensor:
        weight = layer.weight
        assert isinstance(weight, Tensor)
        if weight in done:  # called before, or its weight serves two layers
            return answer
        done.add(weight)
        adjust(layer, arguments[0])
        adjusted: Tensor = layer.forward(arguments[0])
        return adjusted

    layers = [module for module in net.modules() if _is_affine(module)]
    if not layers:
        return
    handles = [layer.register_forward_hook(hook) for layer in layers]
    try:
        with _evaluating(net):
            net(inputs.to(next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()


def _is_affine(module: nn.Module) -> bool:
    """Dense, convolutional and locally connected layers whose weights are trained."""
    weight = module._parameters.get("weight")
    kind = isinstance(module, nn.Linear | _ConvNd) or hasattr(module, "weight_groups")
    return kind and weight is not None and weight.requires_grad


def _is_spatial(layer: nn.Module) -> bool:
    return not isinstance(layer, nn.Linear)


def _divide(layer: nn.Module, weight: Tensor, by: Tensor) -> None:
    """Divide the weights into each output channel by that channel's number."""
    if isinstance(layer, _ConvTransposeNd):  # (in, out / groups, kernel…)
        grouped = weight.view(layer.groups, -1, *weight.shape[1:])
        grouped.div_(by.reshape(layer.groups, 1, -1, *(1,) * (weight.dim() - 2)))
    elif isinstance(layer, nn.Linear | _ConvNd):
        weight.div_(by.reshape(-1, *(1,) * (weight.dim() - 1)))
    else:  # locally connected: (positions…, out, in, kernel…)
        kernel = layer.kernel_size
        assert isinstance(kernel, tuple)
        weight.div_(by.reshape(-1, *(1,) * (1 + len(kernel))))


def _check_finite(layer: nn.Module, figure: Tensor) -> None:
    if not figure.isfinite():
        raise ModelError(
            "the starting weights cannot be fitted to the inputs",
            where=f"initialisation, {layer}",
            got="answers that are not finite",
            fix="standardise the inputs, or take an initialisation that does not look at them, such as he",
        )


@contextmanager
def _evaluating(net: nn.Module) -> Iterator[None]:
    """Dropout off, and batch norm with the running averages it starts with, which change nothing."""
    before = {module: module.training for module in net.modules()}
    try:
        for module in before:
            module.training = False
        yield
    finally:
        for module, training in before.items():
            module.training = training
