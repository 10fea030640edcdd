"""The loss over time at rates too low, good, too high and very high, and how these four were found among 19 rates.

The picture of the lecture (Stanford CS231n, "Babysitting the learning process", after its sketch of four curves), drawn from measured
losses: hidden layers of 64 and 32 ReLU units, plain SGD, batches of 32. Which of the rates is called what is decided by numbers:

- good: the rate with the lowest loss in the last epoch;
- too low: the highest rate below it whose loss has not fallen by half;
- very high: the lowest rate whose loss passes a thousand times the first one (or is infinite, or no number) within twenty
  steps, for every starting point; what follows is of no interest, since its ReLUs are dead by then;
- too high: the lowest rate between these whose loss ends at ten times the good one's or more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import TOO_LARGE, judged, learn, smooth
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing, label, logarithmic, number
from glassnet.zoo import build

RATES = tuple(10 ** (k / 4) for k in range(-12, 7))  # 0.001 to 32, four a decade
NAMES = ("too low", "good", "too high", "very high")
COLOURS = dict(zip(NAMES, (MUTED, GREEN, BLUE, ORANGE), strict=True))
EPOCHS, STARTS, HIDDEN = 12, 3, "64,32"
BOUNDLESS, SOON = 1_000, 20  # times the first loss, and steps within which a very high rate gets there
ENOUGH = 2_000  # samples of large sets that are used by default


def run(setting: Setting) -> Outcome:
    """Every rate from several starting points, then the four."""
    images = load_images(setting.data, seed=setting.seed, train=None if setting.full else ENOUGH)
    starts = range(setting.seed, setting.seed + (5 if setting.full else STARTS))
    trials = curves(images, RATES, starts, 30 if setting.full else EPOCHS, setting.say)
    return judge(images, trials)


def curves(
    images: Images, rates: Sequence[float], starts: Sequence[int], epochs: int, say: Any = lambda line: None
) -> dict[float, list[dict[str, Any]]]:
    """For each rate one training a starting point: losses of all steps, where it exploded, what it came to."""
    found: dict[float, list[dict[str, Any]]] = {}
    for rate in rates:
        found[rate] = [_trained(images, rate, seed, epochs) for seed in starts]
        say(f"lr {number(rate)}: loss of the last epoch {_told(_final(found[rate]))}")
    return found


def _trained(images: Images, rate: float, seed: int, epochs: int) -> dict[str, Any]:
    net = build("mlp", images.shape, images.classes, {"hidden": HIDDEN}, seed=seed)
    course = learn(net, images.train, lr=rate, epochs=epochs, seed=seed)
    steps = len(course.losses) // epochs
    means = [_mean(course.losses[epoch * steps : (epoch + 1) * steps]) for epoch in range(epochs)]
    first = course.losses[0]
    lost = next((step for step, loss in enumerate(course.losses, 1) if not loss < BOUNDLESS * first), None)
    return {
        "losses": course.losses,
        "means": means,
        "exploded": course.exploded,
        "lost": lost,
        "val": judged(net, images.val)[1],
    }


def classify(trials: dict[float, list[dict[str, Any]]]) -> dict[str, float | None]:
    """Which rate is too low, good, too high and very high, by the rules above; None where there is none."""
    final = {rate: _final(each) for rate, each in trials.items()}
    start = median(each["losses"][0] for each in next(iter(trials.values())))
    good = min(final, key=lambda rate: final[rate] if math.isfinite(final[rate]) else math.inf)
    low = [rate for rate in final if rate < good and final[rate] > start / 2]
    far = min((rate for rate, each in trials.items() if rate > good and _at_once(each)), default=None)
    high = [rate for rate in final if good < rate < (far or math.inf) and final[rate] >= 10 * final[good]]
    return {"too low": max(low, default=None), "good": good, "too high": min(high, default=None), "very high": far}


def _at_once(trained: Sequence[dict[str, Any]]) -> bool:
    return all(one["lost"] is not None and one["lost"] <= SOON for one in trained)


def judge(images: Images, trials: dict[float, list[dict[str, Any]]]) -> Outcome:
    """Figures, claims and sentence."""
    called = classify(trials)
    final = {rate: _final(each) for rate, each in trials.items()}
    chance = math.log(images.classes)
    low, good, high, far = (called[name] for name in NAMES)
    assert good is not None
    rows = [Row("loss before the first step", trials[good][0]["losses"][0], f"ln {images.classes} = {chance:.2f}")]
    for name, rate in called.items():
        told = (
            "no such rate" if rate is None else f"{number(rate)}: {_told(final[rate])}, {_val(trials[rate]):.0%} right"
        )
        rows.append(Row(f"{name}: rate, loss at the end, validation", told))
    if low is not None:
        falls = all(one["means"][-1] < one["means"][-2] for one in trials[low])
        rows.append(
            Row("too low: still falling in the last epoch, every start", "yes" if falls else "no", "yes", falls)
        )
    if high is not None:
        times = final[high] / final[good]
        rows.append(Row("too high: end loss over that of the good rate", times, "10 or more", times >= 10))
    if far is not None:
        for key, what in (("exploded", f"{TOO_LARGE:g}"), ("lost", f"{BOUNDLESS:,}")):
            steps = [one[key] for one in trials[far]]
            rows.append(
                Row(
                    f"very high: first step above {what} × the first loss, by start",
                    ", ".join(map(str, steps)),
                    f"within {SOON}",
                    max(steps) <= SOON,
                )
            )
    else:
        rows.append(Row(f"very high: first step above {BOUNDLESS:,} × the first loss", "none", f"within {SOON}", False))
    below = [final[rate] for rate in trials if rate <= good]
    ordered = all(a > b for a, b in pairwise(below))
    rows.append(Row("below the good rate: every higher one ends lower", "yes" if ordered else "no", "yes", ordered))
    shares = {rate: loss / final[good] for rate, loss in final.items() if rate > good}
    wall = min((rate / good for rate, share in shares.items() if not share < 10), default=math.inf)
    rows.append(Row("from the good rate to one that ruins it", f"× {number(wall)}"))
    lowest = (
        f"at {number(low)} it is still at {_told(final[low])}" if low is not None else "none of the rates was too low"
    )
    highest = f"{number(high)} ends at {_told(final[high])}" if high is not None else "no rate stays bounded and bad"
    end = (
        f"{number(far)} is past {TOO_LARGE:g} times the first loss at step {trials[far][0]['exploded']} and past {BOUNDLESS:,} times at step {trials[far][0]['lost']}"
        if far is not None
        else "none explodes"
    )
    return Outcome(
        rows,
        f"At a rate of {number(good)} the loss falls to {_told(final[good])}; {lowest} after the same time, "
        f"{highest}, {end}: the good rate lies a factor of {number(wall)} below the one that ruins the training.",
        {
            "rates": list(trials),
            "final": list(final.values()),
            "first": trials[good][0]["losses"][0],
            "called": called,
            "curves": {
                name: {key: trials[rate][0][key] for key in ("losses", "exploded", "lost")}
                for name, rate in called.items()
                if rate is not None
            },
        },
        data=images.told,
        caption="The same net at four rates, on a plain and on a logarithmic scale (×: it explodes); right: where the four stand among all.",
    )


def _mean(values: Sequence[float]) -> float:
    """Not finite where one of them is not."""
    return sum(values) / len(values) if all(math.isfinite(value) for value in values) else math.inf


def _final(trained: Sequence[dict[str, Any]]) -> float:
    """Median over the starting points of the loss of the last epoch."""
    return float(median(one["means"][-1] for one in trained))


def _val(trained: Sequence[dict[str, Any]]) -> float:
    return float(median(one["val"] for one in trained))


def _told(value: float) -> str:
    return number(value) if math.isfinite(value) else "not finite"


def draw(outcome: Outcome) -> Drawing:
    """Four curves twice, and the loss at the end against the rate."""
    series = outcome.series
    figure, (plain, log, all_rates) = panels(1, 3, (9.2, 3.8), widths=(1, 1, 1.1))
    first, best = series["first"], min(each for each in series["final"] if _is_finite(each))
    for axes, top in ((plain, 2.2 * first), (log, 1e4)):
        steps = len(series["curves"]["good"]["losses"])
        for name, each in series["curves"].items():
            losses = [loss for loss in each["losses"] if _is_finite(loss)]
            if name == "very high":  # to its end, which lies outside
                losses = [*losses[: each["lost"] - 1], 1e12]
                axes.plot(range(1, len(losses) + 1), losses, color=COLOURS[name], linewidth=1.9)
            else:
                axes.plot(range(1, len(losses) + 1), losses, color=COLOURS[name], linewidth=0.6, alpha=0.25)
                axes.plot(range(1, len(losses) + 1), smooth(losses, 16), color=COLOURS[name], linewidth=1.9)
        axes.set_xlim(-0.03 * steps, steps)
        label(axes, "step", "")
        _name_curves(axes, series, top)
    plain.set_ylim(0, 2.2 * first)
    heading(plain, "loss")
    log.set_yscale("log")
    log.set_ylim(best / 3, 1e4)
    logarithmic(log.yaxis, best, 1e4)
    heading(log, "the same, logarithmic")
    _by_rate(all_rates, series)
    return Drawing(figure, outcome.caption)


def _name_curves(axes: Any, series: Mapping[str, Any], top: float) -> None:
    """Each curve's name and rate beside its end; a cross, with the step, where one has left the picture."""
    for name, each in series["curves"].items():
        rate = number(series["called"][name])
        if name == "very high":
            place = (each["lost"] - 1, top)
            text = f"very high, {rate}: explodes,\nabove {TOO_LARGE:g} × at step {each['exploded']},\n{BOUNDLESS:,} × at step {each['lost']}"
            axes.plot(*place, "x", color=COLOURS[name], markersize=9, markeredgewidth=2.4, clip_on=False, zorder=4)
            axes.annotate(text, place, (12, -5), textcoords="offset points", va="top", color=COLOURS[name], fontsize=9)
        else:
            end = smooth([loss for loss in each["losses"] if _is_finite(loss)], 16)[-1]
            axes.annotate(
                f"{name}, {rate}",
                (0.99, end),
                (0, -14 if name == "too low" else 32 if name == "good" and top > 100 else 7),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha="right",
                color=COLOURS[name],
                fontsize=9,
            )


def _by_rate(axes: Any, series: Mapping[str, Any]) -> None:
    """The loss at the end against the rate, crosses at the top where it is not finite."""
    rates, final = series["rates"], series["final"]
    finite = [(rate, loss) for rate, loss in zip(rates, final, strict=True) if _is_finite(loss)]
    highest, lowest = max(loss for _, loss in finite), min(loss for _, loss in finite)
    top = 30 * highest
    axes.plot(*zip(*finite, strict=True), "o-", color=INK, linewidth=1.2, markersize=3.2)
    axes.plot(
        [rate for rate, loss in zip(rates, final, strict=True) if not _is_finite(loss)],
        [top for loss in final if not _is_finite(loss)],
        "x",
        color=ORANGE,
        markersize=8,
        markeredgewidth=2,
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(lowest / 8, 3 * top)
    logarithmic(axes.yaxis, lowest / 8, 3 * top)
    logarithmic(axes.xaxis, min(rates), max(rates))
    # name: shift in points, and the side of the text that touches the point
    sides = {
        "too low": (-4, -9, "right", "top"),
        "good": (0, -9, "center", "top"),
        "too high": (-4, 9, "center", "bottom"),
        "very high": (2, -9, "center", "top"),
    }
    for name, rate in series["called"].items():
        if rate is None:
            continue
        loss = final[rates.index(rate)]
        x, y, across, along = sides[name]
        place = (rate, loss if _is_finite(loss) else top)
        axes.plot(*place, "o", color=COLOURS[name], markersize=9, zorder=3)
        axes.annotate(
            f"{name}\n{number(rate)}",
            place,
            (x, y),
            textcoords="offset points",
            ha=across,
            va=along,
            color=COLOURS[name],
            fontsize=9,
        )
    heading(axes, "loss of the last epoch, by rate")
    label(axes, "learning rate", "")


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
