"""What counts in texts, word by word, and in sounds, over their spectrograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glassnet.plots.explain_maps import two_sided
from glassnet.plots.style import BLUE, INK, MUTED, ORANGE, Drawing, label, literal, number, styled

if TYPE_CHECKING:
    from glassnet.explain import Attribution

MOST_TEXTS = 4
MOST_TOKENS = 110  # of a text; of longer ones the stretch that counts most
MOST_SOUNDS = 4
LETTERS = 84  # in a line
LINE = 0.2  # inches
WIDTH = 6.6  # inches
PIECES = 120  # bars under a waveform


def tokens_plot(told: Attribution) -> Drawing:
    """Texts with their words on orange where they speak for the class and on blue where they speak against it (unsigned: the darker the more)."""
    import numpy as np
    from matplotlib.figure import Figure

    shown = []
    for row in range(min(len(told.tokens), MOST_TEXTS)):
        values = told.values[row][: len(told.tokens[row])]
        first = _stretch(np.abs(values))
        words = [literal(word, 24) or " " for word in told.tokens[row][first : first + MOST_TOKENS]]
        shown.append((row, first, _lines(words), values[first : first + MOST_TOKENS]))
    heights = [1.6 + len(lines) for _, _, lines, _ in shown]
    figure = Figure(figsize=(WIDTH, LINE * sum(heights) + 0.1), facecolor="none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(-1, LETTERS + 1)
    axes.set_ylim(sum(heights), 0)
    axes.axis("off")
    colours = two_sided()
    y = 0.0
    for (row, first, lines, values), height in zip(shown, heights, strict=True):
        title = f"{literal(told.targets[row], 24)}:" + (
            f" (from token {first + 1} of {len(told.tokens[row])} on)" if first else ""
        )
        axes.text(0, y + 0.7, title, fontsize=8.5, color=INK, weight="bold", va="center")
        top = max(float(np.abs(values).max()), 1e-12)
        for line, inside in enumerate(lines):
            for place, at, word in inside:
                share = float(values[place]) / top
                colour = colours(0.5 + share / 2) if told.signed else colours(0.5 + abs(share) / 2)
                box = {"facecolor": colour, "edgecolor": "none", "boxstyle": "square,pad=0.12"}
                axes.text(
                    at, y + 1.7 + line, word, fontsize=8, family="monospace", color="#1b1f24", va="center", bbox=box
                )
        y += height
    return Drawing(figure, _words(told))


def sound_plot(told: Attribution) -> Drawing:
    """Spectrograms (low tones below) above what counts in them; of waveforms the wave above bars."""
    import numpy as np
    from matplotlib.figure import Figure

    count = min(len(told.values), MOST_SOUNDS)
    figure = Figure(figsize=(max(3.4, 2.3 * count), 3.2), layout="constrained", facecolor="none")
    for column in range(count):
        above = styled(figure.add_subplot(2, count, column + 1))
        below = styled(figure.add_subplot(2, count, count + column + 1))
        values = told.values[column]
        if values.ndim == 2:
            top = max(float(np.percentile(abs(values), 99.5)), 1e-12)
            low, colours = (-top, two_sided()) if told.signed else (0.0, "cividis")
            place: dict[str, Any] = {"origin": "lower", "aspect": "auto", "interpolation": "nearest"}
            place["extent"] = (0.0, told.seconds, 0.0, float(len(values)))
            above.imshow(told.inputs[column][0], cmap="cividis", **place)
            below.imshow(values, cmap=colours, vmin=low, vmax=top, **place)
            below.set_yticks([])
            below.grid(visible=False)
        else:
            wave = told.inputs[column].reshape(-1)
            time = np.linspace(0, told.seconds, len(wave))
            above.plot(time, wave, color=MUTED, linewidth=0.4)
            pieces = np.array([piece.sum() for piece in np.array_split(values, min(PIECES, len(values)))])
            middle = (np.arange(len(pieces)) + 0.5) * told.seconds / len(pieces)
            sides = [ORANGE if value > 0 else BLUE for value in pieces]
            below.bar(middle, pieces, width=told.seconds / len(pieces), color=sides)
        above.set_title(literal(told.targets[column], 18), fontsize=9, color=INK)
        above.set_xticks([])
        above.set_yticks([])
        label(below, "seconds", "")
    words = f"{told.method[0].upper()}{told.method[1:]} for the class above each sound: "
    words += "orange speaks for it, blue against it." if told.signed else "bright is where it matters."
    words += f" In the first sound most of it lies {_when(np.abs(told.values[0]), told.seconds)}."
    return Drawing(figure, words)


def _when(values: Any, seconds: float) -> str:
    """The shortest stretch of time that holds half of the whole."""
    import numpy as np

    over_time = values.sum(0) if values.ndim == 2 else values
    running = np.concatenate([[0.0], over_time.astype(np.float64).cumsum()])
    if running[-1] <= 0:
        return "nowhere: nothing counts"
    ends = np.searchsorted(running, running[:-1] + running[-1] / 2)
    lengths = np.where(ends < len(running), ends - np.arange(len(ends)), len(running))
    start = int(lengths.argmin())
    step = seconds / len(over_time)
    return f"between {number(start * step)} and {number((start + int(lengths[start])) * step)} s of {number(seconds)} s"


def _words(told: Attribution) -> str:
    import numpy as np

    values, tokens = told.values[0][: len(told.tokens[0])], told.tokens[0]
    most = int(np.abs(values).argmax()) if len(values) else 0
    words = f"{told.method[0].upper()}{told.method[1:]}, for the class above each text: "
    if not told.signed:
        return (
            words
            + f"the stronger the colour, the more the answer turns with the word. In the first text it turns most with “{literal(tokens[most], 24)}”."
        )
    words += "words on orange speak for it, words on blue against it."
    if not np.any(values):
        return words + " In the first text no word counts at all."
    side = "for" if values[most] > 0 else "against"
    words += f" In the first text “{literal(tokens[most], 24)}” speaks most strongly, {side} {told.targets[0]} ({number(float(values[most]))})."
    if told.against is not None:
        change = np.where(told.scores == told.against, 1, told.scores - told.against)
        words += f" All words together move its output from {number(float(told.against[0]))} (words of no meaning) to {number(float(told.scores[0]))}; the values miss at most {number(100 * float(abs(told.gap / change).max()))} % of such a sum."
    if any("⟨" in word for word in tokens):
        words += " Words in ⟨⟩ are not in the network's vocabulary; to it they are all the same."
    return words


def _stretch(values: Any) -> int:
    """Where the stretch of ``MOST_TOKENS`` tokens begins that counts most."""
    import numpy as np

    if len(values) <= MOST_TOKENS:
        return 0
    running = np.concatenate([[0.0], values.cumsum()])
    return int((running[MOST_TOKENS:] - running[:-MOST_TOKENS]).argmax())


def _lines(words: list[str]) -> list[list[tuple[int, float, str]]]:
    """Words in lines: (place, letters to the left, word)."""
    lines: list[list[tuple[int, float, str]]] = [[]]
    at = 0
    for place, word in enumerate(words):
        if at + len(word) > LETTERS and lines[-1]:
            lines.append([])
            at = 0
        lines[-1].append((place, at, word))
        at += len(word) + 1
    return lines
