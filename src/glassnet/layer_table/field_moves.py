"""How operations that move entries and compute nothing change what a result sees of the input: views, cuts, borders, windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from torch import Tensor

from glassnet.layer_table.receptive_field import NOWHERE, Axis, Field

Rule = Callable[[Field, Sequence[Any], Tensor], Field | None]


def argument(arguments: Sequence[Any], place: int, default: Any) -> Any:
    """A positional argument, or its default where the call leaves it out."""
    return arguments[place] if len(arguments) > place else default


def each(value: Any, count: int, default: int) -> list[int]:
    """One number for each of ``count`` dimensions from ATen's number, list of one, list of all, or empty list."""
    values = [value] if isinstance(value, int) else list(value or [default])
    return values * count if len(values) == 1 else values


def same(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    """Every entry stays where it is."""
    return field if len(field.dims) == out.dim() else None


def _view(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    """Old and new dimensions are cut into runs of equal size; within a run, new dimensions count what the old ones did."""
    old, new = arguments[0].shape, out.shape
    dims: list[frozenset[int]] = []
    gone = NOWHERE  # axes of a single position, whose dimension of size 1 is dropped
    at = 0
    while len(dims) < len(new):
        if new[len(dims)] == 1:
            dims.append(NOWHERE)
            continue
        here, left, size, until = NOWHERE, 1, new[len(dims)], len(dims) + 1
        while left != size:
            if left < size:
                if at == len(old) or old[at] == 0:
                    return None
                left *= old[at]
                if old[at] == 1:
                    gone |= field.dims[at]
                else:
                    here |= field.dims[at]
                at += 1
            else:
                if until == len(new):
                    return None
                size *= new[until]
                until += 1
        run = [here if new[dim] != 1 else NOWHERE for dim in range(len(dims), until)]
        dims += _split(field.axes, here, new[len(dims) : until]) or run
    return Field(field.axes, tuple(dims)).mixed(gone.union(*field.dims[at:]))


def _split(axes: Sequence[Axis], here: frozenset[int], sizes: Sequence[int]) -> list[frozenset[int]] | None:
    """The axes that a dimension counted together, each in a dimension of its own again; None where the sizes are not theirs.

    Taken in their order, as flattening leaves them: exact but for a map of equal sides that was turned before it was flattened.
    """
    numbers = sorted(here)
    if len(here) < 2 or [axes[number].positions for number in numbers] != list(sizes):
        return None
    return [frozenset({number}) for number in numbers]


def _permute(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    return Field(field.axes, tuple(field.dims[dim] for dim in arguments[1]))


def _transpose(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    first, second = (arguments[1], arguments[2]) if len(arguments) > 2 else (0, -1)
    dims = list(field.dims)
    dims[first], dims[second] = dims[second], dims[first]
    return Field(field.axes, tuple(dims))


def _unsqueeze(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    dims = list(field.dims)
    dims.insert(arguments[1] % out.dim(), NOWHERE)
    return Field(field.axes, tuple(dims))


def _squeeze(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    shape = arguments[0].shape
    given = argument(arguments, 1, list(range(len(shape))))
    gone = {dim % len(shape) for dim in ([given] if isinstance(given, int) else given)}
    dims = tuple(here for dim, here in enumerate(field.dims) if dim not in gone or shape[dim] != 1)
    return Field(field.axes, dims)


def _slice(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    dim, start, step = argument(arguments, 1, 0), argument(arguments, 2, None) or 0, argument(arguments, 4, 1)
    axes = list(field.axes)
    start = start % arguments[0].shape[dim] if start < 0 else start
    for number in field.dims[dim]:
        if len(field.dims[dim]) > 1 and out.shape[dim] != arguments[0].shape[dim]:
            return None
        axes[number] = axes[number].window(1, step, -start, 1, out.shape[dim])
        axes[number] = replace(axes[number], high=axes[number].low + (field.axes[number].high - field.axes[number].low))
    return Field(tuple(axes), field.dims)


def _select(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    dim = arguments[1] % len(field.dims)
    return None if field.dims[dim] else Field(field.axes, field.dims[:dim] + field.dims[dim + 1 :])


def _pad(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    axes = list(field.axes)
    for pair in range(len(arguments[1]) // 2):
        dim = out.dim() - 1 - pair
        before = arguments[1][2 * pair]
        for number in field.dims[dim]:
            shift = before * axes[number].jump
            axes[number] = replace(
                axes[number], low=axes[number].low - shift, high=axes[number].high - shift, positions=out.shape[dim]
            )
    return Field(tuple(axes), field.dims)


def _unfold(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    """Windows along one dimension. Their places come last, and an entry counts as seeing its whole window, as the sum over it will."""
    dim, size, step = arguments[1] % (out.dim() - 1), arguments[2], arguments[3]
    axes = list(field.axes)
    for number in field.dims[dim]:
        joint = len(field.dims[dim]) > 1
        axes[number] = axes[number].whole() if joint else axes[number].window(size, step, 0, 1, out.shape[dim])
    return Field(tuple(axes), (*field.dims, NOWHERE))


def _im2col(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    """All windows of a map as columns (…, channels · window, positions); an entry counts as seeing its whole window."""
    kernel, dilation, padding, stride = (each(arguments[place], 2, 1) for place in (1, 2, 3, 4))
    axes = list(field.axes)
    counts = []
    for place in range(2):
        dim = len(field.dims) - 2 + place
        extent = (kernel[place] - 1) * dilation[place] + 1
        counts.append((arguments[0].shape[dim] + 2 * padding[place] - extent) // stride[place] + 1)
        for number in field.dims[dim]:
            if len(field.dims[dim]) > 1:
                return None
            axes[number] = axes[number].window(
                kernel[place], stride[place], padding[place], dilation[place], counts[place]
            )
    if prod(counts) != out.shape[-1]:
        return None
    return Field(tuple(axes), (*field.dims[:-3], NOWHERE, field.dims[-2] | field.dims[-1]))


MOVES: Mapping[str, Rule] = {
    "_native_batch_norm_legit_no_training": same,
    "native_batch_norm": same,
    "cudnn_batch_norm": same,
    "clone": same,
    "_to_copy": same,
    "detach": same,
    "alias": same,
    "lift_fresh": same,
    "expand": same,
    "view": _view,
    "_unsafe_view": _view,
    "_reshape_alias": _view,
    "permute": _permute,
    "transpose": _transpose,
    "t": _transpose,
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    "slice": _slice,
    "select": _select,
    "unfold": _unfold,
    "im2col": _im2col,
    "constant_pad_nd": _pad,
    "reflection_pad1d": _pad,
    "reflection_pad2d": _pad,
    "replication_pad1d": _pad,
    "replication_pad2d": _pad,
}
