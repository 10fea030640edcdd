"""Minibatches whose order and augmentation are a pure function of (seed, epoch, position).

Nothing here remembers what came before: batch ``position`` of epoch ``epoch`` can be asked for directly, which is what lets a run
that was stopped anywhere go on bit for bit.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor

from glassnet.data.dataset import InMemory, Part, Schema, beneath
from glassnet.data.graph import Graphs, Nodes
from glassnet.data.pairs import Pairs
from glassnet.data.ragged import lengths_of
from glassnet.data.rows_ahead import Announced, in_runs, run_of
from glassnet.data.windows import Windows

BUCKET = 20  # batches that share out their samples by length
# Samples that are answered at once; of images fewer, as many as have so many numbers: on a processor, whose caches hold their maps (docs/log.md, "Answering"), and on a card.
MOST_ANSWERED, FEWEST_ANSWERED = 500, 16
NUMBERS_ANSWERED = {"cpu": 2**18, "cuda": 2**24}

Prepare = Callable[[Tensor, torch.Generator], Tensor]


class Batch(NamedTuple):
    """What the network gets, and what it should say."""

    inputs: Tensor
    targets: Tensor


def answered_at_once(schema: Schema, device: torch.device) -> int:
    """How many samples a network is best asked about at once where nothing is learned: of images no more than take little memory."""
    if schema.kind != "image":
        return MOST_ANSWERED
    return max(FEWEST_ANSWERED, min(MOST_ANSWERED, NUMBERS_ANSWERED.get(device.type, 2**18) // prod(schema.shape)))


class Batches:
    """The minibatches of one part of a data set.

    An epoch of ``n`` samples is cut into ``ceil(n / batch_size)`` batches of which none is less than about half full (``sizes_of``), so that there
    is no tiny last batch to spoil batch normalisation, and every sample is seen once in every epoch.

    Args:
        part: inputs and targets.
        batch_size: the largest number of samples in a batch, at least 1.
        seed: decides order and augmentation, together with epoch and position.
        prepare: raw inputs and a seeded generator -> what the network takes (augmentation, preprocessing).
        shuffle: a new random order in every epoch; otherwise the part's own order.
        device: where batches are put before ``prepare`` sees them.
        channels_last: lay image batches out as (batch, height, width, channels) in memory.

    Attributes:
        plain: the same batches without augmentation, where these have some.
        later: the samples come later in time than those that are learned from, as in a forecast.
    """

    def __init__(
        self,
        part: Part,
        batch_size: int,
        *,
        seed: int = 0,
        prepare: Prepare | None = None,
        shuffle: bool = True,
        device: torch.device | str = "cpu",
        channels_last: bool = False,
    ) -> None:
        self.part = part
        self.batch_size = batch_size
        self.seed = seed
        self.prepare = prepare
        self.shuffle = shuffle
        self.device = torch.device(device)
        self.channels_last = channels_last
        self.plain: Batches | None = None
        self.later = False
        self.samples = len(part)
        self.sizes = sizes_of(self.samples, batch_size)
        self.steps_per_epoch = len(self.sizes)
        self.lengths = lengths_of(part.inputs)
        below = beneath(part.inputs)[0]
        self.pairs = isinstance(below, Pairs)
        self.run = run_of(part.inputs) if shuffle else 1
        self.at_hand = (
            isinstance(part.inputs, InMemory) or self.lengths is not None or isinstance(below, Windows | Nodes | Graphs)
        )

    def pieces(self, epoch: int) -> tuple[Tensor, ...]:
        """Which samples make each batch of an epoch, in order: int64 (samples of the batch,)."""
        return torch.split(self.order(epoch), self.sizes)

    def order(self, epoch: int) -> Tensor:
        """The order of the samples in an epoch: int64 (samples,)."""
        if not self.shuffle:
            return torch.arange(self.samples)
        generator = seeded(self.seed, epoch, -1)
        if self.run > 1:
            return in_runs(self.samples, self.run, generator)
        drawn = torch.randperm(self.samples, generator=generator)
        return drawn if self.lengths is None else self._alike(drawn, epoch)

    def _alike(self, drawn: Tensor, epoch: int) -> Tensor:
        """The drawn order with samples of about one length in the same batch, so that little is padded.

        Every ``BUCKET`` batches, which lie anywhere in the epoch, share out their samples by length. So a batch is still a random one of all
        batches, and which samples meet in it changes from epoch to epoch.
        """
        assert self.lengths is not None
        sizes = torch.tensor(self.sizes)
        begins = sizes.cumsum(0) - sizes
        places = torch.randperm(self.steps_per_epoch, generator=seeded(self.seed, epoch, -2))
        order, taken = torch.empty_like(drawn), 0
        for some in torch.split(places, BUCKET):
            count = int(sizes[some].sum())
            pool = drawn[taken : taken + count]
            pool = pool[self.lengths[pool].argsort(stable=True)]
            for place, piece in zip(some.tolist(), torch.split(pool, sizes[some].tolist()), strict=True):
                order[int(begins[place]) : int(begins[place]) + len(piece)] = piece
            taken += count
        return order

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from position ``start`` on."""
        made = self._made(epoch, start)
        # What lies in memory is sliced faster than a second thread could hand it over; files are decoded ahead.
        return made if self.at_hand else read_ahead(made, depth=2)

    def _made(self, epoch: int, start: int) -> Iterator[Batch]:
        order = self.order(epoch)
        pieces = torch.split(order, self.sizes)
        ahead = Announced(self.part.inputs, order, self.run) if self.run > 1 else None
        place = sum(self.sizes[:start])
        for position in range(start, self.steps_per_epoch):
            if ahead is not None:
                ahead.reached(place)
                place += self.sizes[position]
            yield self._batch(pieces[position], epoch, position)

    def taken(self, index: Tensor, position: int) -> tuple[Tensor, Tensor]:
        """The raw inputs and the targets of the batch at ``position``, which are those at ``index``."""
        inputs, targets = self.part.inputs.take(index), self.part.targets[index]
        tokens = targets.ndim == 2 and not targets.is_floating_point()
        if tokens and not self.pairs:  # of the inputs' own tokens: as long as the longest of this batch
            targets = targets[:, : inputs.shape[1]]
        return inputs, targets

    def _batch(self, index: Tensor, epoch: int, position: int) -> Batch:
        inputs, targets = self.taken(index, position)
        inputs = inputs.to(self.device, non_blocking=True)
        if self.prepare is not None:
            inputs = self.prepare(inputs, seeded(self.seed, epoch, position))
        if self.channels_last and inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return Batch(inputs, targets.to(self.device, non_blocking=True))


def sizes_of(samples: int, batch_size: int) -> list[int]:
    """The sizes of an epoch's ``ceil(samples / batch_size)`` batches: full ones, and where less than half of one is left over, two that share.

    Nearly all are full because that is the size the user chose and kernels work in blocks of rows: an LSTM's step in bfloat16 on two threads
    gives 2,400 samples a second with batches of 64, and 1,600 with batches of 62.
    """
    full, rest = divmod(samples, batch_size)
    if full and 0 < 2 * rest < batch_size:
        shared = batch_size + rest
        return [batch_size] * (full - 1) + [shared - shared // 2, shared // 2]
    return [batch_size] * full + [rest] * (rest > 0)


def seeded(seed: int, epoch: int, position: int) -> torch.Generator:
    """A generator that depends on the three numbers alone, and differently on each (the splitmix64 finaliser)."""
    mixed = 0
    for number in (seed, epoch, position):
        mixed = (mixed ^ (number & 0xFFFFFFFFFFFFFFFF)) + 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 31
    return torch.Generator().manual_seed(mixed)


def read_ahead(batches: Iterator[Batch], depth: int) -> Iterator[Batch]:
    """The same batches, made in a thread of their own up to ``depth`` ahead, so that decoding and training overlap.

    An error in making a batch is raised where that batch would have come. Abandoning the iterator ends the thread.
    """
    made: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=depth)
    abandoned = threading.Event()

    def put(item: Batch | BaseException | None) -> None:
        while not abandoned.is_set():
            try:
                made.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            for batch in batches:
                put(batch)
                if abandoned.is_set():
                    return
            put(None)
        except BaseException as error:  # handed to the reader, who raises it
            put(error)

    thread = threading.Thread(target=work, name="glassnet-read-ahead", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        abandoned.set()
        thread.join()
