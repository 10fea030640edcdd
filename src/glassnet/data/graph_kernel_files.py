"""Many graphs in the text files of the TU collection (Morris and others, TUDataset, 2020): ``NAME_A.txt`` and its fellows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.data.gml import MOST_LEVELS
from glassnet.data.graph_collection import FoundGraphs
from glassnet.data.graph_files import check_size
from glassnet.data.text_files import lines_of, require_text
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import shown
from glassnet.errors import DataError

EDGES, MEMBERS, LABELS = "_A.txt", "_graph_indicator.txt", "_graph_labels.txt"
WORDS, NUMBERS = "_node_labels.txt", "_node_attributes.txt"
UNREAD = ("_edge_labels.txt", "_edge_attributes.txt", "_graph_attributes.txt")
NAMED = 50  # edges that are left out, by name


def kernel_files(path: Path) -> Path | None:
    """The file ``NAME_A.txt`` that ``path`` is, or the only one in the folder, where its fellows lie beside it."""
    if path.is_file():
        found = [path] if path.name.endswith(EDGES) else []
    else:
        found = [each for each in islice(path.glob("*" + EDGES), 2) if not each.name.startswith(".")]
    whole = len(found) == 1 and all(_beside(found[0], ending).is_file() for ending in (MEMBERS, LABELS))
    return found[0] if whole else None


def _beside(edges: Path, ending: str) -> Path:
    return edges.with_name(edges.name.removesuffix(EDGES) + ending)


def read_kernel_files(edges: Path) -> FoundGraphs:
    """Read the graphs of ``NAME_A.txt`` (an edge a line: two nodes, counted from 1), ``NAME_graph_indicator.txt`` (the graph of each node) and ``NAME_graph_labels.txt``.

    ``NAME_node_labels.txt`` and ``NAME_node_attributes.txt`` describe the nodes where they are there: words become one column for each, numbers stay what they
    are. Labels and attributes of edges are not read. Edges to nodes that are not there, or from one graph to another, are left out by name, and so are graphs without nodes.

    Raises:
        DataError: a file is empty, no text, holds what is no number, or has another number of lines than its fellows.
    """
    members = _whole(_beside(edges, MEMBERS), 1)[:, 0]
    check_size(len(members), edges)
    labels = [line.strip() for line in _lines(_beside(edges, LABELS)) if line.strip()]
    wrong = np.flatnonzero((members < 1) | (members > len(labels)))
    if len(wrong) or not labels:
        line = int(wrong[0]) + 1 if len(wrong) else 1
        raise DataError(
            "a node is in a graph that has no label",
            where=f"{shown(_beside(edges, MEMBERS))}, line {line}",
            got=f"graph {members[line - 1]}" if len(members) else None,
            expected=f"1 to {len(labels)}, the lines of {shown(_beside(edges, LABELS).name)}",
        )
    order = np.argsort(members, kind="stable")  # the nodes of one graph side by side
    place = np.empty(len(members), dtype=np.int64)
    place[order] = np.arange(len(members))
    counts = np.bincount(members - 1, minlength=len(labels))
    present = np.flatnonzero(counts)
    columns, features = _described(edges, len(members))
    found = FoundGraphs(
        names=[f"graph {number + 1}" for number in present],
        labels=[labels[number] for number in present],
        sizes=[int(counts[number]) for number in present],
        columns=columns,
        features=features[order],
        edges=np.empty((0, 2), dtype=np.int64),
        left_out=[Unreadable(f"graph {number + 1}", "it has no nodes") for number in np.flatnonzero(counts == 0)],
    )
    found.edges = place[_joined(_whole(edges, 2, may_be_empty=True), members, edges, found) - 1]
    unread = [_beside(edges, ending).name for ending in UNREAD if _beside(edges, ending).is_file()]
    if unread:
        found.notes.append(f"Not read: {', '.join(map(shown, unread))}.")
    return found


def _joined(
    given: npt.NDArray[np.int64], members: npt.NDArray[np.int64], path: Path, found: FoundGraphs
) -> npt.NDArray[np.int64]:
    """The edges whose ends are there and in one graph."""
    there: npt.NDArray[np.bool_] = np.all((given >= 1) & (given <= len(members)), axis=1)
    ends = members[np.where(there[:, None], given, 1) - 1] if len(members) else given
    together = there & (ends[:, 0] == ends[:, 1])
    away = np.flatnonzero(~together)
    for line in away[:NAMED].tolist():
        a, b = given[line].tolist()
        odd = b if 1 <= a <= len(members) else a
        reason = f"nodes {a} and {b} are in different graphs" if there[line] else f"there is no node {odd}"
        found.left_out.append(Unreadable(f"{shown(path.name)}: line {line + 1}", reason))
    if len(away) > NAMED:
        found.notes.append(f"{len(away):,} edges to nodes that are not there or in another graph are left out.")
    kept: npt.NDArray[np.int64] = given[together]
    return kept


def _described(edges: Path, nodes: int) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
    columns: list[str] = []
    values: list[npt.NDArray[np.float32]] = []
    words = _beside(edges, WORDS)
    if words.is_file():
        rows = _rows(words, nodes)
        for number in range(len(rows[0])):
            name = "label" if len(rows[0]) == 1 else f"label {number + 1}"
            own = np.array([row[number] for row in rows])
            levels, counts = np.unique(own, return_counts=True)
            frequent = levels[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]
            kept = sorted(frequent.tolist(), key=lambda level: (len(level), level))
            columns += [f"{name}={level}" for level in kept]
            values += [(own == level).astype(np.float32) for level in kept]
    numbers = _beside(edges, NUMBERS)
    if numbers.is_file():
        table = _table(numbers, _rows(numbers, nodes), float).astype(np.float32)
        columns += [f"attribute {number + 1}" for number in range(table.shape[1])]
        values += list(table.T)
    return tuple(columns), np.stack(values, axis=1) if values else np.zeros((nodes, 0), dtype=np.float32)


def _rows(path: Path, nodes: int) -> list[list[str]]:
    rows = [[field.strip() for field in line.split(",")] for line in _lines(path) if line.strip()]
    if len(rows) != nodes:
        raise DataError(
            "this file has another number of lines than there are nodes",
            where=shown(path),
            got=f"{len(rows):,}",
            expected=f"{nodes:,}",
        )
    _check_lengths(path, rows)
    return rows


def _check_lengths(path: Path, rows: list[list[str]], fields: int | None = None) -> None:
    wanted = fields or len(rows[0])
    odd = next((number for number, row in enumerate(rows, start=1) if len(row) != wanted or not all(row)), None)
    if odd is not None:
        raise DataError(
            "a line with another number of fields",
            where=f"{shown(path)}, line {odd}",
            got=repr(", ".join(rows[odd - 1])[:60]),
            expected=f"{wanted} separated by {'a comma' if wanted == 2 else 'commas'}" if wanted > 1 else "one number",
        )


def _whole(path: Path, fields: int, *, may_be_empty: bool = False) -> npt.NDArray[np.int64]:
    """A file of whole numbers, so many a line."""
    rows = [[field.strip() for field in line.split(",")] for line in _lines(path, may_be_empty) if line.strip()]
    _check_lengths(path, rows, fields)
    return _table(path, rows, int).reshape(-1, fields)


def _table(path: Path, rows: list[list[str]], kind: Callable[[str], float]) -> npt.NDArray[Any]:
    """Whole numbers as int64, which keeps each of them as it is; others as float64."""
    dtype = np.int64 if kind is int else np.float64
    try:
        return np.array([[kind(field) for field in row] for row in rows], dtype=dtype)
    except (ValueError, OverflowError):
        for number, row in enumerate(rows, start=1):
            for field in row:
                where, got = f"{shown(path)}, line {number}", repr(field[:60])
                try:
                    np.array(kind(field), dtype=dtype)
                except ValueError as error:
                    raise DataError(
                        f"this is not {'a whole number' if kind is int else 'a number'}",
                        where=where,
                        got=got,
                        expected="digits alone, such as 17" if kind is int else "such as 0.5",
                    ) from error
                except OverflowError as error:
                    raise DataError(
                        "a number that is too large",
                        where=where,
                        got=got,
                        expected="numbers of nodes or of graphs, counted from 1",
                    ) from error
        raise


def _lines(path: Path, may_be_empty: bool = False) -> list[str]:
    lines = lines_of(require_text(path).text)
    if not may_be_empty and not any(line.strip() for line in lines):
        raise DataError(
            "the file is empty",
            where=shown(path),
            expected="a line for each node, or for each graph in a file of graph labels",
        )
    return lines
