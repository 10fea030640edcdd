"""Stretches of a series as inputs: cut out of the whole when they are asked for, so that a step is held once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glassnet.data.dataset import Source, beneath


@dataclass(frozen=True)
class Windows:
    """A source of windows of a series.

    Attributes:
        values: all steps, float32 (steps, channels), without gaps.
        starts: first step of each window, int64 (samples,), rising.
        window: steps in a window.
        horizon: steps behind a window that are to be forecast.
    """

    values: Tensor
    starts: Tensor
    window: int
    horizon: int

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, index: Tensor) -> Tensor:
        """The windows at ``index``, (batch, channels, window)."""
        steps = self.starts[index, None] + torch.arange(self.window)  # (batch, window)
        return self.values[steps].transpose(1, 2).contiguous()


def windows_of(source: Source) -> tuple[Windows, Tensor] | None:
    """The windows below any subsets, and the first step to forecast of each sample, int64 (samples,); None for other sources."""
    source, index = beneath(source)
    return (source, source.starts[index] + source.window) if isinstance(source, Windows) else None


def cut(values: Tensor, known: Tensor, targets: list[int], window: int, horizon: int) -> tuple[Windows, Tensor]:
    """All windows of a series behind which every step to forecast is known, with those steps.

    Args:
        values: float32 (steps, channels), without gaps.
        known: bool (steps, channels): False where a value was missing and is filled in.
        targets: channels to forecast.
        window: steps in a window.
        horizon: steps to forecast.

    Returns:
        The windows, and their targets, float32 (samples, channels to forecast · horizon), a channel's steps side by side.
    """
    count = max(len(values) - window - horizon + 1, 0)
    starts = torch.arange(count)
    ahead = starts[:, None] + window + torch.arange(horizon)  # (samples, horizon)
    usable = known[:, targets].all(dim=1)[ahead].all(dim=1)
    wanted = values[:, targets][ahead[usable]].transpose(1, 2).flatten(1)  # (samples, targets, horizon), flattened
    return Windows(values, starts[usable], window, horizon), wanted.contiguous()
