"""How often to look: as often as costs a small share of the time, measured on the user's own network."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor, nn

from glassnet.layers.twin import twin
from glassnet.training.execution import give_back
from glassnet.training.measure.meter import EARLY, Meter
from glassnet.training.measure.restoring import buffers_kept
from glassnet.training.plan import Plan
from glassnet.training.state import State
from glassnet.training.step import optimise

SHARE = 0.04  # of the training time
LEAST, MOST = 10, 1_000  # steps between two looks
LOOKS = 11  # that a run gets whatever they cost: the diagnosis is as good with 11 looks as with 36 (docs/diagnosis.md)
TRIALS = 3


def choose_interval(
    net: nn.Module, plan: Plan, batches: Iterable[tuple[Tensor, Tensor]], steps: int
) -> tuple[int, str]:
    """Time some plain steps and some looks, and choose the interval at which looking costs 4 % of the time; eleven looks are made in any case, the first of them in the first steps.

    Args:
        net: to be trained; a copy takes the steps.
        plan: what the training is decided by.
        batches: a few of the training part.
        steps: of the whole run.

    Returns:
        Steps between two looks, and the reason in words.
    """
    iterator = iter(batches)
    some = list(islice(iterator, TRIALS + 1))
    close = getattr(iterator, "close", None)  # a generator may hold a thread that reads ahead
    if close is not None:
        close()
    plain, looked, meter = [], [], Meter(1)
    watched = replace(plan, meter=meter)
    with buffers_kept(
        net
    ):  # a copy takes the steps, but random numbers are drawn from where the training will draw them
        state = State(twin(net), plan)
        state.net.train()
        for number, (inputs, targets) in enumerate(some):
            begin = time.perf_counter()
            optimise(state, plan, inputs, targets)
            _wait(state.device)
            middle = time.perf_counter()
            with meter.watch(state, watched, inputs, targets) as look:
                look.made = optimise(state, watched, inputs, targets)
            _wait(state.device)
            if number or len(some) == 1:  # the first of each is slower than the rest
                plain.append(middle - begin)
                looked.append(time.perf_counter() - middle)
    del state, look  # of a large network the most that a training holds
    give_back()
    one, extra = min(plain), max(min(looked) - min(plain), 1e-9)
    looks = max(SHARE * steps * one / extra, LOOKS) - len(EARLY)
    every = min(max(round(steps / looks), LEAST), MOST)
    return every, f"a look costs {extra / max(one, 1e-9):.1f} steps, so one step in {every} is looked at"


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
