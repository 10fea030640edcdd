"""The nodes of a graph: inputs, parameters, constants, and gates with the nodes that they take their inputs from."""

from __future__ import annotations

import inspect
from itertools import count
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from glassnet.errors import UsageError
from glassnet.gates.arithmetic import Add, Divide, Multiply, Negate, Power, Subtract
from glassnet.gates.gate import Array, Gate
from glassnet.gates.matrix import MatrixProduct
from glassnet.gates.shaping import Place, Slice

Kind: TypeAlias = Literal["input", "parameter", "constant", "gate"]
Operand: TypeAlias = "Node | ArrayLike"

_MADE = count()


class Node:
    """A place of a graph that holds a value and, after the backward step, ∂L/∂value.

    Expressions of nodes are nodes: ``(x + y) * z`` is a multiply gate behind an add gate. Numbers in them become constants.
    Nodes are made by :func:`inputs`, :func:`parameter`, :func:`constant` and :func:`apply`, not by hand.

    Attributes:
        kind: "input", "parameter", "constant" or "gate".
        name: unique in its graph; a constant of one number is called by the number. Empty until a graph gives one.
        gate: the operation; None for the other kinds.
        inputs: the nodes that the gate takes its inputs from, in the order of ``gate.forward``.
        value: float64; None before the first forward step.
        gradient: ∂L/∂value in the value's shape; None before the backward step, of a constant, and where the loss does not
            depend on the value.
        made: a number that grows from node to node: which was made before which.
    """

    def __init__(
        self,
        kind: Kind,
        name: str = "",
        value: Array | None = None,
        gate: Gate | None = None,
        inputs: tuple[Node, ...] = (),
    ) -> None:
        self.kind = kind
        self.name = name
        self.value = value
        self.gate = gate
        self.inputs = inputs
        self.gradient: Array | None = None
        self.made = next(_MADE)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The value's shape, None before the first forward step."""
        return None if self.value is None else self.value.shape

    def named(self, name: str) -> Node:
        """The same node with a name: ``q = (x + y).named("q")``."""
        self.name = name
        return self

    def __repr__(self) -> str:
        what = repr(self.gate) if self.gate is not None else self.kind
        return f"<{self.name or 'unnamed'}: {what}, shape {self.shape}>"

    # NumPy must leave `array * node` to the node instead of multiplying number by number.
    __array_ufunc__ = None

    def __add__(self, other: Operand) -> Node:
        return apply(Add(), self, other)

    def __radd__(self, other: Operand) -> Node:
        return apply(Add(), other, self)

    def __sub__(self, other: Operand) -> Node:
        return apply(Subtract(), self, other)

    def __rsub__(self, other: Operand) -> Node:
        return apply(Subtract(), other, self)

    def __mul__(self, other: Operand) -> Node:
        return apply(Multiply(), self, other)

    def __rmul__(self, other: Operand) -> Node:
        return apply(Multiply(), other, self)

    def __truediv__(self, other: Operand) -> Node:
        return apply(Divide(), self, other)

    def __rtruediv__(self, other: Operand) -> Node:
        return apply(Divide(), other, self)

    def __pow__(self, other: Operand) -> Node:
        return apply(Power(), self, other)

    def __rpow__(self, other: Operand) -> Node:
        return apply(Power(), other, self)

    def __matmul__(self, other: Operand) -> Node:
        return apply(MatrixProduct(), self, other)

    def __rmatmul__(self, other: Operand) -> Node:
        return apply(MatrixProduct(), other, self)

    def __getitem__(self, place: Place) -> Node:
        return apply(Slice(place), self)

    __iter__ = None  # with brackets alone, Python would take a node for an endless list

    def __neg__(self) -> Node:
        return apply(Negate(), self)


def inputs(names: str) -> tuple[Node, ...]:
    """Nodes whose values are given at each forward step.

    Args:
        names: separated by spaces, as in ``x, y, z = inputs("x y z")``.
    """
    return tuple(Node("input", name) for name in names.split())


def parameter(name: str, value: ArrayLike) -> Node:
    """A node that keeps its value until it is updated, such as a weight.

    Args:
        name: unique in the graph.
        value: its starting value.

    Raises:
        UsageError: the value is no array of numbers.
    """
    return Node("parameter", name, as_array(value, name))


def constant(value: ArrayLike, name: str = "") -> Node:
    """A node that never changes.

    Args:
        value: one number or an array.
        name: a single number needs none, and is then called by its value.

    Raises:
        UsageError: the value is no array of numbers.
    """
    array = as_array(value, name or "a constant")
    return Node("constant", name or (f"{array:g}" if array.ndim == 0 else ""), array)


def apply(gate: Gate, *operands: Operand, name: str = "") -> Node:
    """The node that is a gate's output.

    Args:
        gate: the operation; a node's own, since it remembers its last forward step.
        operands: nodes, or numbers and arrays, which become constants; in the order of ``gate.forward``.
        name: unique in the graph; without one, the graph calls the node after its gate, such as "add1".

    Raises:
        UsageError: too few or too many operands.
    """
    nodes = tuple(x if isinstance(x, Node) else constant(x) for x in operands)
    wanted = inspect.signature(gate.forward)
    try:
        wanted.bind(*nodes)
    except TypeError as error:
        raise UsageError(
            f"the gate {gate.name} does not take {len(nodes)} inputs",
            where=name or gate.formula,
            expected=", ".join(map(str, wanted.parameters.values())).replace(": Array", ""),
        ) from error
    return Node("gate", name, None, gate, nodes)


def as_array(value: ArrayLike, where: str) -> Array:
    """A copy of numbers as a float64 array, so that later changes outside do not reach into the graph.

    Args:
        value: a number, a list of lists of numbers or an array.
        where: what it is for, for the error.

    Raises:
        UsageError: something that is no array of real numbers.
    """
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "biuf":
            raise TypeError(f"values of type {given.dtype}")
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "a value is no number and no array of numbers",
            where=where,
            got=error,
            expected="real numbers, such as 1.5, or rows of one length, such as [[1, 2], [3, 4]]",
        ) from error
