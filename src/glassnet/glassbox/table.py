"""The recursion of backpropagation as a table, layer by layer from the loss to the input (requirement G3).

d ← ∇L; then, from the last layer to the first: d ← d ⊙ g′(a_k); ∇b_k = d; ∇W_k = d·h_{k−1}ᵀ + λ∇Ω; d ← W_kᵀ·d.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from glassnet.gates import (
    Array,
    BinaryCrossEntropy,
    Convolution,
    CrossEntropy,
    Dense,
    Elementwise,
    Gate,
    Graph,
    Node,
)
from glassnet.gates.lines import backward_lines
from glassnet.glassbox.figures import figure, norm_of, shape, size_of

LONGEST_RULE = 44  # letters; a longer one is told as the Jacobian that it is


@dataclass(frozen=True)
class Row:
    """One step of the recursion.

    Attributes:
        layer: the gate's node.
        what: ``d`` for the signal that goes on, ``∇`` for a gradient of a parameter.
        rule: the step in the recursion's own words.
        line: the step with the names of the graph.
        target: the node that gets the gradient.
        shape: of the gradient.
        norm: Euclidean norm of the gradient; without the penalty's part.
        rms: root mean square of its numbers.
        slope: root mean square of g′(a) where the step is an activation's, else None.
        penalty: norm of λ∇Ω; None without a penalty on this parameter.
        total: norm of the whole gradient with the penalty's part.
    """

    layer: str
    what: str
    rule: str
    line: str
    target: str
    shape: tuple[int, ...]
    norm: float
    rms: float
    slope: float | None = None
    penalty: float | None = None
    total: float = 0.0


def recursion(graph: Graph, *, l2: float = 0.0, l1: float = 0.0, on: Sequence[str] = ()) -> list[Row]:
    """The table of a graph after its backward step.

    Args:
        graph: ends in a loss.
        l2: λ of the penalty λ·Σw², whose gradient is 2λw.
        l1: λ of the penalty λ·Σ|w|, whose gradient is λ·sign w.
        on: patterns of the names of penalised parameters; without any, those of two dimensions or more.
    """
    rows: list[Row] = []
    for node in reversed(graph.nodes):
        if node.kind == "gate" and node.gradient is not None:
            rows += _steps(node, l2, l1, on, first=node is graph.output)
    return rows


def _steps(node: Node, l2: float, l1: float, on: Sequence[str], *, first: bool) -> Iterator[Row]:
    """The rows of one gate: its parameters' gradients, then the signal for what lies before it."""
    assert node.gate is not None
    assert node.gradient is not None
    handed = node.gate.backward(node.gradient)[: len(node.inputs)]
    lines = backward_lines(node)
    steps = list(zip(node.inputs, handed, lines, strict=True))
    for each, gradient, line in sorted(steps, key=lambda step: step[0].kind != "parameter"):
        if gradient is None or not line or each.value is None:
            continue
        learned = each.kind == "parameter"
        penalty: Array | None = None
        if learned and (l2 or l1) and _penalised(each, on):
            penalty = 2 * l2 * each.value + l1 * np.sign(each.value)
        yield Row(
            node.name,
            "∇" if learned else "d",
            rule(node.gate, each, node, learned=learned, first=first) + (" + λ∇Ω" if penalty is not None else ""),
            line,
            each.name,
            each.value.shape,
            norm_of(gradient),
            size_of(gradient),
            _slope(node),
            None if penalty is None else norm_of(penalty),
            norm_of(gradient if penalty is None else gradient + penalty),
        )


def _penalised(node: Node, on: Sequence[str]) -> bool:
    return any(fnmatchcase(node.name, pattern) for pattern in on) if on else len(node.shape or ()) >= 2


def rule(gate: Gate, target: Node, node: Node, *, learned: bool, first: bool) -> str:
    """A gate's step in the words of the recursion."""
    place = node.inputs.index(target)
    if isinstance(gate, Dense | Convolution):
        many = isinstance(gate, Convolution)
        if place == 0:
            return "d ← d spread with W" if many else "d ← Wᵀ·d"
        return ("∇W = d · windows of h" if many else "∇W = d·hᵀ") if place == 1 else "∇b = Σ d" if many else "∇b = d"
    if learned:
        return "∇w = Σ d · ∂y/∂w"
    if first or isinstance(gate, CrossEntropy | BinaryCrossEntropy):
        return "d ← ∇L"
    if isinstance(gate, Elementwise) and len(node.inputs) == 1:
        return "d ← d ⊙ g′(a)"
    if isinstance(gate, Elementwise):
        return "d ← d ⊙ ∂z/∂x"
    said = re.sub(r"\bd[a-z]\b", "d", gate.chain[min(place, len(gate.chain) - 1)].split(" = ", 1)[-1])
    return f"d ← {said}" if len(said) <= LONGEST_RULE and "*" not in said else "d ← (∂y/∂x)ᵀ·d"


def _slope(node: Node) -> float | None:
    if not isinstance(node.gate, Elementwise) or len(node.inputs) != 1:
        return None
    return size_of(node.gate.local()[0])


def as_text(rows: list[Row]) -> str:
    """The table for people: one line a step, parameters' gradients marked by ∇."""
    with_penalty = any(row.penalty is not None for row in rows)
    head = ["layer", "step", "gradient of", "shape", "norm", "rms", "rms g′(a)"]
    head += ["λ∇Ω", "with it"] if with_penalty else []
    body = []
    for row in rows:
        cells = [row.layer, row.rule, row.target, shape(row.shape), figure(row.norm), figure(row.rms)]
        cells.append("" if row.slope is None else figure(row.slope))
        if with_penalty:
            cells += ["", ""] if row.penalty is None else [figure(row.penalty), figure(row.total)]
        body.append(cells)
    before = ""
    for cells in body:  # a layer is named once
        before, cells[0] = cells[0], "" if cells[0] == before else cells[0]
    widths = [max(len(line[column]) for line in (head, *body)) for column in range(len(head))]
    left = 4  # columns of words
    return "".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        + "\n"
        for line in (head, *body)
    )
