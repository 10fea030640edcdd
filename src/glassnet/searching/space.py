"""What is searched: ranges, linear or logarithmic, and lists of choices (requirement H4)."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from glassnet.errors import GlassnetError, UsageError, all_at_once


@dataclass(frozen=True)
class Only:
    """A setting that belongs to some values of another one, as momentum to ``sgd`` and ``rmsprop``.

    Attributes:
        key: of the other setting, a :class:`Choice` of the same space.
        values: of it, with which the setting means something.
    """

    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """All numbers from ``low`` to ``high``.

    Attributes:
        key: dotted key of the setting.
        low: smallest value.
        high: largest value.
        log: whether every decade is as likely as any other: 10^U(log10 low, log10 high), and not U(low, high).
        whole: whole numbers only.
        only: with which values of another setting it is searched; with all of them without it.
    """

    key: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    only: Only | None = None

    def at(self, place: float) -> float | int:
        """The value at a place from 0 (low) to 1 (high)."""
        if self.whole:  # every whole number has an equal part of the line, or of its logarithm
            low, high = self.low - 0.5, self.high + 0.5
            value = math.exp(_between(math.log(low), math.log(high), place)) if self.log else _between(low, high, place)
            return int(min(max(math.floor(value + 0.5), self.low), self.high))
        if place in (0, 1):
            return self.high if place else self.low
        return (
            math.exp(_between(math.log(self.low), math.log(self.high), place))
            if self.log
            else _between(self.low, self.high, place)
        )

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def __str__(self) -> str:
        return f"{written(self.low)}..{written(self.high)}{' log' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of some values.

    Attributes:
        key: dotted key of the setting.
        values: numbers, texts, lists; at least one.
        only: with which values of another setting it is searched; with all of them without it.
    """

    key: str
    values: tuple[Any, ...]
    only: Only | None = None

    def at(self, place: float) -> Any:
        """The value at a place from 0 to 1; each has an equal part."""
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]

    def __str__(self) -> str:
        return "|".join(written(value) for value in self.values)


Parameter = Range | Choice
Space = tuple[Parameter, ...]


def belonging(space: Space, point: Mapping[str, Any]) -> dict[str, Any]:
    """A point without what does not belong to its other values: no momentum beside ``adam``."""
    return {
        each.key: point[each.key]
        for each in space
        if each.only is None or point.get(each.only.key) in each.only.values  # None where that is no part of the point
    }


def reachable(space: Space) -> Space:
    """A space without what belongs to values that it no longer has."""
    left = {each.key: each.values for each in space if isinstance(each, Choice)}
    return tuple(
        each for each in space if each.only is None or any(value in left[each.only.key] for value in each.only.values)
    )


def draw(space: Space, seed: str) -> dict[str, Any]:
    """Settings drawn at random, by nothing but the seed: whoever draws them again, on whatever machine, gets the same (Bergstra and Bengio 2012)."""
    chance = Random(seed)
    return belonging(space, {parameter.key: parameter.at(chance.random()) for parameter in space})


def grid(space: Space, trials: int) -> list[dict[str, Any]]:
    """A grid of at most so many points: of each list all values, of each range equally many, both ends included (in the middle where there is only one).

    Points that are one point without what does not belong to their other values are taken once.

    Raises:
        UsageError: there are more combinations of the lists alone.
    """
    lists = math.prod(len(each.values) for each in space if isinstance(each, Choice))
    ranges = [each for each in space if isinstance(each, Range)]
    if lists > trials:
        raise UsageError(
            "a grid over this space has more points than trials",
            where="--method grid",
            got=f"{trials} trials",
            expected=f"at least {lists}, one for every combination of the lists",
        )
    levels = max(1, math.floor((trials / lists) ** (1 / len(ranges)) + 1e-9)) if ranges else 1
    lines: list[list[Any]] = []
    for each in space:
        if isinstance(each, Choice):
            lines.append(list(each.values))
        else:
            places = [number / (levels - 1) for number in range(levels)] if levels > 1 else [0.5]
            lines.append(list(dict.fromkeys(_even(each.at(place)) for place in places)))
    points = [
        belonging(space, dict(zip((each.key for each in space), point, strict=True))) for point in product(*lines)
    ]
    return [point for number, point in enumerate(points) if point not in points[:number]]


def _even(value: float) -> float:
    """0.001 where the logarithms make 0.0010000000000000002 of it: a point of a grid is to be read and typed."""
    return value if isinstance(value, int) else float(f"{value:.12g}")


def parse_space(text: str, key_of: Callable[[str], str], value_of: Callable[[str], Any]) -> Space:
    """A space as it is written on the command line: ``lr=1e-6..1e-3 log, dropout=0..0.7, net.hidden=32|64|128``.

    Args:
        text: settings separated by commas; commas within brackets belong to a value.
        key_of: name as written -> dotted key; raises UsageError.
        value_of: text of a listed value -> value.

    Raises:
        UsageError: all mistakes at once.
    """
    found: list[Parameter] = []
    mistakes: list[GlassnetError] = []
    for part in _parts(text):
        name, equals, rest = (each.strip() for each in part.partition("="))
        try:
            if not equals or not rest:
                raise UsageError(
                    "this is no setting of a space",
                    where="--space",
                    got=part,
                    expected="NAME=LOW..HIGH [log] or NAME=A|B|C",
                )
            found.append(_parameter(key_of(name), rest, value_of))
        except GlassnetError as error:
            mistakes.append(error)
    return _checked(found, mistakes)


def read_space(path: Path, key_of: Callable[[str], str], value_of: Callable[[str], Any]) -> Space:
    """A space from a TOML file: ``"lr" = "1e-6..1e-3 log"``, or a list of values.

    Raises:
        UsageError: all mistakes at once.
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            "cannot read the space",
            where=path,
            got=error.strerror,
            expected="a TOML file, or settings such as --space 'lr=1e-4..1e-1 log'",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            "the space is not valid TOML",
            where=path,
            got=error,
            expected="lines such as lr = '1e-6..1e-3 log', as UTF-8",
        ) from error
    found: list[Parameter] = []
    mistakes: list[GlassnetError] = []
    for name, given in _flat(tree):
        try:
            key = key_of(name)
            if isinstance(given, list):
                found.append(Choice(key, tuple(tuple(each) if isinstance(each, list) else each for each in given)))
            elif isinstance(given, str):
                found.append(_parameter(key, given, value_of))
            else:
                found.append(Choice(key, (given,)))
        except GlassnetError as error:
            mistakes.append(error)
    return _checked(found, mistakes)


def written(value: Any) -> str:
    """A value for people: numbers with three digits, lists without blanks."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    if isinstance(value, int):
        return str(value)
    text = f"{value:.3g}"
    return re.sub(r"e([+-])0*(\d+)", lambda part: "e" + part[1].replace("+", "") + part[2], text)


NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def _parameter(key: str, text: str, value_of: Callable[[str], Any]) -> Parameter:
    found = re.fullmatch(rf"\s*({NUMBER})\s*\.\.\s*({NUMBER})\s*(log)?\s*", text)
    if found is None:
        if ".." in text and "|" not in text:
            raise UsageError(
                "this is no range", where=f"--space {key}", got=text, expected="LOW..HIGH or LOW..HIGH log"
            )
        return Choice(key, tuple(value_of(each.strip()) for each in text.split("|")))
    low, high = float(found[1]), float(found[2])
    whole = all(re.fullmatch(r"[+-]?\d+", each) for each in (found[1], found[2]))
    # 0..1 of a share is no pair of whole numbers
    whole = whole and not (low == 0 and high == 1)
    return Range(key, low, high, log=bool(found[3]), whole=whole)


def _checked(found: Sequence[Parameter], mistakes: list[GlassnetError]) -> Space:
    seen: set[str] = set()
    for each in found:
        where = f"--space {each.key}"
        if each.key in seen:
            mistakes.append(
                UsageError(
                    "a setting is named twice", where=where, got=str(each), fix="name it once, with all its values"
                )
            )
        seen.add(each.key)
        if isinstance(each, Range) and not each.low < each.high:
            mistakes.append(UsageError("the range is empty", where=where, got=str(each), expected="LOW below HIGH"))
        elif isinstance(each, Range) and each.log and each.low <= 0:
            mistakes.append(
                UsageError(
                    "a logarithmic range begins above zero",
                    where=where,
                    got=str(each),
                    fix="begin above zero, such as at 1e-6, or leave out log",
                )
            )
        elif isinstance(each, Choice) and len({json.dumps(value) for value in each.values}) < len(each.values):
            mistakes.append(
                UsageError("a value is named twice", where=where, got=str(each), fix="name each value once")
            )
    if not found and not mistakes:
        mistakes.append(
            UsageError("there is nothing to search", where="--space", expected="lr=1e-4..1e-1 log, for example")
        )
    if mistakes:
        raise all_at_once(mistakes)
    return tuple(found)


def _flat(tree: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in tree.items():
        found += _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else [(before + name, value)]
    return found


def _parts(text: str) -> list[str]:
    """Split at commas that are in no brackets."""
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth <= 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [part.strip() for part in (*parts, text[begin:]) if part.strip()]


def _between(low: float, high: float, place: float) -> float:
    return low + place * (high - low)
