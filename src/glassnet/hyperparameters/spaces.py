"""Spaces in the words of recipes, and the space that is searched where nothing is said."""

from __future__ import annotations

from pathlib import Path

from glassnet.data.dataset import Data
from glassnet.recipe import Recipe, key_of, known_keys, parse_value
from glassnet.searching import Choice, Range, Space, parse_space, read_space

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


def default_space(recipe: Recipe, data: Data) -> Space:
    """What is worth searching for a net when nothing is said: rate and decay around their presets, and what keeps the net from learning by heart.

    Args:
        recipe: resolved.
        data: divided.
    """
    lr = recipe.optimizer.lr if isinstance(recipe.optimizer.lr, float | int) else 1e-3
    found: list[Range | Choice] = [Range("optimizer.lr", _round(lr / 30), _round(lr * 10), log=True)]
    decay = recipe.optimizer.weight_decay
    if isinstance(decay, float | int) and recipe.optimizer.name not in ("lbfgs",):
        middle = decay or 1e-4
        found.append(Range("optimizer.weight_decay", _round(middle / 30), _round(min(middle * 30, 1.0)), log=True))
    if recipe.net.name == "mlp":
        found.append(Choice("net.hidden", ([64], [128], [256], [256, 128], [512, 256])))
        found.append(Range("regularise.dropout", 0.0, 0.6))
    if data.task == "classes" and recipe.loss.name == "cross-entropy":
        found.append(Range("loss.label_smoothing", 0.0, 0.25))
    sizes = [size for size in (32, 64, 128, 256, 512) if size * 10 <= len(data.train)]
    if len(sizes) > 1:
        found.append(Choice("train.batch_size", tuple(sizes)))
    return tuple(found)


def _round(value: float) -> float:
    return float(f"{value:.2g}")
