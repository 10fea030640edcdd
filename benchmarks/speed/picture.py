"""The table as a picture: a row a group, each contender's rate beside the naive loop's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.speed.rounds import Measured
from benchmarks.speed.table import NAIVE


def draw(rows: Mapping[str, Sequence[Measured]], path: Path) -> None:
    """Write a PNG. Points are medians, lines go from the slowest to the fastest round; 1 is the naive loop's median."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(one.contender for measured in rows.values() for one in measured if one.rates))
    colours = dict(zip(names, plt.colormaps["tab10"].colors, strict=False))
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.75 * len(rows)), layout="constrained")
    for place, measured in enumerate(rows.values()):
        base = next((one.rate for one in measured if one.contender == NAIVE and one.rates), None)
        shown = [one for one in measured if one.rates]
        for number, one in enumerate(shown):
            scale = base or max(each.rate for each in shown)
            y = place + 0.7 * ((number + 0.5) / len(shown) - 0.5)
            axes.plot([min(one.rates) / scale, max(one.rates) / scale], [y, y], color=colours[one.contender], lw=1.5)
            axes.plot(
                one.rate / scale, y, "o", color=colours[one.contender], ms=5 if one.contender != "glassnet" else 8
            )
        if place:
            axes.axhline(place - 0.5, color="0.9", lw=0.8)
    for name in names:
        axes.plot([], [], "o", color=colours[name], label=name)
    axes.axvline(1, color="0.5", lw=0.8, ls="--")
    axes.set_xscale("log")
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick:g}×" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("samples a second, as a multiple of the naive PyTorch loop's (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)
