"""Which classes are taken for which."""

from __future__ import annotations

from glassnet.evaluate.classification import ClassificationFigures
from glassnet.plots.style import BLUE, FONT, INK, LONGEST_NAME, MUTED, ORANGE, PAPER, Drawing, label, literal, new_axes

NAMED_UP_TO = 40
COUNTED_UP_TO = 20
TOLD = 3


def confusion_plot(figures: ClassificationFigures) -> Drawing:
    """The confusion matrix: a row for each true class, a column for each answer; right answers blue, mistakes orange.

    Shades are by the square root of the share of the row, so that a mistake of 1 % can be seen. Counts are written up to 20 classes, names
    up to 40.
    """
    from matplotlib.colors import to_rgb

    k = len(figures.classes)
    side = min(max(2.4 + 0.24 * k, 3.2), 7.0)
    figure, axes = new_axes((side + 0.4, side))
    totals = [max(sum(row), 1) for row in figures.confusion]
    shades = [[(count / total) ** 0.5 for count in row] for row, total in zip(figures.confusion, totals, strict=True)]
    if k > NAMED_UP_TO:
        right, wrong = to_rgb(BLUE), to_rgb(ORANGE)
        pixels = [
            [(*(right if i == j else wrong), shade) for j, shade in enumerate(row)] for i, row in enumerate(shades)
        ]
        axes.imshow(pixels, interpolation="nearest")
    else:
        from matplotlib.patches import Rectangle

        for i, row in enumerate(shades):
            for j, shade in enumerate(row):
                if shade:
                    colour = BLUE if i == j else ORANGE
                    cell = Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colour, alpha=0.1 + 0.9 * shade, linewidth=0)
                    axes.add_patch(cell)
    axes.set_xlim(-0.5, k - 0.5)
    axes.set_ylim(k - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.spines[["top", "right"]].set_visible(True)
    axes.spines[["top", "right"]].set_color(MUTED)
    if k <= NAMED_UP_TO:
        names = [literal(name, LONGEST_NAME) for name in figures.classes]
        upright = k * max(len(name) for name in names) > 40
        size = FONT - 1 if k <= COUNTED_UP_TO else 6
        axes.set_xticks(
            range(k), names, rotation=45 if upright else 0, ha="right" if upright else "center", fontsize=size
        )
        axes.set_yticks(range(k), names, fontsize=size)
        axes.tick_params(length=0)
    if k <= COUNTED_UP_TO:
        longest = len(f"{max(max(row) for row in figures.confusion)}")
        digits = max(5.5, min(FONT - 1, 15 / longest**0.5) - max(0, k - 10) * 0.22)
        for i, counts in enumerate(figures.confusion):
            for j, count in enumerate(counts):
                if count:
                    colour = PAPER if shades[i][j] > 0.7 else INK
                    axes.text(j, i, str(count), ha="center", va="center", color=colour, fontsize=digits)
    label(axes, "what the network said", "true class")
    return Drawing(figure, _caption(figures))


def _caption(figures: ClassificationFigures) -> str:
    text = f"{figures.right:,} of {figures.samples:,} are right"
    if not figures.confused:
        return text + "; no mistake was made."
    told = ", ".join(
        f"{figures.classes[pair.true]} taken for {figures.classes[pair.said]} ({pair.count:,} time{'s' if pair.count > 1 else ''})"
        for pair in figures.confused[:TOLD]
    )
    return f"{text}. Most often confused: {told}."
