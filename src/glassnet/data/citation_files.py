"""Cora's own form of a graph: ``NAME.content`` (name, features, class) and ``NAME.cites`` (two names a line)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from glassnet.data.graph_files import FoundGraph, check_size, check_unique, joined
from glassnet.data.parts import SPELLINGS
from glassnet.data.text_files import lines_of, require_text
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import shown
from glassnet.errors import DataError, GlassnetError, all_at_once

PART_OF = {word: part for part, words in SPELLINGS.items() for word in words}


def citation_pair(path: Path) -> tuple[Path, Path] | None:
    """The two files that ``path`` is one of, or the only two in the folder; None where there are none."""
    if path.is_file():
        content, cites = path.with_suffix(".content"), path.with_suffix(".cites")
        named = path.suffix in (".content", ".cites")
        return (content, cites) if named and content.is_file() and cites.is_file() else None
    pairs = [
        (each, each.with_suffix(".cites"))
        for each in sorted(path.glob("*.content"))
        if each.with_suffix(".cites").is_file()
    ]
    return pairs[0] if len(pairs) == 1 else None


def read_citations(content: Path, cites: Path) -> FoundGraph:
    """Read both files, and the file beside them that divides the nodes, if there is one (``*split*.csv`` with a column ``split``).

    Raises:
        DataError: a file is empty or no text, rows have different numbers of features, or a name stands twice; all of a file's mistakes at once.
    """
    rows = [(number, line.split()) for number, line in enumerate(_lines(content), start=1) if line.strip()]
    check_size(len(rows), content)
    widths = sorted({len(row) for _, row in rows})
    usual = max(widths, key=lambda width: sum(len(row) == width for _, row in rows))
    mistakes: list[GlassnetError] = []
    odd = [f"line {number} has {len(row)}" for number, row in rows if len(row) != usual]
    if odd or usual < 3:
        mistakes.append(
            DataError(
                "rows of different lengths" if odd else "rows without features",
                where=shown(content),
                got="; ".join(odd[:5]) or f"{usual} fields",
                expected=f"{max(usual, 3)} fields: name, features, class",
            )
        )
        raise all_at_once(mistakes)
    names = [row[0] for _, row in rows]
    check_unique(names, [f"line {number}" for number, _ in rows], shown(content))
    found = FoundGraph(names, _features(rows, content), [], [row[-1] for _, row in rows])
    pairs: list[tuple[str, str, str]] = []
    for number, line in enumerate(_lines(cites), start=1):
        fields = line.split()
        if len(fields) == 2:
            pairs.append((f"{shown(cites.name)}:{number}", fields[0], fields[1]))
        elif fields:
            found.left_out.append(Unreadable(f"{shown(cites.name)}:{number}", f"{len(fields)} names instead of two"))
    found.edges = joined(pairs, names, found)
    _divide(found, content)
    return found


def _features(rows: list[tuple[int, list[str]]], content: Path) -> npt.NDArray[np.float32]:
    try:
        return np.array([row[1:-1] for _, row in rows], dtype=np.float32)
    except ValueError:
        odd = [f"'{value}' in line {number}" for number, row in rows for value in row[1:-1] if not _is_number(value)]
        raise DataError(
            f"{len(odd):,} features are no numbers", where=shown(content), got=", ".join(odd[:5]), expected="numbers"
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _lines(path: Path) -> list[str]:
    lines = lines_of(require_text(path).text)
    if not any(line.strip() for line in lines):
        raise DataError("the file is empty", where=shown(path), expected="a line for each node, or for each edge")
    return lines


def _divide(found: FoundGraph, content: Path) -> None:
    """The parts that a table beside the graph gives."""
    from glassnet.data.table_formats import read_table

    for path in sorted(content.parent.glob("*split*.csv")):
        frame = read_table(path).frame
        if "split" not in frame.columns:
            continue
        key = next(column for column in frame.columns if column != "split")
        given = dict(
            zip(frame[key].cast(str).to_list(), frame["split"].cast(str).str.to_lowercase().to_list(), strict=True)
        )
        if not set(given) & set(found.names):
            continue
        found.parts = [PART_OF.get(given.get(name) or "") for name in found.names]
        found.notes.append(f"{shown(path.name)} says which nodes are trained on and which are measured.")
        return
