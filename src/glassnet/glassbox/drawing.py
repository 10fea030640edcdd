"""The graph as a picture: boxes for gates or blocks, values in blue and gradients in orange on what connects them. SVG, by no other program."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from glassnet.gates import Graph, Node
from glassnet.gates.lines import formula
from glassnet.glassbox.figures import figure, shape, size_of
from glassnet.glassbox.folding import Box, Edge, folded
from glassnet.glassbox.layout import Placed, place
from glassnet.plots.style import BLUE, GRID, INK, MUTED, ORANGE, PAPER, THEME

LETTER = 0.58  # width of a letter for each pixel of its height, on the safe side of most faces
TITLE, SMALL = 13, 11
PADDING = 10
MARGIN = 24
HEAD = 58  # for the heading
GAP_DOWN, GAP_RIGHT = 62, 110  # between ranks: room for two lines of figures below a box, or for figures beside it
FAINTEST = 1e-5  # of the largest gradient: as thin as a line gets

STYLE = """<style>
.glassbox { color: #1f2933; background: #ffffff; font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .glassbox { color: #e6eaee; background: #0d1114; --glassbox-ground: #0d1114; --plot-blue: #56b4e9; --plot-orange: #f0883e;
  --plot-green: #2fc79b; --plot-muted: #8b96a1; --plot-grid: #2c343c; --plot-paper: #161c22; } }
</style>"""


@dataclass(frozen=True)
class _Card:
    """A box with its words.

    Attributes:
        box: what it stands for.
        title: its first line.
        lines: the others, smaller.
        width: in pixels.
        height: in pixels.
        round: whether it is an input or constant.
    """

    box: Box
    title: str
    lines: tuple[str, ...]
    width: float
    height: float
    round: bool


def svg(graph: Graph, *, most: int = 26, heading: str = "", standalone: bool = True) -> str:
    """The drawing of a graph that has been computed forward, and backward where gradients shall be shown.

    A formula of single numbers flows to the right, its inputs as nodes. A network flows down; parameters stand in the boxes that they belong
    to, and modules of many gates are folded into one box. The thickness of the orange lines follows the logarithm of the gradient's size.

    Args:
        graph: after ``forward``.
        most: boxes above which modules are folded.
        heading: a line above the drawing.
        standalone: with colours of its own for light and dark; else the page's, as for the other plots.
    """
    single = all(node.value is not None and node.value.size == 1 for node in graph.nodes)
    boxes, edges = folded(graph, most, with_leaves=single)
    cards = {box.name: _card(box, single) for box in boxes}
    across = {name: card.height if single else card.width for name, card in cards.items()}
    placed = place(list(cards), [(edge.start, edge.end) for edge in edges], across, 26 if single else 34)
    picture = _Picture(cards, edges, placed, graph, right=single)
    return picture.text(heading or _heading(graph), standalone)


def _heading(graph: Graph) -> str:
    count = sum(node.kind == "gate" for node in graph.nodes)
    parameters = sum(node.value.size for node in graph.parameters.values() if node.value is not None)
    result = graph.output.value
    words = [f"{count:,} gate{'s' if count != 1 else ''}"]
    if parameters:
        words.append(f"{parameters:,} parameters")
    if result is not None and result.size == 1:
        words.append(f"{graph.output.name} = {figure(float(result.item()))}")
    return ", ".join(words)


def _card(box: Box, single: bool) -> _Card:
    node = box.nodes[-1]
    lines: list[str] = []
    title = box.name
    if box.block:
        lines.append(f"{len(box.nodes)} gates: {_kinds(box)}")
    elif node.gate is not None:
        kind = "" if title.rpartition(".")[2].rstrip("0123456789_") == node.gate.name else f"{node.gate.name}: "
        lines.append(kind + _cut(formula(node)))
    lines += _leaves(box)
    if single and node.kind != "gate":
        title, lines = (node.name, []) if node.kind != "constant" else (figure(float(node.value.item())), [])  # type: ignore[union-attr]
    elif node.kind == "input":
        lines = ["input"]
    widest = max(_width(title, TITLE), *(_width(line, SMALL) for line in lines), 34.0)
    height = PADDING * 2 + TITLE + (SMALL + 5) * len(lines)
    return _Card(box, title, tuple(lines), widest + 2 * PADDING, height, node.kind != "gate")


def _cut(text: str, longest: int = 48) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _kinds(box: Box) -> str:
    """What a block is made of, the most frequent first, four kinds at most."""
    counts: dict[str, int] = {}
    for node in box.nodes:
        if node.gate is not None:
            counts[node.gate.name] = counts.get(node.gate.name, 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    shown = [name if count == 1 else f"{count} {name}" for name, count in ordered[:4]]
    return ", ".join(shown) + (", …" if len(ordered) > 4 else "")


def _leaves(box: Box) -> list[str]:
    """A line for each parameter of a gate, one for all of a block."""
    learned = [node for node in box.leaves if node.kind == "parameter" and node.value is not None]
    if not learned:
        return []
    if box.block:
        numbers = sum(node.value.size for node in learned if node.value is not None)
        strongest = max(learned, key=lambda node: size_of(node.gradient))
        text = f"{numbers:,} parameters"
        if strongest.gradient is not None:
            text += f", largest ∇ {figure(size_of(strongest.gradient))} in {_short(strongest.name, box.name)}"
        return [text]
    return [
        f"{_short(node.name, box.name)} {shape(node.value.shape)}"
        + (f"  ∇ {figure(size_of(node.gradient))}" if node.gradient is not None else "")
        for node in learned
        if node.value is not None
    ]


def _short(name: str, prefix: str) -> str:
    """A parameter's name without that of the box that it stands in."""
    return name.removeprefix(f"{prefix}.")


def _width(text: str, height: int) -> float:
    return len(text) * height * LETTER


class _Picture:
    """The parts of the drawing, one after another."""

    def __init__(
        self, cards: dict[str, _Card], edges: list[Edge], placed: Placed, graph: Graph, *, right: bool
    ) -> None:
        self.cards = cards
        self.edges = edges
        self.placed = placed
        self.graph = graph
        self.right = right
        sizes = [size_of(edge.node.gradient) for edge in edges]
        self.largest = max((size for size in sizes if math.isfinite(size)), default=0.0)
        ranks = max(placed.rank.values(), default=0) + 1
        along = [0.0] * ranks
        for name, card in cards.items():
            row = placed.rank[name]
            along[row] = max(along[row], card.width if right else card.height)
        gap = GAP_RIGHT if right else GAP_DOWN
        self.begin = [MARGIN + (0 if right else HEAD) + sum(along[:row]) + gap * row for row in range(ranks)]
        self.along = along
        self.length = self.begin[-1] + along[-1] + gap + MARGIN

    def text(self, heading: str, standalone: bool) -> str:
        """The whole."""
        names = {edge.start for edge in self.edges}
        results = [name for name, card in self.cards.items() if name not in names and not card.round]
        parts = [self._edge(number, edge) for number, edge in enumerate(self.edges)]
        parts += [self._box(name) for name in self.cards]
        parts += [self._figures(name) for name in (*[n for n in self.cards if n in names], *results)]
        breadth = self.placed.breadth + 2 * MARGIN
        wide, high = (self.length, breadth + HEAD) if self.right else (max(breadth + 150, 420), self.length)
        legend = "blue: value, orange: gradient" + (
            "" if self.right else "; of arrays the root mean square; thicker is larger, by its logarithm"
        )
        wide = max(wide, _width(legend, SMALL) + 2 * MARGIN, _width(heading, TITLE + 2) + 2 * MARGIN)
        opening = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" class="glassbox" role="img" '
            f'aria-label="{escape(heading, quote=True)}"'
            + (f' width="{wide:.0f}" height="{high:.0f}"' if standalone else "")
        )
        head = [
            _words(MARGIN, MARGIN + 8, heading, TITLE + 2, INK, weight=600),
            _words(MARGIN, MARGIN + 28, legend, SMALL, MUTED),
        ]
        whole = [opening + ">", *([STYLE] if standalone else []), *head, *parts, "</svg>"]
        return "\n".join(whole) + "\n"

    def _middle(self, name: str) -> tuple[float, float]:
        """The box's centre (x, y)."""
        row = self.placed.rank[name]
        along = self.begin[row] + self.along[row] / 2
        if not self.right:  # boxes of one rank begin at one height
            along = self.begin[row] + self.cards[name].height / 2
        across = self.placed.across[name] + MARGIN
        return (along, across + HEAD) if self.right else (across, along)

    def _box(self, name: str) -> str:
        card = self.cards[name]
        x, y = self._middle(name)
        left, top = x - card.width / 2, y - card.height / 2
        made = []
        stroke = ORANGE if self.graph.output in card.box.nodes else MUTED
        corner = card.height / 2 if card.round else 6
        if card.box.block:
            made.append(_rectangle(left + 4, top + 4, card.width, card.height, corner, MUTED, GRID))
        made.append(_rectangle(left, top, card.width, card.height, corner, stroke, PAPER))
        made.append(_words(x, top + PADDING + TITLE - 2, card.title, TITLE, INK, "middle", 600))
        for number, line in enumerate(card.lines, 1):
            made.append(_words(x, top + PADDING + TITLE - 2 + (SMALL + 5) * number, line, SMALL, MUTED, "middle"))
        return "\n".join(made)

    def _figures(self, name: str) -> str:
        """The value that leaves a box, and the gradient that comes back to it."""
        card = self.cards[name]
        x, y = self._middle(name)
        leaving = [edge.node for edge in self.edges if edge.start == name]
        node = leaving[0] if leaving else card.box.nodes[-1]
        value, gradient = _value(node, with_shape=not self.right), node.gradient
        told = "" if gradient is None else f"∇ {_gradient(node)}"
        if self.right:
            at = x + card.width / 2 + 8
            made = [_words(at, y - 7, value, SMALL, BLUE)]
            return "\n".join([*made, _words(at, y + SMALL + 6, told, SMALL, ORANGE)] if told else made)
        at, top = x + 12, y + card.height / 2 + SMALL + 7
        made = [_words(at, top, value, SMALL, BLUE)]
        return "\n".join([*made, _words(at, top + SMALL + 4, told, SMALL, ORANGE)] if told else made)

    def _edge(self, number: int, edge: Edge) -> str:
        points = [self._end(edge.start, leaving=True)]
        for row, across in self.placed.bends.get(number, []):
            at = across + MARGIN
            first, last = self.begin[row], self.begin[row] + self.along[row]
            points += [(first, at + HEAD), (last, at + HEAD)] if self.right else [(at, first), (at, last)]
        points.append(self._end(edge.end, leaving=False))
        path = _path(points, self.right)
        strength = size_of(edge.node.gradient)
        made = [f'<path d="{path}" fill="none" style="stroke: {_colour(MUTED)}; stroke-width: 1.3"/>']
        if strength > 0 and math.isfinite(strength) and self.largest > 0:
            share = max(0.0, 1 + math.log10(strength / self.largest) / -math.log10(FAINTEST))
            moved = _path([(px, py + 4) if self.right else (px + 4, py) for px, py in points], self.right)
            made.append(
                f'<path d="{moved}" fill="none" style="stroke: {_colour(ORANGE)}; stroke-width: {0.6 + 3.4 * share:.2f}; opacity: 0.75"/>'
            )
        made.append(_arrow(points[-1], self.right))
        return "\n".join(made)

    def _end(self, name: str, *, leaving: bool) -> tuple[float, float]:
        card = self.cards[name]
        x, y = self._middle(name)
        sign = 1 if leaving else -1
        return (x + sign * card.width / 2, y) if self.right else (x, y + sign * card.height / 2)


def _value(node: Node, *, with_shape: bool) -> str:
    if node.value is None:
        return ""
    if node.value.size == 1:
        return figure(float(node.value.item()))
    if node.kind == "input" and node.value.ndim == 1 and node.value.size <= 4:
        return ", ".join(figure(float(each)) for each in node.value)
    text = figure(size_of(node.value))
    return f"{shape(node.value.shape)}   {text}" if with_shape else text


def _gradient(node: Node) -> str:
    if node.gradient is not None and node.gradient.size == 1:
        return figure(float(node.gradient.item()))
    return figure(size_of(node.gradient))


def _path(points: list[tuple[float, float]], right: bool) -> str:
    """A curve that leaves and enters along the flow."""
    (x, y), *rest = points
    words = [f"M{x:.1f},{y:.1f}"]
    for px, py in rest:
        if right:
            middle = (x + px) / 2
            words.append(f"C{middle:.1f},{y:.1f} {middle:.1f},{py:.1f} {px:.1f},{py:.1f}")
        else:
            middle = (y + py) / 2
            words.append(f"C{x:.1f},{middle:.1f} {px:.1f},{middle:.1f} {px:.1f},{py:.1f}")
        x, y = px, py
    return " ".join(words)


def _arrow(tip: tuple[float, float], right: bool) -> str:
    x, y = tip
    corners = ((x, y), (x - 8, y - 4), (x - 8, y + 4)) if right else ((x, y), (x - 4, y - 8), (x + 4, y - 8))
    return f'<polygon points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in corners)}" style="fill: {_colour(MUTED)}"/>'


def _rectangle(x: float, y: float, width: float, height: float, corner: float, stroke: str, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner:.1f}" '
        f'style="fill: {_colour(fill)}; stroke: {_colour(stroke)}; stroke-width: 1.2"/>'
    )


def _words(x: float, y: float, text: str, size: int, colour: str, anchor: str = "start", weight: int = 400) -> str:
    # Figures may lie on a line: a rim in the colour of the ground keeps them readable.
    halo = (
        ""
        if anchor == "middle"
        else "; paint-order: stroke; stroke: var(--glassbox-ground, #ffffff); stroke-width: 3px"
    )
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" xml:space="preserve" '
        f'style="fill: {_colour(colour)}; font-size: {size}px; font-weight: {weight}{halo}">{escape(text)}</text>'
    )


def _colour(colour: str) -> str:
    return THEME[colour]
