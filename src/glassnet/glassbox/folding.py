"""Many gates in few boxes: what belongs to one module of a network is one box where there are too many gates to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from glassnet.gates import Graph, Node


@dataclass
class Box:
    """What is drawn as one.

    Attributes:
        name: of the gate, or the dotted prefix that the gates of a block share.
        nodes: its gates in topological order; one input or constant for a box that is none of gates.
        leaves: parameters and constants that only belong to it and have no box of their own.
        block: whether several gates were folded.
    """

    name: str
    nodes: list[Node] = field(default_factory=list)
    leaves: list[Node] = field(default_factory=list)
    block: bool = False


@dataclass(frozen=True)
class Edge:
    """A value that goes from one box into another.

    Attributes:
        start: name of the box that computes it.
        end: name of the box that takes it.
        node: the value's node.
    """

    start: str
    end: str
    node: Node


def folded(graph: Graph, most: int = 26, *, with_leaves: bool = False) -> tuple[list[Box], list[Edge]]:
    """Boxes and the edges between them.

    Gates whose names share a dotted prefix become one box, the longest prefixes first, until there are few enough boxes.

    Args:
        graph: any.
        most: gates' boxes that may be, if folding can do it.
        with_leaves: parameters and constants get boxes of their own.

    Returns:
        Boxes in topological order, and edges, one for each value and box that it goes into.
    """
    gates = [node for node in graph.nodes if node.kind == "gate"]
    key = {id(node): node.name for node in gates}
    deepest = max((node.name.count(".") for node in gates), default=0)
    for level in range(deepest, 0, -1):
        if len(set(key.values())) <= most:
            break
        key = _straight(gates, key, _at_level(gates, key, level))
    return _boxes(graph, key, with_leaves)


def _at_level(gates: list[Node], key: Mapping[int, str], level: int) -> dict[int, str]:
    """The keys after folding all prefixes of so many parts that hold several gates."""
    groups: dict[str, list[Node]] = {}
    for node in gates:
        parts = node.name.split(".")
        if len(parts) > level or node.name in _prefixes(gates, level):
            groups.setdefault(".".join(parts[:level]), []).append(node)
    made = dict(key)
    for prefix, members in groups.items():
        if len(members) > 1:
            made |= {id(node): prefix for node in members}
    return made


def _prefixes(gates: list[Node], level: int) -> set[str]:
    return {".".join(node.name.split(".")[:level]) for node in gates if node.name.count(".") >= level}


def _straight(gates: list[Node], before: Mapping[int, str], after: dict[int, str]) -> dict[int, str]:
    """The folding without those blocks that would stand before and behind another box at once."""
    while True:
        try:
            _order(gates, after)
        except CycleError as error:
            around = set(error.args[1])
            changed = {node_id: before[node_id] for node_id, name in after.items() if name in around}
            if all(after[node_id] == name for node_id, name in changed.items()):
                return dict(before)
            after = after | changed
        else:
            return after


def _order(gates: list[Node], key: Mapping[int, str]) -> list[str]:
    """The boxes, each behind those that it depends on.

    Raises:
        CycleError: that is impossible.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for node in gates:
        sorter.add(key[id(node)])
        for each in node.inputs:
            if each.kind == "gate" and key[id(each)] != key[id(node)]:
                sorter.add(key[id(node)], key[id(each)])
    return list(sorter.static_order())


def _boxes(graph: Graph, key: Mapping[int, str], with_leaves: bool) -> tuple[list[Box], list[Edge]]:
    boxes: dict[str, Box] = {}
    homes: dict[int, str] = dict(key)
    for node in graph.nodes:
        if node.kind == "input" or (with_leaves and node.kind != "gate"):
            name = node.name if node.name not in boxes else f"{node.name} ({len(boxes)})"
            boxes[name] = Box(name, [node])
            homes[id(node)] = name
    for name in _order([node for node in graph.nodes if node.kind == "gate"], key):
        boxes[name] = Box(name)
    edges: dict[tuple[str, str, int], Edge] = {}
    for node in graph.nodes:
        if node.kind != "gate":
            continue
        home = boxes[key[id(node)]]
        home.nodes.append(node)
        home.block = len(home.nodes) > 1
        for each in node.inputs:
            start = homes.get(id(each))
            if start is None:
                if all(each is not leaf for leaf in home.leaves):
                    home.leaves.append(each)
            elif start != home.name:
                edges.setdefault((start, home.name, id(each)), Edge(start, home.name, each))
    return list(boxes.values()), list(edges.values())
