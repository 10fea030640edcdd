"""Graphs as files have them: Cora's ``.content`` and ``.cites``, Planetoid's ``ind.NAME.*``, and GML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glassnet.data.graph import Graph
from glassnet.data.unreadable import Unreadable
from glassnet.errors import DataError

MOST_NODES = 1_000_000
Edge = tuple[int, int]


@dataclass
class FoundGraph:
    """A graph as it was read.

    Attributes:
        names: of the nodes, all different.
        features: float32 (nodes, features); None where the file has none.
        columns: names of the features; empty where they have none.
        edges: pairs of places of nodes, as they stand in the file.
        labels: the class of each node, None where it has none.
        parts: ``train``, ``val``, ``test`` or, of a node in no part, None; None as a whole where the files do not divide the nodes.
        left_out: edges and rows that cannot be used.
        notes: decisions, as sentences.
    """

    names: list[str]
    features: npt.NDArray[np.float32] | None
    edges: list[Edge]
    labels: list[str | None]
    columns: tuple[str, ...] = ()
    parts: list[str | None] | None = None
    left_out: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def graph_from(found: FoundGraph, where: str) -> tuple[Graph, list[str]]:
    """The graph that networks read, and what was changed on the way, as sentences.

    Directions are dropped, edges that come twice are one, and edges from a node to itself are left out (the convolutions add them where their
    formulas want them). A node without features of its own is told from the others by a feature that it alone has.

    Raises:
        DataError: there are no nodes or no edges, or features that are no finite numbers.
    """
    count = len(found.names)
    if not count or not found.edges:
        raise DataError(
            "the graph has no edges" if count else "the graph has no nodes",
            where=where,
            got=f"{count:,} nodes, {len(found.edges):,} edges" + _reasons(found),
            expected="nodes that are joined",
        )
    features = np.eye(count, dtype=np.float32) if found.features is None else found.features
    odd = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(odd):
        raise DataError(
            f"{len(odd):,} nodes have features that are NaN or infinite",
            where=where,
            got=", ".join(found.names[place] for place in odd[:5]),
            fix="correct these numbers",
        )
    given = np.array(found.edges, dtype=np.int64)
    loops = given[:, 0] == given[:, 1]
    ordered = np.sort(given[~loops], axis=1)
    once = np.unique(ordered, axis=0)
    if not len(once):
        raise DataError("every edge leads from a node to itself", where=where, expected="nodes that are joined")
    edges = torch.from_numpy(np.concatenate([once, once[:, ::-1]]).T.copy())
    notes = [f"A graph of {count:,} nodes and {len(once):,} edges; directions are not looked at."]
    if loops.any():
        notes.append(f"{_some(int(loops.sum()), 'edge')} from a node to itself left out.")
    if len(ordered) > len(once):
        notes.append(f"{_some(len(ordered) - len(once), 'edge')} given before, in this or the other direction.")
    alone = count - len(np.unique(once))
    if alone:
        notes.append(f"{_some(alone, 'node')} without any edge: what is said of them comes from their features alone.")
    if found.features is None:
        notes.append("The nodes have no features: each is told from the others by a feature of its own.")
    return Graph(torch.from_numpy(np.ascontiguousarray(features)), edges), notes


def columns_of(found: FoundGraph) -> tuple[str, ...]:
    """Names of the features by which another graph must agree; of nodes without features the nodes' own names."""
    return found.columns if found.features is not None else tuple(f"node {name}" for name in found.names)


def joined(pairs: Sequence[tuple[str, str, str]], names: Sequence[str], found: FoundGraph) -> list[Edge]:
    """Edges between places of nodes, from (where, name, name); an edge to a node that is not there is left out and named."""
    place = {name: number for number, name in enumerate(names)}
    edges: list[Edge] = []
    for where, a, b in pairs:
        if a in place and b in place:
            edges.append((place[a], place[b]))
        else:
            found.left_out.append(Unreadable(where, f"there is no node '{b if a in place else a}'"))
    return edges


def check_unique(names: Sequence[str], places: Sequence[str], where: str) -> None:
    """Refuse nodes of one name.

    Args:
        names: of the nodes.
        places: where each stands, such as a line.
        where: the file.

    Raises:
        DataError: with the first places where a name returns.
    """
    first: dict[str, int] = {}
    twice: list[str] = []
    for number, name in enumerate(names):
        before = first.setdefault(name, number)
        if before != number:
            twice.append(f"'{name}' ({places[before]} and {places[number]})")
    if twice:
        raise DataError(
            f"{_some(len(twice), 'node')} with the name of an earlier one",
            where=where,
            got=", ".join(twice[:5]) + (" …" if len(twice) > 5 else ""),
            fix="let every node have a name of its own, and stand once in the file",
        )


def check_size(count: int, where: Path) -> None:
    """Refuse graphs that would not fit: training sees the whole graph at once.

    Raises:
        DataError: more than a million nodes.
    """
    if count > MOST_NODES:
        raise DataError(
            "the graph is too large to be learned from at once",
            where=where,
            got=f"{count:,} nodes",
            expected=f"at most {MOST_NODES:,}",
        )


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _reasons(found: FoundGraph) -> str:
    return "".join(f"; {item.name}: {item.reason}" for item in found.left_out[:3])
