"""How a whole graph looks to a network, and how to read new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from glassnet.data.dataset import Source, Subset
from glassnet.data.graph import Graphs
from glassnet.data.graph_collection import FoundGraphs, graphs_from
from glassnet.data.graph_folders import gml_files, gml_folders, read_gml_files
from glassnet.data.graph_kernel_files import kernel_files, read_kernel_files
from glassnet.data.walk import shown
from glassnet.errors import DataError, nearest


@dataclass(frozen=True)
class GraphsSchema:
    """Graphs, each of which is a sample.

    A raw input is the number of a graph, int64 (1,), that knows the graphs it is a number in: see :class:`glassnet.data.graph.NodeNumbers`.

    Attributes:
        columns: what describes a node, in order.
    """

    columns: tuple[str, ...]

    @property
    def kind(self) -> str:
        """``graphs``."""
        return "graphs"

    @property
    def shape(self) -> tuple[int, ...]:
        """(1,): the number of a graph."""
        return (1,)

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Graphs for prediction.

        Args:
            paths: a folder of the TU collection's files, and behind it the graphs that are asked for, where not all of them are; or GML files and folders with such.

        Raises:
            DataError: there is no graph, one cannot be read, or its nodes are described otherwise than those of the training graphs.
        """
        where, further = str(paths[0]), [str(path) for path in paths[1:]]
        found, wanted = _found([where, *further])
        if found.left_out and not kernel_files(Path(where)):
            first = found.left_out[0]
            raise DataError(
                "a graph that was asked for cannot be read as it stands",
                where=first.name,
                got=first.reason,
                fix="put in what the file lacks, or name only the other files",
            )
        source = Graphs(graphs_from(found, shown(where), self.columns).graph)
        if not wanted:
            return found.names, source
        place = {name: number for number, name in enumerate(found.names)}
        names = [name if name in place else f"graph {name}" for name in wanted]
        absent = [name for name, full in zip(wanted, names, strict=True) if full not in place]
        if absent:
            near = nearest(absent[0], found.names)
            raise DataError(
                "there is no such graph" if len(absent) == 1 else "there are no such graphs",
                where=shown(where),
                got=", ".join(absent[:10]),
                expected=f"numbers of graphs, such as {near or found.names[0]}",
            )
        return names, Subset(source, torch.tensor([place[name] for name in names]))

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "graphs", "columns": list(self.columns)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> GraphsSchema:
        """The schema that :meth:`to_json` described."""
        return cls(tuple(map(str, values["columns"])))


def is_collection(path: Path) -> bool:
    """Whether a path holds many graphs with a class each, in a form that is known."""
    return kernel_files(path) is not None or bool(gml_folders(path))


def read_collection(path: Path) -> FoundGraphs:
    """Read many graphs with their classes.

    Raises:
        DataError: there are none, or they cannot be read.
    """
    if (edges := kernel_files(path)) is not None:
        return read_kernel_files(edges)
    folders = gml_folders(path)
    if not folders:
        raise DataError(
            "there are no graphs here",
            where=shown(path),
            expected="NAME_A.txt with NAME_graph_indicator.txt and NAME_graph_labels.txt, or a folder of GML files for each class",
        )
    files = [(file, folder.name) for folder in folders for file in gml_files(folder)]
    return read_gml_files([file for file, _ in files], [label for _, label in files], path)


def _found(paths: list[str]) -> tuple[FoundGraphs, list[str]]:
    """The graphs of some paths, and those of them that are asked for by name."""
    first = Path(paths[0])
    if (edges := kernel_files(first)) is not None:
        return read_kernel_files(edges), paths[1:]
    files: list[Path] = []
    for given in map(Path, paths):
        if not given.exists():
            raise DataError("no such file or folder", where=shown(given), expected="GML files, or a folder of graphs")
        inside = [file for folder in gml_folders(given) for file in gml_files(folder)] if given.is_dir() else [given]
        files += inside or gml_files(given)
    return read_gml_files(files, [None] * len(files), first if first.is_dir() else first.parent), []
