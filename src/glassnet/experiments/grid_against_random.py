"""Grid and random search with equally many trials, where one hyperparameter matters much and the other little.

Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", 2012, figure 1: a grid of 3 × 3 tries three values of what matters,
random search nine. Here every trial trains a net of 32 hidden units for two epochs with plain SGD, at a learning rate and an L2 penalty; what
explodes is given up. All trials that a search can ask for are trained once, on a fine table, so that thousands of searches can be compared.

The rate is searched over eight decades (nothing is known of it) and over four (something is). Where in its range the good rates lie is
drawn anew for each search, at least half a decade from its ends, and both kinds get the same range. The grid's values stand in the middles of
equal cells, which is kinder to it than including the ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any, NamedTuple

import torch
from torch import Tensor

from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import judged, learn
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, MUTED, ORANGE, Drawing, label, logarithmic, number
from glassnet.zoo import build

DECADES = (8, 4)  # of the range of the rate
SOMEWHERE = -0.5  # 10^-0.5 is anywhere in that range, but half a decade from its ends at least
PENALTIES = (-8.0, -4.0)
SIDES = (2, 3, 4, 5, 6)  # of the grids
SIDE, SEARCHES_EACH, EPOCHS = 3, 2_000, 2
RATES, LEVELS = 160, 6  # of the table
HIDDEN, BATCH = "32", 64
ENOUGH = 1_200  # samples of large sets to train on
NEAR = 0.1  # of the best accuracy, and a rate counts as good
TELLING = 0.01  # a smaller difference in accuracy decides nothing
SEARCHES = ("grid", "random")
COLOURS = {"grid": ORANGE, "random": BLUE}


class Table(NamedTuple):
    """Every trial: accuracy on validation and test part for each rate and penalty, both given as powers of ten.

    Attributes:
        rates: (rates,), evenly spaced.
        penalties: (levels,), likewise.
        val: (rates, levels).
        test: (rates, levels).
    """

    rates: Tensor
    penalties: Tensor
    val: Tensor
    test: Tensor


def run(setting: Setting) -> Outcome:
    """The table, with ``full`` a finer one of longer trainings, and all searches on it."""
    images = load_images(setting.data, seed=setting.seed, train=None if setting.full else ENOUGH)
    rates, epochs = (2 * RATES, 4) if setting.full else (RATES, EPOCHS)
    return judge(images, train_table(images, rates, LEVELS, epochs, setting.seed, setting.say), setting.seed)


def train_table(images: Images, rates: int, levels: int, epochs: int, seed: int, say: Any = lambda line: None) -> Table:
    """A training for every rate within reach of the widest range, and every penalty."""
    reach = DECADES[0] - 0.5
    powers = torch.linspace(SOMEWHERE - reach, SOMEWHERE + reach, rates)
    penalties = PENALTIES[0] + (PENALTIES[1] - PENALTIES[0]) * (torch.arange(levels) + 0.5) / levels
    val, test = torch.empty(rates, levels), torch.empty(rates, levels)
    for i, rate in enumerate(powers.tolist()):
        for j, penalty in enumerate(penalties.tolist()):
            one = seed + levels * i + j
            net = build("mlp", images.shape, images.classes, {"hidden": HIDDEN}, seed=one)
            learn(
                net,
                images.train,
                lr=10**rate,
                weight_decay=10**penalty,
                epochs=epochs,
                batch_size=BATCH,
                seed=one,
                give_up=True,
            )
            val[i, j], test[i, j] = judged(net, images.val)[1], judged(net, images.test)[1]
        if i % 20 == 19:
            say(
                f"{(i + 1) * levels:,} of {rates * levels:,} trainings; at rates near {number(10**rate)} accuracy {float(val[i].mean()):.3f}"
            )
    return Table(powers, penalties, val, test)


def search(table: Table, side: int, decades: int, searches: int, seed: int) -> dict[str, Tensor]:
    """Both searches of side² trials over that many decades, many times.

    Returns:
        For each of both: the trials' places in the table, int64 (searches, side², 2), in random order; and ``middles`` of the ranges.
    """
    generator = torch.Generator().manual_seed(1_000_003 * seed + 101 * decades + side)
    trials = side**2
    middles = SOMEWHERE + (decades - 1) * (torch.rand(searches, 1, generator=generator) - 0.5)
    cells = torch.cartesian_prod(*[(torch.arange(side) + 0.5) / side] * 2)
    order = torch.rand(searches, trials, generator=generator).argsort(1)
    places = {"grid": cells[order], "random": torch.rand(searches, trials, 2, generator=generator)}
    low, high = table.rates[0], table.rates[-1]
    found = {"middles": middles[:, 0]}
    for name, unit in places.items():
        rate = ((middles + decades * (unit[..., 0] - 0.5) - low) / (high - low) * (len(table.rates) - 1)).round()
        level = (unit[..., 1] * len(table.penalties)).floor()
        found[name] = torch.stack([rate, level], -1).long()
    return found


def best_so_far(table: Table, places: Tensor) -> Tensor:
    """Best validation accuracy after each trial: (searches, trials)."""
    return table.val[places[..., 0], places[..., 1]].cummax(1).values


def good_rates(table: Table) -> Tensor:
    """Whether the mean accuracy at a rate is within ``NEAR`` of that at the best rate: (rates,)."""
    means = table.val.mean(1)
    return means >= means.max() - NEAR


def explained(table: Table) -> tuple[float, float]:
    """Shares of the variance of accuracy over the table that belong to the rate and to the penalty alone (main effects)."""
    whole = float(table.val.var(correction=0))
    return float(table.val.mean(1).var(correction=0)) / whole, float(table.val.mean(0).var(correction=0)) / whole


def judge(images: Images, table: Table, seed: int, searches: int = SEARCHES_EACH) -> Outcome:
    """Figures, claims and sentence."""
    by_rate, by_penalty = explained(table)
    rows = [
        Row("trainings in the table", table.val.numel()),
        Row("share of the variance of accuracy that the rate explains", by_rate),
        Row("the same, penalty", by_penalty, "a tenth of that at most", by_penalty <= 0.1 * by_rate),
    ]
    good = good_rates(table)
    half = float(table.rates[1] - table.rates[0]) / 2
    good_ends = float(table.rates[good].min()) - half, float(table.rates[good].max()) + half
    gains: dict[str, list[float]] = {}
    told, curves = [], {}
    for decades in DECADES:
        gains[str(decades)] = []
        for side in SIDES:
            found = search(table, side, decades, searches, seed)
            best = {name: best_so_far(table, found[name]) for name in SEARCHES}
            ends = {name: float(best[name][:, -1].mean()) for name in SEARCHES}
            gains[str(decades)].append(ends["random"] - ends["grid"])
            if side == SIDE:
                rows += _rows(table, found, best, good, decades, good_ends)
                told.append(
                    f"over {decades} decades {_who(ends['random'] - ends['grid'])} ({ends['grid']:.3f} and {ends['random']:.3f})"
                )
                curves[str(decades)] = {name: _curve(best[name]) for name in SEARCHES}
                if decades == DECADES[0]:
                    # the good rates lie halfway between two of the grid's there, and no two trials of random search fall together
                    apart = found["random"][..., 0].sort(1).values.diff(dim=1).min(1).values > 0
                    away = (found["middles"] - SOMEWHERE - decades / side / 2).abs()
                    shown = int(torch.where(apart, away, math.inf).argmin())
                    first = {name: _values(table, found[name][shown]) for name in SEARCHES}
                    middle = float(found["middles"][shown])
    for width, each in gains.items():
        rows.append(
            Row(
                f"random minus grid at {', '.join(str(side**2) for side in SIDES)} trials, {width} decades",
                ", ".join(f"{gain:+.3f}" for gain in each),
            )
        )
    return Outcome(
        rows,
        f"In {SIDE**2} trials the grid tries {SIDE} rates and random search {SIDE**2}; of {searches:,} searches the best accuracy is on average: "
        + "; ".join(told)
        + f"; the good rates span {good_ends[1] - good_ends[0]:.1f} decades, and the grid's lie {DECADES[0] / SIDE:.1f} and {DECADES[1] / SIDE:.1f} apart.",
        {
            "rates": table.rates,
            "means": table.val.mean(1),
            "val": table.val,
            "decades": DECADES[0],
            "middle": middle,
            "first": first,
            "curves": curves,
            "gains": gains,
        },
        data=images.told,
        caption="A search of each kind where the grid's rates straddle the good ones (grey: accuracy by rate); ticks: rates tried. Right: mean and middle half of all.",
    )


def chance_of_grid(good: tuple[float, float], side: int, decades: int) -> float:
    """Probability that one of ``side`` rates in the middles of equal cells is a good one, wherever the range lies.

    The middle of the range is uniform over ``decades`` − 1; each cell meets the good rates where it lies in an interval as wide as
    they are, and these intervals do not overlap while the good rates are narrower than a cell.
    """
    reach = (decades - 1) / 2
    length = 0.0
    for cell in range(side):
        shift = SOMEWHERE + decades * ((cell + 0.5) / side - 0.5)
        length += max(0.0, min(good[1] - shift, reach) - max(good[0] - shift, -reach))
    return min(1.0, length / (2 * reach))


def _rows(
    table: Table,
    found: dict[str, Tensor],
    best: dict[str, Tensor],
    good: Tensor,
    decades: int,
    good_ends: tuple[float, float],
) -> list[Row]:
    """Coverage and the best of both, beside what the width of the good rates lets expect."""
    trials = found["grid"].shape[1]
    where = f"{trials} trials, {decades} decades"
    expected = {
        "grid": chance_of_grid(good_ends, math.isqrt(trials), decades),
        "random": 1 - (1 - (good_ends[1] - good_ends[0]) / decades) ** trials,
    }
    rows = []
    for name in SEARCHES:
        hit = float(good[found[name][..., 0]].any(1).float().mean())
        told = f"{expected[name]:.2f} by geometry"
        rows.append(Row(f"{where}: {name} meets a good rate", hit, told, abs(hit - expected[name]) < 0.06))
    gain = fmean((best["random"][:, -1] - best["grid"][:, -1]).tolist())
    tests = {name: float(_chosen(table, found[name]).mean()) for name in SEARCHES}
    wide = decades == max(DECADES)
    return [
        *rows,
        Row(
            f"{where}: best accuracy, grid and random",
            " and ".join(f"{float(best[name][:, -1].mean()):.4f}" for name in SEARCHES),
        ),
        Row(
            f"{where}: random minus grid",
            gain,
            f"above {TELLING:g}" if wide else f"above −{TELLING:g}",
            gain > (TELLING if wide else -TELLING),
        ),
        Row(f"{where}: test accuracy of what was chosen", f"{tests['grid']:.4f} and {tests['random']:.4f}"),
    ]


def _chosen(table: Table, places: Tensor) -> Tensor:
    """Test accuracy of the trial with the best validation accuracy: (searches,)."""
    rate, level = places[..., 0], places[..., 1]
    which = table.val[rate, level].argmax(1, keepdim=True)
    return table.test[rate, level].gather(1, which)[:, 0]


def _who(gain: float) -> str:
    return (
        "random search is better" if gain > TELLING else "the grid is better" if gain < -TELLING else "they are level"
    )


def _curve(best: Tensor) -> dict[str, list[float]]:
    return {
        "mean": best.mean(0).tolist(),
        "low": best.quantile(0.25, 0).tolist(),
        "high": best.quantile(0.75, 0).tolist(),
    }


def _values(table: Table, places: Tensor) -> list[list[float]]:
    """Power of the rate, power of the penalty, accuracy."""
    return [[float(table.rates[i]), float(table.penalties[j]), float(table.val[i, j])] for i, j in places.tolist()]


def draw(outcome: Outcome) -> Drawing:
    """Two columns for one search of each kind, one for what all came to."""
    series = outcome.series
    figure, six = panels(2, 3, (9.2, 5.4), widths=(1, 1, 1.1))
    low, high = (series["middle"] + half * series["decades"] / 2 for half in (-1, 1))
    floor = 10 ** (PENALTIES[0] - 0.2)
    for column, (name, colour) in enumerate(COLOURS.items()):
        top, plane = six[column], six[3 + column]
        top.plot(10 ** torch.as_tensor(series["rates"]), series["means"], color=MUTED, linewidth=2.5, alpha=0.45)
        trials = series["first"][name]
        for rate, penalty, value in trials:
            top.plot([10**rate] * 2, [0, value], color=colour, linewidth=1.2)
            top.plot([10**rate], [value], "o", color=colour, markersize=6)
            plane.plot([10**rate] * 2, [floor, 10**penalty], color=colour, linewidth=0.8, alpha=0.5)
            plane.plot([10**rate], [10**penalty], "o", color=colour, markersize=6)
            plane.plot([10**rate] * 2, [0, 0.05], color=colour, linewidth=2.2, transform=plane.get_xaxis_transform())
        top.set_ylim(0, 1.04)
        heading(top, f"{name}: {len(trials)} trials, {len({rate for rate, *_ in trials})} rates")
        label(top, "", "validation accuracy" if column == 0 else "")
        plane.set_yscale("log")
        plane.set_ylim(floor, 10 ** PENALTIES[1])
        logarithmic(plane.yaxis, floor, 10 ** PENALTIES[1])
        label(plane, "learning rate (matters)", "L2 penalty (hardly matters)" if column == 0 else "")
        for axes in (top, plane):
            axes.set_xscale("log")
            axes.set_xlim(10 ** (low - 0.2), 10 ** (high + 0.2))
            axes.set_xticks([10.0**k for k in range(math.ceil(low), math.floor(high) + 1, 2)])
            axes.xaxis.set_major_formatter(lambda value, _: number(value))
            axes.minorticks_off()
    _best(six[2], series)
    _gains(six[5], series)
    return Drawing(figure, outcome.caption)


def _best(axes: Any, series: Mapping[str, Any]) -> None:
    """The best so far over the wide range."""
    curves = series["curves"][str(series["decades"])]
    for name, colour in COLOURS.items():
        each = curves[name]
        steps = range(1, len(each["mean"]) + 1)
        axes.fill_between(steps, each["low"], each["high"], color=colour, alpha=0.13, linewidth=0)
        axes.plot(steps, each["mean"], "o-", color=colour, linewidth=1.8, markersize=4)
        above = each["mean"][-1] >= max(curve["mean"][-1] for curve in curves.values())
        axes.annotate(
            f"{name} {each['mean'][-1]:.3f}",
            (steps[-1], each["mean"][-1]),
            (0, 6 if above else -8),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color=colour,
            fontsize=10,
        )
    axes.set_ylim(0, 1.04)
    heading(axes, f"best so far, range of {series['decades']} decades")
    label(axes, "trials", "")


def _gains(axes: Any, series: Mapping[str, Any]) -> None:
    """What random search gains, by number of trials and width of the range."""
    trials = [side**2 for side in SIDES]
    for (decades, each), style in zip(series["gains"].items(), ("o-", "o--"), strict=True):
        axes.plot(trials, each, style, color=BLUE, linewidth=1.8, markersize=5)
        wide = decades == str(max(DECADES))
        axes.annotate(
            f"range of {decades} decades",
            (trials[1], each[1]) if wide else (trials[-1], min(each[2:])),
            (9, 4) if wide else (0, -6),
            textcoords="offset points",
            ha="left" if wide else "right",
            va="bottom" if wide else "top",
            color=BLUE,
            fontsize=10,
        )
    axes.axhline(0, color=MUTED, linewidth=1)
    axes.set_xticks(trials)
    axes.margins(y=0.2)
    heading(axes, "random's best minus grid's")
    label(axes, "trials", "")
