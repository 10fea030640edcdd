"""Changes of shape as gates: what a network does with sizes and places rather than with numbers."""

# ruff: noqa: A002 - arguments carry PyTorch's names, since calls may give them by name

from __future__ import annotations

import math
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from glassnet import gates
from glassnet.errors import ModelError
from glassnet.gates import Node, apply

MODES: dict[str, Literal["constant", "edge", "reflect"]] = {
    "constant": "constant",
    "replicate": "edge",
    "reflect": "reflect",
}


def evaluated(node: Node) -> Node:
    """The node with its value, and all nodes behind it; what has been computed stays."""
    waiting = [node]
    while waiting:
        now = waiting[-1]
        missing = [each for each in now.inputs if each.value is None]
        if now.value is None and missing:
            waiting += missing
            continue
        if now.value is None and now.gate is not None:
            with np.errstate(all="ignore"):  # inf and nan are results to be seen, not to be warned of
                now.value = np.asarray(now.gate.forward(*(each.value for each in now.inputs)), dtype=np.float64)
        waiting.pop()
    return node


def shape_of(x: Node) -> tuple[int, ...]:
    """The shape of a node, computed if it has not been."""
    shape = evaluated(x).shape
    assert shape is not None
    return shape


def values_of(node: Node) -> set[int]:
    """The whole numbers that a node holds."""
    assert node.value is not None
    return {int(each) for each in node.value.ravel()}


def reshape(input: Node, *shape: Any, **named: Any) -> Node:
    """The same numbers in other dimensions."""
    sizes = named.get(
        "shape", named.get("size", shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)
    )
    try:
        wanted = tuple(int(size) for size in sizes)
    except (TypeError, ValueError) as error:
        raise ModelError(
            "a view as another type has no gate", got=sizes, expected="sizes, such as view(2, -1)"
        ) from error
    if -1 in wanted:
        known = math.prod(size for size in wanted if size != -1)
        wanted = tuple(math.prod(shape_of(input)) // max(known, 1) if size == -1 else size for size in wanted)
    return input if wanted == shape_of(input) else apply(gates.Reshape(wanted), input)


def flatten(input: Node, start_dim: int = 0, end_dim: int = -1) -> Node:
    """Some dimensions in one."""
    shape = shape_of(input)
    first, last = start_dim % max(len(shape), 1), end_dim % max(len(shape), 1)
    wanted = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    if wanted == shape:
        return input
    return apply(gates.Flatten(first), input) if last == len(shape) - 1 else reshape(input, wanted)


def unsqueeze(input: Node, dim: int) -> Node:
    """One more dimension of size 1."""
    shape = list(shape_of(input))
    shape.insert(dim % (len(shape) + 1), 1)
    return reshape(input, tuple(shape))


def squeeze(input: Node, dim: Any = None) -> Node:
    """Dimensions of size 1 taken away."""
    shape = shape_of(input)
    chosen = range(len(shape)) if dim is None else [d % len(shape) for d in ((dim,) if isinstance(dim, int) else dim)]
    return reshape(input, tuple(size for place, size in enumerate(shape) if not (place in chosen and size == 1)))


def transpose(input: Node, dim0: int, dim1: int) -> Node:
    """Two dimensions change places."""
    order = list(range(len(shape_of(input))))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return apply(gates.Transpose(tuple(order)), input)


def transposed(input: Node) -> Node:
    """The last two dimensions change places."""
    return transpose(input, -2, -1) if len(shape_of(input)) > 1 else input


def permute(input: Node, *dims: Any, **named: Any) -> Node:
    """Dimensions in another order."""
    order = named.get("dims", dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims)
    return apply(gates.Transpose(tuple(int(d) % len(order) for d in order)), input)


def movedim(input: Node, source: Any, destination: Any) -> Node:
    """Dimensions moved to other places, the others in their order."""
    dims = len(shape_of(input))
    moved = [s % dims for s in ((source,) if isinstance(source, int) else source)]
    places = [d % dims for d in ((destination,) if isinstance(destination, int) else destination)]
    order = [axis for axis in range(dims) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return apply(gates.Transpose(tuple(order)), input)


def expand(input: Node, *sizes: Any, **_: Any) -> Node:
    """Dimensions of size 1 repeated."""
    first = sizes[0]
    wanted = shape_of(first) if isinstance(first, Node) else sizes if isinstance(first, int) else tuple(first)
    shape = (1,) * (len(wanted) - len(shape_of(input))) + shape_of(input)
    filled = tuple(have if size == -1 else int(size) for size, have in zip(wanted, shape, strict=True))
    return input if filled == shape_of(input) else apply(gates.Expand(filled), input)


def concatenate(tensors: Any, dim: int = 0, **other: Any) -> Node:
    """One behind another."""
    axis = other.get("axis", dim)
    return apply(gates.Concatenate(axis=axis % len(shape_of(tensors[0]))), *tensors)


def stack(tensors: Any, dim: int = 0) -> Node:
    """Along a new dimension."""
    return apply(gates.Stack(axis=dim % (len(shape_of(tensors[0])) + 1)), *tensors)


def part(input: Node, axis: int, start: int, end: int) -> Node:
    """A run of places along a dimension."""
    return apply(gates.Slice((slice(None),) * axis + (slice(start, end),)), input)


def chunk(input: Node, chunks: int, dim: int = 0) -> tuple[Node, ...]:
    """Almost equal parts along a dimension, the last one smaller where they do not come out even."""
    axis = dim % len(shape_of(input))
    return split(input, max(1, -(-shape_of(input)[axis] // chunks)), axis)


def split(input: Node, split_size_or_sections: Any, dim: int = 0) -> tuple[Node, ...]:
    """Parts of given sizes along a dimension."""
    axis = dim % len(shape_of(input))
    size = shape_of(input)[axis]
    asked = split_size_or_sections
    lengths = list(asked) if not isinstance(asked, int) else [min(asked, size - at) for at in range(0, size, asked)]
    ends = [sum(lengths[: count + 1]) for count in range(len(lengths))]
    return tuple(part(input, axis, end - length, end) for end, length in zip(ends, lengths, strict=True))


def unbind(input: Node, dim: int = 0) -> tuple[Node, ...]:
    """Every place along a dimension by itself."""
    axis = dim % len(shape_of(input))
    return tuple(apply(gates.Slice((slice(None),) * axis + (place,)), input) for place in range(shape_of(input)[axis]))


def index_select(input: Node, dim: int, index: Node) -> Node:
    """Places along a dimension, chosen by whole numbers."""
    axis, chosen = dim % len(shape_of(input)), evaluated(index).value
    assert chosen is not None
    return at_places(input, chosen.astype(np.intp) % shape_of(input)[axis], axis)


def at_places(x: Node, places: NDArray[np.intp], axis: int = 0, name: str = "") -> Node:
    """Places along a dimension; the node itself where all are taken in their order, as with a batch of one."""
    if np.array_equal(places, np.arange(shape_of(x)[axis])):
        return x
    return apply(gates.Select(places, axis), x, name=name)


def item(input: Node, index: Any) -> Node:
    """What brackets choose: whole numbers, slices, ``...`` and ``None``."""
    if isinstance(index, Node):
        return index_select(input, 0, index)
    whole = list(index) if isinstance(index, tuple) else [index]
    if any(
        isinstance(each, bool) or not (each is None or each is Ellipsis or isinstance(each, int | slice))
        for each in whole
    ):
        raise ModelError(
            "choosing numbers by a list or a tensor in brackets has no gate",
            expected="whole numbers and slices, as in x[:, -1]",
        )
    dims = len(shape_of(input))
    if Ellipsis in whole:
        at = whole.index(Ellipsis)
        missing = dims - sum(each is not None and each is not Ellipsis for each in whole)
        whole[at : at + 1] = [slice(None)] * missing
    place = cast("tuple[int | slice, ...]", tuple(each for each in whole if each is not None))
    chosen = input if all(each == slice(None) for each in place) else apply(gates.Slice(place), input)
    if None not in whole:
        return chosen
    shape = iter(shape_of(chosen))
    left = [1 if each is None else next(shape) for each in whole if each is None or isinstance(each, slice)]
    return reshape(chosen, (*left, *shape))


def pad(input: Node, pad: Any, mode: str = "constant", value: float | None = None) -> Node:
    """Numbers put around; PyTorch names the sides of the last dimension first."""
    if mode not in MODES:
        raise ModelError(f"padding of the kind '{mode}' has no gate", expected=", ".join(MODES))
    sides = [(int(pad[at]), int(pad[at + 1])) for at in range(0, len(pad), 2)][::-1]
    if not any(before or after for before, after in sides):
        return input
    if any(before < 0 or after < 0 for before, after in sides):
        raise ModelError(
            "padding that takes away has no gate", got=tuple(pad), fix="cut with a slice, such as x[..., 1:-1]"
        )
    whole = (*((0, 0),) * (len(shape_of(input)) - len(sides)), *sides)
    return apply(gates.Pad(whole, mode=MODES[mode], value=float(value or 0.0)), input)


def same(input: Node, *_: Any, **__: Any) -> Node:
    """What changes no number: another layout, another type, a copy."""
    return input
