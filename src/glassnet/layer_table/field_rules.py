"""How each of PyTorch's operations changes what its result sees of the input: one rule an operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

import torch
from torch import Tensor

from glassnet.layer_table.field_moves import MOVES, Rule, argument, each
from glassnet.layer_table.receptive_field import NOWHERE, Field


def follow(operation: Any, arguments: Sequence[Any], fields: Mapping[int, Field | None], out: Tensor) -> Field | None:
    """Field of an operation's result.

    Args:
        operation: the ATen overload, such as ``aten.convolution.default``.
        arguments: its positional arguments, tensors among them.
        fields: by ``id``, the fields of the tensor arguments that depend on the input; at least one. None is a field that is
            not known.
        out: the result.

    Returns:
        The field, or None where no rule covers the operation.
    """
    known = [field for field in fields.values() if field is not None]
    if len(known) < len(fields):
        return None
    name = operation._schema.name.removeprefix("aten::")
    if name in WEIGHTS_ON_THE_RIGHT and id(arguments[WEIGHTS_ON_THE_RIGHT[name] - 1]) not in fields:
        return None
    if name == "bmm" and (id(arguments[0]) in fields) != (id(arguments[1]) in fields):
        return _batch_of_weights(known[0], on_the_right=id(arguments[0]) in fields)
    if name in RULES:
        return RULES[name](known[0], arguments, out) if len(known) == 1 else _meeting(name, known, arguments, out)
    if torch.Tag.pointwise in operation.tags or name in POINTWISE:
        return _together(known, out)
    if name in MEETINGS:
        return _meeting(name, known, arguments, out)
    if all(axis.jump == 0 for field in known for axis in field.axes):
        return _together([field.everything(out.dim()) for field in known], out)
    return None


def _together(fields: Sequence[Field], out: Tensor) -> Field:
    """Entries that meet one to one, dimensions aligned from the right as in broadcasting."""
    axes = list(fields[0].axes)
    dims = [NOWHERE] * out.dim()
    for field in fields:
        axes = [mine.joined(other) for mine, other in zip(axes, field.axes, strict=True)]
        for back in range(1, min(len(field.dims), out.dim()) + 1):
            dims[-back] |= field.dims[-back]
    return Field(tuple(axes), tuple(dims))


def _meeting(name: str, fields: Sequence[Field], arguments: Sequence[Any], out: Tensor) -> Field | None:
    """Several tensors that depend on the input come together in one operation."""
    if name in ("cat", "stack"):
        if name == "cat" and all(not field.dims[arguments[1] if len(arguments) > 1 else 0] for field in fields):
            return _together(fields, out)
        return None
    if name in ("bmm", "mm", "matmul") and len(fields) == 2:
        left, right = fields
        left, right = left.mixed(left.dims[-1]), right.mixed(right.dims[-2])
        axes = tuple(mine.joined(other) for mine, other in zip(left.axes, right.axes, strict=True))
        return Field(
            axes,
            (*(a | b for a, b in zip(left.dims[:-2], right.dims[:-2], strict=True)), left.dims[-2], right.dims[-1]),
        )
    if name.startswith("_scaled_dot_product") or name == "scaled_dot_product_attention":
        return _together([field.everything(out.dim()) for field in fields], out)
    return None


def _slide(field: Field, out: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, count: int) -> Field:
    kernels = each(kernel, count, 1)
    strides = each(stride, count, 0)
    paddings, dilations = each(padding, count, 0), each(dilation, count, 1)
    axes = list(field.axes)
    for place in range(count):
        dim = out.dim() - count + place
        for number in field.dims[dim]:
            if len(field.dims[dim]) > 1:
                axes[number] = axes[number].whole()
            else:
                step = strides[place] or kernels[place]
                axes[number] = axes[number].window(
                    kernels[place], step, paddings[place], dilations[place], out.shape[dim]
                )
    return Field(tuple(axes), field.dims)


def _convolution(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    weight, stride, padding, dilation, transposed = (arguments[place] for place in (1, 3, 4, 5, 6))
    count = weight.dim() - 2
    field = field.mixed(field.dims[out.dim() - count - 1])  # channels are summed over
    if not transposed:
        return _slide(field, out, list(weight.shape[2:]), stride, padding, dilation, count)
    axes = list(field.axes)
    for place, (step, gap) in enumerate(zip(each(stride, count, 1), each(dilation, count, 1), strict=True)):
        dim = out.dim() - count + place
        extent = (weight.shape[2 + place] - 1) * gap + 1
        for number in field.dims[dim]:
            axes[number] = axes[number].finer(ceil(extent / step), Fraction(step), out.shape[dim])
    return Field(tuple(axes), field.dims)


def _pool(count: int, has_dilation: bool) -> Rule:
    def rule(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
        kernel, stride, padding = arguments[1], argument(arguments, 2, []), argument(arguments, 3, 0)
        dilation = argument(arguments, 4, 1) if has_dilation else 1
        return _slide(field, out, kernel, stride, padding, dilation, count)

    return rule


def _adaptive(count: int) -> Rule:
    def rule(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
        axes = list(field.axes)
        for dim in range(out.dim() - count, out.dim()):
            before, after = arguments[0].shape[dim], out.shape[dim]
            for number in field.dims[dim]:
                if after == 1 or len(field.dims[dim]) > 1:
                    axes[number] = axes[number].whole()
                else:  # windows from ⌊i·before/after⌋ to ⌈(i+1)·before/after⌉, of which the widest is taken
                    widest = max(ceil((i + 1) * before / after) - i * before // after for i in range(after))
                    axes[number] = axes[number].window(widest, 1, 0, 1, after)
                    axes[number] = replace(axes[number], jump=axes[number].jump * Fraction(before, after))
        return Field(tuple(axes), field.dims)

    return rule


def _upsample(reach: int, count: int) -> Rule:
    def rule(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
        axes = list(field.axes)
        for dim in range(out.dim() - count, out.dim()):
            stride = Fraction(out.shape[dim], arguments[0].shape[dim])
            for number in field.dims[dim]:
                axes[number] = axes[number].finer(reach, stride, out.shape[dim])
        return Field(tuple(axes), field.dims)

    return rule


def _reduce(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    count = len(field.dims)
    given = argument(arguments, 1, None)
    given = range(count) if given is None or given == [] else [given] if isinstance(given, int) else given
    gone = {dim % count for dim in given}
    field = field.mixed(NOWHERE.union(*(field.dims[dim] for dim in gone)))
    kept = field.dims if out.dim() == count else tuple(here for dim, here in enumerate(field.dims) if dim not in gone)
    return Field(field.axes, kept)


def _softmax(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    # A softmax leaves every position where it is, and lets it see all others.
    seen = field.mixed(field.dims[arguments[1]])
    return Field(seen.axes, seen.dims)


def _layer_norm(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    return field.mixed(NOWHERE.union(*field.dims[-len(arguments[1]) :]))


def _group_norm(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    return field.mixed(NOWHERE.union(*field.dims[1:]))


def _batch_of_weights(field: Field, on_the_right: bool) -> Field:
    """Products of each matrix of a batch with weights of its own, as in locally connected layers."""
    summed = field.mixed(field.dims[-1] if on_the_right else field.dims[-2])
    batch, rows, columns = summed.dims
    return Field(summed.axes, (batch, rows, NOWHERE) if on_the_right else (batch, NOWHERE, columns))


def _dense(field: Field, arguments: Sequence[Any], out: Tensor) -> Field | None:
    """A product with weights on the right: the last dimension is summed over."""
    return Field(field.mixed(field.dims[-1]).axes, (*field.mixed(field.dims[-1]).dims[:-1], NOWHERE))


RULES: Mapping[str, Rule] = {
    "convolution": _convolution,
    "max_pool1d": _pool(1, True),
    "max_pool2d": _pool(2, True),
    "max_pool2d_with_indices": _pool(2, True),
    "max_pool3d_with_indices": _pool(3, True),
    "avg_pool1d": _pool(1, False),
    "avg_pool2d": _pool(2, False),
    "avg_pool3d": _pool(3, False),
    "_adaptive_avg_pool2d": _adaptive(2),
    "_adaptive_avg_pool3d": _adaptive(3),
    "adaptive_max_pool2d": _adaptive(2),
    "adaptive_max_pool3d": _adaptive(3),
    "upsample_nearest1d": _upsample(1, 1),
    "upsample_nearest2d": _upsample(1, 2),
    "upsample_nearest3d": _upsample(1, 3),
    "upsample_bilinear2d": _upsample(2, 2),
    "mean": _reduce,
    "sum": _reduce,
    "amax": _reduce,
    "max": _reduce,
    "_softmax": _softmax,
    "_log_softmax": _softmax,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "linear": _dense,
    "mm": _dense,
    "addmm": _dense,
    **MOVES,
}
WEIGHTS_ON_THE_RIGHT: Mapping[str, int] = {"linear": 1, "mm": 1, "addmm": 2}  # at which argument
POINTWISE = frozenset({"native_dropout", "dropout", "_prelu_kernel", "copy_"})
MEETINGS = frozenset(
    {
        "cat",
        "stack",
        "bmm",
        "scaled_dot_product_attention",
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_efficient_attention",
        "_scaled_dot_product_flash_attention",
        "_scaled_dot_product_fused_attention_overrideable",
    }
)
