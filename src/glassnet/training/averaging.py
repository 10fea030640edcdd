"""Averages of the weights over the steps of a training: exponential (EMA), of its last epochs (SWA), of all its late steps (Polyak)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.errors import unknown

NORMS = nn.modules.batchnorm._BatchNorm


class Averager:
    """Keeps an average of every floating parameter and buffer; whole-number buffers are copied.

    With w the weights after n updates, n counted from 1:

    ``ema`` (a ``decay`` d): a ← d'·a + (1 − d')·w with d' = min(d, (1 + n)/(10 + n)), so that the first steps are soon forgotten. The statistics of batch
    normalisation are averaged alike, as is usual for it, and need no pass over the data.

    ``swa`` and ``polyak`` (no decay): the plain mean of the weights after every ``every``-th update beyond ``begin_after``; before that, the present
    weights. SWA takes one w an epoch or cycle (Izmailov et al. 2018, algorithm 1: w_SWA ← (w_SWA·k + w)/(k + 1)), Polyak averaging
    every step (Polyak & Juditsky 1992). Statistics of batch normalisation belong to the weights that they were taken with, so that a mean of
    weights asks for new ones: :func:`refresh_statistics`.

    Args:
        net: whose weights are averaged.
        decay: d, for the exponential average; None for the plain one.
        begin_after: updates before the plain average begins.
        every: updates from one w that is averaged to the next.
    """

    def __init__(self, net: nn.Module, *, decay: float | None = 0.999, begin_after: int = 0, every: int = 1) -> None:
        self.decay = decay
        self.begin_after = begin_after
        self.every = every
        self.updates = 0
        self.average = [tensor.detach().clone() for tensor in _tensors(net)]

    @property
    def averaged(self) -> int:
        """How many w the plain average is the mean of; 0 before it begins."""
        return max(0, self.updates - self.begin_after) // self.every

    @property
    def asks_for_statistics(self) -> bool:
        """Whether batch normalisation has to be measured anew for this average: one of several w without a recency of its own."""
        return self.decay is None and self.averaged > 1

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take the present weights in."""
        self.updates += 1
        past = self.updates - self.begin_after
        if self.decay is None and past > 0 and past % self.every:
            return  # between two that are averaged
        present = _tensors(net)
        floating = [(mine, now) for mine, now in zip(self.average, present, strict=True) if now.is_floating_point()]
        for mine, now in zip(self.average, present, strict=True):
            if not now.is_floating_point():
                mine.copy_(now)
        if self.decay is not None:
            share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        else:
            share = 1 / max(1, self.averaged)
        torch._foreach_lerp_([mine for mine, _ in floating], [now for _, now in floating], share)

    @contextmanager
    def swapped(self, net: nn.Module) -> Iterator[None]:
        """The network carries the average within the block, and exactly its own weights after it."""
        held = _tensors(net)
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


def _tensors(net: nn.Module) -> list[Tensor]:
    """Parameters and buffers in the order of the state dict, which may also hold what a module tells by ``get_extra_state``."""
    return [value for value in net.state_dict().values() if isinstance(value, Tensor)]


@torch.no_grad()
def refresh_statistics(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Measure the running averages of batch normalisation anew, as the plain means over the batches (Izmailov et al. 2018, section 3.2).

    The network runs in training mode, as :func:`torch.optim.swa_utils.update_bn` does it; its mode, the layers' momentum and the random states are put back.
    A network without such layers is left alone, and no batch is looked at.
    """
    norms = [module for module in net.modules() if isinstance(module, NORMS) and module.running_mean is not None]
    if not norms:
        return
    was_training = {module: module.training for module in net.modules()}
    momenta = {norm: norm.momentum for norm in norms}
    devices = {parameter.device.index for parameter in net.parameters() if parameter.device.type == "cuda"}
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's sign for the plain mean
    net.train()
    try:
        with torch.random.fork_rng(devices=list(devices)):
            for inputs, _ in batches:
                net(inputs)
    finally:
        for norm, momentum in momenta.items():
            norm.momentum = momentum
        for module, training in was_training.items():
            module.training = training


AVERAGES = ("none", "ema", "swa", "polyak")
BEGIN = {"swa": 0.75, "polyak": 0.5}
"""From which share of a run on the plain averages are taken, where nothing else is asked for."""


def make_averager(
    name: str, *, decay: float = 0.999, begin_after: int = 0, every: int = 1
) -> Callable[[nn.Module], Averager] | None:
    """What makes the averager of a name; None for ``none``.

    Args:
        name: one of ``AVERAGES``.
        decay: of ``ema``.
        begin_after: steps before ``swa`` and ``polyak`` begin.
        every: steps between two weights that ``swa`` averages.

    Raises:
        UsageError: unknown name.
    """
    if name not in AVERAGES:
        raise unknown("average", name, AVERAGES)
    if name == "none":
        return None
    return partial(
        Averager,
        decay=decay if name == "ema" else None,
        begin_after=begin_after,
        every=every if name == "swa" else 1,
    )


def swa_begin(share: float, epochs: int, steps_per_epoch: int) -> int:
    """After how many steps SWA begins, so that the first w it averages is that of the end of the epoch at ``share`` of the run.

    Algorithm 1 counts the weights that it begins with as the first; these are of the end of epoch ⌈share · epochs⌉, at least one.
    """
    first = max(1, math.ceil(share * epochs - 1e-9))
    return (first - 1) * steps_per_epoch
