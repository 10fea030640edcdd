"""The nodes of a graph put in order, given names and checked, before anything is computed."""

from __future__ import annotations

from collections import Counter

from glassnet.errors import UsageError
from glassnet.gates.node import Node


def topological_order(outputs: tuple[Node, ...]) -> tuple[Node, ...]:
    """All nodes that the outputs depend on, each behind its inputs: in the order in which they were made, since a node is made of nodes that are there.

    So an unrolled sequence goes from its first step to its last.
    """
    found: set[Node] = set()
    waiting = list(outputs)  # instead of recursion, since an unrolled sequence is deeper than Python's stack
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.inputs
    return tuple(sorted(found, key=lambda node: node.made))


def give_names(nodes: tuple[Node, ...]) -> None:
    """Call each node without a name after its gate and count: "add1", then "add2".

    Raises:
        UsageError: several nodes have one name. Constants of one number may: they are called by their value.
    """
    named = [node for node in nodes if node.name and not (node.kind == "constant" and node.shape == ())]
    twice = [name for name, count in Counter(node.name for node in named).items() if count > 1]
    if twice:
        raise UsageError(
            "every node of a graph needs a name of its own",
            got=", ".join(twice) + " several times",
            fix="give one of them another name, as in node.named('other')",
        )
    taken = {node.name for node in named}
    count: Counter[str] = Counter()
    for node in nodes:
        if not node.name:
            base = node.gate.name if node.gate is not None else node.kind
            count[base] += 1
            while f"{base}{count[base]}" in taken:
                count[base] += 1
            node.name = f"{base}{count[base]}"


def check_gates(nodes: tuple[Node, ...]) -> None:
    """Every node has a gate of its own.

    Raises:
        UsageError: several share one.
    """
    uses = Counter(id(node.gate) for node in nodes if node.gate is not None)
    shared = [node.name for node in nodes if node.gate is not None and uses[id(node.gate)] > 1]
    if shared:
        raise UsageError(
            "a gate remembers one forward step, so every node needs a gate of its own",
            got=f"{' and '.join(shared)} share one",
            fix="make a new gate for each node; share parameters instead",
        )
