"""A 5×5 convolution from 480 to 48 channels on 14×14 maps, at once, and through a 1×1 convolution to fewer channels.

The reference: 112.9 million multiply-adds at once, 1.5 + 3.8 = 5.3 million through 16 channels (GoogLeNet, Szegedy et al., 2014, block
4a). Beside it the bottleneck of ResNets (He et al., 2015, figure 5) and the head: global average pooling instead of a dense layer on 7×7×1024.
All counts come from the layer table, which watches the net at work.
"""

from __future__ import annotations

from torch import nn

from glassnet.experiments.outcome import Outcome, Setting, compared
from glassnet.experiments.panels import heading, panels
from glassnet.layer_table import layer_table
from glassnet.plots.style import BLUE, GREEN, INK, ORANGE, Drawing, label

SHAPE = (480, 14, 14)
OUT = 48
WIDTHS = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 480)


def run(setting: Setting) -> Outcome:
    """Operations at once and through a bottleneck of every width."""
    (once,) = operations(nn.Conv2d(SHAPE[0], OUT, 5, padding=2), SHAPE)
    swept = {width: operations(through(width), SHAPE) for width in WIDTHS}
    reduce, large = swept[16]
    plain = operations(nn.Sequential(*(nn.Conv2d(256, 256, 3, padding=1) for _ in range(2))), (256, 14, 14))
    bottleneck = operations(
        nn.Sequential(nn.Conv2d(256, 64, 1), nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 256, 1)), (256, 14, 14)
    )
    dense = layer_table(nn.Sequential(nn.Flatten(), nn.Linear(7 * 7 * 1024, 1024, bias=False)), (1024, 7, 7))
    pooled = layer_table(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), (1024, 7, 7))
    even = max((width for width in WIDTHS if sum(swept[width]) < once), default=0)
    rows = [
        compared("5×5 at once: million multiply-adds", once / 1e6, 112.9, 0.001),
        compared("1×1 to 16 channels", reduce / 1e6, 1.5, 0.01),
        compared("5×5 from these 16", large / 1e6, 3.8, 0.011),
        compared("both together", (reduce + large) / 1e6, 5.3, 0.011),
        compared("times fewer", once / (reduce + large), 112.9 / 5.3, 0.011),
        compared("ResNet: two 3×3 on 256 channels, million", sum(plain) / 1e6, 2 * 9 * 256 * 256 * 196 / 1e6, 1e-9),
        compared(
            "ResNet: bottleneck through 64, million",
            sum(bottleneck) / 1e6,
            (2 * 256 * 64 + 9 * 64 * 64) * 196 / 1e6,
            1e-9,
        ),
        compared("7×7×1024 to 1024, dense: million weights", dense.parameters / 1e6, 51.3, 0.002),
        compared("the same by global average pooling", pooled.parameters, 0, 0),
    ]
    saves = once > reduce + large
    return Outcome(
        rows,
        f"Through 16 channels the 5×5 convolution takes {(reduce + large) / 1e6:.1f} instead of {once / 1e6:.1f} million multiply-adds, "
        + (f"{once / (reduce + large):.0f} times fewer" if saves else "which is not fewer")
        + f"; of the widths tried, all up to {even} channels save something.",
        {"once": once, "swept": [{"width": w, "reduce": s[0], "large": s[1]} for w, s in swept.items()]},
        caption="Cost of a 5×5 convolution, 480 → 48 channels on 14×14 maps, by the channels between: the narrower the neck, the cheaper.",
    )


def through(width: int) -> nn.Sequential:
    """1×1 to ``width`` channels, then 5×5 to 48."""
    return nn.Sequential(nn.Conv2d(SHAPE[0], width, 1), nn.Conv2d(width, OUT, 5, padding=2))


def operations(net: nn.Module, shape: tuple[int, int, int]) -> list[int]:
    """Multiply-adds of each convolution, as the layer table counts them."""
    return [row.multiply_adds for row in layer_table(net, shape).rows if row.multiply_adds]


def draw(outcome: Outcome) -> Drawing:
    """Bars at once against through 16, and the cost by the width of the neck."""
    series = outcome.series
    figure, (bars, sweep) = panels(1, 2, (8.6, 3.4), widths=(3, 4))
    neck = next(each for each in series["swept"] if each["width"] == 16)
    once = series["once"] / 1e6
    reduce, large = neck["reduce"] / 1e6, neck["large"] / 1e6
    bars.barh([1, 0], [once, large], left=[0, reduce], color=[ORANGE, BLUE], height=0.5)
    bars.barh([0], [reduce], color=GREEN, height=0.5)
    bars.text(once / 2, 1, f"5×5: {once:.1f} million", ha="center", va="center", color="white")
    bars.text(
        reduce + large + 2,
        0,
        f"1×1: {reduce:.1f} + 5×5: {large:.1f}\n= {reduce + large:.1f} million",
        va="center",
        color=INK,
    )
    bars.set_yticks([1, 0], ["480→48", "480→16→48"])
    bars.set_ylim(-0.5, 1.5)
    label(bars, "million multiply-adds", "")
    heading(bars, f"{once / (reduce + large):.0f} times fewer")
    widths = [each["width"] for each in series["swept"]]
    totals = [(each["reduce"] + each["large"]) / 1e6 for each in series["swept"]]
    sweep.axhline(once, color=ORANGE, linewidth=1.8)
    sweep.text(4, once * 1.06, "at once", color=ORANGE, va="bottom")
    sweep.plot(widths, totals, color=BLUE, linewidth=1.8, marker="o", markersize=4)
    sweep.plot([16], [reduce + large], "o", color=INK, markersize=9, fillstyle="none")
    sweep.annotate("GoogLeNet: 16", (16, reduce + large), (20, 1.7), color=INK)
    sweep.set_xscale("log", base=2)
    sweep.set_yscale("log")
    sweep.set_xticks([4, 16, 64, 256], ["4", "16", "64", "256"])
    sweep.set_yticks([1, 10, 100], ["1", "10", "100"])
    sweep.set_ylim(1, 250)
    label(sweep, "channels between", "million multiply-adds")
    return Drawing(figure, outcome.caption)
