"""A recipe is data: one frozen value that holds everything a run is decided by.

It is the same thing as a TOML file, as command-line flags and in Python. ``auto`` means that the value is chosen when the data are known
(:mod:`glassnet.resolve`); the resolved recipe, with every default filled in and the reason beside each choice, is written into the run
folder and repeats the run.
"""

from __future__ import annotations

import json
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pydantic import ValidationError

from glassnet.errors import GlassnetError, UsageError, all_at_once, nearest, unknown
from glassnet.settings import (
    AugmentSettings,
    ClipSettings,
    DataSettings,
    EnsembleSettings,
    LossSettings,
    NetSettings,
    OpenSection,
    OptimizerSettings,
    PreprocessSettings,
    RegulariseSettings,
    ScheduleSettings,
    Section,
    StopSettings,
    TrainSettings,
)

Where: TypeAlias = str | Mapping[str, str] | None
SAID = {"learning_rate": "lr", "learning-rate": "lr", "optimiser": "optimizer"}  # what others call our keys


class Recipe(Section):
    """Everything a run is decided by.

    Example:
        >>> Recipe().changed({"train.epochs": 3, "optimizer.lr": 0.01}).train.epochs
        3
    """

    data: DataSettings = DataSettings()
    preprocess: PreprocessSettings = PreprocessSettings()
    augment: AugmentSettings = AugmentSettings()
    net: NetSettings = NetSettings()
    loss: LossSettings = LossSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    clip: ClipSettings = ClipSettings()
    regularise: RegulariseSettings = RegulariseSettings()
    stop: StopSettings = StopSettings()
    ensemble: EnsembleSettings = EnsembleSettings()
    train: TrainSettings = TrainSettings()

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any], *, where: Where = None) -> Self:
        """A recipe from nested tables.

        Raises:
            UsageError: unknown keys (with the nearest spelling) and wrong values, all of them at once.
        """
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise all_at_once([_told(problem, where) for problem in _distinct(error.errors())]) from None

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """A recipe from a file.

        Raises:
            UsageError: the file is missing, is not TOML, or holds mistakes.
        """
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(
                "cannot read the recipe",
                where=path,
                got=error.strerror,
                expected="a recipe file, such as the recipe.toml of a run",
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UsageError(
                "the recipe is not valid TOML",
                where=path,
                got=error,
                expected="lines such as [net] and name = 'mlp', as UTF-8",
            ) from error
        return cls.from_tree(tree, where=str(path))

    def changed(self, settings: Mapping[str, Any], *, where: Where = None) -> Self:
        """The same recipe with some values replaced, addressed by dotted keys such as ``optimizer.lr``.

        Args:
            settings: values by key.
            where: they were given, for errors: all of them, or key by key.

        Raises:
            UsageError: unknown keys and wrong values, all of them at once.
        """
        tree = self.model_dump()
        mistakes: list[GlassnetError] = []
        for key, value in settings.items():
            *tables, last = key.split(".")
            table: Any = tree
            for name in tables:
                table = table.get(name) if isinstance(table, dict) else None
            if len(tables) == 0 or not isinstance(table, dict):
                mistakes.append(unknown_key(key, _place(where, key)))
            else:
                table[last] = value
        try:
            changed = type(self).from_tree(tree, where=where)
        except GlassnetError as error:
            raise all_at_once([*mistakes, error]) from None
        if mistakes:
            raise all_at_once(mistakes)
        return changed

    def to_toml(self, reasons: Mapping[str, str] | None = None) -> str:
        """The recipe as a file that can be read, changed and used again; reasons become comments. Open values are left out."""
        lines: list[str] = []
        for section, settings in self:
            lines.append(f"[{section}]")
            for name, value in _flat(settings):
                if value is None:
                    continue
                comment = (reasons or {}).get(f"{section}.{name}")
                lines.append(f"{_key(name)} = {_toml(value)}" + (f"  # {_one_line(comment)}" if comment else ""))
            lines.append("")
        return "\n".join(lines)


def run_name(recipe: Recipe) -> str:
    """The first part of a run folder's name: what was learned, and whether several networks came out of it."""
    name = Path(recipe.data.path).stem or "run"
    if recipe.ensemble.of:
        return f"{name}-ensemble"
    return f"{name}-folds" if recipe.data.folds is not None and recipe.data.fold is None else name


def known_keys() -> list[str]:
    """Every key of a recipe, dotted."""
    return [
        f"{section}.{name}" for section, field in Recipe.model_fields.items() for name in _section(field).model_fields
    ]


def unknown_key(key: str, where: str | None = None) -> UsageError:
    """The error for a key that does not exist: with the one that ends so, or is spelled most like it, or the keys of its section."""
    section, *below = key.split(".")
    name = below[0] if below else section
    name = SAID.get(name, name)
    keys = known_keys()
    own = [each for each in keys if below and each.startswith(f"{section}.")]
    ending = [each for each in keys if each.endswith(f".{name}")]
    if f"{key}.name" in keys:  # a section, such as net, of which the name was meant
        near: str | None = f"{key}.name"
    elif len(ending) == 1:
        near = ending[0]
    elif own:  # by the name alone: keys of one section are alike in all that stands before it
        found = nearest(name, [each.rpartition(".")[2] for each in own])
        near = found and f"{section}.{found}"
    else:
        near = nearest(SAID.get(key, key), [*keys, *Recipe.model_fields])
    return UsageError(
        f"unknown recipe key '{key}'",
        where=where,
        expected=f"one of {', '.join(own)}" if own and not near else None,
        fix=f"did you mean '{near}'?" if near else "'glassnet train --keys' lists them all",
    )


def key_of(name: str, *, where: str | None = None, further: Iterable[str] = (), fix: str = "give the whole key") -> str:
    """The key that ends in a name: ``lr`` -> ``optimizer.lr``.

    Args:
        name: the last part of a key.
        where: the name was given, for the error.
        further: other names that may be given there, for the nearest spelling.
        fix: what to do about a name that several keys end in.

    Raises:
        UsageError: no key, or more than one, ends so.
    """
    keys = known_keys()
    fitting = [key for key in keys if key.rpartition(".")[2] == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"'{name}' could mean {' or '.join(fitting)}", where=where, fix=fix)
    raise unknown("setting", name, {*further, *keys, *(key.rpartition(".")[2] for key in keys)}, where=where)


def describe() -> Iterator[tuple[str, str, Any]]:
    """(dotted key, what it means, default) of every key, for help and documentation."""
    for section, field in Recipe.model_fields.items():
        for name, setting in _section(field).model_fields.items():
            yield f"{section}.{name}", setting.description or "", setting.get_default(call_default_factory=True)


def parse_value(text: str) -> Any:
    """A value as typed after ``--set key=``: TOML where it is TOML, and otherwise the text itself."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return text if isinstance(value, date | time) else value  # no setting is a date, but a column may be called so


def _flat(settings: Section) -> Iterator[tuple[str, Any]]:
    for name, value in settings:
        if name != "options":
            yield name, value
    if isinstance(settings, OpenSection):
        yield from settings.options.items()


def _section(field: Any) -> type[Section]:
    section: type[Section] = field.annotation
    return section


def _distinct(problems: list[Any]) -> list[Any]:
    """One problem per place: pydantic tells one for each member of a union."""
    seen: dict[tuple[Any, ...], Any] = {}
    for problem in problems:
        seen.setdefault(problem["loc"][:2], problem)
    return list(seen.values())


def _told(problem: Any, given: Where) -> UsageError:
    key = ".".join(str(part) for part in problem["loc"][:2])
    where = _place(given, key)
    if problem["type"] == "extra_forbidden":
        return unknown_key(key, where)
    section, name = (*problem["loc"], "")[:2]
    setting = (
        _section(Recipe.model_fields[section]).model_fields.get(str(name)) if section in Recipe.model_fields else None
    )
    if setting is None:
        return UsageError(
            f"'{key}' must be a table",
            where=where,
            got=repr(problem.get("input")),
            expected=f"a line [{key}] with its settings below it",
        )
    expected = _words(setting.annotation, setting.metadata)
    return UsageError(f"wrong value for '{key}'", where=where, got=repr(problem.get("input")), expected=expected)


def _words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What a setting takes, in words, such as ``a number > 0 or auto``."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(_words(member) for member in typing.get_args(annotation) if member is not type(None))
    if typing.get_origin(annotation) is Literal:
        return " or ".join(str(choice) for choice in typing.get_args(annotation))
    if typing.get_origin(annotation) is typing.Annotated:
        kind, field = typing.get_args(annotation)
        return _words(kind, field.metadata)
    kind = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}.get(
        annotation, "a list or table"
    )
    bounds = [
        f" {sign} {_told_limit(getattr(limit, name))}"
        for limit in metadata
        for name, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if hasattr(limit, name)
    ]
    return kind + " and".join(bounds)


def _place(where: Where, key: str) -> str | None:
    return where.get(key) if isinstance(where, Mapping) else where


def _told_limit(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)  # the shortest text that reads back as the same number
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items() if v is not None) + " }"
            if value
            else "{}"
        )
    return "[" + ", ".join(_toml(item) for item in value) + "]"
