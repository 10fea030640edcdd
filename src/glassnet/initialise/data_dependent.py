"""Starting weights that look at data: scales measured on a batch of inputs, layer after layer, in one pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.initialise.adjustable import by_channel, check_finite, in_order, scale

TOLERANCE = 0.1  # Mishkin and Matas, 2016, section 3.1: Tol_var and T_max
ROUNDS = 10


@torch.no_grad()
def lsuv(net: nn.Module, inputs: Tensor, generator: torch.Generator | None = None, bias: float = 0.0) -> None:
    """Layer-sequential unit-variance: W ← W / √Var(W x + b) for each dense and convolutional layer, until |Var − 1| < 0.1.

    The weights should start orthonormal. The layers are met in the order of the pass, each with all before it already scaled.
    What is left as it was, :func:`glassnet.initialise.adjustable.left_as_drawn` tells in words.

    Source: Mishkin, Matas, "All You Need is a Good Init", 2016, algorithm 1.

    Args:
        net: any module that takes one tensor; scaled in place.
        inputs: a batch of preprocessed inputs (batch, …); some hundred suffice.
        generator: not used; nothing is drawn here.
        bias: what all biases are; it does not change the variance.

    Raises:
        ModelError: a layer answers with values that are not finite.
    """

    def adjust(layer: nn.Module, x: Tensor) -> None:
        for _ in range(ROUNDS):
            answers = by_channel(layer, layer.forward(x))
            variance = answers.var()
            check_finite(layer, variance)
            if variance == 0 or abs(variance - 1) < TOLERANCE:
                return
            scale(layer, variance.rsqrt().expand(len(answers)))

    in_order(net, inputs, adjust, further=True)


@torch.no_grad()
def within_layer(net: nn.Module, inputs: Tensor, generator: torch.Generator | None = None, bias: float = 0.0) -> None:
    """Every output channel i of every dense and convolutional layer gets variance 1 and mean β = ``bias`` on the inputs.

    With μ_i, σ_i of the channel over batch and positions, measured without bias: W_i ← W_i / σ_i, b_i ← β − μ_i / σ_i. A channel
    that does not vary is left; a layer without bias is only scaled. What else is left,
    :func:`glassnet.initialise.adjustable.left_as_drawn` tells in words.

    Source: Krähenbühl, Doersch, Donahue, Darrell, "Data-dependent Initializations of Convolutional Neural Networks", 2016,
    algorithm 1. Their second algorithm is :func:`glassnet.initialise.between_layers.between_layers`.

    Args:
        net: any module that takes one tensor; changed in place.
        inputs: a batch of preprocessed inputs (batch, …).
        generator: not used; nothing is drawn here.
        bias: β.

    Raises:
        ModelError: a layer answers with values that are not finite.
    """
    in_order(net, inputs, lambda layer, x: to_unit(layer, x, bias), further=True)


def to_unit(layer: nn.Module, x: Tensor, bias: float) -> None:
    """Bring each output channel of one layer to variance 1 and mean ``bias`` on its inputs ``x``."""
    shift = getattr(layer, "bias", None)
    if shift is not None:
        shift.zero_()
    answers = by_channel(layer, layer.forward(x))
    spread, mean = answers.std(1, correction=0), answers.mean(1)
    check_finite(layer, spread.sum())
    spread = torch.where(spread > 0, spread, 1)
    scale(layer, 1 / spread)
    if shift is not None:
        shift.copy_((bias - mean / spread).reshape(-1, *(1,) * (shift.dim() - 1)).expand_as(shift))
