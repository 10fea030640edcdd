"""A network's options: read from its builder, checked and converted from what a recipe or a command line gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown

FIXED = ("shape", "outputs")  # what every builder takes and no user chooses
WORDS = MappingProxyType({"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False})


@dataclass(frozen=True, slots=True)
class Option:
    """What may be varied of a network.

    Attributes:
        name: the builder's argument.
        annotation: its type: bool, int, float, str, tuple[int, ...] or a Literal of strings.
        default: its value where nothing is given.
        description: the line about it in the builder's docstring.
    """

    name: str
    annotation: Any
    default: Any
    description: str

    @property
    def values(self) -> str:
        """The type in words."""
        if get_origin(self.annotation) is Literal:
            return "one of " + ", ".join(map(str, get_args(self.annotation)))
        return {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}.get(
            self.annotation, "whole numbers, such as 256,128"
        )

    def convert(self, value: object) -> Any:
        """The value in the builder's type. A string is read as on a command line, a list as a tuple.

        Raises:
            ValueError: it has another type, or is none of the choices.
        """
        wanted = self.annotation
        if get_origin(wanted) is Literal:
            if value in get_args(wanted):
                return value
        elif wanted is bool:
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in WORDS:
                return WORDS[value.lower()]
        elif wanted is int:
            return _whole(value)
        elif wanted is float:
            if isinstance(value, int | float | str) and not isinstance(value, bool) and isfinite(float(value)):
                return float(value)
        elif wanted is str:
            if isinstance(value, str):
                return value
        else:
            if isinstance(value, str):
                return tuple(int(part) for part in value.split(",") if part.strip())
            if isinstance(value, list | tuple):
                return tuple(_whole(part) for part in value)
            return (_whole(value),)
        raise ValueError(value)


def _whole(value: object) -> int:
    if isinstance(value, int | str) and not isinstance(value, bool):
        return int(value)
    raise ValueError(value)


def options_of(builder: Callable[..., Any]) -> dict[str, Option]:
    """What a builder lets a user vary, in the order of its signature.

    One function may serve several rows of the zoo, as ``partial(builder, depth)``; what is bound there by place is no option.
    """
    written = builder.func if isinstance(builder, partial) else builder
    hints = get_type_hints(written)
    described = _described(inspect.getdoc(written) or "")
    return {
        name: Option(name, hints[name], parameter.default, described.get(name, ""))
        for name, parameter in inspect.signature(builder).parameters.items()
        if name not in FIXED
    }


def check_options(net: str, builder: Callable[..., Any], given: Mapping[str, object]) -> dict[str, Any]:
    """The given options in the builder's types.

    Args:
        net: name of the network, for messages.
        builder: its builder.
        given: names and values as the user gave them.

    Raises:
        UsageError: unknown names and values that do not fit, all told at once.
    """
    known = options_of(builder)
    errors: list[GlassnetError] = []
    converted = {}
    for name, value in given.items():
        if name not in known:
            errors.append(
                unknown("option", name, known, where=f"net {net}")
                if known
                else UsageError(
                    f"unknown option '{name}'", where=f"net {net}", fix=f"{net} has no options; leave it out"
                )
            )
            continue
        try:
            converted[name] = known[name].convert(value)
        except (ValueError, OverflowError):
            errors.append(
                UsageError(
                    "the value of a net's option does not fit",
                    where=f"net {net}, option {name}",
                    got=repr(value),
                    expected=known[name].values,
                )
            )
    if errors:
        raise all_at_once(errors)
    return converted


def check_dropout(net: str, dropout: float) -> None:
    """Refuse a dropout that is no probability below 1.

    Raises:
        UsageError: so it is.
    """
    if not 0 <= dropout < 1:
        raise UsageError(
            "dropout is the probability to drop a unit",
            where=f"net {net}, option dropout",
            got=dropout,
            expected="0 ≤ dropout < 1",
        )


def _described(docstring: str) -> dict[str, str]:
    """Argument names and their lines in a docstring's section ``Args:``."""
    found: dict[str, str] = {}
    section, name = "", ""
    for line in docstring.splitlines():
        if line and not line.startswith(" "):
            section = line
        elif section == "Args:" and line.strip():
            if line.startswith("     "):
                found[name] += " " + line.strip()
            else:
                name, _, text = line.strip().partition(": ")
                found[name] = text
    return found
