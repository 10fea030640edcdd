"""How many epochs the same net needs to a given training error with ReLU and with tanh, each at its own best learning rate.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, figure 1: a net of four layers reaches 25 % training
error on CIFAR-10 six times sooner with ReLU than with tanh, rates chosen for each as high as serves, no regularisation. Here two
convolutions and two dense layers learn the built-in digits (or --data), with weights of He et al. for ReLU and randn/√n for tanh. The paper's
weights were 0.01·randn with biases of 1, its net far larger; that both kinds start well here is a difference to remember.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import torch
from torch import nn

from glassnet.errors import DataError
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import judged, learn
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.initialise import initialise
from glassnet.layers.activation import activation as activation_module
from glassnet.plots.style import BLUE, MUTED, ORANGE, Drawing, label, logarithmic, number

GOALS = (0.25, 0.02)  # of the training error; the first is the paper's
RATES = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
RULES = {"relu": "he", "tanh": "xavier"}
NAMES = {"relu": "ReLU", "tanh": "tanh"}
COLOURS = {"relu": BLUE, "tanh": ORANGE}
CHANNELS, UNITS, BATCH = 8, 64, 32
EPOCHS, STARTS, LOOKS = 15, 3, 4  # looks at the training error in an epoch
ENOUGH, LOOKED_AT = 2_000, 1_000  # samples of large sets; training samples that are looked at
SIX = 6.0
"""Times, of the paper."""
FASTER = 1.1  # a smaller ratio is level


def run(setting: Setting) -> Outcome:
    """Every rate from several starting points; with ``full`` more samples, starting points and epochs."""
    images = load_images(setting.data, seed=setting.seed, train=10_000 if setting.full else ENOUGH)
    if len(images.shape) != 3 or min(images.shape[1:]) < 4:
        raise DataError(
            "this experiment takes images",
            where=setting.data,
            got=f"inputs of shape {images.shape}",
            expected="4×4 pixels or more",
        )
    starts = range(setting.seed, setting.seed + (4 if setting.full else STARTS))
    found: dict[str, dict[float, list[list[float]]]] = {}
    for kind in RULES:
        found[kind] = {}
        for rate in RATES:
            found[kind][rate] = [
                errors(images, kind, rate, seed, 2 * EPOCHS if setting.full else EPOCHS) for seed in starts
            ]
            setting.say(
                f"{NAMES[kind]}, lr {number(rate)}: {_told(_mean(found[kind][rate], GOALS[-1]))} epochs to {GOALS[-1]:.0%}"
            )
    return judge(images, found)


def four_layers(images: Images, kind: str, seed: int) -> nn.Module:
    """Convolution 3×3, pooling, convolution 3×3, pooling, dense, dense, with that activation behind the first three."""
    channels, height, width = images.shape
    flat = 2 * CHANNELS * (height // 4) * (width // 4)
    net = nn.Sequential(
        nn.Conv2d(channels, CHANNELS, 3, padding=1),
        activation_module(kind),
        nn.MaxPool2d(2),
        nn.Conv2d(CHANNELS, 2 * CHANNELS, 3, padding=1),
        activation_module(kind),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(flat, UNITS),
        activation_module(kind),
        nn.Linear(UNITS, images.classes),
    )
    initialise(net, RULES[kind], torch.Generator().manual_seed(seed))
    return net


def errors(images: Images, kind: str, rate: float, seed: int, epochs: int) -> list[float]:
    """Training error, looked at ``LOOKS`` times in an epoch, until the last goal is reached."""
    steps = math.ceil(len(images.train[1]) / BATCH)
    looked_at = (images.train[0][:LOOKED_AT], images.train[1][:LOOKED_AT])
    course = learn(
        four_layers(images, kind, seed),
        images.train,
        lr=rate,
        epochs=epochs,
        batch_size=BATCH,
        seed=seed,
        watch=lambda net: {"error": 1 - judged(net, looked_at)[1]},
        every=max(1, round(steps / LOOKS)),
        until=lambda figures: figures["error"] <= GOALS[-1],
    )
    return [each["error"] for each in course.epochs]


def epochs_to(curve: Sequence[float], goal: float) -> float:
    """Epochs until the error is at the goal; infinite where it never is."""
    return next(((place + 1) / LOOKS for place, error in enumerate(curve) if error <= goal), math.inf)


def best_rate(by_rate: dict[float, list[list[float]]], goal: float) -> float:
    """The rate that takes the fewest epochs on average."""
    return min(by_rate, key=lambda rate: _mean(by_rate[rate], goal))


def _mean(curves: Sequence[Sequence[float]], goal: float) -> float:
    return fmean(epochs_to(curve, goal) for curve in curves)


def judge(images: Images, found: dict[str, dict[float, list[list[float]]]]) -> Outcome:
    """Figures, claims and sentence."""
    paper = images.classes == 10 and images.shape == (3, 32, 32)
    rows: list[Row] = []
    ratios: dict[float, float] = {}
    best = {goal: {kind: best_rate(by_rate, goal) for kind, by_rate in found.items()} for goal in GOALS}
    needed = {
        goal: {kind: _mean(found[kind][rate], goal) for kind, rate in each.items()} for goal, each in best.items()
    }
    for goal in GOALS:
        for kind, name in NAMES.items():
            each = [epochs_to(curve, goal) for curve in found[kind][best[goal][kind]]]
            told = f"{_told(needed[goal][kind])} ({', '.join(_told(one) for one in each)})"
            rows.append(Row(f"epochs to {goal:.0%} error, {name} at lr {number(best[goal][kind])} (by start)", told))
        ratios[goal] = ratio(needed[goal]["tanh"], needed[goal]["relu"])
        reference = SIX if goal == GOALS[0] else None
        agrees = ratios[goal] > SIX / 2 if paper and reference else None
        rows.append(Row(f"epochs to {goal:.0%}, tanh over ReLU", ratios[goal], reference, agrees))
    told_ratios = [value for value in ratios.values() if not math.isnan(value)]
    sooner = bool(told_ratios) and min(told_ratios) > FASTER
    rows.append(Row("ReLU is sooner, wherever one of both arrives", "yes" if sooner else "no", "yes", sooner))
    words = (
        "ReLU is sooner"
        if sooner
        else "tanh is not slower: the paper's effect does not show in this small net, from starting weights that suit each"
        if told_ratios and max(told_ratios) <= FASTER
        else "neither is sooner throughout"
    )
    goals = " and ".join(f"{goal:.0%}" for goal in GOALS)
    return Outcome(
        rows,
        f"To a training error of {goals} ReLU needs {_both(needed, 'relu')} epochs and tanh {_both(needed, 'tanh')}, each at its own best rate; "
        f"tanh takes {' and '.join(_times(value) for value in ratios.values())} times as many: {words}.",
        {
            "curves": {kind: found[kind][best[GOALS[-1]][kind]] for kind in RULES},
            "best": best[GOALS[-1]],
            "rates": list(found["relu"]),
            "needed": {
                kind: [_mean(curves, GOALS[-1]) for curves in by_rate.values()] for kind, by_rate in found.items()
            },
        },
        data=images.told
        + (
            ""
            if paper
            else "; the paper used CIFAR-10, which --data takes (a folder with data_batch_1.bin and so on); that takes many minutes"
        ),
        caption="Training error of the same net at each kind's best rate, from every start (bold: mean); right: epochs to the last goal by rate.",
    )


def ratio(tanh: float, relu: float) -> float:
    """Epochs of tanh over those of ReLU; infinite or 0 where one of both never arrives, NaN where neither does."""
    if math.isinf(relu):
        return math.nan if math.isinf(tanh) else 0.0
    return tanh / relu


def _times(value: float) -> str:
    return "an unknown number of" if math.isnan(value) else "infinitely many" if math.isinf(value) else f"{value:.2g}"


def _both(needed: dict[float, dict[str, float]], kind: str) -> str:
    return " and ".join(_told(needed[goal][kind]) for goal in GOALS)


def _told(epochs: float) -> str:
    return f"{epochs:.2g}" if math.isfinite(epochs) else "never"


def draw(outcome: Outcome) -> Drawing:
    """Error curves at the best rates, and epochs by rate."""
    series = outcome.series
    figure, (left, right) = panels(1, 2, (8.6, 3.9), widths=(1.5, 1))
    longest = 0.0
    for kind, colour in COLOURS.items():
        curves = series["curves"][kind]
        for curve in curves:
            left.plot(
                [(i + 1) / LOOKS for i in range(len(curve))],
                [100 * max(e, 1e-3) for e in curve],
                color=colour,
                linewidth=1,
                alpha=0.45,
            )
            longest = max(longest, len(curve) / LOOKS)
        common = range(min(map(len, curves)))
        means = [100 * max(fmean(curve[i] for curve in curves), 1e-3) for i in common]
        left.plot([(i + 1) / LOOKS for i in common], means, "o-", color=colour, linewidth=2.3, markersize=4)
    left.set_yscale("log")
    for goal in GOALS:
        left.axhline(100 * goal, color=MUTED, linewidth=1, dashes=(3, 2))
        last = goal == GOALS[-1]
        words = f"{goal:.0%}: {'a second goal' if last else 'the goal of the paper'}"
        place = (0.02 * longest if last else longest, 104 * goal)
        left.text(*place, words, color=MUTED, fontsize=9, ha="left" if last else "right", va="bottom")
    left.set_ylim(bottom=60 * GOALS[-1])
    left.set_yticks([2, 5, 10, 20, 50, 100], ["2 %", "5 %", "10 %", "20 %", "50 %", "100 %"])
    left.minorticks_off()
    left.set_xlim(0, 1.02 * longest)
    heading(left, "training error, each at its best rate")
    label(left, "epoch", "")
    for line, (kind, colour) in enumerate(COLOURS.items()):
        left.text(
            0.98,
            0.96 - 0.085 * line,
            f"{NAMES[kind]}, lr {number(series['best'][kind])}",
            color=colour,
            fontsize=11,
            ha="right",
            va="top",
            transform=left.transAxes,
        )
    rates = series["rates"]
    for kind, colour in COLOURS.items():
        shown = [
            (rate, value)
            for rate, value in zip(rates, series["needed"][kind], strict=True)
            if value is not None and math.isfinite(value)
        ]
        if shown:
            right.plot(*zip(*shown, strict=True), "o-", color=colour, linewidth=2, markersize=5)
            right.annotate(NAMES[kind], shown[0], (5, 5), textcoords="offset points", color=colour, fontsize=11)
    right.set_xscale("log")
    right.set_ylim(0, 1.15 * right.get_ylim()[1])
    right.set_xlim(min(rates) / 1.3, max(rates) * 1.3)
    logarithmic(right.xaxis, min(rates), max(rates))
    right.set_xticks(rates, [number(rate) for rate in rates])
    right.minorticks_off()
    heading(right, f"epochs to {GOALS[-1]:.0%}, by rate")
    label(right, "learning rate", "")
    return Drawing(figure, outcome.caption)
