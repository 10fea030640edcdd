"""M networks for the price of one: a training in M cosine cycles, a snapshot at the end of each, their answers averaged.

Huang, Li, Pleiss, Liu, Hopcroft and Weinberger, "Snapshot ensembles: train 1, get M for free", 2017: in step t of T the rate is
α₀/2 · (cos(π · ((t − 1) mod ⌈T/M⌉) / ⌈T/M⌉) + 1) (their equation 2), high again at the start of each cycle, so that the net leaves its minimum and
finds another. Beside it: one ordinary training in one cosine of the same length, and M independent ones of that length, at M times the cost.
The probabilities of the last m snapshots are averaged, since the early ones are less good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.combined import Ensemble, Member
from glassnet.evaluate.interval import Spread, spread
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import judged, learn
from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing, label
from glassnet.training.schedules import cosine, warm_restarts
from glassnet.zoo import build

CYCLES, LENGTH, HIDDEN, LR, MOMENTUM, BATCH = 5, 6, "64", 0.2, 0.9, 32
SEEDS, FULL_SEEDS, ENOUGH = 8, 20, 1_000  # samples to train on


def run(setting: Setting) -> Outcome:
    """All three ways over the seeds; ``full``: more seeds and longer cycles."""
    seeds = range(setting.seed, setting.seed + (FULL_SEEDS if setting.full else SEEDS))
    images = load_images(setting.data, seed=setting.seed, train=None if setting.full else ENOUGH)
    length = 2 * LENGTH if setting.full else LENGTH
    found = []
    for seed in seeds:
        found.append(three_ways(images, seed, length))
        setting.say(
            f"seed {seed}: ordinary {found[-1]['ordinary']:.2%}, snapshots together {found[-1]['together'][-1]:.2%}, independent {found[-1]['independent']:.2%}"
        )
    return judge(images, found, length)


def three_ways(images: Images, seed: int, length: int) -> dict[str, Any]:
    """Test accuracies: each ``snapshots``, the last m ``together`` for m = 1 to M, ``ordinary``, ``independent``; and the losses by step."""
    kept: list[nn.Module] = []

    def keep(net: nn.Module) -> dict[str, float]:
        twin = _net(images, seed)
        twin.load_state_dict(net.state_dict())
        kept.append(twin.eval())
        return {}

    steps = -(-len(images.train[1]) // BATCH)
    course = learn(
        _net(images, seed),
        images.train,
        lr=LR,
        momentum=MOMENTUM,
        batch_size=BATCH,
        epochs=CYCLES * length,
        schedule=warm_restarts(period=length),
        seed=seed,
        watch=keep,
        every=length * steps,
    )
    alone = []
    for member in range(CYCLES):
        net = _net(images, seed + 1000 * member)
        learn(
            net,
            images.train,
            lr=LR,
            momentum=MOMENTUM,
            batch_size=BATCH,
            epochs=CYCLES * length,
            schedule=cosine(),
            seed=seed + 1000 * member,
        )
        alone.append(net)
    return {
        "snapshots": [judged(net, images.test)[1] for net in kept],
        "together": [right(kept[-m:], images.test) for m in range(1, CYCLES + 1)],
        "ordinary": judged(alone[0], images.test)[1],
        "independent": right(alone, images.test),
        "differing": differing(kept, images.test),
        "differing alone": differing(alone, images.test),
        "losses": course.losses,
    }


def _net(images: Images, seed: int) -> nn.Module:
    return build("mlp", images.shape, images.classes, {"hidden": HIDDEN}, seed=seed)


@torch.no_grad()
def right(nets: Sequence[nn.Module], samples: tuple[Tensor, Tensor]) -> float:
    """Accuracy of the averaged probabilities."""
    return judged(Ensemble([Member(net) for net in nets]), samples)[1]


@torch.no_grad()
def differing(nets: Sequence[nn.Module], samples: tuple[Tensor, Tensor]) -> float:
    """Share of the samples that two nets put into different classes, averaged over pairs."""
    said = torch.stack([net(samples[0]).argmax(1) for net in nets])
    pairs = torch.combinations(torch.arange(len(nets)))
    return float((said[pairs[:, 0]] != said[pairs[:, 1]]).double().mean())


def rate(step: int, steps: int, cycles: int) -> float:
    """Equation 2 with α₀ = 1, steps counted from 1."""
    period = math.ceil(steps / cycles)
    return 0.5 * (math.cos(math.pi * ((step - 1) % period) / period) + 1)


def judge(images: Images, found: Sequence[dict[str, Any]], length: int) -> Outcome:
    """Figures, claims and sentence: the difference of two ways counts if it exceeds twice its standard error over the seeds."""
    series: dict[str, Any] = {
        name: [[each[name][place] for each in found] for place in range(CYCLES)] for name in ("snapshots", "together")
    } | {name: [each[name] for each in found] for name in ("ordinary", "independent")}
    rows = [_row(f"snapshot of cycle {place}", series["snapshots"][place - 1]) for place in range(1, CYCLES + 1)]
    rows += [_row(f"the last {m} together", series["together"][m - 1]) for m in range(2, CYCLES + 1)]
    rows += [
        _row("ordinary training, the same cost", series["ordinary"]),
        _row(f"{CYCLES} independent, {CYCLES} times the cost", series["independent"]),
    ]
    all_of = series["together"][-1]
    gains = {
        "last snapshot": _gain(all_of, series["snapshots"][-1]),
        "ordinary": _gain(all_of, series["ordinary"]),
        "independent": _gain(series["independent"], all_of),
        "own": _gain(series["independent"], series["ordinary"]),
    }
    claims = {
        "snapshots together, gain over the last one": "last snapshot",
        "snapshots together, gain over the ordinary training": "ordinary",
        "independent ones, gain over snapshots": "independent",
    }
    for what, name in claims.items():
        gain = gains[name]
        rows.append(
            Row(
                f"{what}, points",
                f"{100 * gain.mean:+.2f} ± {100 * gain.error:.2f} (s.e.)",
                "above 0",
                gain.mean > 2 * gain.error,
            )
        )
    steps = CYCLES * length * -(-len(images.train[1]) // BATCH)
    period = steps // CYCLES
    schedule = warm_restarts(period=length)
    worst = max(
        abs(schedule.factor(step - 1, period // length, steps) - rate(step, steps, CYCLES))
        for step in range(1, steps + 1)
    )
    rows.append(compared("our schedule and equation 2, largest difference", worst, 0.0, 1e-9, absolute=True))
    series["differing"] = {
        "snapshots": spread([each["differing"] for each in found]).mean,
        "independent": spread([each["differing alone"] for each in found]).mean,
    }
    for name, share in series["differing"].items():
        rows.append(Row(f"test samples on which two {name} disagree", f"{share:.2%}"))
    gain = gains["ordinary"]
    verdict = (
        f"beat an ordinary training of the same cost by {100 * gain.mean:.2f} points"
        if gain.mean > 2 * gain.error
        else f"are {100 * -gain.mean:.2f} points below an ordinary training of the same cost"
        if -gain.mean > 2 * gain.error
        else f"cannot be told from an ordinary training of the same cost ({100 * gain.mean:+.2f} ± {100 * gain.error:.2f} points)"
    )
    return Outcome(
        rows,
        f"Over {len(found)} seeds the {CYCLES} snapshots together ({spread(all_of).percent()}) {verdict}; {CYCLES} independent nets get {100 * gains['own'].mean:+.2f} points over one for {CYCLES} times "
        f"the cost: snapshots disagree on {series['differing']['snapshots']:.1%} of the samples, independent nets on {series['differing']['independent']:.1%}.",
        series | {"losses": found[0]["losses"], "length": length},
        data=images.told,
        caption="Left: loss of one training in cycles; a snapshot at each dot. Right: test accuracy, mean ± standard error over the seeds.",
    )


def _row(what: str, figures: Sequence[float]) -> Row:
    return Row(f"{what}: right", spread(figures).percent())


def _gain(more: Sequence[float], less: Sequence[float]) -> Spread:
    return spread([a - b for a, b in zip(more, less, strict=True)])


def draw(outcome: Outcome) -> Drawing:
    """The loss in cycles; accuracies of snapshots alone, together, and of what they are compared with."""
    series = outcome.series
    figure, (left, right_axes) = panels(1, 2, (9, 3.9))
    losses = series["losses"]
    window = max(1, len(losses) // 100)
    smooth = [
        sum(losses[max(0, i - window + 1) : i + 1]) / len(losses[max(0, i - window + 1) : i + 1])
        for i in range(len(losses))
    ]
    left.plot(range(1, len(losses) + 1), smooth, color=INK, linewidth=1.1)
    period = len(losses) // CYCLES
    for cycle in range(1, CYCLES + 1):
        left.plot(cycle * period, smooth[cycle * period - 1], "o", color=BLUE, markersize=8, zorder=3)
        left.annotate(
            str(cycle),
            (cycle * period, smooth[cycle * period - 1]),
            (0, -15),
            textcoords="offset points",
            ha="center",
            color=BLUE,
            fontsize=9,
        )
        if cycle < CYCLES:
            left.axvline(cycle * period, color=MUTED, linewidth=0.8, linestyle=":")
    left.set_yscale("log")
    left.set_ylim(min(smooth) / 2.5)
    heading(left, "training loss: at each dotted line the rate is high again")
    label(left, "step", "")
    places = range(1, CYCLES + 1)
    for name, colour, told in (("snapshots", MUTED, "snapshot m alone"), ("together", BLUE, "the last m together")):
        spreads = [spread(figures) for figures in series[name]]
        right_axes.errorbar(
            places,
            [100 * each.mean for each in spreads],
            [100 * each.error for each in spreads],
            color=colour,
            marker="o",
            linewidth=2,
            capsize=3,
        )
        first = 100 * spreads[0].mean
        high = 100 * (spreads[0].mean + spreads[0].error)
        place, shift = ((1, high), (4, 5)) if name == "together" else ((1, first), (9, -4))
        right_axes.annotate(told, place, shift, textcoords="offset points", color=colour, fontsize=9)
    for name, colour, told in (
        ("ordinary", ORANGE, "ordinary training, same cost"),
        ("independent", GREEN, f"{CYCLES} independent, {CYCLES} × the cost"),
    ):
        each = spread(series[name])
        right_axes.axhline(100 * each.mean, color=colour, linewidth=1.8)
        right_axes.axhspan(
            100 * (each.mean - each.error), 100 * (each.mean + each.error), color=colour, alpha=0.13, linewidth=0
        )
        right_axes.annotate(told, (1, 100 * each.mean), (0, 4), textcoords="offset points", color=colour, fontsize=9)
    right_axes.set_xticks(list(places))
    heading(right_axes, "right on the test part, %")
    label(right_axes, "m", "")
    return Drawing(figure, outcome.caption)
