"""Running somebody's network to look at it, and leaving it bit for bit as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.training.measure.restoring import untouched


@contextmanager
def looking(net: nn.Module) -> Iterator[None]:
    """Within the block the network is in evaluation mode; afterwards it is what it was, also after an exception.

    Put back are weights, gradients, buffers, the mode of every module, what requires a gradient, and all random states.
    """
    with untouched(net):
        for module in net.modules():  # not net.eval(), which a network may have replaced
            module.training = False
        for parameter in net.parameters():
            parameter.requires_grad_(False)  # only inputs and maps are differentiated, which is cheaper
        yield


class Taps(dict[str, Tensor]):
    """What modules put out in one pass, by name, in the order in which they were called; a second call of a module is ``name (2)``."""


@contextmanager
def tapped(net: nn.Module, modules: Sequence[tuple[str, nn.Module]]) -> Iterator[Taps]:
    """Within the block every call of these modules is kept. No hook remains, however the block ends.

    Args:
        net: the whole network; only its hooks are touched.
        modules: names with modules, each once.

    Yields:
        The outputs, with their history for autograd. Each is handed on as a copy, so that a later operation in place does not change it.
    """
    seen = Taps()
    calls: dict[str, int] = {}
    handles: list[Any] = []

    def tap(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: Any) -> Any:
            tensor = first_tensor(output)
            if tensor is None:
                return None
            calls[name] = calls.get(name, 0) + 1
            seen[name if calls[name] == 1 else f"{name} ({calls[name]})"] = tensor
            return tensor.clone() if output is tensor else None

        return hook

    try:
        for name, module in modules:
            handles.append(module.register_forward_hook(tap(name)))
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def first_tensor(value: Any) -> Tensor | None:
    """The value itself, or the first tensor of a tuple, list or dict, as recurrent layers and segmentation nets return them."""
    if isinstance(value, Tensor):
        return value
    inner: Any = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    for each in inner:
        found = first_tensor(each)
        if found is not None:
            return found
    return None


def device_of(net: nn.Module) -> torch.device:
    """Where the network's numbers live."""
    tensors = (*net.parameters(), *net.buffers())
    return tensors[0].device if tensors else torch.device("cpu")
