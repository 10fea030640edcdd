"""The course's search: coarse over six decades of the rate and ten of the penalty, then fine where it was good (requirements H1, H2).

Stanford's cs231n, lectures of 2016 on training, "hyperparameter optimization": a net of two layers with 50 hidden units on CIFAR-10, weights 0.0001·randn, pixels of 0 to 255
less their mean, SGD with momentum 0.9 and a rate that falls by a tenth an epoch. First reg 10^U(−5, 5) and lr 10^U(−6, −3) for five epochs, then
reg 10^U(−4, 0) and lr 10^U(−4, −3). The best of the fine stage lie at lr = 9.47e−4, so near 1e−3 that better ones may lie beyond.

``glassnet search`` does the same for any net and data of one's own, on all cores, with finalists and a winner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.experiments.images import load_images
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import SERIES, heading, panels
from glassnet.plots.style import INK, MUTED, Drawing, label, logarithmic, number
from glassnet.searching import Range, Trial, edges
from glassnet.searching.space import Space
from glassnet.searching.space import draw as drawn
from glassnet.searching.stages import ranked

COARSE: Space = (Range("lr", 1e-6, 1e-3, log=True), Range("reg", 1e-5, 1e5, log=True))
FINE: Space = (Range("lr", 1e-4, 1e-3, log=True), Range("reg", 1e-4, 1.0, log=True))
HIDDEN, MOMENTUM, DECAY, BATCH, WEIGHTS = 50, 0.9, 0.9, 100, 1e-4
PIXEL = 63.0  # spread of a pixel of CIFAR-10 in grey levels, by which standardised pixels are brought back to the lecture's scale
GIVEN_UP = 3.0  # times the first cost
REFERENCE = 0.53  # of the fine stage, on the original CIFAR-10
SHOWN = 11  # lines of a stage


def run(setting: Setting) -> Outcome:
    """Both stages, one trial after the other; ``full`` makes the lecture's hundred trials a stage."""
    data = load_images(setting.data, seed=setting.seed, train=None if setting.full else 4_000, val=1_000)
    trials, epochs = (100, 5) if setting.full else (24, 3)
    train, val = ((PIXEL * part[0].flatten(1), part[1]) for part in (data.train, data.val))
    found = []
    for stage, (space, length) in enumerate(((COARSE, epochs), (FINE, 2 * epochs)), start=1):
        for place in range(trials):
            settings = drawn(space, f"{setting.seed}/{stage}/{place}")
            figure, exploded = tried(train, val, data.classes, settings["lr"], settings["reg"], length, setting.seed)
            found.append(Trial(stage, place, settings, "exploded" if exploded else "done", figure, length, 0.0))
            setting.say(line(found[-1], trials))
    return judged(found, data.told, data.name, epochs)


def line(trial: Trial, trials: int) -> str:
    """As in the lecture: ``val_acc: 0.412000, lr: 1.405206e-04, reg: 4.793564e-01, (1 / 100)``."""
    return f"val_acc: {trial.value:f}, lr: {trial.settings['lr']:e}, reg: {trial.settings['reg']:e}, ({trial.number + 1} / {trials})"


def tried(
    train: tuple[Tensor, Tensor],
    val: tuple[Tensor, Tensor],
    classes: int,
    lr: float,
    reg: float,
    epochs: int,
    seed: int,
) -> tuple[float, bool]:
    """The best validation accuracy of a training, and whether its cost went beyond three times the first one."""
    chance = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(train[0].shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes))
    weights = [layer.weight for layer in net if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        for weight in weights:
            weight.normal_(0, WEIGHTS, generator=chance)
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=MOMENTUM)
    best, first = 0.0, math.nan
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(train[1]), generator=chance), BATCH):
            penalty = 0.5 * reg * sum(weight.square().sum() for weight in weights)
            cost = nn.functional.cross_entropy(net(train[0][rows]), train[1][rows]) + penalty
            value = float(cost.detach())
            first = value if math.isnan(first) else first
            if not value <= GIVEN_UP * first:
                return best, True
            optimizer.zero_grad()
            cost.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] *= DECAY
        with torch.no_grad():
            best = max(best, float((net(val[0]).argmax(1) == val[1]).float().mean()))
    return best, False


def judged(found: Sequence[Trial], told: str, name: str, epochs: int) -> Outcome:
    """The figures beside the lecture's."""
    coarse, fine = ([trial for trial in found if trial.stage == stage] for stage in (1, 2))
    best, better = ranked(coarse)[0], ranked(fine)[0]
    cifar = "cifar" in name.lower()
    lost = sum(trial.end == "exploded" for trial in coarse)
    ended = edges(FINE, fine)
    mean = [sum(trial.value for trial in stage) / len(stage) for stage in (coarse, fine)]
    rows = [
        Row("best of the coarse stage", best.value),
        Row(
            "its learning rate lies in the lecture's 1e-4 to 1e-3",
            number(best.settings["lr"]),
            "yes",
            1e-4 <= best.settings["lr"] <= 1e-3,
        ),
        Row("best of the fine stage", better.value, REFERENCE, abs(better.value - REFERENCE) < 0.03 if cifar else None),
        Row(
            "the mean trial is better in the fine stage",
            f"{mean[1]:.3f} against {mean[0]:.3f}",
            "better",
            mean[1] > mean[0],
        ),
        Row("trials given up at three times the first cost", lost),
        Row(
            "the best fine rate is at the upper end",
            "yes" if any(edge.high and edge.parameter.key == "lr" for edge in ended) else "no",
            "yes (9.47e-4)",
            None,
        ),
    ]
    warned = f" Warning: {ended[0]}." if ended else " It does not lie at an edge."
    return Outcome(
        rows,
        f"{len(coarse)} coarse trials of {epochs} epochs reach {best.value:.3f} at lr {number(best.settings['lr'])}; {len(fine)} fine ones of {2 * epochs} reach "
        f"{better.value:.3f} at lr {number(better.settings['lr'])}, reg {number(better.settings['reg'])}.{warned}",
        {
            "trials": [
                {
                    "stage": trial.stage,
                    "lr": trial.settings["lr"],
                    "reg": trial.settings["reg"],
                    "value": trial.value,
                    "end": trial.end,
                }
                for trial in found
            ],
            "lines": [line(trial, len(coarse)) for trial in (*coarse[:SHOWN], *fine[:SHOWN])],
        },
        told + ("" if cifar else "; the lecture's CIFAR-10 by --data PATH"),
        "Each point is a training; colour is accuracy on validation, crosses were given up. The frame is the fine stage's space.",
    )


def draw(outcome: Outcome) -> Drawing:
    """Rate and penalty of every trial, coloured by accuracy."""
    figure, axes = panels(1, 2, (8.4, 3.6))
    trials: list[dict[str, Any]] = outcome.series["trials"]
    high = max(trial["value"] for trial in trials)
    for place, (stage, space) in enumerate(((1, COARSE), (2, FINE))):
        own = [trial for trial in trials if trial["stage"] == stage]
        pane = axes[place]
        shown = [trial for trial in own if trial["end"] == "done"]
        points = pane.scatter(
            [t["lr"] for t in shown],
            [t["reg"] for t in shown],
            c=[t["value"] for t in shown],
            cmap="viridis",
            vmin=0,
            vmax=high,
            s=34,
            edgecolor=MUTED,
            linewidth=0.4,
        )
        gone = [trial for trial in own if trial["end"] != "done"]
        pane.scatter(
            [t["lr"] for t in gone], [t["reg"] for t in gone], marker="x", color=SERIES[1], s=22, linewidth=1.1
        )
        best = max(shown, key=lambda trial: trial["value"])
        pane.scatter([best["lr"]], [best["reg"]], s=130, facecolor="none", edgecolor=INK, linewidth=1.5)
        pane.set_xscale("log")
        pane.set_yscale("log")
        rate, penalty = (each for each in space if isinstance(each, Range))
        logarithmic(pane.xaxis, rate.low, rate.high)
        logarithmic(pane.yaxis, penalty.low, penalty.high)
        heading(pane, f"{'coarse' if stage == 1 else 'fine'}: best {best['value']:.3f}")
        label(pane, "learning rate", "penalty" if place == 0 else "")
        if stage == 1:
            low, top = FINE[0], FINE[1]
            assert isinstance(low, Range)
            assert isinstance(top, Range)
            pane.plot(
                [low.low, low.high, low.high, low.low, low.low],
                [top.low, top.low, top.high, top.high, top.low],
                color=INK,
                linewidth=1,
            )
    figure.colorbar(points, ax=axes, label="validation accuracy", shrink=0.85)
    return Drawing(figure, outcome.caption)
