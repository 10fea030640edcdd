"""The last hidden layer: what the network knows of an input before it answers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.explain.looking import first_tensor, looking
from glassnet.explain.subject import Subject
from glassnet.zoo import Net

AT_ONCE = 500
MOST_AT_ONCE = 4 << 20  # numbers of inputs: fewer of large images


def hidden(about: Subject) -> Tensor:
    """(batch, features): ``features`` of a network of the zoo, else what goes into the last linear layer that runs.

    Raises:
        UsageError: the network has no linear layer.
    """
    at_once = min(AT_ONCE, max(1, MOST_AT_ONCE // max(about.x[:1].numel(), 1)))
    with looking(about.net), torch.no_grad():
        pieces = [_of(about.net, x) for x in torch.split(about.x, at_once)]
    return torch.cat(pieces)


def _of(net: nn.Module, x: Tensor) -> Tensor:
    if isinstance(net, Net):
        return net.features(x).flatten(1)
    seen: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[object, ...]) -> None:
        tensor = first_tensor(given)
        if tensor is not None:
            seen[:] = [tensor.detach().clone()]

    handles = [m.register_forward_pre_hook(keep) for m in net.modules() if isinstance(m, nn.Linear | nn.LazyLinear)]
    try:
        net(x)
    finally:
        for handle in handles:
            handle.remove()
    if not seen:
        raise UsageError(
            "the network has no linear layer, so its last hidden layer is not known",
            where=type(net).__name__,
            expected="a torch.nn.Linear that the inputs go through, or a net of the zoo",
        )
    return seen[0].reshape(len(x), -1)
