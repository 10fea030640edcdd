"""Spaces in the words of recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet.errors import GlassnetError, UsageError, all_at_once
from glassnet.recipe import Recipe, key_of, known_keys, parse_value
from glassnet.recipe_mistakes import check
from glassnet.searching import Choice, Only, Parameter, Space, parse_space, read_space

SHORT = {
    "reg": "regularise.l2",
    "l2": "regularise.l2",
    "l1": "regularise.l1",
    "dropout": "regularise.dropout",
    "opt": "optimizer.name",
    "optimizer": "optimizer.name",
    "sched": "schedule.name",
    "schedule": "schedule.name",
    "net": "net.name",
    "loss": "loss.name",
    "preprocess": "preprocess.name",
    "hidden": "net.hidden",
    "activation": "net.activation",
    "warmup": "schedule.warmup",
}
NAMED = ("net", "loss", "optimizer", "schedule")  # tables whose name decides what else there may be in them
DECIDED = {
    "regularise.dropout": "net.name",
    "regularise.ema_decay": "regularise.average",
    "regularise.average_from": "regularise.average",
}  # what belongs to the value of a key elsewhere
PLACES = (0.0, 0.37, 1.0)  # of a range, that are tried: its ends, and between whole numbers where those alone are meant
NEVER = ("train.seed", "train.epochs", "train.threads")  # trials that differ in them could not be compared


def space_of(text: str) -> Space:
    """A space as written on the command line, or the path of a TOML file with one.

    Raises:
        UsageError: all mistakes at once.
    """
    if text.endswith(".toml"):
        return read_space(Path(text), full_key, parse_value)
    return parse_space(text, full_key, parse_value)


def full_key(name: str) -> str:
    """``lr`` -> ``optimizer.lr``; a dotted key is left as it is.

    Raises:
        UsageError: no key, or more than one, is called so.
    """
    keys = known_keys()
    name = name.replace("-", "_")
    if name in keys or name in SHORT:
        return SHORT.get(name, name)
    section, dot, _ = name.partition(".")
    if dot and section in ("net", "schedule"):  # what they let one vary is known to what their name chooses
        return name
    return key_of(name, where="--space", further=SHORT)


def fitted(space: Space, base: Recipe) -> Space:
    """The space with every setting bound to what it belongs to: momentum to ``sgd`` and ``rmsprop`` where other optimisers are in the space as well.

    Args:
        space: as asked for.
        base: what stays the same in all trials; whatever is ``auto`` in it takes everything.

    Raises:
        UsageError: values that no trial could have, all at once.
    """
    mistakes: list[GlassnetError] = [
        UsageError(
            "this cannot be searched: the trials could not be compared",
            where=f"--space {each.key}",
            fix="leave it out of the space",
        )
        for each in space
        if each.key.startswith(("data.", "ensemble.")) or each.key in NEVER
    ]
    choices = {each.key: each for each in space if isinstance(each, Choice)}
    found: list[Parameter] = []
    for each in space if not mistakes else ():
        decider = choices.get(_decider(each.key))
        if decider is None or decider is each or each.only:
            mistakes += _mistakes(base, each, space, {})
            found.append(each)
            continue
        told = {
            number: _mistakes(base, each, space, {decider.key: value}) for number, value in enumerate(decider.values)
        }
        fits = tuple(value for number, value in enumerate(decider.values) if not told[number])
        if not fits:
            mistakes += told[0]
        found.append(replace(each, only=Only(decider.key, fits)) if len(fits) < len(decider.values) else each)
    if mistakes:
        raise all_at_once(mistakes)
    return tuple(found)


def as_resolved(base: Recipe, resolved: Recipe, space: Space) -> Recipe:
    """What stays the same in all trials, with the names that the data decide, as far as they are the same in all."""
    searched = {each.key for each in space}
    if "net.name" in searched:  # which decides the others
        return base
    keys = [f"{table}.name" for table in NAMED] + ["regularise.average"]
    named = {key: getattr(getattr(resolved, key.split(".")[0]), key.split(".")[1]) for key in keys}
    return base.changed({key: name for key, name in named.items() if key not in searched})


def _decider(key: str) -> str:
    return DECIDED.get(key, f"{key.partition('.')[0]}.name")


def _mistakes(base: Recipe, parameter: Parameter, space: Space, beside: Mapping[str, Any]) -> list[GlassnetError]:
    """What is wrong with the values of a range or a list, also where another setting of the space is there, as a momentum is for Nesterov's."""
    found: list[GlassnetError] = []
    for value in parameter.values if isinstance(parameter, Choice) else map(parameter.at, PLACES):
        own = {**beside, parameter.key: value}
        told = [_mistake(base, {**own, **with_it}) for with_it in _company(parameter, space)]
        if all(told):
            found += [each for each in told[:1] if each and str(each) not in map(str, found)]
    return found


def _company(parameter: Parameter, space: Space) -> Iterator[dict[str, Any]]:
    yield {}
    for other in space:
        if other.key != parameter.key and _decider(other.key) == _decider(parameter.key) != other.key:
            yield {other.key: other.at(0.5)}


def _mistake(base: Recipe, settings: Mapping[str, Any]) -> GlassnetError | None:
    try:
        check(base.changed(settings, where="--space"))
    except GlassnetError as error:
        return error
    return None
