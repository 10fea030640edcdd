"""Parameters that a network uses and does not know of: those of layers in a plain list or dict, where ``nn.Module.parameters`` does not look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

STANDARD = frozenset(vars(nn.Module()))  # where torch keeps what it knows
DEEPEST, LONGEST = 3, 1_000  # containers within containers; entries of one that are looked through


def hidden_parameters(net: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """(name such as ``blocks[0].weight``, parameter) of all that are to be trained and in no ``parameters()`` of the network."""
    known = {id(parameter) for parameter in net.parameters()}
    found: list[tuple[str, nn.Parameter]] = []
    for path, module in net.named_modules():
        for name, value in vars(module).items():
            if name in STANDARD:
                continue
            for place, each in kept_in(value, f"{path}.{name}" if path else name):
                own = [(place, each)] if isinstance(each, nn.Parameter) else each.named_parameters(place)
                for called, parameter in own:
                    if parameter.requires_grad and id(parameter) not in known:
                        known.add(id(parameter))
                        found.append((called, parameter))
    return found


def kept_in(value: Any, name: str, depth: int = 0) -> Iterator[tuple[str, nn.Module | nn.Parameter]]:
    """The modules and parameters in a value, and in the lists and dicts that it consists of."""
    if isinstance(value, nn.Module | nn.Parameter):
        yield name, value
    elif isinstance(value, list | tuple | dict) and depth < DEEPEST and len(value) <= LONGEST:
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from kept_in(each, f"{name}[{key!r}]", depth + 1)


@contextmanager
def taking_part(net: nn.Module, names: list[str]) -> Iterator[None]:
    """The names of those hidden parameters that a backward pass within the block reaches; their gradients are put back."""
    hidden = hidden_parameters(net)
    before = [parameter.grad for _, parameter in hidden]
    for _, parameter in hidden:
        parameter.grad = None
    try:
        yield
        names += [name for name, parameter in hidden if parameter.grad is not None]
    finally:
        for (_, parameter), gradient in zip(hidden, before, strict=True):
            parameter.grad = gradient
