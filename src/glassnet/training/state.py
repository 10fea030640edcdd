"""A training under way: all that has to be saved so that it goes on bit for bit."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.layers.through_time import carried_of, carry
from glassnet.training.dense_chain import dense_chain
from glassnet.training.plan import Plan


class State:
    """The network, the parts that remember, and how far they have come.

    Attributes:
        net: the network, its weights changing in place.
        chain: the same as a chain of dense layers, where it is one.
        epoch: epochs finished.
        batch: batches of the present epoch already trained on.
        step: optimiser steps made.
        samples: training samples seen.
        started: whether the run has announced itself.
        finished: whether the run has told its end.
        stop: why no further epoch is to be trained, or None.
        best_weights: the state dict that did best on the monitored figure, on the CPU.
        best_epoch: the epoch after which they were taken.
        usual: running mean of the recorded losses, against which a spike is seen; None before the first.
    """

    def __init__(self, net: nn.Module, plan: Plan) -> None:
        self.net = net
        self.device = next((p.device for p in net.parameters()), torch.device("cpu"))
        self.chain = dense_chain(net)
        self.optimizer = plan.optimizer(net)
        self.base_lrs = [float(group["lr"]) for group in self.optimizer.param_groups]
        self.schedule = copy.deepcopy(plan.schedule)  # it remembers; a plan may serve several trainings
        self.averager = plan.averager(net) if plan.averager else None
        self.stopping = plan.stopping() if plan.stopping else None
        self.epoch = 0
        self.batch = 0
        self.step = 0
        self.samples = 0
        self.started = False
        self.finished = False
        self.stop: str | None = None
        self.best_weights: dict[str, Tensor] | None = None
        self.best_epoch: int | None = None
        self.best: float | None = None
        self.usual: float | None = None
        self.sums = self._zeros()
        self._passing = {name: (buffer, buffer._version) for name, buffer in unsaved_buffers(net).items()}

    def _zeros(self) -> dict[str, Tensor]:
        # Kept on the device and in float64: read once an epoch, and exact enough for a million batches.
        return {
            name: torch.zeros((), dtype=torch.float64, device=self.device) for name in ("loss", "penalty", "clipped")
        }

    def next_epoch(self) -> None:
        """Count an epoch as finished."""
        self.epoch += 1
        self.batch = 0
        self.sums = self._zeros()

    def remember(self, loss: float | None) -> None:
        """Take a recorded loss into the running mean; one that is not finite is no measure of what is usual."""
        if loss is not None and math.isfinite(loss):
            self.usual = loss if self.usual is None else 0.9 * self.usual + 0.1 * loss

    def keep_best(self, value: float | None) -> None:
        """Remember the present weights as the best."""
        self.best_weights = {
            name: value.detach().cpu().clone() if isinstance(value, Tensor) else copy.deepcopy(value)
            for name, value in self.net.state_dict().items()
        }
        self.best_epoch = self.epoch
        self.best = value

    def state_dict(self) -> dict[str, Any]:
        """A tree of dicts, lists, tensors and plain values that ``load_state_dict`` takes back."""
        return {
            "net": self.net.state_dict(),
            "passing": self._changed_buffers(),
            "carried": carried_of(self.net),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "averager": self.averager.state_dict() if self.averager else None,
            "stopping": self.stopping.state_dict() if self.stopping else None,
            "best_weights": self.best_weights,
            "sums": self.sums,
            "random": random_states(),
            "place": {name: getattr(self, name) for name in _PLACE},
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Go on from where ``state_dict`` was taken, random states of the process included."""
        self.net.load_state_dict(tree["net"])
        put_back(self.net, tree.get("passing", {}))
        carry(self.net, tree.get("carried", {}))
        self.optimizer.load_state_dict(tree["optimizer"])
        laid_out_alike(self.optimizer)
        self.schedule.load_state_dict(tree["schedule"])
        if self.averager:
            self.averager.load_state_dict(tree["averager"])
        if self.stopping:
            self.stopping.load_state_dict(tree["stopping"])
        self.best_weights = tree["best_weights"]
        self.sums = {name: tensor.to(self.device) for name, tensor in tree["sums"].items()}
        for name in _PLACE:
            setattr(self, name, tree["place"][name])
        restore_random_states(tree["random"])

    def _changed_buffers(self) -> dict[str, Tensor]:
        """The buffers that PyTorch does not save and that the training has changed; what is computed once for all, such as a mask, is left out."""
        changed = {}
        for name, buffer in unsaved_buffers(self.net).items():
            was, version = self._passing.get(name, (None, 0))
            if buffer is not was or buffer._version != version:
                changed[name] = buffer
        return changed


def unsaved_buffers(net: nn.Module) -> dict[str, Tensor]:
    """The buffers that were registered with ``persistent=False``, by name."""
    return {
        f"{path}.{name}" if path else name: buffer
        for path, module in net.named_modules()
        for name, buffer in module._buffers.items()
        if buffer is not None and name in module._non_persistent_buffers_set
    }


@torch.no_grad()
def put_back(net: nn.Module, buffers: dict[str, Tensor]) -> None:
    """Set buffers to what they were, in place where they have still the same shape."""
    present = unsaved_buffers(net)
    for path, value in buffers.items():
        buffer = present.get(path)
        if buffer is not None and buffer.shape == value.shape:
            buffer.copy_(value)
        else:
            place, _, name = path.rpartition(".")
            setattr(net.get_submodule(place), name, value.to(next(iter(net.parameters())).device))


def laid_out_alike(optimizer: torch.optim.Optimizer) -> None:
    """Lay the optimiser's memory of each parameter out as the parameter itself.

    Checkpoints hold tensors row by row, while a network may hold its convolutions channels last; PyTorch's fused optimisers go through both
    as they lie in memory, and would give each weight the momentum of another.
    """
    for parameter, remembered in optimizer.state.items():
        for name, value in remembered.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                remembered[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


_PLACE = ("epoch", "batch", "step", "samples", "started", "finished", "stop", "best_epoch", "best", "usual")


def seed_generators(seed: int) -> None:
    """Begin every random generator that layers and initialisations draw from."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


class Generators(NamedTuple):
    """The states of every random generator that layers such as dropout draw from, as each library gives them."""

    torch: Tensor
    python: Any
    numpy: Any
    cuda: list[Tensor]


def generators() -> Generators:
    """Where every random generator stands."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return Generators(torch.get_rng_state(), random.getstate(), np.random.get_state(), cuda)


def restore_generators(states: Generators) -> None:
    """Put every generator back to where :func:`generators` found it."""
    torch.set_rng_state(states.torch)
    random.setstate(states.python)
    np.random.set_state(states.numpy)
    if states.cuda and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states.cuda)


@contextmanager
def random_kept() -> Iterator[None]:
    """Within the block random numbers may be drawn; the generators are put back."""
    states = generators()
    try:
        yield
    finally:
        restore_generators(states)


def random_states() -> dict[str, Any]:
    """The states of every random generator, as a checkpoint can hold them."""
    now = generators()
    version, internal, gauss = now.python
    name, keys, place, has_normal, normal = now.numpy
    states: dict[str, Any] = {
        "torch": now.torch,
        "python": [version, list(internal), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), place, has_normal, normal],
    }
    if now.cuda:
        states["cuda"] = now.cuda
    return states


def restore_random_states(states: dict[str, Any]) -> None:
    """Put every generator back to where ``random_states`` found it."""
    version, internal, gauss = states["python"]
    numpy: Any = np.random.get_state()
    if "numpy" in states:  # not in checkpoints of earlier versions
        name, keys, place, has_normal, normal = states["numpy"]
        numpy = (name, keys.numpy().astype(np.uint32), place, has_normal, normal)
    restore_generators(Generators(states["torch"], (version, tuple(internal), gauss), numpy, states.get("cuda", [])))
