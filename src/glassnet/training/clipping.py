"""Gradient clipping (requirement G6): by value to [−c, c], or by norm to c·g/‖g‖, which keeps the direction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Clip:
    """Bounds gradients in place; with both limits, first by value and then by norm.

    Attributes:
        norm: largest Euclidean norm of the whole gradient.
        value: largest size of any component.
    """

    norm: float | None = None
    value: float | None = None

    def __call__(self, parameters: Iterable[nn.Parameter]) -> Tensor:
        """Clip; returns the norm (or, for clipping by value alone, the largest component) from before, still on the device."""
        clipped = [p for p in parameters if p.grad is not None]
        gradients = [p.grad for p in clipped if p.grad is not None]
        seen = torch.nn.utils.get_total_norm(gradients, norm_type=2.0 if self.norm else float("inf"))
        if self.value:
            torch.nn.utils.clip_grad_value_(clipped, self.value)
        if self.norm:
            torch.nn.utils.clip_grad_norm_(clipped, self.norm)
        return seen

    def exceeded(self, seen: Tensor) -> Tensor:
        """Whether what ``__call__`` returned was beyond the limit: 0 or 1, without waiting for the device."""
        return (seen > (self.norm or self.value or 0.0)).to(torch.float64)
