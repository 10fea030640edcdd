"""From a setup to what ``glassnet.training.train`` takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from benchmarks.diagnosis import nets, spoil_data, spoil_net, spoil_parts, spoil_plan
from benchmarks.diagnosis.case import Setup
from benchmarks.diagnosis.sets import Sets, load
from glassnet.data.augment import Augment, Crop, Flip
from glassnet.data.batches import Batches
from glassnet.data.dataset import InMemory, Part
from glassnet.initialise import initialise
from glassnet.training import Plan
from glassnet.training.averaging import make_averager
from glassnet.training.clipping import Clip
from glassnet.training.evaluate import accuracy, explained
from glassnet.training.losses import make_loss
from glassnet.training.optimizers import make_optimizer
from glassnet.training.penalties import make_penalty
from glassnet.training.schedules import make_schedule
from glassnet.training.stopping import EarlyStopping

SAMPLE = 1000  # training samples whose figures are measured beside the validation's
AUGMENTATIONS: dict[str, Callable[[], Augment]] = {"crop": lambda: Crop(2), "flip": Flip}
EVALUATED_AT_ONCE = 200
OF_NETS = {**spoil_net.SPOILERS, **spoil_parts.SPOILERS}


@dataclass
class Making:
    """A training about to begin; the spoilers change it.

    Attributes:
        net: the network.
        batches: of the training part.
        validation: of the validation part.
        sample: of some training samples, in a fixed order.
        plan: what the training is decided by.
        sets: the data behind the batches, and a test part.
    """

    net: nn.Module
    batches: Batches
    validation: Batches
    sample: Batches
    plan: Plan
    sets: Sets = field(repr=False)


def prepare(setup: Setup) -> Making:
    """Everything that the training needs, the faults planted."""
    unknown = {name for name, _ in setup.spoilt} - {*spoil_data.SPOILERS, *OF_NETS, *spoil_plan.SPOILERS}
    assert not unknown, f"nothing spoils like {unknown}"
    sets = load(setup.data, setup.samples, setup.validation)
    for name, strength in setup.spoilt:
        if name in spoil_data.SPOILERS:
            sets = spoil_data.SPOILERS[name](sets, strength, torch.Generator().manual_seed(setup.seed + 17))
    outputs = setup.outputs or sets.classes or sets.train[1].shape[1]
    net = nets.make(setup.net, sets.shape, outputs, dict(setup.options), setup.seed)
    if setup.init:
        initialise(net, setup.init, torch.Generator().manual_seed(setup.seed), inputs=sets.train[0][:256])
    if hasattr(net, "initialise_from"):
        net.initialise_from(sets.train[0][:256])  # type: ignore[operator]
    for name, strength in setup.spoilt:
        if name in OF_NETS:
            net = OF_NETS[name](net, strength)
    torch.manual_seed(setup.seed + 1)  # what dropout draws from, whatever the net took for its weights
    batches = Batches(
        _part(*sets.train),
        setup.batch_size,
        seed=setup.seed,
        prepare=_augmented(setup.augment),
        shuffle=setup.shuffle,
    )
    if setup.augment:
        batches.plain = Batches(_part(*sets.train), setup.batch_size, seed=setup.seed, shuffle=setup.shuffle)
    made = Making(
        net,
        batches,
        validation=Batches(_part(*sets.val), EVALUATED_AT_ONCE, shuffle=False),
        sample=Batches(_part(*(tensor[:SAMPLE] for tensor in sets.train)), EVALUATED_AT_ONCE, shuffle=False),
        plan=_plan(setup, batches.steps_per_epoch, bool(sets.classes)),
        sets=sets,
    )
    for name, strength in setup.spoilt:
        if name in spoil_plan.SPOILERS:
            made = spoil_plan.SPOILERS[name](made, strength)
    return made


def watched(made: Making, total_steps: int) -> Making:
    """The same with a meter, at the interval that ``glassnet train`` chooses where looking is cheap."""
    from glassnet.training.measure import Meter

    return replace(made, plan=replace(made.plan, meter=Meter(every=max(1, min(10, total_steps // 10)))))


def _part(inputs: Tensor, targets: Tensor) -> Part:
    return Part(InMemory(inputs), targets, names=range(len(targets)))  # type: ignore[arg-type]


def _augmented(names: tuple[str, ...]) -> Callable[[Tensor, torch.Generator], Tensor] | None:
    changes = [AUGMENTATIONS[name]() for name in names]

    def changed(inputs: Tensor, generator: torch.Generator) -> Tensor:
        for change in changes:
            inputs = change(inputs, generator)
        return inputs

    return changed if changes else None


def _plan(setup: Setup, steps_per_epoch: int, classes: bool) -> Plan:
    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        return make_optimizer(
            setup.optimizer, net, lr=setup.lr, weight_decay=setup.weight_decay, options=setup.optimizer_options
        )

    return Plan(
        loss=make_loss(setup.loss, **setup.loss_options),
        optimizer=optimizer,
        epochs=setup.epochs,
        schedule=make_schedule(setup.schedule, **setup.schedule_options),
        penalty=make_penalty(l2=setup.l2),
        clip=Clip(norm=setup.clip) if setup.clip else None,
        averager=make_averager("ema", decay=0.99) if setup.average else None,
        stopping=lambda: EarlyStopping(monitor="loss", patience=setup.patience),
        figures=accuracy if classes else explained,
        micro_batches=setup.micro_batches,
        record_every=max(1, min(50, steps_per_epoch // 10)),  # as the recipe's "auto"
    )
