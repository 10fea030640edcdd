"""The computational graph: gates in topological order forward, in reverse order backward (requirement G1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike

from glassnet.errors import GlassnetError, ModelError, UsageError, all_at_once, nearest
from glassnet.gates.gate import Array
from glassnet.gates.node import Node, as_array
from glassnet.gates.order import check_gates, give_names, topological_order
from glassnet.gates.step import Step, backward_step, forward_step

OF_NUMPY = (
    "matmul",
    "operands could not be broadcast",
)  # how its words for shapes begin, which speak of its own inside
FITTING = "the same shape in both, or one number; for @ as many columns on the left as rows on the right"


class Graph:
    """All nodes that a result depends on, and the two passes over them.

        x, y, z = inputs("x y z")
        graph = Graph((x + y) * z)
        graph.forward(x=-2, y=5, z=-4)  # -12
        graph.backward()  # {"x": -4, "y": -4, "z": 3}

    The first output is the one whose gradients are computed, usually a loss; further outputs are only computed. Values and gradients
    stay in the nodes, where two graphs over the same nodes share them.

    Attributes:
        output: the node whose gradients :meth:`backward` computes.
        outputs: all results, ``output`` first.
        nodes: in topological order: each stands behind all nodes that it depends on.

    Raises:
        UsageError: two nodes of one name, or one gate in two nodes.
    """

    def __init__(self, output: Node, *further: Node) -> None:
        self.output = output
        self.outputs = (output, *further)
        self.nodes = topological_order(self.outputs)
        give_names(self.nodes)
        check_gates(self.nodes)

    def __getitem__(self, name: str) -> Node:
        """The node of a name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise _unknown_node(name, [node.name for node in self.nodes])

    @property
    def inputs(self) -> dict[str, Node]:
        """The nodes whose values are given, by name."""
        return {node.name: node for node in self.nodes if node.kind == "input"}

    @property
    def parameters(self) -> dict[str, Node]:
        """The nodes that are learned, by name."""
        return {node.name: node for node in self.nodes if node.kind == "parameter"}

    def forward(self, values: Mapping[str, ArrayLike] | None = None, /, **named: ArrayLike) -> Array:
        """Compute every node, in topological order.

        Args:
            values: for names that are no Python names, such as "x.1"; otherwise the same as ``named``.
            named: values of inputs, and new values of parameters. An input keeps its value of the last time.

        Returns:
            The value of ``output``.

        Raises:
            UsageError: a name that is no input, an input without a value, a value that is no array of numbers; all at once.
            ModelError: values that do not fit a gate.
        """
        self._give({**(values or {}), **named})
        for node in self.nodes:
            if node.kind == "gate":
                _compute(node)
        return _value(self.output)

    def backward(self, upstream: ArrayLike | None = None) -> dict[str, Array]:
        """Compute ∂L/∂node for every node, in reverse order: at each gate, local gradient × upstream gradient.

        A node that goes into several gates gets the sum of what they send back. Constants get nothing.

        Args:
            upstream: ∂L/∂output; 1 by default, which needs an output of one number.

        Returns:
            The gradients of inputs and parameters by name, without those that have none.

        Raises:
            UsageError: no forward step before, or an upstream gradient that does not fit.
        """
        self._start_backward(upstream)
        for node in reversed(self.nodes):
            if node.kind == "gate" and node.gradient is not None:
                _send_back(node)
        return self.gradients

    @property
    def gradients(self) -> dict[str, Array]:
        """∂L/∂ of inputs and parameters as the last backward step left them."""
        leaves = {**self.inputs, **self.parameters}
        return {name: node.gradient for name, node in leaves.items() if node.gradient is not None}

    @property
    def first_not_finite(self) -> Node | None:
        """The first gate whose value holds an infinite number or none at all although its inputs are finite, such as the logarithm of −1; None before the forward step and where all is finite."""
        computed = (node for node in self.nodes if node.kind == "gate" and node.value is not None)
        odd = (node for node in computed if not np.isfinite(_value(node)).all())
        return next((node for node in odd if all(np.isfinite(_value(each)).all() for each in node.inputs)), None)

    def step(
        self,
        values: Mapping[str, ArrayLike] | None = None,
        /,
        *,
        upstream: ArrayLike | None = None,
        **named: ArrayLike,
    ) -> Iterator[Step]:
        """The same two passes, one gate at a time: all gates forward, then all gates backward (requirement G2).

        When the walk has ended, ``graph.gradients`` holds what :meth:`backward` would have returned.

        Args:
            values: as for :meth:`forward`.
            upstream: as for :meth:`backward`.
            named: as for :meth:`forward`.

        Yields:
            What happened at each gate, right after it happened.
        """
        self._give({**(values or {}), **named})
        gates = [node for node in self.nodes if node.kind == "gate"]
        for node in gates:
            _compute(node)
            yield forward_step(node)
        self._start_backward(upstream)
        for node in reversed(gates):
            if node.gradient is not None:
                yield backward_step(node, _send_back(node))

    def update(self, lr: float) -> None:
        """One step of gradient descent: w ← w − lr · ∂L/∂w for every parameter.

        Args:
            lr: learning rate.
        """
        for node in self.parameters.values():
            if node.gradient is not None:
                node.value = _value(node) - lr * node.gradient

    def _give(self, values: Mapping[str, ArrayLike]) -> None:
        leaves = {**self.inputs, **self.parameters}
        mistakes: list[GlassnetError] = []
        arrays: dict[str, Array] = {}
        for name, value in values.items():
            if name not in leaves:
                mistakes.append(_unknown_node(name, list(leaves)))
                continue
            try:
                arrays[name] = as_array(value, name)
            except UsageError as error:
                mistakes.append(error)
        mistakes += [
            UsageError(f"the input '{name}' has no value", fix=f"give one, as in {name}=1.5")
            for name, node in leaves.items()
            if node.value is None and name not in values
        ]
        if mistakes:
            raise all_at_once(mistakes)
        for name, array in arrays.items():
            leaves[name].value = array

    def _start_backward(self, upstream: ArrayLike | None) -> None:
        if any(node.value is None for node in self.nodes):
            raise UsageError("there is nothing to go back through yet", fix="call forward first")
        shape = _value(self.output).shape
        if upstream is None and _value(self.output).size != 1:
            raise UsageError(
                "the backward step starts from one number, a loss",
                where=self.output.name,
                got=f"a value of shape {shape}",
                fix="end the graph in a loss or a sum, or give the upstream gradient",
            )
        start = np.ones(shape) if upstream is None else as_array(upstream, "upstream")
        if start.shape != shape:
            raise UsageError("the upstream gradient has another shape than the output", got=start.shape, expected=shape)
        for node in self.nodes:
            node.gradient = None
        self.output.gradient = start


def _compute(node: Node) -> None:
    assert node.gate is not None
    values = [_value(each) for each in node.inputs]
    try:
        with np.errstate(all="ignore"):  # inf and nan are results to be seen, not to be warned of
            node.value = np.asarray(node.gate.forward(*values), dtype=np.float64)
    except (ValueError, IndexError) as error:
        raise ModelError(
            f"the inputs do not fit the gate {node.gate.name}",
            where=f"{node.name}: {node.gate.formula}",
            got=", ".join(f"{each.name} {_value(each).shape}" for each in node.inputs),
            expected=FITTING if str(error).startswith(OF_NUMPY) else error,
        ) from error


def _send_back(node: Node) -> tuple[Array | None, ...]:
    assert node.gate is not None
    assert node.gradient is not None
    with np.errstate(all="ignore"):
        handed = node.gate.backward(node.gradient)[: len(node.inputs)]
    gradients = tuple(
        None if gradient is None or each.kind == "constant" else np.asarray(gradient)
        for each, gradient in zip(node.inputs, handed, strict=True)
    )
    for each, gradient in zip(node.inputs, gradients, strict=True):
        if gradient is not None:
            each.gradient = gradient if each.gradient is None else np.asarray(each.gradient + gradient)
    return gradients


def _value(node: Node) -> Array:
    assert node.value is not None
    return node.value


def _unknown_node(name: str, known: list[str]) -> UsageError:
    near = nearest(name, known)
    return UsageError(
        f"the graph has no input or parameter '{name}'",
        expected=None if near else ", ".join(known),
        fix=f"did you mean '{near}'?" if near else None,
    )
