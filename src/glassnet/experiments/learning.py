"""Training a net on samples in memory with Glassnet's own loop, and keeping what the curves need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from glassnet.data.batches import Batches
from glassnet.data.dataset import InMemory, Part
from glassnet.events import Epoch, Step
from glassnet.training import Plan, train
from glassnet.training.losses import cross_entropy
from glassnet.training.optimizers import make_optimizer
from glassnet.training.schedules import Schedule, constant

Samples = tuple[Tensor, Tensor]
TOO_LARGE = 3.0  # times the first loss: the course's sign of a rate that is far too high


@dataclass
class Course:
    """How a training went.

    Attributes:
        losses: of every step's batch, in training mode; NaN or infinite where it was.
        epochs: of every epoch, what the watcher said.
        exploded: first step, counted from 1, whose loss was not finite or above three times the first one; None without one.
    """

    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    exploded: int | None = None


def learn(
    net: nn.Module,
    samples: Samples,
    *,
    lr: float,
    epochs: int,
    batch_size: int = 32,
    optimizer: str = "sgd",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    schedule: Schedule | None = None,
    seed: int = 0,
    watch: Callable[[nn.Module], dict[str, float]] | None = None,
    every: int | None = None,
    until: Callable[[dict[str, float]], bool] | None = None,
    give_up: bool = False,
) -> Course:
    """Train a net in place.

    Args:
        net: with logits as outputs.
        samples: inputs and classes.
        lr: learning rate.
        epochs: how many times every sample is seen.
        batch_size: largest number of samples in a step.
        optimizer: a name of ``glassnet.training.optimizers``.
        momentum: of SGD.
        weight_decay: as the optimiser defines it.
        schedule: of the learning rate; constant without it.
        seed: of the order, and of dropout.
        watch: measures the net, in evaluation mode, after every epoch.
        every: watch after every so many steps instead.
        until: ends the training where it says so of what was watched.
        give_up: end the training where the loss explodes.
    """
    course = Course()
    batches = batches_of(samples, batch_size, seed)
    options = {"momentum": momentum} if momentum else {}
    plan = Plan(
        loss=cross_entropy,
        optimizer=lambda net: make_optimizer(optimizer, net, lr=lr, weight_decay=weight_decay, options=options),
        epochs=epochs,
        schedule=schedule or constant(),
        record_every=1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for event in train(net, batches, plan):
            if isinstance(event, Step) and event.loss is not None:
                course.losses.append(event.loss)
                if course.exploded is None and not event.loss <= TOO_LARGE * course.losses[0]:
                    course.exploded = event.step
                if give_up and course.exploded:
                    break
            due = isinstance(event, Step) and event.step % every == 0 if every else isinstance(event, Epoch)
            if watch and due:
                net.eval()
                course.epochs.append(watch(net))
                if until and until(course.epochs[-1]):
                    break
    net.eval()
    return course


def batches_of(samples: Samples, size: int, seed: int) -> Batches:
    """Shuffled batches."""
    inputs, targets = samples
    return Batches(Part(InMemory(inputs), targets, [""] * len(targets)), size, seed=seed)


@torch.no_grad()
def judged(net: nn.Module, samples: Samples) -> tuple[float, float]:
    """Mean loss and accuracy on all samples at once, in evaluation mode."""
    logits = net.eval()(samples[0])
    loss = float(cross_entropy(logits, samples[1]))
    return loss, float((logits.argmax(1) == samples[1]).double().mean())


def smooth(values: list[float], window: int) -> list[float]:
    """Mean of each value with up to ``window`` − 1 before it; NaN stays NaN and is left out of later means."""
    found = []
    for place in range(len(values)):
        some = [value for value in values[max(0, place - window + 1) : place + 1] if math.isfinite(value)]
        found.append(math.nan if not some or not math.isfinite(values[place]) else sum(some) / len(some))
    return found
