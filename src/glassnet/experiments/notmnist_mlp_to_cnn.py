"""From a plain perceptron to a convolutional net for letters of many fonts, one change at a time.

The assignment of the lecture: on notMNIST (Y. Bulatov, 2011: letters A to J, 28×28) a plain perceptron reaches 85.5 % of the test part; how
far can one get? Each rung changes one thing and keeps what came before, and the one to take is chosen on the validation part. Without
``--data`` the letters are drawn from this machine's fonts, few of them, so that there is something left to gain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from glassnet.data.augment.build import build_augment
from glassnet.data.batches import Batches
from glassnet.data.dataset import InMemory, Part
from glassnet.evaluate.interval import spread, wilson
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import judged
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.initialise import initialise
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing
from glassnet.presets import PRESETS
from glassnet.training import Plan, train
from glassnet.training.losses import cross_entropy
from glassnet.training.optimizers import make_optimizer
from glassnet.training.schedules import constant, make_schedule
from glassnet.zoo import build

DEFAULT, ENOUGH, SEEDS, BATCH = "letters", 600, 3, 32
LECTURE = 0.855
AUGMENT = {"rotate": 8, "scale": 0.1, "shear": 5, "translate": 0.08}


class Rung(NamedTuple):
    """One way to train.

    Attributes:
        name: what is new.
        net: of the zoo.
        options: of the net.
        init: rule of the starting weights; the net's own without it.
        lr: learning rate.
        momentum: of SGD.
        augment: whether the pictures are moved a little.
        preset: whether optimiser, schedule and loss are those of a recipe that says nothing.
        colour: of its mark.
    """

    name: str
    net: str
    options: Mapping[str, Any] = {}
    init: str | None = None
    lr: float = 0.05
    momentum: float = 0.0
    augment: bool = False
    preset: bool = False
    colour: str = BLUE


PLAIN = {"hidden": "256"}
RUNGS = (
    Rung("softmax regression", "linear", lr=0.01, colour=MUTED),
    Rung("perceptron, plain SGD", "mlp", PLAIN, init="normal001", lr=0.01, colour=ORANGE),
    Rung("+ He's weights and momentum", "mlp", PLAIN, init="he", lr=0.01, momentum=0.9, colour=ORANGE),
    Rung("+ dropout", "mlp", PLAIN | {"dropout": 0.5}, init="he", lr=0.01, momentum=0.9, colour=ORANGE),
    Rung("convolutional net (LeNet-5)", "lenet5", init="he", lr=0.01, momentum=0.9, colour=BLUE),
    Rung("+ pictures moved at random", "lenet5", init="he", lr=0.01, momentum=0.9, augment=True, colour=BLUE),
    Rung("small VGG, preset, moved", "small-vgg", {"width": 0.5}, augment=True, preset=True, colour=GREEN),
)
SIMPLE, PERCEPTRON, CONVOLUTION = 0, slice(1, 4), slice(4, 7)


def run(setting: Setting) -> Outcome:
    """Every rung over the seeds."""
    place = setting.data or DEFAULT
    images = load_images(place, seed=setting.seed, train=4 * ENOUGH if setting.full else ENOUGH)
    seeds = range(setting.seed, setting.seed + SEEDS)
    found = {}
    for rung in RUNGS:
        found[rung.name] = [climb(rung, images, seed, 40 if setting.full else 20) for seed in seeds]
        setting.say(f"{rung.name}: {_mean(found[rung.name], 'test'):.1%} of the test part right")
    return judge(images, found, "notmnist" in place.lower())


def climb(rung: Rung, images: Images, seed: int, epochs: int) -> dict[str, float]:
    """One training: ``val`` and ``test`` accuracy."""
    net = build(rung.net, images.shape, images.classes, dict(rung.options), seed=seed)
    if rung.init:
        initialise(net, rung.init, torch.Generator().manual_seed(seed), inputs=images.train[0][:100])
    inputs, targets = images.train
    batches = Batches(
        Part(InMemory(inputs), targets, [""] * len(targets)),
        BATCH,
        seed=seed,
        prepare=_moved(images) if rung.augment else None,
    )
    plan = _preset_plan(rung, images, epochs) if rung.preset else _plain_plan(rung, epochs)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for _ in train(net, batches, plan):
            pass
    return {"val": judged(net, images.val)[1], "test": judged(net, images.test)[1]}


def _moved(images: Images) -> Callable[[Tensor, torch.Generator], Tensor]:
    """Standardised pictures are an array without a range of 0 to 255: nothing is clamped."""
    augment = build_augment(AUGMENT, shape=images.shape, kind="array", sample=images.train[0][:200])
    assert augment is not None
    return augment


def _plain_plan(rung: Rung, epochs: int) -> Plan:
    options = {"momentum": rung.momentum} if rung.momentum else {}
    return Plan(
        loss=cross_entropy,
        optimizer=lambda net: make_optimizer("sgd", net, lr=rung.lr, options=options),
        epochs=epochs,
        schedule=constant(),
        record_every=10**6,
    )


def _preset_plan(rung: Rung, images: Images, epochs: int) -> Plan:
    """What a recipe that names the net alone is trained with, except for the number of epochs and the size of the batches."""
    chosen = {key: choice.value for key, choice in PRESETS[rung.net](len(images.train[1]), images.shape).items()}

    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        return make_optimizer(
            chosen["optimizer.name"],
            net,
            lr=chosen["optimizer.lr"] * BATCH / chosen["train.batch_size"],
            weight_decay=chosen["optimizer.weight_decay"],
            options={"momentum": chosen["optimizer.momentum"], "nesterov": chosen["optimizer.nesterov"]},
        )

    return Plan(
        loss=partial(cross_entropy, label_smoothing=chosen["loss.label_smoothing"]),
        optimizer=optimizer,
        epochs=epochs,
        schedule=make_schedule(chosen["schedule.name"]),
        record_every=10**6,
    )


def _mean(each: Sequence[dict[str, float]], part: str) -> float:
    return fmean(one[part] for one in each)


def judge(images: Images, found: dict[str, list[dict[str, float]]], notmnist: bool) -> Outcome:
    """Figures, claims and sentence."""
    names = list(found)
    tests = {name: _mean(each, "test") for name, each in found.items()}
    rows = []
    for name, each in found.items():
        told = f"{spread([one['test'] for one in each]).percent(1)} (validation {_mean(each, 'val'):.1%})"
        reference = f"{LECTURE:.1%} (notMNIST)" if name == RUNGS[1].name else None
        agrees = tests[name] >= LECTURE - 0.02 if reference and notmnist else None
        rows.append(Row(f"{name}: test", told, reference, agrees))
    perceptron = max(names[PERCEPTRON], key=lambda name: _mean(found[name], "val"))
    convolution = max(names[CONVOLUTION], key=lambda name: _mean(found[name], "val"))
    chosen = max(names, key=lambda name: _mean(found[name], "val"))
    plain, linear = tests[names[1]], tests[names[SIMPLE]]
    gain = tests[convolution] - tests[perceptron]
    room = 2 * (0.5 / len(images.test[1])) ** 0.5 * (tests[perceptron] * (1 - tests[perceptron])) ** 0.5
    rows += [
        Row("best on validation", chosen, "a convolutional net", chosen in names[CONVOLUTION]),
        Row("best perceptron, test", tests[perceptron]),
        Row("best convolutional net, test", tests[convolution], "more", gain > 0),
    ]
    low, high = wilson(round(tests[chosen] * len(images.test[1])), len(images.test[1]))
    gains = {
        "weights and momentum": tests[names[2]] - plain,
        "dropout": tests[names[3]] - tests[names[2]],
        "convolution": tests[names[4]] - tests[names[2]],
        "moving the pictures": tests[names[5]] - tests[names[4]],
    }
    told = ", ".join(f"{what} {100 * points:+.1f}" for what, points in gains.items())
    return Outcome(
        rows,
        f"From {plain:.1%} (plain perceptron; softmax regression {linear:.1%}) to {tests[chosen]:.1%} ({low:.1%} to {high:.1%}) with the rung that validation chose, {chosen}; "
        f"in points of test accuracy: {told}; the best convolutional net {'leads' if gain > room else 'does not clearly lead'} the best perceptron by {100 * gain:.1f}.",
        {"found": found, "test size": len(images.test[1])},
        data=images.told.replace("; others by --data PATH", "")
        + ("" if notmnist else "; for notMNIST itself: --data PATH of its folder"),
        caption="Share of the test part right, mean over the starts (dots: each start); grey circles: validation, by which the rung is chosen.",
    )


def draw(outcome: Outcome) -> Drawing:
    """A row a rung, from the plainest at the top."""
    figure, (axes,) = panels(1, 1, (8, 3.9))
    found = outcome.series["found"]
    colours = {rung.name: rung.colour for rung in RUNGS}
    lowest = min(one["test"] for each in found.values() for one in each)
    for row, (name, each) in enumerate(found.items()):
        tests = [100 * one["test"] for one in each]
        axes.barh(row, fmean(tests), color=colours[name], alpha=0.3, height=0.62)
        axes.plot(tests, [row] * len(tests), "o", color=colours[name], markersize=4)
        axes.plot(100 * _mean(each, "val"), row, "o", color=MUTED, markersize=9, markerfacecolor="none")
        axes.annotate(f"{fmean(tests):.1f} %", (101.3, row), va="center", color=INK, fontsize=10, annotation_clip=False)
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(max(0, 100 * lowest - 12), 100.8)
    heading(axes, "right on the test part, %")
    return Drawing(figure, outcome.caption)
