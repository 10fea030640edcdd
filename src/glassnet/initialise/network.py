"""New starting weights for a whole network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError, unknown
from glassnet.initialise.adjustable import UNTOUCHED
from glassnet.initialise.rules import INITS, fans_of


@torch.no_grad()
def initialise(
    net: nn.Module,
    name: str,
    generator: torch.Generator | None = None,
    bias: float = 0.0,
    inputs: Tensor | None = None,
) -> None:
    """Give a network new starting weights, in place.

    Weights are all trainable parameters of two or more dimensions: of dense, convolutional, recurrent and attention layers.
    Normalisation layers, embeddings, the codes of RBF outputs and frozen parameters keep what they have. Values are drawn in float32 on the CPU, in the
    order of ``net.modules()``, so that the device does not change them.

    Args:
        net: any module.
        name: a key of ``INITS``.
        generator: a generator on the CPU; None takes PyTorch's global one.
        bias: value of all biases; for ``data-dependent`` and ``between-layer`` the mean of every channel's answers.
        inputs: a batch of preprocessed inputs (batch, …), for the rules that look at data: ``lsuv``, ``data-dependent`` and
            ``between-layer``. Which weights these leave as drawn, :func:`left_as_drawn` tells in words.

    Raises:
        UsageError: there is no such rule, or it needs inputs and got none.
        ModelError: the network answers the inputs with values that are not finite.
    """
    if name not in INITS:
        raise unknown("initialisation", name, INITS)
    rule = INITS[name]
    if rule.adapt is not None and (inputs is None or len(inputs) == 0):
        raise UsageError(
            f"the initialisation '{name}' looks at data", where="initialise", got="no inputs", fix="give it inputs=…"
        )
    done: set[Tensor] = set()  # a tensor may serve two modules
    for module in net.modules():
        if isinstance(module, UNTOUCHED) or hasattr(module, "start_is_its_own"):
            continue
        for parameter_name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad or parameter in done:
                continue
            done.add(parameter)
            if parameter_name == "bias" or ("bias" in parameter_name and parameter.dim() < 2):
                parameter.fill_(bias)
            elif parameter.dim() >= 2:
                fans, pieces = fans_of(module, parameter), getattr(module, "weight_groups", 1)
                drawn = torch.empty(parameter.shape)
                if pieces > 1:  # a dense layer at every position; its rows are the output channels
                    for piece in drawn.view(pieces, -1, fans.fan_in):
                        rule.fill(piece, fans, generator)
                else:
                    rule.fill(drawn, fans, generator)
                parameter.copy_(drawn)
    if rule.adapt is not None and inputs is not None:
        rule.adapt(net, inputs, generator, bias)


@torch.no_grad()
def set_biases(net: nn.Module, value: float) -> None:
    """Give all trainable biases one value, those of normalisation layers left out; AlexNet starts some of its own at 1."""
    for module in net.modules():
        if not isinstance(module, UNTOUCHED):
            for name, parameter in module.named_parameters(recurse=False):
                if parameter.requires_grad and (name == "bias" or ("bias" in name and parameter.dim() < 2)):
                    parameter.fill_(value)
