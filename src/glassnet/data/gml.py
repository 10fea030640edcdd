"""Graphs in GML (Himsolt 1997): nested lists of keys and values, ``graph [ node [ id 0 label "a" ] edge [ source 0 target 1 ] ]``."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.data.graph_files import FoundGraph, check_size, check_unique, joined
from glassnet.data.text_files import require_text
from glassnet.data.walk import shown
from glassnet.errors import DataError, nearest

CLASS_KEYS = ("class", "club", "community", "group", "category", "value", "y")
NOT_FEATURES = ("id", "label", "name", "graphics")
MOST_LEVELS = 50  # different words of one attribute; beyond, they name things and describe none
_TOKEN = re.compile(r'\s*(?:#[^\n]*|("[^"]*")|(\[)|(\])|([^\s\[\]"]+))')

Block = list[tuple[str, Any]]


def read_gml(path: Path, target: str | None = None) -> FoundGraph:
    """Read a graph in GML.

    Attributes of nodes become features: numbers as they are, words as one column for each. The class is the attribute ``target``, or
    the one called class, club, community, group, category, value or y; else it stands in a table beside the file (``NAME_labels.csv`` with two columns,
    node and class).

    Raises:
        DataError: brackets that are not closed, no graph in the file, nodes without an id or with another's, or no classes.
    """
    nodes, ids, ends = nodes_and_edges(path)
    key, labels, told = _labels(nodes, ids, target, path)
    features, columns = described(nodes, key)
    titles = [str(node.get("label", node["id"])) for node in nodes]
    names = titles if len(set(titles)) == len(titles) else ids
    found = FoundGraph(names, features, [], labels, columns, notes=[told])
    found.edges = joined(ends, ids, found)
    return found


def nodes_and_edges(path: Path) -> tuple[list[dict[str, Any]], list[str], list[tuple[str, str, str]]]:
    """The first graph in a file: the attributes of its nodes, their ids, and its edges as (where, id, id).

    Raises:
        DataError: brackets that are not closed, no graph in the file, or nodes without an id or with another's.
    """
    text = require_text(path).text
    try:
        blocks = parse(text)
    except ValueError as error:
        raise DataError(
            "this is no GML", where=shown(path), got=error, expected="graph [ node [ … ] edge [ … ] ]"
        ) from error
    graph = next((value for key, value in blocks if key == "graph" and isinstance(value, list)), None)
    if graph is None:
        raise DataError("there is no graph in this file", where=shown(path), expected="graph [ node [ … ] edge [ … ] ]")
    nodes = [dict(value) for key, value in graph if key == "node" and isinstance(value, list)]
    check_size(len(nodes), path)
    without = [str(number) for number, node in enumerate(nodes, start=1) if "id" not in node]
    if without:
        raise DataError(
            "nodes without an id",
            where=shown(path),
            got="node " + ", ".join(without[:5]),
            expected="an id in each node, such as node [ id 1 ]",
        )
    ids = [str(node["id"]) for node in nodes]
    check_unique(ids, [f"node {number}" for number in range(1, len(ids) + 1)], shown(path))
    given = [dict(value) for key, value in graph if key == "edge" and isinstance(value, list)]
    ends = [
        (f"{shown(path.name)}: edge {number}", str(edge.get("source")), str(edge.get("target")))
        for number, edge in enumerate(given, start=1)
    ]
    return nodes, ids, ends


def parse(text: str) -> Block:
    """The keys and values of a GML text, lists within lists; values are whole numbers, numbers, or text.

    Raises:
        ValueError: brackets or quotes that are not closed, or a key without a value; with the line.
    """
    whole: Block = []
    open_blocks: list[Block] = [whole]
    key: str | None = None
    at = 0
    for match in _TOKEN.finditer(text):
        if text[at : match.start()].strip():
            break
        at = match.end()
        quoted, opening, closing, word = match.groups()
        if opening:
            if key is None:
                raise ValueError(f"a '[' without a key in line {_line(text, at)}")
            inner: Block = []
            open_blocks[-1].append((key, inner))
            open_blocks.append(inner)
            key = None
        elif closing:
            if key is not None:
                raise ValueError(f"the key '{key}' without a value in line {_line(text, at)}")
            if len(open_blocks) == 1:
                raise ValueError(f"a ']' that nothing opened in line {_line(text, at)}")
            open_blocks.pop()
        elif quoted or word:
            if key is None:
                if quoted:
                    raise ValueError(f"{quoted} where a key should stand in line {_line(text, at)}")
                key = word
            else:
                open_blocks[-1].append((key, unescape(quoted[1:-1]) if quoted else _number(word)))
                key = None
    if text[at:].strip():
        raise ValueError(f"a quote that is not closed in line {_line(text, at + 1)}")
    if len(open_blocks) > 1:
        raise ValueError(f"{len(open_blocks) - 1} '[' that nothing closes")
    if key is not None:
        raise ValueError(f"the key '{key}' without a value at the end")
    return whole


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _number(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _labels(
    nodes: list[dict[str, Any]], ids: list[str], target: str | None, path: Path
) -> tuple[str | None, list[str | None], str]:
    """The attribute with the classes, if it is one, the class of each node, and where they came from."""
    keys = list(dict.fromkeys(key for node in nodes for key in node))
    if target is not None and target not in keys:
        near = nearest(target, keys)
        raise DataError(
            f"no attribute '{target}' for the class",
            where=shown(path),
            expected=None if near else "one of " + ", ".join(keys[:20]),
            fix=f"did you mean '{near}'?" if near else None,
        )
    key = target or next((key for key in CLASS_KEYS if key in keys), None)
    if key is not None:
        return (
            key,
            [str(node[key]) if key in node else None for node in nodes],
            f"The class of a node is its attribute '{key}'.",
        )
    beside = [path.with_name(f"{path.stem}{join}labels.csv") for join in "_-."]
    table = next((file for file in beside if file.is_file()), None)
    if table is None:
        raise DataError(
            "the nodes have no class",
            where=shown(path),
            got="attributes " + ", ".join(keys[:20]),
            expected="an attribute such as 'class' or 'club', or a table " + beside[0].name,
            fix="name the attribute with --target",
        )
    from glassnet.data.table_formats import read_table

    frame = read_table(table).frame
    if frame.width < 2:
        raise DataError("the table of labels needs two columns", where=shown(table), expected="node and class")
    given = dict(
        zip(
            frame[frame.columns[0]].cast(str).str.strip_chars().to_list(),
            frame[frame.columns[1]].cast(str).str.strip_chars().to_list(),
            strict=True,
        )
    )
    return (
        None,
        [given.get(own) or given.get(str(node.get("label"))) for own, node in zip(ids, nodes, strict=True)],
        f"The class of a node stands in {shown(table.name)}, column '{frame.columns[1]}'.",
    )


def described(nodes: list[dict[str, Any]], key: str | None) -> tuple[npt.NDArray[np.float32] | None, tuple[str, ...]]:
    """The attributes that describe nodes, as columns; a number that is missing is 0."""
    columns: dict[str, list[float]] = {}
    for name in dict.fromkeys(attribute for node in nodes for attribute in node):
        if name == key or name.lower() in NOT_FEATURES:
            continue
        values = [node.get(name) for node in nodes]
        if all(value is None or isinstance(value, int | float) for value in values):
            columns[name] = [float(value or 0) for value in values]
        elif all(value is None or isinstance(value, int | float | str) for value in values):
            levels = sorted({str(value) for value in values if value is not None})
            if len(levels) <= MOST_LEVELS:
                columns |= {f"{name}={level}": [float(str(value) == level) for value in values] for level in levels}
    if not columns:
        return None, ()
    return np.array(list(columns.values()), dtype=np.float32).T, tuple(columns)
