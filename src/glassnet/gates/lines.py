"""The lines of mathematics of a node: its gate's formulas with the graph's own names, or with numbers, in place of symbols."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from glassnet.gates.gate import Gradients
from glassnet.gates.node import Node


def symbols(node: Node) -> tuple[str, ...]:
    """The symbols that stand for a gate's inputs in its formulas: the names of ``forward``'s arguments; "*x" counts x1, x2, …."""
    assert node.gate is not None
    found: list[str] = []
    for argument in inspect.signature(node.gate.forward).parameters.values():
        if argument.kind is argument.VAR_POSITIONAL:
            rest = len(node.inputs) - len(found)
            found += [f"{argument.name}{number}" for number in range(1, rest + 1)]
        else:
            found.append(argument.name)
    return tuple(found[: len(node.inputs)])


def formula(node: Node) -> str:
    """The gate's formula in its own symbols, without the terms of inputs that are left out."""
    assert node.gate is not None
    text = node.gate.formula
    for argument in list(inspect.signature(node.gate.forward).parameters.values()):
        if argument.kind is argument.VAR_POSITIONAL:
            several = [symbol for symbol in symbols(node) if re.fullmatch(rf"{argument.name}\d+", symbol)]
            text = text.replace(f"*{argument.name}", ", ".join(several))
        elif argument.name not in symbols(node):
            text = text.replace(f" + {argument.name}", "").replace(f"{argument.name} · ", "")
    return text


def forward_line(node: Node) -> str:
    """The forward step with the names of the nodes, such as "q = x + y"."""
    return _named(formula(node), node)


def backward_lines(node: Node) -> tuple[str, ...]:
    """The backward step with the names of the nodes, such as ("dq = z · df", "dz = q · df"); one for each input.

    The line of a constant, and of an input without a gradient, is "".
    """
    return tuple(
        "" if each.kind == "constant" else _named(line, node)
        for each, line in zip(node.inputs, _chain(node), strict=True)
    )


def forward_numbers(node: Node) -> str | None:
    """The forward step in numbers, such as "q = -2 + 5 = 3"; None where any value has more than one number."""
    values = _single_numbers(node)
    if values is None:
        return None
    left, right = formula(node).split(" = ", 1)
    return _equation(node.name or left, _computed(right, values, {}), values[left])


def backward_numbers(node: Node, gradients: Gradients) -> str | None:
    """The backward step in numbers, such as "dq = -4 · 1 = -4, dz = 3 · 1 = 3"; None where any value has more than one number.

    Args:
        node: with its gradient.
        gradients: what the gate handed back to each input.
    """
    assert node.gate is not None
    values = _single_numbers(node)
    if values is None or node.gradient is None:
        return None
    upstream = {formula(node).split(" = ", 1)[0]: node.gradient.item()}
    shown = []
    for named, symbolic, gradient in zip(backward_lines(node), _chain(node), gradients, strict=True):
        if gradient is not None:
            right = _computed(symbolic.split(" = ", 1)[1], values, upstream)
            shown.append(_equation(named.split(" = ", 1)[0], right, gradient.item()))
    return ", ".join(shown)


def _chain(node: Node) -> tuple[str, ...]:
    """The backward step in the gate's own symbols, one line for each input that there is."""
    assert node.gate is not None
    chain = node.gate.chain
    last = list(inspect.signature(node.gate.forward).parameters.values())[-1]
    if last.kind is last.VAR_POSITIONAL:  # one line stands for all of them
        return tuple(chain[0].replace(f"*{last.name}", symbol) for symbol in symbols(node))
    return chain[: len(node.inputs)]


def _single_numbers(node: Node) -> dict[str, float] | None:
    """The value of each symbol, where all are single numbers."""
    values = [each.value for each in (*node.inputs, node)]
    if any(value is None or value.size != 1 for value in values):
        return None
    names = (*symbols(node), formula(node).split(" = ", 1)[0])
    return {name: value.item() for name, value in zip(names, values, strict=True) if value is not None}


def _computed(text: str, values: Mapping[str, float], gradients: Mapping[str, float]) -> str:
    """A right side with numbers in place of symbols; negative ones in brackets, except at the beginning."""
    words = [{name: _bracketed(value) for name, value in each.items()} for each in (values, gradients)]
    shown = _replaced(text, *words)
    first = re.match(r"\((-[^()]*)\)(?=$| )", shown)
    return first[1] + shown[first.end() :] if first else shown


def _equation(left: str, right: str, result: float) -> str:
    number = _number(result)
    return f"{left} = {right}" if right == number else f"{left} = {right} = {number}"


def _number(value: float) -> str:
    return f"{value + 0.0:.6g}"  # −0 + 0 is 0


def _bracketed(value: float) -> str:
    return f"({_number(value)})" if value < 0 else _number(value)


def _named(text: str, node: Node) -> str:
    """A line with the names of the nodes in place of the gate's symbols."""
    left = formula(node).split(" = ", 1)[0]
    names = {left: node.name, **{s: each.name for s, each in zip(symbols(node), node.inputs, strict=True)}}
    return _replaced(text, names, {symbol: _gradient(name) for symbol, name in names.items()})


def _replaced(text: str, words: Mapping[str, str], gradients: Mapping[str, str]) -> str:
    """Symbols x, and dx, replaced all at once; a symbol is not part of a longer word, nor does it carry an accent (x̂ is not x)."""
    known = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    token = re.compile(rf"(?<![A-Za-z_])(d?)({known})(?![A-Za-z0-9\u0300-\u036f])")
    return token.sub(lambda found: (gradients if found[1] else words).get(found[2], found[0]), text)


def _gradient(name: str) -> str:
    return f"d{name}" if len(name) <= 3 and name.isalnum() else f"d[{name}]"
