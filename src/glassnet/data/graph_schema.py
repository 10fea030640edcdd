"""How a node of a graph looks to a network, and how to read new graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from glassnet.data.citation_files import citation_pair, read_citations
from glassnet.data.dataset import Source, Subset
from glassnet.data.gml import read_gml
from glassnet.data.graph import Graph, Nodes
from glassnet.data.graph_files import FoundGraph, columns_of, graph_from
from glassnet.data.planetoid import planetoid_files, read_planetoid
from glassnet.data.walk import shown
from glassnet.errors import DataError, nearest


@dataclass(frozen=True)
class GraphSchema:
    """Nodes of a graph.

    A raw input is the number of a node, int64 (1,), that knows its graph: see :class:`glassnet.data.graph.NodeNumbers`.

    Attributes:
        features: numbers that describe a node.
        columns: their names; empty where they have none.
        target: the attribute of a GML file that holds the classes; None where it was found by itself.
    """

    features: int
    columns: tuple[str, ...] = ()
    target: str | None = None

    @property
    def kind(self) -> str:
        """``graph``."""
        return "graph"

    @property
    def shape(self) -> tuple[int, ...]:
        """(1,): the number of a node."""
        return (1,)

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Nodes for prediction.

        Args:
            paths: a graph in any form that can be trained on (its classes are not looked at), and behind it the names of nodes, where not all of them are
                asked for.

        Raises:
            DataError: there is no graph, it cannot be read, its nodes are described otherwise than those of the training graph, or it lacks a node.
        """
        where, wanted = str(paths[0]), [str(name) for name in paths[1:]]
        found = read_graph(Path(where), self.target)
        graph, _ = graph_from(found, where)
        self.check(graph, columns_of(found), where)
        source = Nodes(graph)
        if not wanted:
            return found.names, source
        place = {name: number for number, name in enumerate(found.names)}
        absent = [name for name in wanted if name not in place]
        if absent:
            near = nearest(absent[0], found.names)
            raise DataError(
                "the graph has no such nodes" if len(absent) > 1 else "the graph has no such node",
                where=shown(where),
                got=", ".join(absent[:10]),
                expected="one graph, and then names of its nodes",
                fix=f"did you mean '{near}'?" if near else None,
            )
        return wanted, Subset(source, torch.tensor([place[name] for name in wanted]))

    def check(self, graph: Graph, columns: Sequence[str], where: str) -> None:
        """Refuse a graph whose nodes are described by other numbers.

        Raises:
            DataError: it is one.
        """
        if graph.features.shape[1] != self.features or (self.columns and tuple(columns) != self.columns):
            raise DataError(
                "the nodes are described otherwise than those that were trained on",
                where=shown(where),
                got=f"{graph.features.shape[1]:,} features" + _few(columns),
                expected=f"{self.features:,} features" + _few(self.columns),
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "graph", "features": self.features, "columns": list(self.columns), "target": self.target}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> GraphSchema:
        """The schema that :meth:`to_json` described."""
        return cls(int(values["features"]), tuple(values["columns"]), values["target"])


def is_graph(path: Path) -> bool:
    """Whether a path is, or holds, one graph in a form that is known."""
    if citation_pair(path) is not None or planetoid_files(path) is not None:
        return True
    return gml_file(path) is not None


def gml_file(path: Path) -> Path | None:
    """The GML file that ``path`` is, or the only one in the folder."""
    if path.is_file():
        return path if path.suffix.lower() == ".gml" else None
    found = sorted(path.glob("*.gml"))
    return found[0] if len(found) == 1 else None


def read_graph(path: Path, target: str | None = None) -> FoundGraph:
    """Read a graph in any form that is known.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    if (pair := citation_pair(path)) is not None:
        return read_citations(*pair)
    if (files := planetoid_files(path)) is not None:
        return read_planetoid(files)
    file = gml_file(path)
    if file is None:
        raise DataError(
            "there is no graph here" if path.exists() else "no such file or folder",
            where=shown(path),
            expected="NAME.content with NAME.cites, Planetoid's ind.NAME.*, or NAME.gml",
        )
    return read_gml(file, target)


def _few(columns: Sequence[str]) -> str:
    return " (" + ", ".join(columns[:3]) + (" …)" if len(columns) > 3 else ")") if columns else ""
