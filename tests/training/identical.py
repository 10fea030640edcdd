"""Whether two trees of tensors and plain values agree bit for bit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def identical(one: Any, other: Any) -> bool:
    """The same types (a parameter is a tensor), the same keys in the same order, the same bits; a NaN is the same as a NaN at its place."""
    if isinstance(one, Tensor):
        return (
            isinstance(other, Tensor)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and torch.equal(one.nan_to_num(7), other.nan_to_num(7))
        )
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(identical(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    return repr(one) == repr(other)  # which tells −0 from 0
