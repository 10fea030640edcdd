"""The layer table as plain text of fixed width."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.layer_table.table import Layer, LayerTable

SHORTEST_PATH = 24
GAP = "  "

SEES = 6  # which of the columns

# Heading, cell of a row, and whether it stands to the right, as numbers do.
COLUMNS: Sequence[tuple[str, Callable[[Layer], str], bool]] = (
    ("type", lambda row: row.kind, False),
    ("output", lambda row: _times(row.output) or "1", False),
    ("kernel", lambda row: _times(row.kernel), False),
    ("connections", lambda row: _number(row.connections), True),
    ("parameters", lambda row: _number(row.parameters), True),
    ("mult-adds", lambda row: _number(row.multiply_adds), True),
    ("sees", lambda row: "?" if row.receptive_field is None else _times(row.receptive_field), True),
    ("memory", lambda row: _size(row.activation_bytes) if row.activation_bytes else "", True),
)
# Left out in this order where lines are short.
LESS_NEEDED = ("memory", "connections", "kernel", "sees", "mult-adds", "type")


def render(table: LayerTable, width: int) -> str:
    """The table in lines of at most ``width`` characters.

    A block that follows itself (same layers, same shapes, names that differ only in numbers) is printed once, with a line that
    says how often; what its layers see is then given for the first and the last.
    """
    lines: list[tuple[str, list[str]] | str] = []
    for block, times in fold(table.rows):
        size = block.stop - block.start
        for place, row in enumerate(table.rows[block]):
            cells = [cell(row) for _, cell, _ in COLUMNS]
            if times > 1:
                final = COLUMNS[SEES][1](table.rows[block.start + (times - 1) * size + place])
                cells[SEES] = cells[SEES] if final == cells[SEES] else f"{cells[SEES]}…{final}"
            lines.append((row.path or "(net)", cells))
        if times > 1:
            until = table.rows[block.start + times * size - 1].path
            lines.append(f"  the {size} layers above {times} times, up to {until}" if size > 1 else f"  {times} times")
    return "\n".join([*_grid(lines, table, width), *_summary(table, width)])


def fold(rows: Sequence[Layer]) -> list[tuple[slice, int]]:
    """Cut rows into blocks: the rows of the block's first appearance, and how often it follows itself."""
    alike = [
        (
            re.sub(r"\d+", "#", row.path),
            row.kind,
            row.output,
            row.kernel,
            row.connections,
            row.parameters,
            row.activation_bytes,
        )
        for row in rows
    ]
    paths = [row.path.split(".") for row in rows]
    blocks: list[tuple[slice, int]] = []
    at = 0
    while at < len(rows):
        size, times = 1, 1
        for depth in range(1, len(paths[at]) + 1):
            length = _run(paths, at, depth)
            if not length:
                continue
            count = 1
            while (
                alike[at + count * length : at + (count + 1) * length] == alike[at : at + length]
                and _run(paths, at + count * length, depth) == length
            ):
                count += 1
            if count * length > size * times and count > 1 and any(row.parameters for row in rows[at : at + length]):
                size, times = length, count
        blocks.append((slice(at, at + size), times))
        at += size * times
    return blocks


def _run(paths: Sequence[Sequence[str]], at: int, depth: int) -> int:
    """Rows of the module that stands at ``depth`` above row ``at``; 0 where the row is not its first."""
    module = paths[at][:depth]
    if at and paths[at - 1][:depth] == module:
        return 0
    until = at
    while until < len(paths) and paths[until][:depth] == module:
        until += 1
    return until - at


def _grid(lines: Sequence[tuple[str, list[str]] | str], table: LayerTable, width: int) -> list[str]:
    totals = {
        "connections": _number(table.connections),
        "parameters": _number(table.parameters),
        "mult-adds": _number(table.multiply_adds),
        "memory": _size(table.activation_bytes),
    }
    sums = [totals.get(heading, "") for heading, _, _ in COLUMNS]
    cells = [line[1] for line in lines if not isinstance(line, str)] + [sums]
    widths = {
        place: max(len(heading), *(len(row[place]) for row in cells)) for place, (heading, _, _) in enumerate(COLUMNS)
    }
    path = max(len("layer"), *(len(line[0]) for line in lines if not isinstance(line, str)), len("total"))
    shown = [place for place in widths if any(row[place] for row in cells)]
    for heading in LESS_NEEDED:
        if min(path, SHORTEST_PATH) + sum(widths[place] + len(GAP) for place in shown) <= width:
            break
        shown = [place for place in shown if COLUMNS[place][0] != heading]
    path = max(5, min(path, width - sum(widths[place] + len(GAP) for place in shown)))

    def line(name: str, row: Sequence[str]) -> str:
        name = name if len(name) <= path else "…" + name[len(name) - path + 1 :]
        parts = [f"{row[p]:>{widths[p]}}" if COLUMNS[p][2] else f"{row[p]:<{widths[p]}}" for p in shown]
        return GAP.join([f"{name:<{path}}", *parts]).rstrip()

    out = [line("layer", [heading for heading, _, _ in COLUMNS])]
    out += [_cut(entry, width) if isinstance(entry, str) else line(*entry) for entry in lines]
    return [*out, line("total", sums)]


def _summary(table: LayerTable, width: int) -> list[str]:
    frozen = table.parameters - table.trainable
    told = [
        "",
        f"{table.net} on inputs of {_times(table.shape) or 'a single number'}: {table.parameters:,} parameters"
        + (f", {frozen:,} of them frozen" if frozen else ""),
        f"memory to predict one input: about {_size(table.forward_bytes())}, and {_size(table.largest_step_bytes)} for each more",
        f"memory to train on one input: about {_size(table.backward_bytes())}, and {_size(table.activation_bytes)} for each more",
        "the optimiser's own state comes on top of that",
    ]
    if table.unused:
        told.append("not used: " + ", ".join(table.unused))
    if table.failed:
        told = ["", f"does not fit: {table.failed}"]
    return [piece for line in told for piece in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    pieces = [""]
    for word in line.split(" "):
        if pieces[-1] and len(pieces[-1]) + 1 + len(word) > width:
            pieces.append(word)
        else:
            pieces[-1] = f"{pieces[-1]} {word}" if pieces[-1] else word
    return pieces


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _number(value: int) -> str:
    return f"{value:,}" if value else ""


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
