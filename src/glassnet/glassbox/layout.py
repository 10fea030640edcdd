"""Boxes put in ranks, so that edges lead on and cross little: the layered drawing of Sugiyama, Tagawa and Toda (1981)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SWEEPS = 12


@dataclass(frozen=True)
class Placed:
    """Where things are, along the flow and across it.

    Attributes:
        rank: of each box, from 0.
        across: centre of each box across the flow, from 0.
        bends: of each edge (by its number): the points across that it passes in the ranks between its ends.
        breadth: how far everything reaches across.
    """

    rank: dict[str, int]
    across: dict[str, float]
    bends: dict[int, list[tuple[int, float]]]
    breadth: float


def place(names: Sequence[str], edges: Sequence[tuple[str, str]], breadth: Mapping[str, float], gap: float) -> Placed:
    """A place for every box.

    Args:
        names: of the boxes, in topological order.
        edges: (start, end).
        breadth: of each box across the flow.
        gap: least distance between neighbours.
    """
    rank = _ranks(names, edges)
    size = dict(breadth)
    links: list[tuple[str, str]] = []  # between neighbouring ranks
    bent: dict[int, list[str]] = {}
    ranks = dict(rank)
    for number, (start, end) in enumerate(edges):
        before = start
        for between in range(rank[start] + 1, rank[end]):
            bend = f"\0{number}:{between}"  # a point that the edge passes, treated like a narrow box
            ranks[bend], size[bend] = between, 8.0
            bent.setdefault(number, []).append(bend)
            links.append((before, bend))
            before = bend
        links.append((before, end))
    rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for name, number in ranks.items():
        rows[number].append(name)
    up: dict[str, list[str]] = {name: [] for name in ranks}
    down: dict[str, list[str]] = {name: [] for name in ranks}
    for start, end in links:
        down[start].append(end)
        up[end].append(start)
    centre = _start(rows, size, gap)
    for sweep in range(SWEEPS):
        order, beside = (rows, up) if sweep % 2 == 0 else (rows[::-1], down)
        for row in order:
            wish = {
                name: sum(centre[other] for other in beside[name]) / len(beside[name]) if beside[name] else centre[name]
                for name in row
            }
            row.sort(key=wish.__getitem__)
            centre |= _apart(row, wish, size, gap)
    lowest = min((centre[name] - size[name] / 2 for name in centre), default=0.0)
    centre = {name: value - lowest for name, value in centre.items()}
    return Placed(
        rank,
        {name: centre[name] for name in names},
        {number: [(ranks[bend], centre[bend]) for bend in several] for number, several in bent.items()},
        max((centre[name] + size[name] / 2 for name in centre), default=0.0),
    )


def _ranks(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way from the beginning; what nothing leads to stands right before what it goes into."""
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for start, end in edges:
        before[end].append(start)
        after[start].append(end)
    rank: dict[str, int] = {}
    for name in names:
        rank[name] = max((rank[each] + 1 for each in before[name]), default=0)
    for name in names:
        if not before[name] and after[name]:
            rank[name] = min(rank[each] for each in after[name]) - 1
    return rank


def _start(rows: list[list[str]], size: Mapping[str, float], gap: float) -> dict[str, float]:
    centre: dict[str, float] = {}
    for row in rows:
        at = -sum(size[name] + gap for name in row) / 2
        for name in row:
            centre[name] = at + size[name] / 2
            at += size[name] + gap
    return centre


def _apart(row: list[str], wish: Mapping[str, float], size: Mapping[str, float], gap: float) -> dict[str, float]:
    """Places as near as possible to what is wished, in the same order, without overlap.

    Neighbours that come too near are joined to a group, which stands where its members wish on average.
    """
    groups: list[tuple[list[str], float, float]] = []  # members, their wish for the group's beginning, its length
    for name in row:
        members, begin, length = [name], wish[name] - size[name] / 2, size[name]
        while groups and groups[-1][1] + groups[-1][2] + gap > begin:
            other, first, long = groups.pop()
            shifted = begin - long - gap
            begin = (first * len(other) + shifted * len(members)) / (len(other) + len(members))
            members, length = other + members, long + gap + length
        groups.append((members, begin, length))
    placed: dict[str, float] = {}
    for members, begin, _ in groups:
        at = begin
        for name in members:
            placed[name] = at + size[name] / 2
            at += size[name] + gap
    return placed
