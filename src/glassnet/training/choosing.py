"""Which way of running a network is the fastest here: a few steps of each way are timed, and what was found is kept for the next run.

Ways differ in precision, memory layout and threads. One question is asked after the other, each with the best answer to those before it, because all
combinations would take longer than they save. Less precision is taken only where the gradient and a short training agree with float32's;
everything else computes the same to rounding.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import torch
from torch import Tensor, nn

from glassnet.layers.twin import twin
from glassnet.training.crowd import Crowd
from glassnet.training.dense_chain import dense_chain
from glassnet.training.execution import Execution, choose_device, give_back
from glassnet.training.fused import FusedAdam
from glassnet.training.known_ways import KnownWays, fingerprint_of_way
from glassnet.training.losses import Loss
from glassnet.training.state import generators, restore_generators
from glassnet.training.step import autocast, weight_gradients_by
from glassnet.training.weight_gradients import AsProducts

KEPT = ("precision", "channels_last", "weight_gradients")  # of a way; the threads depend on who else is at work
MOST_SECONDS = 0.1  # of a pass of the batch that is measured with, about
FEWEST = 16  # samples of such a batch
# Passes that it takes to choose between ways whose passes take long, about; a run of images that has not so many to make had better begin.
LONG_SECONDS, PASSES = MOST_SECONDS / 2, 40
WORTH = 1.02  # gain for which weight gradients are computed as products
LEAST_GAIN = 1.15  # below that, lower precision is not worth having
# At the start, rounding turns the gradient of a batch-normalised net so far without harm (docs/log.md).
LEAST_COSINE = 0.9
TRIAL_STEPS = 6  # of the short training that must agree
TRIAL_STRIDE = 0.003  # length of its steps, as a share of the length of all weights together
SHORTER = 4.0  # how much shorter they are where they do not agree at first
TRIAL_TOLERANCE = 0.1  # how far its last loss may be from float32's, as a share of the first loss
TURN = 0.015  # seconds of passes of a turn: of small networks many, since the first after the other way's is not like the rest
ROUNDS, MOST_ROUNDS = 3, 15  # turns of each way that are timed
ENOUGH = 0.3  # seconds of them after which there are enough
CLEAR = 4  # turns after which there are enough if every one of the one way was faster than all of the other: by chance once in 35 times
CLEARLY, SOON = 1.25, 2  # how much faster every one must be for so few turns to be enough
# How much slower than one thread all of them are in a bad moment of a virtual machine, whose cores are not always whole ones (docs/log.md); tiny networks lose less or more, and always.
DOUBTFUL = (1.1, 1.6)
ASKED, PAUSE = 3, 0.5  # times that it is then measured, and seconds between them
MOST_REMEMBERED = 2**23  # numbers that Adam may hold for a measurement
# A gain this near to the least that counts might be judged otherwise by the next run, which then asks anew; the median of so many runs decides for good, so that a command that is given again computes alike.
UNSURE, CLOSE_CALLS = 1.1, 3
# Layers with enough arithmetic for each number that they move. Of dense layers alone bfloat16 makes slower ones (docs/speed.md).
GAINING = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.RNNBase)


@dataclass(frozen=True)
class Way:
    """One way to run a step."""

    precision: str
    channels_last: bool
    threads: int
    weight_gradients: str = "library"


def choose_execution(
    net: nn.Module,
    example: tuple[Tensor, Tensor],
    loss: Loss,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    layout: str = "auto",
    weight_gradients: str = "auto",
    known: KnownWays | None = None,
    steps: int | None = None,
) -> Execution:
    """Measure some training steps of this network on this machine and choose.

    bfloat16 is taken where it is at least 15 % faster, its gradient points the same way as float32's (cosine ≥ 0.9), and six steps of
    gradient descent come to the same loss (within a tenth of the first one). Convolutions in float32 run channels last unless channels first is
    faster. On the CPU one thread is taken where all of them are no faster: for tiny networks, and where a neighbour occupies a core and threads that
    wait for each other lose far more than a half. The network and the random states are left as they were; the process's number of threads is set to
    the chosen one.

    Args:
        net: the network to be trained.
        example: one batch of inputs and targets as training will see them.
        loss: the loss.
        device: as in :func:`glassnet.training.execution.choose_device`.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        threads: threads inside an operation; None measures.
        layout: ``auto``, ``channels-last`` or ``channels-first``, of images.
        weight_gradients: ``auto``, ``library`` or ``products`` (:mod:`~glassnet.training.weight_gradients`), of convolutions of images.
        known: what earlier runs have found; nothing is looked up or kept without it. The number of threads is measured anew in any case, because it
            depends on who else is at work.
        steps: of the whole training, where that is known: of images whose passes take long nothing but threads is measured if that took longer than the training.
    """
    place = choose_device(device)
    images = example[0].ndim == 4 and any(isinstance(module, nn.Conv2d) for module in net.modules())
    every = torch.get_num_threads()
    way = Way(
        "float32" if precision == "auto" else precision,
        images and layout != "channels-first",
        threads or every,
        "library" if weight_gradients == "auto" else weight_gradients,
    )
    if not images:
        layout = weight_gradients = "any"
    states = generators()
    crowded = False
    try:
        measurer = _Measurer(net, example, loss, place, images)
        why = f"{precision} as asked"
        asked = (precision, layout, weight_gradients)
        if "auto" in asked:
            way, why = _known_or_measured(measurer, way, asked, known, steps)
        if threads is None and every > 1 and place.type == "cpu":
            measurer.shorten(way)
            way, told, crowded = _threads(measurer, way)
            why += f"; {told}"
        elif precision != "auto":
            why += f", {way.threads} thread{'' if way.threads == 1 else 's'}"
    finally:
        restore_generators(states)
        torch.set_num_threads(way.threads)
        give_back()
    # One thread alone is chosen for good where it is as fast on a quiet machine: its sums are then rounded alike in every run.
    changes = threads is None and every > 1 and place.type == "cpu" and (way.threads > 1 or crowded)
    return Execution(
        place, way.precision, way.channels_last, way.threads, why, way.weight_gradients, every if changes else None
    )


def _known_or_measured(
    measurer: _Measurer, usual: Way, asked: tuple[str, str, str], known: KnownWays | None, steps: int | None
) -> tuple[Way, str]:
    """Precision, layout and weight gradients where these are asked to be ``auto``, and why: from an earlier run if there was one like this."""
    key = fingerprint_of_way(measurer.net, measurer.example, measurer.loss, measurer.device, asked)
    found = known.find(key) if known else None
    close: list[float] = [] if found is None else found["gains"]
    if found is not None and not close:
        way = replace(usual, **{name: found[name] for name in KEPT})
        return way, f"{found['why']} (measured by an earlier run)"
    measurer.shorten(usual)
    if steps is not None and measurer.takes_longer_than(steps):
        return usual, f"{usual.precision}: a training of {steps} steps is over before others are measured"
    precision, layout, weight_gradients = asked
    way, why = usual, f"{usual.precision} as asked"
    if precision == "auto":
        way, why, close = _precision(measurer, usual, close)
    # Between ways to the same numbers a close call costs nothing either way: only one between precisions is asked anew by the next run.
    # Channels last is what convolutions in bfloat16 are made for; only in float32 is there a question.
    if layout == "auto" and way.precision == "float32":
        last, first = measurer.in_turns((way, replace(way, channels_last=False)))
        if first < last:
            way, why = replace(way, channels_last=False), f"{why}; channels first, {last / first:.3g} times as fast"
    if weight_gradients == "auto" and measurer.has_products(way):
        products = replace(way, weight_gradients="products")
        slow, fast = measurer.in_turns((way, products))
        if slow / fast >= WORTH:
            way = products
            why += f"; weight gradients of small maps as products, {slow / fast:.3g} times as fast"
    if measurer.crowded:
        why += "; measured on one thread, because other programs are at work"
    elif known:
        known.keep(key, {**{name: getattr(way, name) for name in KEPT}, "why": why, "gains": close})
    return way, why


def _precision(measurer: _Measurer, usual: Way, close: list[float]) -> tuple[Way, str, list[float]]:
    """float32 or bfloat16, why, and the gains that this and earlier runs measured where that was too close a call to be kept; empty where it is settled."""
    kinds = any(isinstance(module, GAINING) for module in measurer.net.modules())
    if not kinds or not _has_fast_bfloat16(measurer.device):
        return usual, "float32: this network or machine gains nothing from bfloat16", []
    low = replace(usual, precision="bfloat16")
    try:
        slow, fast = measurer.in_turns((usual, low))
    except (RuntimeError, NotImplementedError):
        measurer.gradient(usual)  # where float32 fails too, that is the error to tell
        return usual, "float32: an operation of this network knows no bfloat16", []
    gains = [*close, slow / fast]
    gain = median(gains)
    if len(gains) >= CLOSE_CALLS or (not close and not 1 / UNSURE < gain / LEAST_GAIN < UNSURE):
        gains = []
    if gain < LEAST_GAIN:
        return usual, f"float32: bfloat16 would be {gain:.1f} times as fast as float32 here", gains
    cosine = _cosine(measurer.gradient(usual), measurer.gradient(low))
    told = f"{gain:.1f} times as fast as float32 here, gradient cosine {cosine:.4f}"
    if cosine < LEAST_COSINE:
        return usual, f"float32: bfloat16 would be {told}", []
    apart = _apart_after_steps(measurer, usual, low)
    told += f", losses after {TRIAL_STEPS} steps {apart:.1%} apart"
    if not apart <= TRIAL_TOLERANCE:
        return usual, f"float32: bfloat16 would be {told}", []
    return low, f"bfloat16: {told}", gains


def _apart_after_steps(measurer: _Measurer, usual: Way, low: Way) -> float:
    """How far apart the losses of two ways are after some steps, as a share of the first loss.

    Steps can be so long for a network that what they come to hangs on every bit: GoogLeNet's came to the same loss with three of four batches. So where they do not agree, shorter ones
    decide, and then it is a share of what they gain.
    """
    first, exact = measurer.trial(usual, TRIAL_STRIDE)
    apart = abs(measurer.trial(low, TRIAL_STRIDE)[1] - exact) / max(abs(first), 1e-12)
    if apart <= TRIAL_TOLERANCE:
        return apart
    first, exact = measurer.trial(usual, TRIAL_STRIDE / SHORTER)
    return abs(measurer.trial(low, TRIAL_STRIDE / SHORTER)[1] - exact) / max(first - exact, 1e-12)


def _threads(measurer: _Measurer, way: Way) -> tuple[Way, str, bool]:
    """All threads or one, why, and whether other programs were at work meanwhile."""
    alone = replace(way, threads=1)
    for asked in range(1, ASKED + 1):
        crowd = Crowd()
        together, single = measurer.in_turns((way, alone), update=True)
        crowded = crowd.there((way.threads + 1) / 2)  # their turns are about as long
        if asked == ASKED or crowded or not DOUBTFUL[0] < together / single < DOUBTFUL[1]:
            break
        time.sleep(PAUSE)
    if together < single:
        told = f"one alone takes {single / together:.3g} times as long as all"
        return way, f"{way.threads} of {way.threads} threads: {told}", crowded
    told = f"all take {together / single:.3g} times as long as one alone"
    if crowded:
        told += ", beside other programs; tried again while it trains"
    return alone, f"1 of {way.threads} threads: {told}", crowded


class _Measurer:
    """Runs copies of the network in different ways.

    Attributes:
        example: the batch, or after :meth:`shorten` as much of it as a pass of some :data:`MOST_SECONDS` takes.
        crowded: whether other programs were at work while ways were compared.
    """

    crowded = False
    _pass_seconds = 0.0  # of the shortened batch
    _passes_a_step = 1.0  # how many of it make a whole one

    def __init__(
        self, net: nn.Module, example: tuple[Tensor, Tensor], loss: Loss, device: torch.device, images: bool
    ) -> None:
        self.net, self.example, self.loss, self.device = net, example, loss, device
        self.start = generators()
        # Of images alone: a part of a graph, or of the lanes of a text, is another thing.
        self._may_shorten = images and device.type == "cpu"

    def shorten(self, way: Way) -> None:
        """Cut a batch of images of which a pass takes long: the answers stay the same, and are not to cost more than they bring."""
        if not self._may_shorten:
            return
        self._may_shorten = False
        once, _ = self._prepared(way)
        seconds = []
        for _ in range(2):  # the first is slower
            begin = time.perf_counter()
            once()
            seconds.append(time.perf_counter() - begin)
        count = len(self.example[1])
        kept = min(count, max(FEWEST, int(count * MOST_SECONDS / seconds[-1])))
        self._pass_seconds, self._passes_a_step = seconds[-1] * kept / count, count / kept
        self.example = self.example[0][:kept], self.example[1][:kept]

    def takes_longer_than(self, steps: int) -> bool:
        """Whether measuring takes longer than so many steps."""
        return self._pass_seconds >= LONG_SECONDS and steps * self._passes_a_step < PASSES

    def in_turns(self, ways: tuple[Way, Way], *, update: bool = False) -> tuple[float, float]:
        """Seconds of a forward and a backward pass in two ways, the medians of some; in turns, so that a neighbour's work counts in both.

        Threads that share their cores with other programs mostly wait for each other, in any way alike: a way that is 1.7 times as fast looked half as
        fast. So there two ways of so many threads are compared on one, by the clock of the processor, which runs only while this process does.

        With ``update`` a step of Adam follows, which for small dense networks takes a third of the time and gains from threads; not of large ones, whose
        training is not to need more memory for the choice than for itself.
        """
        crowd = Crowd()
        taken = self._timed(ways, update, time.perf_counter)
        threads = {way.threads for way in ways}
        if self.device.type == "cpu" and len(threads) == 1 and crowd.there(threads.pop()):
            self.crowded = True
            first, second = ways
            taken = self._timed((replace(first, threads=1), replace(second, threads=1)), update, time.process_time)
        return taken

    def _timed(self, ways: tuple[Way, Way], update: bool, clock: Callable[[], float]) -> tuple[float, float]:
        # What was freed lies in pieces, from which the next passes' tensors would not be cut but be taken beside them: of an LSTM 90 MB each time.
        give_back()
        # One copy serves ways that differ in threads alone: of a large network a second one would be the run's largest memory.
        first, _ = self._prepared(ways[0], update=update)
        alike = replace(ways[1], threads=ways[0].threads) == ways[0]
        passes = first, first if alike else self._prepared(ways[1], update=update)[0]
        times: tuple[list[float], list[float]] = ([], [])
        spent = 0.0
        for number in range(MOST_ROUNDS + 1):
            for way, once, known in zip(ways, passes, times, strict=True):
                torch.set_num_threads(way.threads)
                taken = [_seconds(once, clock)]
                while sum(taken) < TURN:
                    taken.append(_seconds(once, clock))
                if number:  # the first turn is slower than the rest, and so is the first pass of each, which finds the other's caches and threads
                    known.append(median(taken[1:] or taken))
                    spent += sum(taken)
            if not number:
                give_back()
            if number >= SOON and _apart(*times, by=CLEARLY):
                break
            if number >= ROUNDS and (spent >= 2 * ENOUGH or (number >= CLEAR and _apart(*times))):
                break
        return median(times[0]), median(times[1])

    def gradient(self, way: Way) -> list[Tensor]:
        """The gradient, parameter by parameter: as one vector it would be another copy of a large network."""
        once, copied = self._prepared(way)
        once()
        return [p.grad for p in copied.parameters() if p.grad is not None]

    def has_products(self, way: Way) -> bool:
        """Whether there is a convolution whose weight gradient might be computed as a product."""
        if way.precision != "bfloat16" or self.device.type != "cpu":
            return False
        copied, inputs = twin(self.net).train(), self.example[0]
        with autocast(way.precision, self.device), AsProducts() as seen:
            copied(inputs)
        return bool(seen.taken)

    def trial(self, way: Way, stride: float) -> tuple[float, float]:
        """The first and the last loss of some steps of gradient descent, each as long as this share of the vector of all weights."""
        once, copied = self._prepared(way)
        first = last = once()
        for _ in range(TRIAL_STEPS):
            _descend(copied, stride)
            last = once()
        return first, last

    def _prepared(self, way: Way, *, update: bool = False) -> tuple[Callable[[], float], nn.Module]:
        """A pass over a fresh copy, to be called any number of times, and the copy."""
        torch.set_num_threads(way.threads)
        copied = twin(self.net).to(self.device).train()
        inputs, targets = self.example[0].to(self.device), self.example[1].to(self.device)
        if way.channels_last:
            copied = copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        learning = [parameter for parameter in copied.parameters() if parameter.requires_grad]
        remembered = 2 * sum(parameter.numel() for parameter in learning)
        optimizer = FusedAdam(learning, lr=0.0, fused=True) if update and 0 < remembered <= MOST_REMEMBERED else None

        chain = dense_chain(copied) if way.precision == "float32" else None  # by which the training will go

        def once() -> float:
            restore_generators(self.start)  # the same dropout masks in every way
            copied.zero_grad(set_to_none=True)
            if chain is not None and chain.takes(inputs):
                value, _ = chain.learn(inputs, targets, self.loss)
            else:
                with autocast(way.precision, self.device), weight_gradients_by(way.weight_gradients):
                    outputs = copied(inputs)
                value = self.loss(outputs, targets)
                value.backward()  # type: ignore[no-untyped-call]
            if optimizer is not None:
                optimizer.step()
            return float(value.detach())  # waits for the device

        return once, copied


@torch.no_grad()
def _descend(net: nn.Module, stride: float) -> None:
    """Take a step against the gradient, as long as this share of the vector of all weights."""
    weights = [p for p in net.parameters() if p.grad is not None]
    slopes = [p.grad for p in weights if p.grad is not None]
    length, slope = math.sqrt(_product(weights, weights)), math.sqrt(_product(slopes, slopes))
    for weight, gradient in zip(weights, slopes, strict=True):
        weight.sub_(gradient, alpha=stride * length / max(slope, 1e-15))


def _cosine(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Of the angle between two gradients."""
    return _product(one, other) / max(math.sqrt(_product(one, one) * _product(other, other)), 1e-300)


@torch.no_grad()
def _product(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Of two long vectors, by pieces and in float64: with sums of sixty million products in float32 a cosine came to 1.0018."""
    return math.fsum(
        float(a.double() @ b.double())
        for whole, its in zip(one, other, strict=True)
        for a, b in zip(torch.split(whole.flatten(), 2**20), torch.split(its.flatten(), 2**20), strict=True)
    )


def _seconds(once: Callable[[], float], clock: Callable[[], float]) -> float:
    begin = clock()
    once()
    return clock() - begin


def _apart(one: list[float], other: list[float], by: float = 1.0) -> bool:
    return max(one) * by < min(other) or max(other) * by < min(one)


def _has_fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
