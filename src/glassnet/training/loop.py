"""The loop. It yields an event after every step and every epoch; the body of the caller's ``for`` is the hook.

    for event in train(net, batches, plan, validation=batches_of_validation):
        print(event)

Leaving the ``for`` early leaves the network and the state whole; the state can be saved at any event, and a new ``train`` with that
state goes on as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Literal, Protocol, overload

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.events import Epoch, Event, Finished, Started, Step, Timing, Traced
from glassnet.training.averaging import refresh_statistics
from glassnet.training.evaluate import evaluate
from glassnet.training.measure import describe, trace
from glassnet.training.measure.trace import strange
from glassnet.training.plan import Plan
from glassnet.training.state import State
from glassnet.training.step import Backward, Made, optimise
from glassnet.training.waiting import Waiting


class Batches(Protocol):
    """What the loop asks of batches: an epoch can be entered at any position."""

    steps_per_epoch: int
    samples: int

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The (inputs, targets) of an epoch from a position on."""
        ...


@overload
def train(
    net: nn.Module,
    batches: Batches,
    plan: Plan,
    *,
    validation: Batches | None = None,
    sample: Batches | None = None,
    state: State | None = None,
    waits: Literal[False] = False,
) -> Iterator[Event]: ...


@overload
def train(
    net: nn.Module,
    batches: Batches,
    plan: Plan,
    *,
    validation: Batches | None = None,
    sample: Batches | None = None,
    state: State | None = None,
    waits: bool,
) -> Iterator[Event | Waiting]: ...


def train(
    net: nn.Module,
    batches: Batches,
    plan: Plan,
    *,
    validation: Batches | None = None,
    sample: Batches | None = None,
    state: State | None = None,
    waits: bool = False,
) -> Iterator[Event | Waiting]:
    """Train a network, telling what happens.

    Args:
        net: any module that maps a batch of inputs to outputs; trained in place.
        batches: the training part.
        plan: what the training is decided by.
        validation: the validation part, in a fixed order, without augmentation.
        sample: a fixed sample of the training part, likewise, so that both figures of an epoch are measured alike.
        state: a training to go on with; a new one is begun without it.
        waits: yield a :class:`~glassnet.training.waiting.Waiting` before every step, so that several trainings can make theirs in one pass.

    Yields:
        Started, then a Step after every step, an Epoch and a Timing after every epoch, and Finished. Where the plan has a meter, also Described
        after Started, Measured before the Step that was looked at, and Traced before one with a strange loss.
    """
    lacks = [name for name in ("samples", "steps_per_epoch", "epoch") if not hasattr(batches, name)]
    if lacks:
        raise UsageError(
            "these are no batches",
            where="batches",
            got=f"a {type(batches).__name__} without {', '.join(lacks)}",
            expected="samples, steps_per_epoch, and epoch(number, start=0), which gives pairs (inputs, targets)",
            fix="glassnet.data.batches.Batches makes them of a part",
        )
    state = state or State(net, plan)
    if not state.started:
        state.started = True
        trainable = sum(p.numel() for p in net.parameters() if p.requires_grad)
        yield Started(batches.samples, batches.steps_per_epoch, plan.epochs, trainable)
        if plan.meter:
            yield describe(net, batches, plan, validation)
    while state.epoch < plan.epochs and state.stop is None:
        clock, first = time.perf_counter(), state.batch
        away = 0.0
        modules = list(net.modules())
        for inputs, targets in batches.epoch(state.epoch, start=state.batch):
            if not all(module.training for module in modules):  # whoever looked on may have left it otherwise
                net.train()
            due = plan.meter is not None and plan.meter.due(state.step)
            by: Backward | None = None
            if waits:
                waiting, left = Waiting(state, plan, inputs, targets, watched=due), time.perf_counter()
                yield waiting
                by = waiting.backward
                if (
                    waiting.shared is None
                ):  # others made their steps meanwhile; a pass for all of them is this one's too
                    away += time.perf_counter() - left
            with plan.meter.watch(state, plan, inputs, targets) if plan.meter and due else nullcontext() as look:
                event, made = one_step(state, plan, batches, inputs, targets, by)
                if look is not None:
                    look.made = made
            # The Step comes last: whoever saves the state on a Step has then seen all that the step had to tell.
            seen: list[Event] = [] if look is None else [look.event(event)]
            if plan.meter and (kind := strange(event.loss, state.usual)):
                seen.append(traced(state, plan, batches, inputs, targets, made.outputs, kind, event.loss))
            state.remember(event.loss)
            seen.append(event)
            left = time.perf_counter()
            yield from seen
            away += time.perf_counter() - left
        trained = time.perf_counter()
        epoch = finish_epoch(state, plan, batches, validation, sample)
        seconds = trained - clock - away
        share = (batches.steps_per_epoch - first) / batches.steps_per_epoch
        yield epoch
        yield Timing(epoch.epoch, seconds, time.perf_counter() - trained, batches.samples * share / max(seconds, 1e-9))
    if not state.finished:
        state.finished = True
        yield Finished(state.stop or "completed", state.epoch, state.step, state.best_epoch, state.best)


def traced(
    state: State,
    plan: Plan,
    batches: Batches,
    inputs: Tensor,
    targets: Tensor,
    outputs: Tensor | None,
    kind: str,
    loss: float | None,
) -> Traced:
    """Where the strange loss of the step just made came from, with the samples' places in the training part where the batches know them."""
    pieces = getattr(batches, "pieces", None)
    index = pieces(state.epoch)[state.batch - 1] if callable(pieces) else None
    value = float("nan") if loss is None else loss
    return trace(state, plan, inputs, targets, outputs, kind=kind, loss=value, usual=state.usual, index=index)


def one_step(
    state: State, plan: Plan, batches: Batches, inputs: Tensor, targets: Tensor, by: Backward | None = None
) -> tuple[Step, Made]:
    """Set the learning rate, make a step (``by`` as in :func:`~glassnet.training.step.optimise`), keep the sums; what the step was made of comes too."""
    factor = state.schedule.factor(state.step, batches.steps_per_epoch, plan.epochs * batches.steps_per_epoch)
    for group, base in zip(state.optimizer.param_groups, state.base_lrs, strict=True):
        group["lr"] = base * factor
    made = optimise(state, plan, inputs, targets, by)
    loss, penalty, _, norm, clipped = made
    state.step += 1
    state.batch += 1
    state.samples += len(targets)
    state.sums["loss"] += loss
    if penalty is not None:
        state.sums["penalty"] += penalty
    if clipped is not None:
        state.sums["clipped"] += clipped
    lr = state.base_lrs[0] * factor
    unrecorded = (state.step - 1) % plan.record_every != 0
    if unrecorded and (loss.device.type != "cpu" or math.isfinite(loss.item())):
        return Step(state.epoch, state.step, lr, state.samples), made
    step = Step(
        state.epoch,
        state.step,
        lr,
        state.samples,
        loss=float(loss),
        penalty=0.0 if penalty is None else float(penalty),
        grad_norm=None if norm is None else float(norm),
    )
    return step, made


def finish_epoch(
    state: State, plan: Plan, batches: Batches, validation: Batches | None, sample: Batches | None
) -> Epoch:
    """Measure, keep the best weights, and decide whether to go on."""
    net, epoch = state.net, state.epoch
    with torch.no_grad() if state.averager is None else state.averager.swapped(net):
        if state.averager is not None and state.averager.asks_for_statistics:
            refresh_statistics(net, batches.epoch(epoch))
        train_figures = evaluate(net, sample.epoch(0), plan) if sample else {}
        val_figures = evaluate(net, validation.epoch(0), plan) if validation else {}
        best = True
        if state.stopping:
            seen = val_figures or train_figures
            value = seen.get(state.stopping.monitor, float("nan"))
            best, stop = state.stopping.observe(epoch, value)
            if stop:
                state.stop = "early stop"
        if best:
            state.keep_best(state.stopping.best if state.stopping else None)
    state.schedule.observe(val_figures.get("loss", train_figures.get("loss", float("nan"))))
    steps = max(state.batch, 1)
    sums = {name: float(total) / steps for name, total in state.sums.items()}
    lr = float(state.optimizer.param_groups[0]["lr"])
    state.next_epoch()
    return Epoch(
        epoch, state.step, lr, sums["loss"], sums["penalty"], sums["clipped"], train_figures, val_figures, best
    )
