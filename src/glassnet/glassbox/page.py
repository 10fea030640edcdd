"""A graph as plain data, for a live page or another program."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.events import finite
from glassnet.gates import Array, Graph, Node
from glassnet.gates.lines import backward_lines, formula, forward_line
from glassnet.glassbox.figures import norm_of, size_of

MOST_NUMBERS = 256  # of an array that is written out


def to_json(graph: Graph) -> dict[str, Any]:
    """All nodes in topological order, each with its numbers, its lines of mathematics and where its inputs come from.

    Args:
        graph: after ``forward``, and ``backward`` where gradients are wanted.

    Returns:
        ``{"output": name, "nodes": [...]}``. Numbers that are not finite become None. Arrays of more than 256 numbers have figures only.
    """
    return {"output": graph.output.name, "nodes": [_node(node) for node in graph.nodes]}


def _node(node: Node) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": node.name,
        "kind": node.kind,
        "block": node.name.rpartition(".")[0],
        "inputs": [each.name for each in node.inputs],
        "shape": None if node.shape is None else list(node.shape),
        "value": _array(node.value),
        "gradient": _array(node.gradient),
    }
    if node.gate is not None:
        about |= {
            "gate": node.gate.name,
            "settings": repr(node.gate),
            "formula": formula(node),
            "forward": forward_line(node),
            "backward": [line for line in backward_lines(node) if line],
        }
    return about


def _array(array: Array | None) -> dict[str, Any] | None:
    if array is None:
        return None
    about: dict[str, Any] = {"rms": size_of(array), "norm": norm_of(array)}
    if array.size:
        with np.errstate(all="ignore"):  # infinite numbers are to be shown, not to be warned of
            about |= {name: float(getattr(array, name)()) for name in ("mean", "std", "min", "max")}
    if array.size <= MOST_NUMBERS:
        about["numbers"] = array.tolist()
    return dict(finite(about))
