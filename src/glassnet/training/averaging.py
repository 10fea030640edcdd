"""Averages of the weights over the steps of a training: exponential (EMA) or plain over its last part (Polyak, SWA)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.errors import unknown


class Averager:
    """Keeps an average of every floating parameter and buffer; whole-number buffers are copied.

    ``ema``: a ← d·a + (1 − d)·w with d = min(decay, (1 + n)/(10 + n)) after n updates, so that the first steps are soon forgotten.
    ``swa``: the mean of the weights of all steps after ``begin_after`` (Polyak & Juditsky 1992; Izmailov et al. 2018).

    The statistics of batch normalisation are averaged alike, which makes a pass over the data after training unnecessary.
    """

    def __init__(self, net: nn.Module, *, decay: float | None = 0.999, begin_after: int = 0) -> None:
        self.decay = decay
        self.begin_after = begin_after
        self.updates = 0
        self.average = [tensor.detach().clone() for tensor in net.state_dict().values()]

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take the present weights in."""
        self.updates += 1
        present = list(net.state_dict().values())
        floating = [(mine, now) for mine, now in zip(self.average, present, strict=True) if now.is_floating_point()]
        for mine, now in zip(self.average, present, strict=True):
            if not now.is_floating_point():
                mine.copy_(now)
        if self.decay is not None:
            share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        else:
            share = 1 / max(1, self.updates - self.begin_after)
        torch._foreach_lerp_([mine for mine, _ in floating], [now for _, now in floating], share)

    @contextmanager
    def swapped(self, net: nn.Module) -> Iterator[None]:
        """The network carries the average within the block, and exactly its own weights after it."""
        held = list(net.state_dict().values())
        own = [tensor.detach().clone() for tensor in held]
        with torch.no_grad():
            for tensor, mine in zip(held, self.average, strict=True):
                tensor.copy_(mine)
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, before in zip(held, own, strict=True):
                    tensor.copy_(before)

    def state_dict(self) -> dict[str, Any]:
        """The average and the number of updates."""
        return {"average": self.average, "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        saved: list[Tensor] = state["average"]
        for mine, tensor in zip(self.average, saved, strict=True):
            mine.copy_(tensor)
        self.updates = state["updates"]


AVERAGES = ("none", "ema", "swa")


def make_averager(name: str, *, decay: float = 0.999, begin_after: int = 0) -> Callable[[nn.Module], Averager] | None:
    """What makes the averager of a name; None for ``none``.

    Raises:
        UsageError: unknown name.
    """
    if name not in AVERAGES:
        raise unknown("average", name, AVERAGES)
    if name == "none":
        return None
    return partial(Averager, decay=decay if name == "ema" else None, begin_after=begin_after)
