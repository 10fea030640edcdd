"""A walk through a graph in words: forward, then backward, gate by gate (requirement G2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from numpy.typing import ArrayLike

from glassnet.gates import Array, Graph, Local, Node, Step
from glassnet.glassbox.figures import figure, is_small, lines, settings, shape


def walk(graph: Graph, values: Mapping[str, ArrayLike], upstream: ArrayLike | None = None) -> Iterator[str]:
    """Every step as a text of some lines, right after it happened.

    Args:
        graph: a graph.
        values: of its inputs.
        upstream: ∂L/∂output, where the output is more than one number.

    Yields:
        What goes in; then each gate forward; then each gate backward; last, the gradients of inputs and parameters.
    """
    total = sum(node.kind == "gate" for node in graph.nodes)
    done = {"forward": 0, "backward": 0}
    opening = True
    for step in graph.step(values, upstream=upstream):
        if opening:
            opening = False
            yield start(graph)
        done[step.direction] += 1
        yield text(step, done[step.direction], total)
    yield ending(graph)


def start(graph: Graph) -> str:
    """What goes into the graph."""
    rows = ["what goes in"]
    for node in (*graph.inputs.values(), *graph.parameters.values()):
        if node.value is not None:
            rows += _named(f"{node.name} =", lines(node.value))
    return "\n".join(rows)


def ending(graph: Graph) -> str:
    """The output, and all gradients that came out."""
    output = graph.output
    assert output.value is not None
    rows = ["what came out", *_named(f"{output.name} =", lines(output.value))]
    for name, gradient in graph.gradients.items():
        rows += _named(f"∂{output.name}/∂{name} =", lines(gradient))
    return "\n".join(rows)


def text(step: Step, number: int, total: int) -> str:
    """One step.

    Args:
        step: what happened.
        number: which of the gates it is in its direction, from 1.
        total: how many gates there are.
    """
    node = step.node
    assert node.gate is not None
    arrow = "forward " if step.direction == "forward" else "backward"
    rows = [f"{arrow} {number}/{total}   {node.name}   {settings(node.gate)}"]
    return "\n".join(rows + (_forward(step) if step.direction == "forward" else _backward(step)))


def _forward(step: Step) -> list[str]:
    rows = [f"  formula   {step.formula}"]
    if step.line != step.formula:
        rows.append(f"  here      {step.line}")
    if step.numbers:
        rows.append(f"  numbers   {step.numbers}")
    else:
        rows += [
            line
            for each in step.node.inputs
            if each.value is not None
            for line in _named(f"{each.name}:", lines(each.value))
        ]
        rows += _named("value:", lines(step.value))
    rows += _local(step)
    return rows


def _backward(step: Step) -> list[str]:
    rows = [f"  here      {part}" for part in _parts(step)]
    if step.numbers:
        rows.append(f"  numbers   {step.numbers}")
    if step.upstream is not None:
        rows += _named("upstream gradient:", lines(step.upstream))
    rows += _local(step)
    for each, handed in zip(step.node.inputs, step.gradients, strict=True):
        if handed is None:
            continue
        if not step.numbers:
            rows += _named(f"handed back to {each.name}:", lines(handed))
        if each.gradient is not None and _uses(each, handed, each.gradient):
            rows += _named(f"{each.name} has collected so far:", lines(each.gradient))
    return rows


def _parts(step: Step) -> list[str]:
    """The lines of the backward step, one for each input."""
    return [each.line for each in step.local if each.line] or ["nothing is handed back"]


def _local(step: Step) -> list[str]:
    rows: list[str] = []
    for each, local in zip(step.node.inputs, step.local, strict=True):
        if local.kind in ("none", "described"):  # where it is too large to be written out, the line says it all
            continue
        symbol = f"local ∂{step.node.name}/∂{each.name}:"
        rows += _named(symbol, _shown(local, each))
    return rows


def _shown(local: Local, node: Node) -> list[str]:
    assert local.value is not None
    if local.kind == "elementwise" or is_small(local.value):
        return lines(local.value)
    return [f"a Jacobian of {shape(local.value.shape)}, largest {figure(float(abs(local.value).max()))}"]


def _uses(node: Node, handed: Array, gathered: Array) -> bool:
    """Whether the node had gradients from other gates before."""
    return handed.shape != gathered.shape or bool((handed != gathered).any())


def _named(name: str, shown: list[str]) -> list[str]:
    """A name with what belongs to it behind, or below where that is a matrix."""
    if len(shown) == 1:
        return [f"  {name} {shown[0]}"]
    return [f"  {name}", *(f"      {line}" for line in shown)]
