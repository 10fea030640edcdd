"""A formula as a computational graph: ``"(x + y) * z"`` becomes a multiply gate behind an add gate. Nothing is evaluated by Python."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from glassnet import gates
from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown
from glassnet.gates import Array, Gate, Graph, Node, apply, constant

LONGEST, DEEPEST = 2000, 100  # characters, and operations within operations; a formula is typed by hand

EXAMPLE = 'something like "(x + y) * z"'

# What may be called in a formula, with the number of its arguments.
FUNCTIONS: Mapping[str, tuple[Callable[[], Gate], int]] = {
    "exp": (gates.Exp, 1),
    "log": (gates.Log, 1),
    "sqrt": (gates.Sqrt, 1),
    "sin": (gates.Sin, 1),
    "cos": (gates.Cos, 1),
    "abs": (gates.Absolute, 1),
    "square": (gates.Square, 1),
    "sigmoid": (gates.Sigmoid, 1),
    "tanh": (gates.Tanh, 1),
    "relu": (gates.ReLU, 1),
    "leaky_relu": (gates.LeakyReLU, 1),
    "elu": (gates.ELU, 1),
    "gelu": (gates.GELU, 1),
    "silu": (gates.SiLU, 1),
    "softplus": (gates.Softplus, 1),
    "softmax": (lambda: gates.Softmax(axis=-1), 1),
    "max": (gates.Maximum, 2),
    "min": (gates.Minimum, 2),
    "sum": (gates.Sum, 1),
    "mean": (gates.Mean, 1),
}
OPERATORS: Mapping[type[ast.operator], Callable[[], Gate]] = {
    ast.Add: gates.Add,
    ast.Sub: gates.Subtract,
    ast.Mult: gates.Multiply,
    ast.Div: gates.Divide,
    ast.Pow: gates.Power,
    ast.MatMult: gates.MatrixProduct,
}


def graph_of_formula(text: str) -> Graph:
    """The graph of a formula; its names are inputs, and gates without a name are called after what they do.

    ``q = x + y; q * z`` names a gate and goes on with it; the last part is the output. ``^`` is understood as a power.

    Args:
        text: with ``+ - * / ** @``, brackets, numbers, names and the functions of :data:`FUNCTIONS`.

    Raises:
        UsageError: it is no formula; every part that is not understood is told, all at once.
    """
    if len(text) > LONGEST:
        raise UsageError("the formula is too long", got=f"{len(text)} characters", expected=f"at most {LONGEST}")
    reader = _Reader()
    output: Node | None = None
    for part in text.replace("^", "**").split(";"):
        if part.strip():
            output = reader.part(part.strip())
    if reader.mistakes:
        raise all_at_once(reader.mistakes)
    if output is None:
        raise UsageError("the formula is empty", expected=EXAMPLE)
    if output.kind != "gate":
        raise UsageError("there is nothing to compute in this formula", got=text.strip(), expected=EXAMPLE)
    return Graph(output)


def values_of(given: Sequence[str], names: Sequence[str]) -> dict[str, Array]:
    """What ``x=-2 y=[1,2,3]`` says.

    Args:
        given: one text a value: a number, or an array in brackets as in JSON.
        names: of the formula's inputs.

    Raises:
        UsageError: values that are missing, twice there, no numbers or of no input, all at once.
    """
    found: dict[str, Array] = {}
    tried: set[str] = set()
    mistakes: list[GlassnetError] = []
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            mistakes.append(
                UsageError("a value is given as NAME=VALUE", got=text, expected="such as x=-2 or x=[1,2,3]")
            )
        elif name not in names:
            mistakes.append(unknown("input", name, names))
        elif name in tried:
            mistakes.append(UsageError(f"'{name}' is given twice", got=text, fix=f"give one value for '{name}'"))
        else:
            tried.add(name)
            try:
                found[name] = _array(value)
            except (ValueError, TypeError, RecursionError, OverflowError):
                mistakes.append(
                    UsageError(
                        f"the value of '{name}' is no number and no array",
                        got=value if len(value) < 60 else value[:60] + " …",
                        expected="such as -2, 0.5 or [[1,2],[3,4]]",
                    )
                )
    missing = [name for name in names if name not in tried]
    if missing:
        example = " ".join(f"{name}=1" for name in missing)
        mistakes.append(UsageError("some inputs have no value", got=", ".join(missing), fix=f"add {example}"))
    if mistakes:
        raise all_at_once(mistakes)
    return found


def _array(text: str) -> Array:
    given = np.array(json.loads(text) if text.startswith("[") else float(text))
    if given.dtype.kind not in "iuf" or given.size == 0:
        raise ValueError(text)
    return given.astype(np.float64)


class _Reader:
    """From the text of expressions to nodes; a name that was used before is the same node.

    Attributes:
        mistakes: all that was not understood; a constant stands in its place, so that the rest is read too.
    """

    def __init__(self) -> None:
        self.known: dict[str, Node] = {}
        self.mistakes: list[GlassnetError] = []
        self.text = ""

    def part(self, text: str) -> Node:
        """An expression, or ``name = expression``."""
        self.text = text
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's remarks on how a program should look
                body = ast.parse(text, mode="exec").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            at = getattr(error, "offset", None)
            told = getattr(error, "msg", None) or "too deep" if not isinstance(error, ValueError) or at else str(error)
            return self.wrong(
                UsageError(
                    "this is no formula",
                    where=_short(text),
                    got=f"{told}, at character {at}" if at else told,
                    expected=EXAMPLE,
                    fix=_with_signs(text),
                )
            )
        match body:
            case [ast.Expr(value=tree)]:
                return self.node(tree)
            case [ast.Assign(targets=[ast.Name(id=name)], value=tree)]:
                before = len(self.mistakes)
                node = self.node(tree)
                if len(self.mistakes) > before:
                    return self.known.setdefault(name, node)  # told already; the stand-in is no mistake of its own
                return self.named(name, node)
        return self.wrong(
            UsageError("this is no formula", got=_short(text), expected='an expression, or "name = expression"')
        )

    def named(self, name: str, node: Node) -> Node:
        """The node under a name of its own."""
        if name in self.known:
            before = "is given twice" if self.known[name].kind == "gate" else "is used before it is given"
            return self.wrong(UsageError(f"'{name}' {before}", where=_short(self.text), fix="take another name"))
        if node.kind != "gate" or node in self.known.values():
            return self.wrong(
                UsageError(
                    f"'{name}' would be another name for the same thing",
                    got=_short(self.text),
                    fix=f"leave this part out, and write the thing itself where '{name}' stands",
                )
            )
        self.known[name] = node.named(name)
        return node

    def node(self, tree: ast.expr, depth: int = 0) -> Node:
        """The node of an expression."""
        if depth > DEEPEST:
            return self.wrong(
                UsageError(
                    "too many operations within operations", where=_short(self.text), expected=f"{DEEPEST} at most"
                )
            )
        match tree:
            case ast.Constant(value=value) if isinstance(value, bool) or not isinstance(value, int | float):
                return self.wrong(
                    UsageError(
                        "a formula holds numbers only",
                        where=None if self.shown(tree) == _short(self.text) else _short(self.text),
                        got=self.shown(tree),
                        expected="a number such as 2 or 0.5, or a name without quotation marks",
                    )
                )
            case ast.Constant(value=value):
                return self.number(tree, value)
            case ast.Name(id=name):
                return self.known.setdefault(name, Node("input", name))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return self.number(tree, -value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.node(operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.node(operand, depth + 1)
            case ast.BinOp(op=op) if type(op) in OPERATORS:
                return self.chain(tree, depth)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self.call(tree, name, arguments, depth)
        return self.wrong(
            UsageError(
                "this part of the formula is not understood",
                where=None if self.shown(tree) == _short(self.text) else _short(self.text),
                got=self.shown(tree),
                expected="+ - * / ** @, brackets, numbers, names and " + ", ".join(FUNCTIONS),
                fix=_with_signs(self.text),
            )
        )

    def chain(self, tree: ast.BinOp, depth: int) -> Node:
        """A long sum a + b − c …, which Python nests to the left; read in a loop, so that it is not deep."""
        rest: list[tuple[ast.operator, ast.expr]] = []
        left: ast.expr = tree
        while isinstance(left, ast.BinOp) and type(left.op) in OPERATORS:
            rest.append((left.op, left.right))
            left = left.left
        node = self.node(left, depth + 1)
        for op, right in reversed(rest):
            node = apply(OPERATORS[type(op)](), node, self.node(right, depth + 1))
        return node

    def call(self, tree: ast.expr, name: str, arguments: list[ast.expr], depth: int) -> Node:
        """A function of :data:`FUNCTIONS`."""
        operands = [self.node(each, depth + 1) for each in arguments]
        if name not in FUNCTIONS:
            return self.wrong(unknown("function", name, FUNCTIONS))
        make, count = FUNCTIONS[name]
        if len(operands) != count:
            return self.wrong(
                UsageError(
                    f"{name} takes {count} number{'s' if count > 1 else ''} or array{'s' if count > 1 else ''}",
                    where=None if self.shown(tree) == _short(self.text) else _short(self.text),
                    got=self.shown(tree),
                    expected=f"{name}({', '.join('xy'[:count])})",
                )
            )
        return apply(make(), *operands)

    def number(self, tree: ast.expr, value: Any) -> Node:
        """A constant."""
        try:
            return constant(float(value))
        except OverflowError:
            return self.wrong(UsageError("this number is too large", got=self.shown(tree), expected="below 1.8e308"))

    def wrong(self, error: GlassnetError) -> Node:
        """Remember a mistake, once, and go on with a constant in its place."""
        if str(error) not in map(str, self.mistakes):
            self.mistakes.append(error)
        return constant(0.0)

    def shown(self, tree: ast.expr) -> str:
        """What the user has typed there."""
        return _short(ast.get_source_segment(self.text, tree) or self.text)


def _with_signs(text: str) -> str | None:
    """A product written as on paper, 2x or 3(x + 1), with its sign; None where that is not what is wrong."""
    written = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(?=[A-Za-df-zA-DF-Z(]|e(?!\d))", r"\1 * ", text)
    return None if written == text else f"write products with their sign: {_short(written)}"


def _short(text: str) -> str:
    text = "".join(letter if letter.isprintable() else "·" for letter in text)
    return text if len(text) <= 60 else text[:59] + "…"
