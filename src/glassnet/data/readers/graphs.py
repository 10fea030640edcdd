"""Graphs whose nodes have a class each."""

from __future__ import annotations

from pathlib import Path

import torch

from glassnet.data.dataset import Data, Part
from glassnet.data.graph import Nodes
from glassnet.data.graph_files import FoundGraph, columns_of, graph_from
from glassnet.data.graph_schema import GraphSchema, is_graph, read_graph
from glassnet.data.naming import in_order, name_of
from glassnet.data.options import ReadOptions
from glassnet.data.walk import shown
from glassnet.errors import DataError, UsageError


def recognises(path: Path) -> bool:
    """Whether there is a graph here: ``NAME.content`` and ``NAME.cites``, Planetoid's files, or GML."""
    try:
        return is_graph(path)
    except OSError:
        return False


def read(path: Path, options: ReadOptions) -> Data:
    """Read a graph; its nodes are the samples, and all parts share the one graph.

    ``options.test`` may name another graph: what is learnt from one is then measured on the other. Nodes without a class, and those that the files leave out of all parts, are read with the graph, and are neither trained on nor measured.

    Raises:
        DataError: it is damaged, has no edges, or fewer than two classes.
        UsageError: its nodes are to be learnt as values.
    """
    if options.task == "values":
        raise UsageError("nodes of graphs are learnt as classes", where="data.task", got="values", expected="classes")
    found = read_graph(path, options.target)
    graph, notes = graph_from(found, shown(path))
    parts, told = _parts(found, Nodes(graph), path)
    classes = tuple(sorted({label for label in found.labels if label is not None}, key=in_order))
    if len(classes) < (2 if options.like is None else 1):
        raise DataError(
            "there is only one class of nodes" if classes else "no node has a class",
            where=shown(path),
            got=", ".join(classes) or None,
            expected="nodes of two classes or more",
        )
    columns = columns_of(found)
    return Data(
        name=name_of(path),
        origin=str(path),
        task="classes",
        classes=classes,
        outputs=("class",),
        schema=GraphSchema(graph.features.shape[1], columns, options.target),
        parts=parts,
        notes=(*notes, *found.notes, *told),
        unreadable=tuple(found.left_out),
    )


def _parts(found: FoundGraph, nodes: Nodes, path: Path) -> tuple[dict[str, Part], list[str]]:
    classes = sorted({label for label in found.labels if label is not None}, key=in_order)
    number = {label: place for place, label in enumerate(classes)}
    targets = torch.tensor([-1 if label is None else number[label] for label in found.labels])
    whole = Part(nodes, targets, found.names)
    if found.parts is None:
        known = torch.nonzero(targets >= 0).flatten()
        unlabelled = len(targets) - len(known)
        told = [f"{unlabelled:,} nodes have no class: they are seen as neighbours only."] if unlabelled else []
        return {"train": whole.subset(known)}, told
    parts: dict[str, Part] = {}
    for name in ("train", "val", "test"):
        own = torch.tensor([part == name for part in found.parts]) & (targets >= 0)
        if bool(own.any()):
            parts[name] = whole.subset(torch.nonzero(own).flatten())
    if "train" not in parts:
        raise DataError(
            "no node is to be trained on",
            where=shown(path),
            got=", ".join(parts) or "no parts at all",
            expected="nodes with a class in the part train",
            fix="write train for such nodes into the column 'split' of the *split*.csv beside the graph",
        )
    absent = sorted({classes[i] for i in range(len(classes))} - {classes[i] for i in parts["train"].targets.tolist()})
    if absent:
        raise DataError(
            "classes of nodes that do not occur in the training part",
            where=shown(path),
            got=", ".join(absent[:20]),
            fix="put a node of each of these classes into the training part",
        )
    rest = len(targets) - sum(map(len, parts.values()))
    told = [f"{rest:,} nodes are in no part: they are seen as neighbours only."] if rest else []
    return parts, told
