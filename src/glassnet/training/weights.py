"""Which parameters are weights: what decays, is penalised and is kept short, unlike biases and the parameters of norm layers."""

from __future__ import annotations

from torch import nn

# A layer norm over (channels, height, width) has a scale of three dimensions, so that counting dimensions is not enough.
NORMS = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.modules.batchnorm._NormBase)


def divided(net: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(weights, the rest) of the trainable parameters, each in the network's order and each once.

    Weights have two dimensions or more and do not belong to a norm layer.
    """
    of_norms = {
        id(p) for module in net.modules() if isinstance(module, NORMS) for p in module.parameters(recurse=False)
    }
    trained = [p for p in net.parameters() if p.requires_grad]
    weights = [p for p in trained if p.ndim >= 2 and id(p) not in of_norms]
    chosen = {id(p) for p in weights}
    return weights, [p for p in trained if id(p) not in chosen]
