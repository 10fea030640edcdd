"""Backpropagation gate by gate as plain values for a page: a graph walked forward and then backward. Nothing here knows of requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.gates import Array, Graph, Node, Step
    from glassnet.model import Model

MOST_NUMBERS = 64  # of an array that is printed in full
MOST_COLUMNS = 12
MOST_GATES = 400
MOST_PARAMETERS = 3_000_000
LONGEST_FORMULA = 500


def formula_steps(formula: str, values: Sequence[str]) -> dict[str, Any]:
    """The steps of a formula.

    Args:
        formula: such as ``(x + y) * z``.
        values: of its names, each as ``x=-2`` or ``x=[1,2,3]``.

    Raises:
        UsageError: it is no formula, or a name has no value.
    """
    from glassnet.glassbox import graph_of_formula, values_of

    if len(formula) > LONGEST_FORMULA:
        raise UsageError("the formula is too long", got=len(formula), expected=f"at most {LONGEST_FORMULA} characters")
    graph = graph_of_formula(formula)
    return walked(graph, values_of(values, list(graph.inputs)))


def model_steps(model: Model, raw: Tensor, target: str) -> dict[str, Any]:
    """The steps of a finished network on one input, up to its loss.

    Args:
        model: any that has gates.
        raw: one raw input.
        target: the true class, or the true value.

    Raises:
        ModelError: the network has operations without a gate.
        UsageError: it is too large to be walked through on a page, or there is no such class.
    """
    from glassnet.glassbox import open_model

    count = sum(parameter.numel() for parameter in model.net.parameters())
    if count > MOST_PARAMETERS:
        raise UsageError(
            "this network is too large to be walked through on a page",
            got=f"{count:,} parameters",
            expected=f"at most {MOST_PARAMETERS:,}",
            fix="glassnet graph RUN --step walks through it in a terminal",
        )
    try:
        wanted: object = target if model.task == "classes" else [float(target)]
    except ValueError as error:
        raise UsageError("the true value is no number", got=target[:80], expected="such as 1.5") from error
    opened = open_model(model, raw, wanted)
    return walked(opened.graph, opened.values)


def walked(graph: Graph, values: Any) -> dict[str, Any]:
    """All steps of a graph.

    Args:
        graph: ends in one number.
        values: of its inputs.

    Returns:
        ``nodes``: what goes in, in topological order; ``steps``: each gate forward and then backward, with formula, numbers, value, local and
        upstream gradients, and what it hands to each of its inputs; ``output``: name and value; ``sentence``: the whole in words.

    Raises:
        UsageError: too many gates, or an output of more than one number.
    """
    gates = sum(node.kind == "gate" for node in graph.nodes)
    if gates > MOST_GATES:
        raise UsageError("there are too many gates for a page", got=gates, expected=f"at most {MOST_GATES}")
    steps = [_step(each) for each in graph.step(values)]
    output = graph.output
    assert output.value is not None
    leaves = [node for node in graph.nodes if node.kind in ("input", "parameter") and node.gradient is not None]
    largest = max(leaves, key=lambda node: _rms(node.gradient), default=None)
    sentence = f"{gates} gates forward give {output.name} = {_figure(float(output.value.reshape(-1)[0]))}, and {gates} backward its gradients."
    if largest is not None:
        sentence += f" Steepest is the slope along {largest.name} (root mean square {_figure(_rms(largest.gradient))})."
    return {
        "nodes": [_leaf(node) for node in graph.nodes if node.kind != "gate"],
        "steps": steps,
        "gates": gates,
        "output": {"name": output.name, "value": array(output.value)},
        "sentence": sentence,
    }


def array(values: Array | None) -> dict[str, Any] | None:
    """An array as a page shows it: up to 64 numbers in full as rows, more as its shape, mean, spread and range."""
    if values is None:
        return None
    told: dict[str, Any] = {"shape": list(values.shape)}
    if values.size <= MOST_NUMBERS and (values.ndim < 2 or values.shape[-1] <= MOST_COLUMNS):
        rows = values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)
        return told | {"rows": [[_finite(each) for each in row] for row in rows.tolist()]}
    with np.errstate(all="ignore"):
        return told | {
            "mean": _finite(float(values.mean())),
            "std": _finite(float(values.std())),
            "min": _finite(float(values.min())),
            "max": _finite(float(values.max())),
            "zeros": float((values == 0).mean()),
        }


def _leaf(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "kind": node.kind,
        "value": array(node.value),
        "gradient": array(node.gradient),
    }


def _step(step: Step) -> dict[str, Any]:
    from glassnet.glassbox.figures import settings

    node = step.node
    assert node.gate is not None
    told: dict[str, Any] = {
        "direction": step.direction,
        "name": node.name,
        "gate": settings(node.gate),
        "formula": step.formula,
        "line": step.line,
        "numbers": step.numbers,
        "value": array(step.value),
        "inputs": [
            {
                "name": each.name,
                "value": array(each.value),
                "local": array(local.value) if local.kind not in ("none", "described") else None,
                "rule": local.line,
            }
            for each, local in zip(node.inputs, step.local, strict=True)
        ],
    }
    if step.direction == "backward":
        told["upstream"] = array(step.upstream)
        for each, source, handed in zip(told["inputs"], node.inputs, step.gradients, strict=True):
            each["handed"] = array(handed)
            each["collected"] = array(source.gradient) if handed is not None else None
    return told


def _rms(values: Array | None) -> float:
    return 0.0 if values is None or not values.size else float(np.sqrt(np.mean(np.square(values))))


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _figure(value: float) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
