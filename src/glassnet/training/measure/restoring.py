"""Looking without touching: everything that a look may change is put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from glassnet.training.state import generators, restore_generators


@contextmanager
def untouched(net: nn.Module) -> Iterator[None]:
    """Within the block the network may be run in any mode and differentiated; afterwards it is bit for bit what it was.

    Put back are: parameters' values and gradients, buffers (those outside the state dict too), the mode of every module, what requires a gradient,
    and the random states of Python, NumPy and PyTorch.
    """
    weights = [(parameter, parameter.detach().clone()) for parameter in net.parameters()]
    gradients = [(p, None if p.grad is None else p.grad.detach().clone(), p.requires_grad) for p in net.parameters()]
    modes = [(module, module.training) for module in net.modules()]
    try:
        with buffers_kept(net):
            yield
    finally:
        with torch.no_grad():
            for parameter, before in weights:
                if not torch.equal(parameter, before):
                    parameter.copy_(before)
        for parameter, gradient, required in gradients:
            parameter.requires_grad_(required)
            parameter.grad = gradient
        for module, training in modes:
            module.training = training


@contextmanager
def buffers_kept(net: nn.Module) -> Iterator[None]:
    """Within the block the network may be run; its buffers (such as running averages) and the random states are put back.

    A buffer that ``forward`` changes in place gets its old values, and one that it replaces is the old one again.
    """
    held = [
        (module._buffers, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in net.modules()
        for name, buffer in module._buffers.items()
    ]
    states = generators()
    try:
        yield
    finally:
        with torch.no_grad():
            for owner, name, buffer, before in held:
                owner[name] = buffer
                if buffer is not None and before is not None:
                    buffer.copy_(before)
        restore_generators(states)
