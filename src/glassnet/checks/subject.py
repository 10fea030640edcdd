"""What the checks look at: a network, its data and the plan, handed out in copies so that nothing is changed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from glassnet.checks.look import Look, look_at
from glassnet.data.dataset import Data
from glassnet.errors import GlassnetError, ModelError, is_out_of_memory
from glassnet.events import Finding
from glassnet.layers.twin import twin
from glassnet.training.loop import Batches
from glassnet.training.measure.restoring import untouched
from glassnet.training.plan import Plan
from glassnet.training.range_test import RangeTest
from glassnet.training.state import random_kept

LOOKED_AT = 64  # samples in the one forward and backward pass that several checks share
# What copying a module can raise: a tensor that is no leaf, a lock, an open file, a class that forbids it.
UNCOPIABLE = (RuntimeError, TypeError, AttributeError, ValueError, NotImplementedError)


@dataclass
class Subject:
    """A training that has not begun.

    Attributes:
        net: any module that maps a batch of inputs to outputs; never changed.
        batches: the training part, as training will see it.
        plan: what the training is decided by.
        validation: the validation part.
        plain: samples of the training part without augmentation, where the batches have some.
        data: the data set, where it is one of Glassnet's; its audit is then part of the checks.
        quick: spend a few seconds at most: fewer gradients are compared.
        findings: what the diagnosis noticed in the trial run; filled by that check.
        proposed: another rate, where the learning-rate curve speaks against the plan's; filled by that check.
        range_test: the learning-rate curve; likewise.
    """

    net: nn.Module
    batches: Batches
    plan: Plan
    validation: Batches | None = None
    plain: Batches | None = None
    data: Data | None = None
    quick: bool = False
    findings: list[Finding] = field(default_factory=list)
    proposed: list[Finding] = field(default_factory=list)
    range_test: RangeTest | None = None
    _look: Look | None = field(default=None, repr=False)

    @contextmanager
    def trial(self) -> Iterator[nn.Module]:
        """A copy of the network with which anything may be done; the random states are put back at the end.

        A network that cannot be copied is handed out itself and put back bit for bit.
        """
        try:
            net = twin(self.net)
        except ModelError:
            with untouched(self.net):
                yield self.net
            return
        with random_kept():
            yield net

    @property
    def copies(self) -> bool:
        """Whether :meth:`trial` hands out copies."""
        with self.trial() as net:
            return net is not self.net

    def samples(self, count: int, *, plain: bool = False) -> tuple[Tensor, Tensor]:
        """The first ``count`` samples of the first epoch (fewer where there are fewer) that have a target: inputs and targets.

        Args:
            count: at least 1.
            plain: without augmentation, where the batches can be had so.
        """
        source = self.plain if plain and self.plain is not None else self.batches
        inputs: list[Tensor] = []
        targets: list[Tensor] = []
        with self.told(source) as batches:
            for some, wanted in batches:
                if inputs and some.shape[1:] != inputs[0].shape[1:]:
                    break  # batches padded to lengths of their own cannot be joined
                inputs.append(some)
                targets.append(wanted)
                if sum(map(len, targets)) >= count:
                    break
        return torch.cat(inputs)[:count], torch.cat(targets)[:count]

    @contextmanager
    def told(self, source: Batches | None = None) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
        """The samples of the first epoch that have a target, batch by batch; the random states are put back at the end.

        Args:
            source: other batches than those of the training part.
        """
        with random_kept(), reading(self.batches if source is None else source) as batches:
            yield (batch for batch in map(with_target, batches) if len(batch[1]))

    def look(self) -> Look:
        """One forward and backward pass over the first samples, in training mode; made once and kept."""
        if self._look is None:
            inputs, targets = self.samples(LOOKED_AT)
            with self.trial() as net:
                self._look = look_at(net, self.plan, inputs, targets)
        return self._look

    def probe(self) -> None:
        """Show the network and the loss two samples.

        Raises:
            ModelError: they fail on them.
        """
        inputs, targets = self.samples(2)
        with self.trial() as net:
            net.eval()
            try:
                with torch.no_grad(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # what they mean the checks say
                    self.plan.loss(net(inputs), targets)
            except GlassnetError:
                raise
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                raise ModelError(
                    "the network or the loss fails on these samples",
                    where=type(self.net).__name__,
                    got=f"{type(error).__name__}: {error}",
                    expected=f"a net for inputs of shape {tuple(inputs.shape)}, a loss for targets of shape {tuple(targets.shape)}",
                ) from error


def with_target(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Those samples of a batch about which something is to be said: windows of a text that only lead up to others have no target."""
    inputs, targets = batch
    if targets.ndim < 2 or targets.is_floating_point():
        return inputs, targets
    counts = (targets >= 0).flatten(1).any(1)
    return inputs[counts], targets[counts]


@contextmanager
def reading(batches: Batches, epoch: int = 0) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
    """The batches of an epoch, of which some may be left; what reads ahead is ended then."""
    iterator = iter(batches.epoch(epoch))
    try:
        yield iterator
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()
