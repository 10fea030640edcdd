"""A copy of a network, also of one that Python's own copying refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from glassnet.errors import ModelError

# What copying a module can raise: a tensor that is no leaf, a lock, an open file, a class that forbids it.
_REFUSED = (RuntimeError, TypeError, AttributeError, ValueError, NotImplementedError)
_OF_TORCH = frozenset(vars(nn.Module()))  # parameters, buffers, submodules and hooks


def twin(net: nn.Module) -> nn.Module:
    """A copy that shares no tensor with the network.

    As :func:`copy.deepcopy` where that works. Else tensors that a module keeps as plain attributes and that belong to a computation, such as a hidden state or the weight of
    ``torch.nn.utils.weight_norm``, are copied without their past, and attributes that cannot be copied at all, such as a lock or an open file, are shared.

    Raises:
        ModelError: it cannot be copied even so.
    """
    try:
        return copy.deepcopy(net)
    except _REFUSED:
        pass
    known: dict[int, Any] = {}
    for module in net.modules():
        own = {name: value for name, value in vars(module).items() if name not in _OF_TORCH}
        known |= {id(tensor): tensor.detach().clone() for tensor in _computed(own.values())}
        for value in own.values():
            if not _copies(value, known) and not _holds_tensors(value):
                known[id(value)] = value
    try:
        return copy.deepcopy(net, known)
    except _REFUSED as error:
        raise ModelError(
            "this network cannot be copied",
            where=type(net).__name__,
            got=str(error).splitlines()[0] if str(error) else type(error).__name__,
            expected="a module that copy.deepcopy copies",
            fix="keep what cannot be copied in an attribute of its own, or define __deepcopy__",
        ) from error


def _computed(values: Iterable[Any]) -> Iterable[Tensor]:
    """Tensors with a past among some values and in the lists, tuples and dicts among them."""
    for value in values:
        if isinstance(value, Tensor) and not value.is_leaf:
            yield value
        elif isinstance(value, list | tuple):
            yield from _computed(value)
        elif isinstance(value, dict):
            yield from _computed(value.values())


def _holds_tensors(value: Any) -> bool:
    """Whether sharing a value would share numbers that a training changes."""
    if isinstance(value, list | tuple | set | frozenset):
        return any(_holds_tensors(each) for each in value)
    if isinstance(value, dict):
        return any(_holds_tensors(each) for each in value.values())
    kinds = (Tensor, nn.Module)
    return isinstance(value, kinds) or any(isinstance(each, kinds) for each in getattr(value, "__dict__", {}).values())


def _copies(value: Any, known: dict[int, Any]) -> bool:
    try:
        copy.deepcopy(value, dict(known))
    except _REFUSED:
        return False
    return True
