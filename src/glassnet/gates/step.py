"""What happened at one gate: the record that a walk through a graph yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from glassnet.gates.gate import Array, Gradients
from glassnet.gates.lines import backward_lines, backward_numbers, formula, forward_line, forward_numbers
from glassnet.gates.local import Local, local_gradients
from glassnet.gates.node import Node


@dataclass(frozen=True)
class Step:
    """One gate, forward or backward.

    Attributes:
        direction: "forward" or "backward".
        node: the gate's node; ``node.inputs`` are the nodes that it takes its inputs from.
        value: the gate's output.
        shape: of the output.
        formula: the gate's line of mathematics in its own symbols, "z = x · y".
        line: what was computed, with the names of the nodes: "f = q · z"; backward "dq = z · df, dz = q · df".
        numbers: the line in numbers, "f = 3 · (-4) = -12"; backward "dq = -4 · 1 = -4, dz = 3 · 1 = 3". None where some value is more than
            one number.
        local: ∂output/∂input for each input.
        upstream: ∂L/∂output; None forward.
        gradients: what the gate hands back to each of its inputs, local × upstream; empty forward. What an input has collected from all
            its gates so far is ``node.inputs[i].gradient``.
    """

    direction: Literal["forward", "backward"]
    node: Node
    value: Array
    shape: tuple[int, ...]
    formula: str
    line: str
    numbers: str | None
    local: tuple[Local, ...]
    upstream: Array | None = None
    gradients: Gradients = ()


def forward_step(node: Node) -> Step:
    """The record of a gate that has just been computed."""
    assert node.value is not None
    return Step(
        "forward",
        node,
        node.value,
        node.value.shape,
        formula(node),
        forward_line(node),
        forward_numbers(node),
        local_gradients(node),
    )


def backward_step(node: Node, gradients: Gradients) -> Step:
    """The record of a gate that has just handed its gradients back.

    Args:
        node: the gate's node, with its value and its gradient.
        gradients: what it handed back.
    """
    assert node.value is not None
    return Step(
        "backward",
        node,
        node.value,
        node.value.shape,
        formula(node),
        ", ".join(line for line in backward_lines(node) if line),
        backward_numbers(node, gradients),
        local_gradients(node),
        node.gradient,
        gradients,
    )
