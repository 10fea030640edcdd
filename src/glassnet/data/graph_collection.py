"""Many graphs as they were read, whatever files they stood in, and what networks read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from glassnet.data.graph import Graph
from glassnet.data.unreadable import Unreadable
from glassnet.errors import DataError

MOST_DEGREE = 32  # nodes with more edges than that are described alike, where nothing else describes them
DEGREE = "degree="


@dataclass
class FoundGraphs:
    """Graphs as they were read.

    Attributes:
        names: of the graphs, all different.
        labels: the class of each, None where it has none.
        sizes: nodes of each, in the order of the nodes below.
        columns: what describes a node: a name, or ``name=word`` for each of the words that an attribute can be; empty where nothing does.
        features: float32 (nodes, columns).
        edges: int64 (edges, 2), places among all nodes; both ends in one graph.
        left_out: graphs and edges that cannot be used.
        notes: decisions, as sentences.
    """

    names: list[str]
    labels: list[str | None]
    sizes: list[int]
    columns: tuple[str, ...]
    features: npt.NDArray[np.float32]
    edges: npt.NDArray[np.int64]
    left_out: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MadeGraphs:
    """What networks read of graphs that were found.

    Attributes:
        graph: all of them.
        columns: names of its features.
        notes: what was changed on the way, as sentences.
    """

    graph: Graph
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def graphs_from(found: FoundGraphs, where: str, columns: Sequence[str] | None = None) -> MadeGraphs:
    """The graphs that networks read.

    Directions are dropped, edges that come twice are one, and edges from a node to itself are left out. Nodes that nothing describes are told by the number of
    their edges.

    Args:
        found: as it was read.
        where: for messages.
        columns: what described the nodes that were trained on, in that order; a word that does not occur there says nothing. None takes what is there.

    Raises:
        DataError: features that are no finite numbers, or nodes that are described otherwise than ``columns`` says.
    """
    odd = np.flatnonzero(~np.isfinite(found.features).all(axis=1))
    if len(odd):
        raise DataError(
            f"{len(odd):,} nodes have features that are NaN or infinite",
            where=where,
            got=f"node {int(odd[0]) + 1} and others" if len(odd) > 1 else f"node {int(odd[0]) + 1}",
            fix="correct these numbers",
        )
    given = found.edges.reshape(-1, 2)
    loops = given[:, 0] == given[:, 1]
    ordered = np.sort(given[~loops], axis=1)
    once = np.unique(ordered, axis=0) if len(ordered) else ordered
    both = np.concatenate([once, once[:, ::-1]])
    edges = torch.from_numpy(both[np.lexsort((both[:, 1], both[:, 0]))].T.copy())
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), torch.tensor(found.sizes, dtype=torch.int64).cumsum(0)])
    total = int(offsets[-1])
    notes = [f"{len(found.names):,} graphs of {total:,} nodes and {len(once):,} edges; directions are not looked at."]
    if loops.any():
        notes.append(f"{_some(int(loops.sum()), 'edge')} from a node to itself left out.")
    alone = total - len(np.unique(once))
    if alone:
        notes.append(f"{_some(alone, 'node')} without any edge.")
    degrees = np.bincount(both[:, 0], minlength=total)
    if columns is None:
        columns = found.columns or _degrees(degrees)
        if not found.columns:
            notes.append("Nothing describes the nodes: each is told by the number of its edges.")
    features = _described(found, columns, degrees, where)
    return MadeGraphs(Graph(torch.from_numpy(features), edges, offsets), tuple(columns), tuple(notes))


def side_by_side(graphs: Sequence[Graph]) -> Graph:
    """Several collections of graphs as one, in their order."""
    features, edges, offsets, nodes = [], [], [torch.zeros(1, dtype=torch.int64)], 0
    for graph in graphs:
        assert graph.offsets is not None, "these are many graphs"
        features.append(graph.features)
        edges.append(graph.edges + nodes)
        offsets.append(graph.offsets[1:] + nodes)
        nodes += len(graph)
    return Graph(torch.cat(features), torch.cat(edges, dim=1), torch.cat(offsets))


def _degrees(degrees: npt.NDArray[np.int64]) -> tuple[str, ...]:
    most = min(int(degrees.max(initial=0)), MOST_DEGREE)
    return tuple(f"{DEGREE}{count}" for count in range(most + 1))


def _described(
    found: FoundGraphs, columns: Sequence[str], degrees: npt.NDArray[np.int64], where: str
) -> npt.NDArray[np.float32]:
    made = np.zeros((len(degrees), len(columns)), dtype=np.float32)
    if columns and columns[0].startswith(DEGREE):
        made[np.arange(len(degrees)), degrees.clip(max=len(columns) - 1)] = 1.0
        return made
    place = {name: number for number, name in enumerate(found.columns)}
    words = {name.partition("=")[0] for name in found.columns if "=" in name}
    absent = [name for name in columns if name not in place and name.partition("=")[0] not in words]
    if absent:
        raise DataError(
            "the nodes are described otherwise than those that were trained on",
            where=where,
            got=", ".join(found.columns[:5]) or "nothing that describes them",
            expected=", ".join(absent[:5]) + (" …" if len(absent) > 5 else ""),
        )
    for number, name in enumerate(columns):
        if name in place:
            made[:, number] = found.features[:, place[name]]
    return made


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
