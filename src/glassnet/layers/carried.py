"""States that a network carries from one batch to the next: truncated backpropagation through time.

A module that carries has a buffer ``carried`` outside of its state dict, and a flag ``carrying``. In training it always goes on from what it carried;
in evaluation only within :func:`carrying_on`. The buffer holds no gradient, so that a gradient goes back to the beginning of its own batch and no further
(Williams and Peng 1990). It is part of a training's checkpoint, not of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

NAME, FLAG = "carried", "carrying"


def carriers(net: nn.Module) -> dict[str, nn.Module]:
    """The modules of a network that carry a state, by name."""
    return {name: module for name, module in net.named_modules() if NAME in module._buffers}


def carried_of(net: nn.Module) -> dict[str, Tensor]:
    """What a network carries at present, by the names of its modules."""
    return {name: module.get_buffer(NAME).detach().clone() for name, module in carriers(net).items()}


def carry(net: nn.Module, states: dict[str, Tensor]) -> None:
    """Let a network carry what :func:`carried_of` gave."""
    for name, module in carriers(net).items():
        if name in states:
            own = module.get_buffer(NAME)
            module._buffers[NAME] = states[name].detach().to(own.device, own.dtype).clone()


@contextmanager
def carrying_on(net: nn.Module) -> Iterator[None]:
    """Within the block a network carries its state from batch to batch in evaluation too, from nothing; what it carried before is put back."""
    found = carriers(net)
    before = {name: (module._buffers[NAME], getattr(module, FLAG)) for name, module in found.items()}
    try:
        for module in found.values():
            module._buffers[NAME] = module.get_buffer(NAME)[:, :, :0]
            setattr(module, FLAG, True)
        yield
    finally:
        for name, module in found.items():
            module._buffers[NAME], flag = before[name]
            setattr(module, FLAG, flag)
