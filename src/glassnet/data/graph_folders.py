"""Many graphs as GML files in a folder for each class, or in one folder without classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data.gml import described, nodes_and_edges
from glassnet.data.graph_collection import FoundGraphs
from glassnet.data.graph_files import check_size
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import is_litter, shown, subfolders
from glassnet.errors import DataError

LOOKED_AT = 50  # folders that are looked into to recognise the layout


def gml_folders(path: Path) -> list[Path]:
    """The folders of a folder that hold GML files, a class each; none where they are fewer than two."""
    if not path.is_dir():
        return []
    folders = [each for each in islice(subfolders(path), LOOKED_AT) if any(gml_files(each))]
    return [each for each in subfolders(path) if any(gml_files(each))] if len(folders) >= 2 else []


def gml_files(folder: Path) -> list[Path]:
    """The GML files that lie in a folder, by name."""
    return sorted(path for path in folder.glob("*.gml") if not is_litter(path.name) and path.is_file())


def read_gml_files(files: Sequence[Path], labels: Sequence[str | None], root: Path) -> FoundGraphs:
    """Read a graph from each file; attributes of nodes describe them, as in :func:`glassnet.data.gml.described`.

    Files that are no GML and graphs without nodes are left out by name, and so are edges to nodes that are not there.

    Args:
        files: GML files.
        labels: the class of each.
        root: the folder that names are told from.

    Raises:
        DataError: none of them can be read.
    """
    found = FoundGraphs([], [], [], (), np.zeros((0, 0), dtype=np.float32), np.empty((0, 2), dtype=np.int64))
    every: list[dict[str, Any]] = []
    edges: list[tuple[int, int]] = []
    for file, label in zip(files, labels, strict=True):
        name = shown(file.relative_to(root)) if file.is_relative_to(root) else shown(file)
        try:
            nodes, ids, ends = nodes_and_edges(file)
        except DataError as error:
            reason = error.problem + (f": {error.got}" if error.got else "")
            found.left_out.append(Unreadable(name, reason))
            continue
        if not nodes:
            found.left_out.append(Unreadable(name, "it has no nodes"))
            continue
        place = {own: len(every) + number for number, own in enumerate(ids)}
        for where, a, b in ends:
            if a in place and b in place:
                edges.append((place[a], place[b]))
            else:
                found.left_out.append(Unreadable(where, f"there is no node '{b if a in place else a}'"))
        every += nodes
        found.names.append(name)
        found.labels.append(label)
        found.sizes.append(len(nodes))
    if not found.names:
        first = found.left_out[0] if found.left_out else None
        raise DataError(
            "no graph can be read here",
            where=shown(root),
            got=None if first is None else f"{first.name}: {first.reason}",
            expected="files NAME.gml",
        )
    check_size(len(every), root)
    features, found.columns = described(every, None)
    found.features = np.zeros((len(every), 0), dtype=np.float32) if features is None else features
    found.edges = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return found
