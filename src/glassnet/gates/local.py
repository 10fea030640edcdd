"""The local gradient of a gate, as it can be shown: an array, a small matrix, or a line of mathematics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glassnet.gates.gate import Array, Elementwise, Gate
from glassnet.gates.lines import backward_lines
from glassnet.gates.node import Node

LARGEST_JACOBIAN = 4096  # numbers of a Jacobian that is still worth computing for a look


@dataclass(frozen=True)
class Local:
    """∂output/∂input of a gate for one of its inputs.

    Attributes:
        kind: "elementwise" (an array of slopes), "jacobian" (a matrix), "described" (too large, only the line) or "none" (the input
            has no gradient: a constant, class indices, a mask).
        value: the slopes, broadcastable to the output's shape; or the Jacobian (numbers of the output, numbers of the input), both read
            row by row; else None.
        line: the backward step for this input with the names of the nodes, such as "dx = y · dz".
    """

    kind: Literal["elementwise", "jacobian", "described", "none"]
    value: Array | None
    line: str


def local_gradients(node: Node) -> tuple[Local, ...]:
    """The local gradients of a gate after a forward step, one for each of its inputs.

    Args:
        node: of the kind "gate", with a value.
    """
    gate, output = node.gate, node.value
    assert gate is not None
    assert output is not None
    lines = backward_lines(node)
    with np.errstate(all="ignore"):
        if isinstance(gate, Elementwise):
            kind: Literal["elementwise", "jacobian", "described"] = "elementwise"
            values: tuple[Array | None, ...] = gate.local()
        elif output.size * max(each.value.size for each in node.inputs if each.value is not None) > LARGEST_JACOBIAN:
            kind, values = "described", (None,) * len(lines)
        else:
            kind, values = "jacobian", jacobians(gate, output.shape)[: len(lines)]
    return tuple(
        Local(kind, value, line) if line else Local("none", None, "") for value, line in zip(values, lines, strict=True)
    )


def jacobians(gate: Gate, shape: tuple[int, ...]) -> tuple[Array | None, ...]:
    """The Jacobian of a gate for each input, row by row: the backward step with a gradient of one at one output number.

    Args:
        gate: after a forward step.
        shape: of its output.

    Returns:
        (numbers of the output, numbers of the input) for each input, None for one without a gradient.
    """
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    rows = [gate.backward(unit) for unit in units]
    return tuple(
        None if any(row is None for row in column) else np.stack([np.ravel(row) for row in column if row is not None])
        for column in zip(*rows, strict=True)
    )
