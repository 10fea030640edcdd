"""Spaces in the words of recipes."""

from __future__ import annotations

from pathlib import Path

from glassnet.recipe import key_of, known_keys, parse_value
from glassnet.searching import Space, parse_space, read_space

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
