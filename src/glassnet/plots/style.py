"""One look for every plot: colours that colour-blind eyes tell apart, quiet axes, and SVG that follows the page's light or dark theme.

Figures are made with matplotlib's object interface; pyplot and its global state are never touched, so any thread may draw.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from glassnet.captions import nan_for_none as nan_for_none
from glassnet.captions import number as number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe and Ito (2008), "Color universal design", and greys
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#009e73"
INK = "#1f2933"
MUTED = "#66707b"
GRID = "#d9dee3"
PAPER = "#fefefe"  # for words on a coloured ground

# what takes a colour's place in SVG, so that a page's style sheet can choose it by theme
THEME = {
    BLUE: "var(--plot-blue, #0072b2)",
    ORANGE: "var(--plot-orange, #d55e00)",
    GREEN: "var(--plot-green, #009e73)",
    INK: "currentColor",
    MUTED: "var(--plot-muted, #66707b)",
    GRID: "var(--plot-grid, #d9dee3)",
    PAPER: "var(--plot-paper, #fefefe)",
}

WIDE = (5.2, 2.9)
SQUARE = (4.2, 4.2)
FONT = 10
LONGEST_NAME = 16


class Drawing(NamedTuple):
    """A figure, and one or two sentences that say what is to be seen in it."""

    figure: Figure
    caption: str


def new_axes(size: tuple[float, float] = WIDE) -> tuple[Figure, Axes]:
    """A figure of that size in inches, with one pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", facecolor="none")
    return figure, styled(figure.add_subplot())


def styled(axes: Axes) -> Axes:
    """The axes in the common style: no frame above and right, a light grid behind."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=FONT - 1, which="both")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def label(axes: Axes, x: str, y: str) -> None:
    """Words at the axes, data's names taken literally."""
    axes.set_xlabel(literal(x), color=INK, fontsize=FONT)
    axes.set_ylabel(literal(y), color=INK, fontsize=FONT)


def legend(axes: Axes, columns: int = 3) -> None:
    """What the lines are, in a row above the axes, where it hides nothing."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=FONT - 1,
        labelcolor=INK,
        handlelength=1.6,
        columnspacing=1.0,
        borderaxespad=0.2,
    )


def literal(text: str, longest: int | None = None) -> str:
    """Text that matplotlib does not take for mathematics, on one line, cut to ``longest`` characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "…"
    return text.replace("$", r"\$")


def logarithmic(axis: Axis, low: float, high: float) -> None:
    """Plain numbers, at whole decades where there are many and in between where there are few."""
    from matplotlib.ticker import LogLocator, NullFormatter

    subs = tuple(range(1, 10)) if high < 6 * low else (1, 2, 5) if high < 100 * low else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(lambda value, _: number(value))
    axis.set_minor_formatter(NullFormatter())


def svg(drawing: Drawing, name: str) -> str:
    """The drawing as an ``<svg>`` element for a page, without prolog, as wide as its place, coloured by the page's theme.

    Args:
        drawing: what to write; its caption becomes the text for those who cannot see it.
        name: begins every id in it, so that several drawings may stand on one page.
    """
    from matplotlib import rc_context

    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "glassnet"}), _quiet_glyphs():
        drawing.figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    # matplotlib's own style rule would reach the whole page
    text = re.sub(r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    # names from data stand between tags with < and > escaped, so that within tags everything is matplotlib's
    text = re.sub("<[^>]*>", lambda tag: _themed(tag.group(), name), text).strip()
    opening = text[: text.index(">")]
    sized = re.sub(r'\s(?:width|height|version)="[^"]*"', "", opening)
    return f'{sized} role="img" aria-label="{_attribute(drawing.caption)}"' + text[len(opening) :]


def _themed(tag: str, name: str) -> str:
    """A tag with its ids made unique, its colours left to the page, and the page's font."""
    tag = re.sub(r'\bid="', f'id="{name}-', tag).replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    tag = re.sub(
        r"font-family: [^;\"]*", lambda family: f"font-family: {'monospace' if 'Mono' in family[0] else 'inherit'}", tag
    )
    for colour, themed in THEME.items():
        tag = tag.replace(colour, themed)
    return tag


def png(drawing: Drawing, dpi: int = 150) -> bytes:
    """The drawing as a PNG image on white."""
    written = io.BytesIO()
    with _quiet_glyphs():
        drawing.figure.savefig(written, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return written.getvalue()


@contextmanager
def _quiet_glyphs() -> Iterator[None]:
    """A name in a script that the font lacks is drawn as boxes in PNG and rightly in SVG; no need to print a warning a letter."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph.*", category=UserWarning)
        yield


def _attribute(text: str) -> str:
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(sign, entity)
    return text
