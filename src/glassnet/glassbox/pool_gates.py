"""PyTorch's poolings as gates, of one, two and three dimensions."""

# ruff: noqa: A001, A002 - arguments carry PyTorch's names, since calls may give them by name

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from glassnet import gates
from glassnet.errors import ModelError
from glassnet.gates import Gate, Node, apply
from glassnet.glassbox.shape_gates import reshape, shape_of

Handler: TypeAlias = Callable[..., Node]


def max_pool(dims: int) -> Handler:
    """Max-pooling of 1, 2 or 3 dimensions."""

    def handler(
        input: Node,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Node:
        if return_indices:
            raise ModelError(
                "the places of the largest numbers have no gate",
                got="return_indices=True",
                expected="return_indices=False",
            )
        window, around, spread = sizes(kernel_size, dims), sizes(padding, dims), sizes(dilation, dims)
        if ceil_mode:
            input, around = filled(input, window, around, spread)
        return apply(gates.MaxPool(window, step(stride, window), around, spread, bool(ceil_mode)), input)

    return handler


def filled(
    input: Node, window: tuple[int, ...], around: tuple[int, ...], spread: tuple[int, ...]
) -> tuple[Node, tuple[int, ...]]:
    """With −∞ behind the end where a window that rounds up is larger than the whole input."""
    lacks = [
        max(0, d * (k - 1) + 1 - m - 2 * p)
        for m, k, p, d in zip(shape_of(input)[2:], window, around, spread, strict=True)
    ]
    if not any(lacks):
        return input, around
    sides = tuple((p, p + lack) for p, lack in zip(around, lacks, strict=True))
    return apply(gates.Pad(((0, 0), (0, 0), *sides), value=-math.inf), input), (0,) * len(window)


def avg_pool(dims: int) -> Handler:
    """Average pooling of 1, 2 or 3 dimensions."""

    def handler(
        input: Node,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Node:
        window = sizes(kernel_size, dims)
        if divisor_override and ceil_mode:
            raise ModelError(
                "an average with a divisor of its own and windows over the end has no gate",
                got=f"divisor_override={divisor_override}, ceil_mode=True",
                expected="one of the two alone",
            )
        whole = bool(count_include_pad) or bool(divisor_override)
        gate = gates.AveragePool(window, step(stride, window), sizes(padding, dims), bool(ceil_mode), whole)
        mean = apply(gate, input)
        return mean * (math.prod(window) / divisor_override) if divisor_override else mean

    return handler


def lp_pool(dims: int) -> Handler:
    """(Σ x^p)^(1/p) as PyTorch has it, which is the norm for even p."""

    def handler(input: Node, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Node:
        window = sizes(kernel_size, dims)
        return apply(gates.NormPool(float(norm_type), window, step(stride, window), ceil_mode=bool(ceil_mode)), input)

    return handler


def adaptive(make: Callable[[tuple[int, ...]], Gate]) -> Handler:
    """Pooling to a given size; None in it keeps the input's."""

    def handler(input: Node, output_size: Any, return_indices: bool = False) -> Node:
        if return_indices:
            raise ModelError(
                "the places of the largest numbers have no gate",
                got="return_indices=True",
                expected="return_indices=False",
            )
        shape = shape_of(input)
        dims = len(shape) - 2
        asked = (output_size,) * dims if isinstance(output_size, int) else tuple(output_size)
        wanted = tuple(have if size is None else int(size) for size, have in zip(asked, shape[2:], strict=True))
        if make is gates.AdaptiveAveragePool and all(size == 1 for size in wanted):
            return reshape(apply(gates.GlobalAveragePool(), input), (*shape[:2], *wanted))
        return apply(make(wanted), input)

    return handler


def sizes(value: Any, dims: int) -> tuple[int, ...]:
    """A number for each dimension, from one or several."""
    several: Sequence[int] = (value,) if isinstance(value, int) else tuple(value)
    return tuple(int(each) for each in several) * (dims if len(several) == 1 else 1)


def step(stride: Any, window: tuple[int, ...]) -> tuple[int, ...]:
    """The stride of a pooling, the window's sides without one."""
    return window if stride is None or stride == [] else sizes(stride, len(window))
