"""The eight files of a Planetoid graph: ``ind.NAME.x``, ``.y``, ``.tx``, ``.ty``, ``.allx``, ``.ally``, ``.graph`` and ``.test.index``.

Seven of them are pickles of Python 2. They are not run: see :mod:`glassnet.data.pickle_values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.data.graph_files import FoundGraph, check_size, joined
from glassnet.data.pickle_values import RefusedPickle, SparseRows, read_values
from glassnet.data.text_files import NoText, read_text
from glassnet.data.walk import shown
from glassnet.errors import DataError, GlassnetError, all_at_once

PICKLED = ("x", "y", "tx", "ty", "allx", "ally", "graph")
VALIDATED = 500  # nodes behind the training nodes, as in Yang et al. 2016 and everybody since
MOST_NUMBERS = 500_000_000


def planetoid_files(path: Path) -> dict[str, Path] | None:
    """The files by their endings, where ``path`` is one of them or a folder with one such graph; None else."""
    folder = path.parent if path.is_file() else path
    found = sorted(folder.glob("ind.*.graph"))
    if path.is_file():
        found = [file for file in found if path.name.startswith(file.name.removesuffix("graph"))]
    if len(found) != 1:
        return None
    stem = found[0].name.removesuffix("graph")
    return {ending: folder / f"{stem}{ending}" for ending in (*PICKLED, "test.index")}


def read_planetoid(files: Mapping[str, Path]) -> FoundGraph:
    """Read the graph with its split: the nodes of ``x`` to train on, the 500 after them to validate on, those of ``test.index`` to test on.

    Source: Yang, Cohen, Salakhutdinov, "Revisiting semi-supervised learning with graph embeddings", 2016, whose files these are.

    Raises:
        DataError: a file is missing, is damaged, holds anything but numbers, or does not fit the others; all such files at once.
    """
    values: dict[str, Any] = {}
    mistakes: list[GlassnetError] = []
    for ending, path in files.items():
        try:
            values[ending] = _index(path) if ending == "test.index" else read_values(path.read_bytes())
            if isinstance(values[ending], SparseRows):
                values[ending] = values[ending].dense(MOST_NUMBERS)
        except (RefusedPickle, NoText, ValueError) as error:
            mistakes.append(
                DataError(
                    "this file cannot be read",
                    where=shown(path),
                    got=error,
                    fix="copy it again from where it came from",
                )
            )
        except OSError as error:
            mistakes.append(
                DataError(
                    "this file is missing or unreadable",
                    where=shown(path),
                    got=error.strerror,
                    fix=f"put it beside its fellows: ind.NAME.{{{','.join(files)}}} belong together",
                )
            )
    if mistakes:
        raise all_at_once(mistakes)
    where = shown(files["graph"].parent)
    tables = {ending: _table(values[ending], files[ending]) for ending in PICKLED[:-1]}
    graph, test = values["graph"], values["test.index"]
    _check(tables, graph, test, where)
    # the test nodes stand in tx in the order of test.index; a number missing from its range is a node without features (Citeseer has 15)
    first, behind = len(tables["allx"]), max(len(tables["allx"]), int(test.max()) + 1)
    check_size(behind, files["graph"])
    features = np.zeros((behind, tables["x"].shape[1]), np.float32)
    classes = np.zeros((behind, tables["y"].shape[1]), np.float32)
    features[:first], classes[:first] = tables["allx"], tables["ally"]
    features[test], classes[test] = tables["tx"], tables["ty"]
    labels = [str(row.argmax()) if row.any() else None for row in classes]
    parts: list[str | None] = [None] * behind
    train = len(tables["y"])
    for place in range(min(train + VALIDATED, first)):
        parts[place] = "train" if place < train else "val"
    for place in test.tolist():
        parts[place] = "test"
    names = [str(place) for place in range(behind)]
    found = FoundGraph(names, features, [], labels, parts=parts)
    pairs = [
        (f"{shown(files['graph'].name)}: node {node}", str(node), str(other))
        for node, others in graph.items()
        for other in others
        if node <= other or node not in graph.get(other, ())
    ]
    found.edges = joined(pairs, names, found)
    found.notes.append("The Planetoid split, as the files give it.")
    return found


def _index(path: Path) -> npt.NDArray[np.int64]:
    lines = read_text(path).text.split()
    numbers = np.array([int(line) for line in lines], dtype=np.int64)
    if len(numbers) == 0 or (numbers < 0).any() or len(np.unique(numbers)) < len(numbers):
        raise ValueError("no numbers of nodes, each once, from 0 up")
    return numbers


def _table(value: Any, path: Path) -> npt.NDArray[np.float32]:
    if not isinstance(value, np.ndarray) or value.ndim != 2:
        raise DataError(
            "this file holds no rows of numbers",
            where=shown(path),
            got=type(value).__name__,
            expected="an array of two dimensions or a sparse csr_matrix, with a row for each node",
        )
    return value.astype(np.float32)


def _check(tables: Mapping[str, npt.NDArray[np.float32]], graph: Any, test: npt.NDArray[np.int64], where: str) -> None:
    sizes = {ending: table.shape for ending, table in tables.items()}
    fit = [
        len({sizes[ending][1] for ending in ("x", "tx", "allx")}) == 1,
        len({sizes[ending][1] for ending in ("y", "ty", "ally")}) == 1,
        all(sizes[a][0] == sizes[b][0] for a, b in (("x", "y"), ("tx", "ty"), ("allx", "ally"))),
        sizes["x"][0] <= sizes["allx"][0],
        len(test) == sizes["tx"][0],
        int(test.min()) >= sizes["allx"][0],
    ]
    if not all(fit):
        told = ", ".join(f"{ending} {rows}×{columns}" for ending, (rows, columns) in sizes.items())
        raise DataError(
            "the files do not fit together",
            where=where,
            got=f"{told}, {len(test)} test nodes",
            expected="x, tx, allx of one width, y, ty, ally of another, each pair of one length",
        )
    whole = isinstance(graph, dict) and all(
        type(node) is int and isinstance(others, list) and all(type(other) is int for other in others)
        for node, others in graph.items()
    )
    if not whole:
        raise DataError(
            "the file of edges holds no lists of neighbours",
            where=where,
            got=type(graph).__name__,
            expected="a dict that gives the number of each node a list of its neighbours' numbers",
        )
