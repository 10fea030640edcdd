"""What the network says of single inputs, where it errs most, and what it takes for alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnet.plots.explain_maps import image, tiles
from glassnet.plots.style import BLUE, GRID, INK, MUTED, ORANGE, Drawing, literal, number, styled

if TYPE_CHECKING:
    from glassnet.explain import Answers, Neighbours, Worst

MOST = 8


def top_classes_plot(answers: Answers) -> Drawing:
    """Bars of the most probable classes, beside the image where there is one."""
    from matplotlib.figure import Figure

    count = min(len(answers.names), MOST)
    bars = answers.probabilities.shape[1]
    height = 0.25 + 0.19 * bars
    figure = Figure(figsize=(5.2, count * height), facecolor="none")
    with_images = answers.inputs.ndim == 4
    for row in range(count):
        bottom = 1 - (row + 0.94) / count
        if with_images:
            axes = figure.add_axes((0.0, bottom, 0.2, 0.84 / count))
            axes.set_axis_off()
            image(axes, answers.inputs[row])
        axes = styled(figure.add_axes((0.48, bottom, 0.46, 0.84 / count)))
        shares = [float(p) for p in answers.probabilities[row]]
        names = [literal(name, 20) for name in answers.labels[row]]
        axes.barh(range(bars), shares, color=[BLUE, *[GRID] * (bars - 1)])
        for at, share in enumerate(shares):
            axes.text(min(share, 1) + 0.02, at, f"{share:.1%}", va="center", fontsize=7.5, color=INK)
        axes.set_yticks(range(bars), names, fontsize=8)
        axes.set_ylim(bars - 0.4, -0.6)
        axes.set_xlim(0, 1.18)
        axes.set_xticks([])
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(length=0)
    surest = max(range(count), key=lambda i: answers.probabilities[i][0])
    least = min(range(count), key=lambda i: answers.probabilities[i][0])
    told = f"The {bars} most probable classes. "
    if count == 1:
        told += f"{answers.names[0]} is {answers.labels[0][0]} with {answers.probabilities[0][0]:.1%}."
    else:
        told += f"Most certain is {answers.labels[surest][0]} for {answers.names[surest]} ({answers.probabilities[surest][0]:.1%}), least {answers.labels[least][0]} for {answers.names[least]} ({answers.probabilities[least][0]:.1%})."
    return Drawing(figure, told)


def worst_plot(worst: Worst) -> Drawing:
    """The images with the largest loss, worst first, with what they are and what was said."""
    count = len(worst.names)
    columns = min(max(count, 1), 6)
    figure, grid = tiles(max(-(-count // columns), 1), columns, 1.0, titled=True)
    for at in range(count):
        image(grid[at], worst.inputs[at])
        right = worst.true[at] == worst.said[at]
        words = f"{literal(worst.true[at], 8)} → {literal(worst.said[at], 8)} {worst.probability[at]:.0%}"
        grid[at].set_title(words, fontsize=7, color=MUTED if right else ORANGE, pad=2)
    told = f"{worst.wrong:,} of {worst.samples:,} are classified wrongly."
    if count:
        told += f" The worst is {worst.names[0]}: it is {worst.true[0]}, and the network says {worst.said[0]} with {worst.probability[0]:.0%} (loss {number(float(worst.losses[0]))}). Titles tell truth → answer; orange ones are wrong."
    return Drawing(figure, told)


def neighbours_plot(near: Neighbours) -> Drawing:
    """Each query at the left, its neighbours to the right, nearest first."""
    rows, count = min(len(near.names), MOST), near.indices.shape[1]
    figure, grid = tiles(rows, count + 1, 0.8, titled=True)
    for row in range(rows):
        cells = grid[row * (count + 1) : (row + 1) * (count + 1)]
        image(cells[0], near.queries[row])
        cells[0].set_title("asked" if row == 0 else "", fontsize=8, color=BLUE, pad=2)
        for axes, picture, far in zip(cells[1:], near.found[row], near.distances[row], strict=True):
            image(axes, picture)
            axes.set_title(number(float(far)), fontsize=7, color=MUTED, pad=2)
    nearest, widest = near.distances[:, 0].argmin(), near.distances[:, 0].argmax()
    told = "Nearest by the last hidden layer, distances above. "
    told += f"{near.names[widest]} stands most alone: nothing is nearer than {number(float(near.distances[widest, 0]))}; {near.names[nearest]} has a neighbour at {number(float(near.distances[nearest, 0]))}."
    return Drawing(figure, told)
