"""What one operation costs: inputs drawn on, products summed up, and its window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from torch import Tensor

Count = tuple[int, int, tuple[int, ...]]  # connections, multiply-adds, kernel


def _convolution(args: Sequence[Any], out: Tensor) -> Count:
    x, weight, bias, transposed = args[0], args[1], args[2], args[6]
    products = (x if transposed else out).numel() * prod(weight.shape[1:])
    return products + (0 if bias is None else out.numel()), products, tuple(weight.shape[2:])


def _addmm(args: Sequence[Any], out: Tensor) -> Count:
    products = out.numel() * int(args[1].shape[-1])
    return products + out.numel(), products, ()


def _linear(args: Sequence[Any], out: Tensor) -> Count:
    products = out.numel() * int(args[1].shape[-1])
    biased = len(args) > 2 and args[2] is not None
    return products + (out.numel() if biased else 0), products, ()


def _product(args: Sequence[Any], out: Tensor) -> Count:
    products = out.numel() * int(args[0].shape[-1])
    return products, products, ()


def _attention(args: Sequence[Any], out: Tensor) -> Count:
    query, key, value = args[:3]
    products = query[..., 0].numel() * key.shape[-2] * (query.shape[-1] + value.shape[-1])
    return products, products, ()


def _pool(dimensions: int) -> Callable[[Sequence[Any], Tensor], Count]:
    def count(args: Sequence[Any], out: Tensor) -> Count:
        window = args[1] if len(args[1]) == dimensions else list(args[1]) * dimensions
        return out.numel() * prod(window), 0, tuple(window)

    return count


def _gather(args: Sequence[Any], out: Tensor) -> Count:
    return args[0].numel(), 0, ()


COUNTS: Mapping[str, Callable[[Sequence[Any], Tensor], Count]] = {
    "convolution": _convolution,
    "addmm": _addmm,
    "linear": _linear,
    "mm": _product,
    "bmm": _product,
    "mv": _product,
    "dot": _product,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_scaled_dot_product_efficient_attention": _attention,
    "_scaled_dot_product_flash_attention": _attention,
    "max_pool2d_with_indices": _pool(2),
    "max_pool3d_with_indices": _pool(3),
    "avg_pool2d": _pool(2),
    "avg_pool3d": _pool(3),
    "_adaptive_avg_pool2d": _gather,
    "_adaptive_avg_pool3d": _gather,
    "adaptive_max_pool2d": _gather,
    "adaptive_max_pool3d": _gather,
    "mean": _gather,
    "amax": _gather,
}
