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

    def __call__(self, parameters: Iterable[nn.Parameter]) -> tuple[Tensor, Tensor]:
        """Clip.

        Returns:
            The Euclidean norm of the whole gradient from before, and whether anything was beyond a limit (0 or 1): scalars that are
            still on the device, so that nobody waits for them.
        """
        clipped = [p for p in parameters if p.grad is not None]
        gradients = [p.grad for p in clipped if p.grad is not None]
        before = torch.nn.utils.get_total_norm(gradients)
        beyond = torch.zeros_like(before, dtype=torch.bool)
        if self.value:
            beyond |= torch.nn.utils.get_total_norm(gradients, norm_type=float("inf")) > self.value
            torch.nn.utils.clip_grad_value_(clipped, self.value)
        if self.norm:
            beyond |= torch.nn.utils.clip_grad_norm_(clipped, self.norm) > self.norm
        return before, beyond.to(torch.float64)
