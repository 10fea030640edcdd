"""From a resolved recipe and the data to the parts that a training is made of: one page, read downward."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.data.augment import build_augment
from glassnet.data.batches import Batches, Prepare, answered_at_once
from glassnet.data.dataset import Data, Part
from glassnet.data.preprocess import Preprocess, TargetScale, fit
from glassnet.data.ready import ready
from glassnet.data.stream import stretch
from glassnet.data.stream_batches import StreamBatches
from glassnet.errors import UsageError
from glassnet.initialise import INITS, left_as_drawn
from glassnet.layers.twin import twin
from glassnet.network import like_the_file, make_net, other_preparation, through_time
from glassnet.recipe import Recipe
from glassnet.resolve import LOOKS, outputs_of
from glassnet.trainable import check_fit
from glassnet.training.averaging import BEGIN, make_averager, swa_begin
from glassnet.training.choosing import choose_execution
from glassnet.training.clipping import Clip
from glassnet.training.evaluate import accuracy, explained
from glassnet.training.execution import Execution, choose_device, give_back
from glassnet.training.known_ways import KnownWays, usual_place
from glassnet.training.losses import EveryStep, make_loss, with_auxiliary, with_nodes, with_steps
from glassnet.training.max_norm import MaxNorm
from glassnet.training.measure import Meter
from glassnet.training.measure.interval import choose_interval
from glassnet.training.noise import add_activation_noise, weight_noise
from glassnet.training.optimizers import make_optimizer
from glassnet.training.penalties import make_penalty
from glassnet.training.plan import Plan
from glassnet.training.range_test import RangeTest, find_lr
from glassnet.training.schedules import make_schedule
from glassnet.training.state import State, generators, restore_generators
from glassnet.training.step import optimise
from glassnet.training.stopping import EarlyStopping

SAMPLE = 2_000  # samples of the training part whose figures are measured beside the validation's


@dataclass
class Assembly:
    """The parts, ready for the loop."""

    recipe: Recipe
    reasons: dict[str, str]
    net: nn.Module
    net_json: dict[str, Any]
    preprocess: Preprocess
    target_scale: TargetScale | None
    plan: Plan
    batches: Batches
    validation: Batches | None
    sample: Batches
    execution: Execution
    range_test: RangeTest | None


def assemble(recipe: Recipe, data: Data, own: nn.Module | None = None) -> Assembly:
    """Build everything; what can only be measured (precision, learning rate, epochs for a budget) is measured here.

    Args:
        recipe: as :func:`glassnet.resolve.resolve` returns it.
        data: divided into parts.
        own: the user's own module, where the recipe's net is ``own``.
    """
    give_back()  # what reading the data needed for a while
    preprocess = fit(recipe.preprocess.name, data.train, data.schema)
    scale = preprocess.target_scale
    if scale is None and data.task == "values":
        scale = TargetScale.fit(data.train.targets)
    net, net_json, loaded = make_net(recipe, data, preprocess, own)
    prepared: dict[str, str] = {}
    if recipe.preprocess.name == "auto":
        recipe, preprocess, prepared = like_the_file(recipe, data, preprocess, loaded)
    if recipe.regularise.noise and not add_activation_noise(net, recipe.regularise.noise):
        raise UsageError(
            "the network has no nonlinearity to add noise to",
            where="regularise.noise",
            got=type(net).__name__,
            expected="modules such as nn.ReLU; functions within forward cannot be reached",
        )
    through_time(net, recipe, data)
    batches, validation, sample = make_batches(recipe, data, preprocess, scale)
    loss = make_loss(recipe.loss.name, **_loss_options(recipe))
    if data.train.targets.ndim == 2 and not data.train.targets.is_floating_point():  # at every step one of the classes
        loss = EveryStep(loss)
    if weight := getattr(net, "auxiliary_weight", 0.0):
        loss = with_auxiliary(loss, weight)
    if getattr(net, "says_nodes", False):
        loss = with_nodes(loss)
    if recipe.loss.steps == "all":
        loss = with_steps(loss)
    example = next(iter(batches.epoch(0)))
    check_fit(net, example.inputs, outputs_of(recipe, data), recipe)
    execution = choose_execution(
        net,
        example,
        loss,
        device=recipe.train.device,
        precision=recipe.train.precision,
        threads=None if recipe.train.threads == "auto" else int(recipe.train.threads),
        layout=recipe.train.layout,
        weight_gradients=recipe.train.weight_gradients,
        known=KnownWays(usual_place()) if recipe.train.remember else None,
        steps=None if recipe.train.budget is not None else int(recipe.train.epochs) * batches.steps_per_epoch,
    )
    net = net.to(execution.device)
    if execution.channels_last:
        net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for every in (batches, getattr(batches, "plain", None), validation, sample):
        if every is not None:
            every.device, every.channels_last = execution.device, execution.channels_last
    preprocess.to(execution.device)
    ways = {f"train.{way}": getattr(execution, way) for way in ("precision", "threads", "weight_gradients")}
    if recipe.train.layout == "auto" and example.inputs.ndim == 4:
        ways["train.layout"] = "channels-last" if execution.channels_last else "channels-first"
    recipe = recipe.changed(ways)
    reasons = {"train.precision": execution.reason}
    reasons |= prepared
    if loaded is not None:
        reasons["net.pretrained"] = loaded.sentence() + other_preparation(loaded, recipe)
    if recipe.net.init in INITS and INITS[recipe.net.init].adapt is not None:
        left = left_as_drawn(net)
        reasons["net.init"] = "fitted to training samples" + (f"; not fitted: {left}" if left else "")
    plan = make_plan(recipe, data, loss, execution)
    test = None
    if recipe.optimizer.lr == "find":
        without_end = chain.from_iterable(batches.epoch(epoch) for epoch in count())
        test = find_lr(net, plan.optimizer(net), without_end, loss)
        found = test.suggestion or 1e-3
        recipe = recipe.changed({"optimizer.lr": float(f"{found:.3g}")})
        reasons["optimizer.lr"] = test.reason
        plan = make_plan(recipe, data, loss, execution)
    if recipe.train.measure == "auto":
        steps = int(recipe.train.epochs) * batches.steps_per_epoch
        interval, reasons["train.measure"] = choose_interval(net, plan, batches.epoch(0), steps)
        recipe = recipe.changed({"train.measure": interval})
        plan = make_plan(recipe, data, loss, execution)
    if recipe.train.budget is not None:
        epochs, reason = epochs_for(recipe.train.budget, net, plan, batches)
        recipe = recipe.changed({"train.epochs": epochs, "train.budget": None})
        reasons["train.epochs"] = reason
        plan = make_plan(recipe, data, loss, execution)
    return Assembly(
        recipe, reasons, net, net_json, preprocess, scale, plan, batches, validation, sample, execution, test
    )


def make_batches(
    recipe: Recipe, data: Data, preprocess: Preprocess, scale: TargetScale | None
) -> tuple[Batches, Batches | None, Batches]:
    """The training batches, those of the validation part, and those of a fixed sample of the training part."""
    augment = build_augment(
        recipe.augment.given(), shape=data.schema.shape, kind=data.schema.kind, sample=data.train.some(LOOKS)
    )

    def prepared(raw: Tensor, generator: torch.Generator) -> Tensor:
        changed = raw if augment is None else augment(raw, generator)
        return preprocess(changed)  # type: ignore[no-any-return]

    def plain(raw: Tensor, _: torch.Generator) -> Tensor:
        return preprocess(raw)  # type: ignore[no-any-return]

    def scaled(part: Part) -> Part:
        return part if scale is None else Part(part.inputs, scale.encode(part.targets), part.names)

    seed, size = recipe.train.seed, int(recipe.train.batch_size)
    if data.task == "language":
        return stream_batches(data, size, seed, prepared, plain)

    device = choose_device(recipe.train.device)

    def batched(part: Part, size: int, *, shuffle: bool, prepare: Prepare = plain) -> Batches:
        # A card gets bytes, a quarter of the floats to hand over, and makes floats of them itself.
        done = ready(part, preprocess) if prepare is plain and device.type == "cpu" else None
        if done is not None:
            return Batches(done, size, seed=seed, shuffle=shuffle)
        return Batches(part, size, seed=seed, prepare=prepare, shuffle=shuffle)

    train = scaled(data.train)
    batches = batched(train, size, shuffle=True, prepare=plain if augment is None else prepared)
    if augment is not None:
        batches.plain = Batches(train, size, seed=seed, prepare=plain)
    parts = data.parts
    at_once = answered_at_once(data.schema, device)
    validation = batched(scaled(parts["val"]), at_once, shuffle=False) if "val" in parts else None
    if validation is not None:
        validation.later = data.schema.kind == "series"
    taken = min(len(train), SAMPLE, len(parts["val"]) if "val" in parts else SAMPLE)
    some = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:taken].sort().values
    sample = batched(train.subset(some), at_once, shuffle=False)
    return batches, validation, sample


def stream_batches(
    data: Data, size: int, seed: int, prepared: Prepare, plain: Prepare
) -> tuple[Batches, Batches | None, Batches]:
    """The same for one long text: lanes of it, and as the sample a stretch from its middle as long as the validation part."""
    batches = StreamBatches(data.train, size, seed=seed, prepare=prepared)
    val = data.parts.get("val")
    validation = None if val is None else StreamBatches(val, size, prepare=plain, measured=True)
    taken = min(len(data.train), SAMPLE // 10, len(data.train) if val is None else len(val))
    begin = (len(data.train) - taken) // 2
    return batches, validation, StreamBatches(stretch(data.train, begin, taken), size, prepare=plain, measured=True)


def make_plan(recipe: Recipe, data: Data, loss: Callable[[Tensor, Tensor], Tensor], execution: Execution) -> Plan:
    """The parts that the recipe's settings name."""
    regularise, stop = recipe.regularise, recipe.stop
    clip = Clip(norm=recipe.clip.norm, value=recipe.clip.value) if recipe.clip.norm or recipe.clip.value else None
    lr = 1e-3 if recipe.optimizer.lr == "find" else float(recipe.optimizer.lr)

    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        return make_optimizer(
            recipe.optimizer.name,
            net,
            lr=lr,
            weight_decay=float(recipe.optimizer.weight_decay),
            bias_lr=float(recipe.optimizer.bias_lr),
            options=recipe.optimizer.given(),
        )

    return Plan(
        loss=loss,
        optimizer=optimizer,
        epochs=int(recipe.train.epochs),
        schedule=make_schedule(recipe.schedule.name, warmup=recipe.schedule.warmup, **recipe.schedule.options),
        penalty=make_penalty(l1=regularise.l1, l2=regularise.l2, on=regularise.on),
        clip=clip,
        after_step=MaxNorm(regularise.max_norm) if regularise.max_norm else None,
        around_step=weight_noise(regularise.weight_noise) if regularise.weight_noise else None,
        averager=make_averager(regularise.average, **_averaging(recipe, data)),
        stopping=lambda: EarlyStopping(
            monitor=stop.monitor,
            mode="min" if stop.monitor == "loss" else "max",
            patience=None if stop.patience == "never" else int(stop.patience),
            min_delta=stop.min_delta,
        ),
        figures={"classes": accuracy, "values": explained, "translation": accuracy}.get(data.task),
        precision=execution.precision,
        weight_gradients=execution.weight_gradients,
        micro_batches=recipe.train.micro_batches,
        record_every=int(recipe.train.record_every),
        meter=Meter(recipe.train.measure) if isinstance(recipe.train.measure, int) else None,
    )


def epochs_for(budget: float, net: nn.Module, plan: Plan, batches: Batches) -> tuple[int, str]:
    """Epochs that fit into a number of seconds, from the time of a few steps; everything is put back afterwards."""
    states = generators()
    trial = State(twin(net), plan)
    trial.net.train()
    seconds: list[float] = []
    for position, batch in enumerate(batches.epoch(0)):
        begin = time.perf_counter()
        optimise(trial, plan, batch.inputs, batch.targets)
        seconds.append(time.perf_counter() - begin)
        if position >= 10 or sum(seconds) > 0.05 * budget:
            break
    restore_generators(states)
    step = sorted(seconds)[len(seconds) // 2]
    epoch = step * batches.steps_per_epoch * 1.15  # the rest of an epoch: making batches, measuring, recording
    epochs = max(1, int(budget / epoch))
    return epochs, f"{budget:.0f} s at about {epoch:.2g} s an epoch, measured"


def _averaging(recipe: Recipe, data: Data) -> dict[str, Any]:
    """From which step on, and how often, the weights are averaged."""
    settings, epochs = recipe.regularise, int(recipe.train.epochs)
    steps = -(-len(data.train) // int(recipe.train.batch_size))
    share = BEGIN.get(settings.average, 0.0) if settings.average_from is None else settings.average_from
    begin = swa_begin(share, epochs, steps) if settings.average == "swa" else int(share * epochs * steps)
    return {"decay": settings.ema_decay, "begin_after": begin, "every": steps}


def _loss_options(recipe: Recipe) -> dict[str, float]:
    if recipe.loss.j is not None:
        return {"j": recipe.loss.j}
    smoothing = float(recipe.loss.label_smoothing)
    return {"label_smoothing": smoothing} if recipe.loss.name == "cross-entropy" and smoothing else {}
