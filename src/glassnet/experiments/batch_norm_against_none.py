"""A deep plain net with and without batch normalisation, at many learning rates, from a good and from a poor start.

Ioffe and Szegedy, "Batch Normalization", 2015: with it a net learns in fewer steps, at rates five to thirty times as high, and cares less about
its starting weights. Ten hidden layers of 64 ReLU units, plain SGD, batches of 64; weights of He et al. or 0.01·randn. Every net is trained for a few epochs
at every rate from several starting points; then the signal through the layers before training is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

import torch
from torch import nn

from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import judged, learn, smooth
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.initialise import initialise
from glassnet.plots.style import BLUE, INK, MUTED, ORANGE, Drawing, label, logarithmic, number
from glassnet.zoo import build

DEPTH, UNITS = 10, 64
RATES = tuple(10 ** (k / 2) for k in range(-6, 3))  # 0.001 to 10
RULES = {"he": "He's weights", "normal001": "0.01·randn"}
EPOCHS, BATCH, STARTS = 5, 64, 3
ENOUGH = 2_000  # samples of large sets
WORKS = 0.8  # a rate works where the median accuracy is at least this share of the best of all
NETS = {"without": False, "with": True}
COLOURS = {"without": ORANGE, "with": BLUE}
Trials = dict[str, dict[str, dict[float, list[float]]]]  # start -> net -> rate -> accuracies


def run(setting: Setting) -> Outcome:
    """All rates, starts and nets; with ``full`` more starting points and longer trainings."""
    images = load_images(setting.data, seed=setting.seed, train=None if setting.full else ENOUGH)
    starts = range(setting.seed, setting.seed + (5 if setting.full else STARTS))
    epochs = 10 if setting.full else EPOCHS
    trials: Trials = {}
    for rule in RULES:
        trials[rule] = {}
        for name, norm in NETS.items():
            trials[rule][name] = {
                rate: [accuracy(images, rule, norm, rate, seed, epochs) for seed in starts] for rate in RATES
            }
            best = best_rate(trials[rule][name])
            setting.say(f"{RULES[rule]}, {name}: best {median(trials[rule][name][best]):.3f} at lr {number(best)}")
    return judge(images, trials, starts, epochs)


def deep(images: Images, rule: str, norm: bool, seed: int, depth: int = DEPTH) -> nn.Module:
    """The net with fresh weights."""
    hidden = ",".join([str(UNITS)] * depth)
    net = build("mlp", images.shape, images.classes, {"hidden": hidden, "batch_norm": norm}, seed=seed)
    initialise(net, rule, torch.Generator().manual_seed(seed))
    return net


def accuracy(images: Images, rule: str, norm: bool, rate: float, seed: int, epochs: int = EPOCHS) -> float:
    """On the validation part, after training."""
    net = deep(images, rule, norm, seed)
    learn(net, images.train, lr=rate, epochs=epochs, batch_size=BATCH, seed=seed)
    return judged(net, images.val)[1]


def best_rate(by_rate: dict[float, list[float]]) -> float:
    """The rate with the highest median accuracy."""
    return max(by_rate, key=lambda rate: median(by_rate[rate]))


def spreads(images: Images, rule: str, norm: bool, seed: int) -> list[float]:
    """Standard deviation of the answers of each hidden layer to the training samples, before training, in training mode."""
    net = deep(images, rule, norm, seed).train()
    x, found = images.train[0].flatten(1), []
    with torch.no_grad():
        for number_ in range(1, DEPTH + 1):
            x = net.get_submodule(f"hidden{number_}")(x)
            found.append(float(x.std()))
    return found


def race(images: Images, norm: bool, rate: float, seed: int, goal: float, epochs: int) -> dict[str, Any]:
    """Losses of all steps from He's weights, and the first step (a multiple of three) at which the validation accuracy has reached the goal."""
    seen: list[float] = []

    def watch(net: nn.Module) -> dict[str, float]:
        seen.append(judged(net, images.val)[1])
        return {}

    course = learn(
        deep(images, "he", norm, seed),
        images.train,
        lr=rate,
        epochs=epochs,
        batch_size=BATCH,
        seed=seed,
        watch=watch,
        every=3,
    )
    arrived = next((3 * (place + 1) for place, value in enumerate(seen) if value >= goal), None)
    return {"losses": course.losses, "arrived": arrived}


def judge(images: Images, trials: Trials, starts: Sequence[int], epochs: int) -> Outcome:
    """Figures, claims and sentence."""
    top = max(median(each) for by_net in trials.values() for by_rate in by_net.values() for each in by_rate.values())
    working = {
        rule: {
            name: [rate for rate, each in by_rate.items() if median(each) >= WORKS * top]
            for name, by_rate in by_net.items()
        }
        for rule, by_net in trials.items()
    }
    best = {rule: {name: best_rate(by_rate) for name, by_rate in by_net.items()} for rule, by_net in trials.items()}
    reached = {
        rule: {name: median(trials[rule][name][rate]) for name, rate in each.items()} for rule, each in best.items()
    }
    goal = reached["he"]["without"]
    races = {
        name: [race(images, norm, best["he"][name], seed, goal, epochs) for seed in starts]
        for name, norm in NETS.items()
    }
    arrived = {name: median(one["arrived"] or math.inf for one in each) for name, each in races.items()}
    passed = {rule: {name: spreads(images, rule, norm, starts[0]) for name, norm in NETS.items()} for rule in RULES}
    chance = max(float((images.val[1] == c).double().mean()) for c in range(images.classes))
    rows: list[Row] = []
    for rule, words in RULES.items():
        each, rates = reached[rule], working[rule]
        rows += [
            Row(
                f"{words}: best accuracy without and with",
                f"{each['without']:.3f} and {each['with']:.3f}",
                "higher with",
                each["with"] > each["without"],
            ),
            Row(
                f"{words}: rates of {len(RATES)} that work, without and with",
                f"{len(rates['without'])} and {len(rates['with'])}",
                "more with",
                len(rates["with"]) > len(rates["without"]),
            ),
        ]
    highest = {name: max(rates, default=None) for name, rates in working["he"].items()}
    if highest["without"] is not None and highest["with"] is not None:
        times = highest["with"] / highest["without"]
        rows.append(
            Row(
                "He's weights: highest rate that works, with over without",
                times,
                "5 or more (paper: 5 to 30)",
                times >= 5,
            )
        )
    rows += [
        Row(
            "0.01·randn without: best accuracy",
            reached["normal001"]["without"],
            f"chance, {chance:.2f}",
            reached["normal001"]["without"] < chance + 0.05,
        ),
        Row(
            f"steps to {goal:.1%} at the best rate, without and with",
            f"{_told(arrived['without'])} and {_told(arrived['with'])}",
            "fewer with",
            arrived["with"] < arrived["without"],
        ),
    ]
    for rule, words in RULES.items():
        for name in NETS:
            first, last = passed[rule][name][0], passed[rule][name][-1]
            expected = "dies out" if (rule, name) == ("normal001", "without") else "keeps its size"
            holds = last < 1e-3 * first if expected == "dies out" else 0.3 < last / first < 3
            rows.append(
                Row(f"{words}, {name}: std at layer 1 and {DEPTH}", f"{first:.2g} and {last:.2g}", expected, holds)
            )
    return Outcome(
        rows,
        f"From He's weights {len(working['he']['with'])} of {len(RATES)} rates work with batch norm and {len(working['he']['without'])} without, and the accuracy of {goal:.1%} takes "
        f"{_told(arrived['with'])} steps instead of {_told(arrived['without'])}; from 0.01·randn the net without it {'stays at chance' if reached['normal001']['without'] < chance + 0.05 else 'learns'} "
        f"({reached['normal001']['without']:.0%}) and with it reaches {reached['normal001']['with']:.0%}, since the signal keeps a spread of "
        f"{passed['normal001']['with'][-1]:.2f} where it falls to {passed['normal001']['without'][-1]:.0e}.",
        {
            "rates": list(RATES),
            "trials": {
                rule: {name: list(by_rate.values()) for name, by_rate in by_net.items()}
                for rule, by_net in trials.items()
            },
            "chance": chance,
            "spreads": passed,
            "best": best,
            "losses": {
                name: [fmean(step) for step in zip(*(one["losses"] for one in each), strict=True)]
                for name, each in races.items()
            },
        },
        data=images.told,
        caption="Top: accuracy after a few epochs at every rate (dots: single starts). Bottom: the loss at each net's best rate, and the signal before training.",
    )


def _told(steps: float) -> str:
    return f"{steps:.0f}" if math.isfinite(steps) else "never"


def draw(outcome: Outcome) -> Drawing:
    """Accuracy by rate from both starts, losses, and the signal through the layers."""
    series = outcome.series
    figure, (good, poor, losses, signal) = panels(2, 2, (8.6, 5.8))
    rates = series["rates"]
    for axes, (rule, words) in zip((good, poor), RULES.items(), strict=True):
        for name, colour in COLOURS.items():
            each = series["trials"][rule][name]
            axes.plot(rates, [median(one) for one in each], color=colour, linewidth=2)
            for rate, one in zip(rates, each, strict=True):
                axes.plot([rate] * len(one), one, "o", color=colour, markersize=4, alpha=0.5, markeredgewidth=0)
        axes.axhline(series["chance"], color=MUTED, linewidth=1, dashes=(3, 2))
        axes.text(rates[0], series["chance"] - 0.02, "chance", color=MUTED, fontsize=9, va="top")
        axes.set_xscale("log")
        axes.set_ylim(0, 1.04)
        logarithmic(axes.xaxis, min(rates), max(rates))
        heading(axes, f"accuracy by rate, from {words}")
        label(axes, "learning rate", "")
    _write(good, (("with batch norm", BLUE), ("without", ORANGE)), "left")
    for name, colour in COLOURS.items():
        each = series["losses"][name]
        losses.plot(range(1, len(each) + 1), smooth(each, 5), color=colour, linewidth=2)
    losses.set_ylim(bottom=0)
    heading(losses, "training loss at each net's best rate, He's weights")
    label(losses, "step", "")
    told = [
        (f"{name} batch norm, lr {number(series['best']['he'][name])}", COLOURS[name]) for name in ("with", "without")
    ]
    _write(losses, told, "right")
    for rule in RULES:
        for name, colour in COLOURS.items():
            each = series["spreads"][rule][name]
            dashes = (None, None) if rule == "he" else (4, 2)
            signal.plot(range(1, len(each) + 1), each, "o-", color=colour, linewidth=1.8, markersize=4, dashes=dashes)
    signal.set_yscale("log")
    low = min(min(each) for by_net in series["spreads"].values() for each in by_net.values())
    logarithmic(signal.yaxis, low, 1)
    signal.annotate(
        "without, 0.01·randn",
        (DEPTH // 2, series["spreads"]["normal001"]["without"][DEPTH // 2 - 1]),
        (-8, -8),
        textcoords="offset points",
        ha="right",
        color=ORANGE,
        fontsize=9,
    )
    signal.text(
        DEPTH,
        1e-2,
        "with batch norm, both starts;\nwithout, He's weights",
        color=INK,
        fontsize=9,
        ha="right",
        va="center",
    )
    heading(signal, "std of each layer's answers before training")
    label(signal, "layer", "")
    signal.set_xticks(range(1, DEPTH + 1))
    return Drawing(figure, outcome.caption)


def _write(axes: Any, words: Sequence[tuple[str, str]], side: str) -> None:
    for line, (text, colour) in enumerate(words):
        axes.text(
            0.03 if side == "left" else 0.98,
            0.95 - 0.09 * line,
            text,
            color=colour,
            fontsize=10,
            ha=side,
            va="top",
            transform=axes.transAxes,
        )
