"""The space that is searched where nothing is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glassnet import zoo
from glassnet.data.dataset import Data
from glassnet.recipe import Recipe
from glassnet.searching import Choice, Parameter, Range, Space

LAYERS = ((64,), (128,), (256,), (256, 128), (512, 256))  # of a multilayer perceptron
EMBEDDINGS = (0, 8, 16)  # numbers in a table column's embedding
SIZES = ("hidden", "maps", "embed")  # options that say how large a net is, the first that it has
STRENGTHS = ("rotate", "translate", "scale")  # augmentation whose strength is searched, the first two that are used
STEPS = 10  # of an epoch, at least, whatever the batch size


def default_space(asked: Recipe, resolved: Recipe, data: Data) -> Space:
    """What is worth searching for a net: rate, decay and schedule around their presets, its size, and what keeps it from learning by heart.

    What was asked for is left as it is: ``--lr 0.01`` takes the rate out of the space. The architecture is searched within its family (layers of a
    multilayer perceptron, width of a convolutional net, units and layers of a recurrent one), since rates of different families cannot be drawn from
    one range.

    Args:
        asked: the recipe before anything was chosen.
        resolved: after.
        data: divided.
    """
    fixed = _given(asked)
    parameters = (*_training(resolved), *_architecture(resolved), *_against_learning_by_heart(resolved, data))
    free = [each for each in parameters if each.key not in fixed]
    sizes = _batch_sizes(resolved, len(data.train))
    if "train.batch_size" not in fixed and len(sizes) > 1:
        free.append(Choice("train.batch_size", sizes))
    return tuple(free)


def _training(recipe: Recipe) -> Iterator[Parameter]:
    lr = recipe.optimizer.lr if isinstance(recipe.optimizer.lr, float | int) else 1e-3
    yield Range("optimizer.lr", _round(lr / 30), _round(lr * 10), log=True)
    decay = recipe.optimizer.weight_decay
    if isinstance(decay, float | int) and recipe.optimizer.name != "lbfgs":
        middle = decay or 1e-4
        yield Range("optimizer.weight_decay", _round(middle / 30), _round(min(middle * 30, 1.0)), log=True)
    if recipe.schedule.name == "one-cycle" and not recipe.schedule.options:
        yield Choice("schedule.name", ("one-cycle", "cosine"))


def _architecture(recipe: Recipe) -> Iterator[Parameter]:
    name, chosen = recipe.net.name, recipe.net.options
    options = zoo.ZOO[name].options if name in zoo.ZOO else {}
    if name == "mlp":
        now = tuple(chosen.get("hidden", options["hidden"].default))
        layers = sorted({*LAYERS, now}, key=lambda widths: (sum(widths), widths))
        yield Choice("net.hidden", tuple(list(each) for each in layers))
        if recipe.preprocess.name == "quantile":  # a table
            yield Choice("preprocess.name", ("quantile", "tree-bins"))
            yield Choice("net.embed", EMBEDDINGS)
        return
    if "width" in options:
        width = float(chosen.get("width", options["width"].default))
        yield Choice("net.width", (_round(0.7 * width), width, _round(1.4 * width)))
    for size in SIZES:
        if size in options:
            units = int(chosen.get(size, options[size].default))
            yield Choice(f"net.{size}", (units // 2, units, 2 * units))
            break
    if "layers" in options:
        deep = int(chosen.get("layers", options["layers"].default))
        yield Choice("net.layers", (deep, deep + 1))


def _against_learning_by_heart(recipe: Recipe, data: Data) -> Iterator[Parameter]:
    if recipe.net.name in zoo.ZOO and "dropout" in zoo.ZOO[recipe.net.name].options:
        yield Range("regularise.dropout", 0.0, 0.6)
    if data.task == "classes" and recipe.loss.name == "cross-entropy":
        yield Range("loss.label_smoothing", 0.0, 0.25)
    used = recipe.augment.given()
    if data.schema.kind == "image":
        if used.get("shift"):
            yield Choice("augment.shift", (0, used["shift"], 2 * used["shift"]))
        for name in [name for name in STRENGTHS if used.get(name)][:2]:
            yield Range(f"augment.{name}", 0.0, _round(2 * used[name]))
    elif data.schema.kind == "text" and used.get("word_dropout"):
        yield Range("augment.word_dropout", 0.0, _round(2 * used["word_dropout"]))


def _batch_sizes(recipe: Recipe, samples: int) -> tuple[int, ...]:
    """From a quarter to twice the preset's: smaller ones take too long beside the others."""
    size = recipe.train.batch_size
    if not isinstance(size, int):
        return ()
    return tuple(each for each in (size // 4, size // 2, size, 2 * size) if each >= 16 and each * STEPS <= samples)


def _given(recipe: Recipe) -> set[str]:
    """Keys of what was asked for, and of what that settles too."""

    def given(settings: Any, untouched: Any, start: str) -> Iterator[str]:
        for name in type(settings).model_fields:
            value, usual = getattr(settings, name), getattr(untouched, name)
            if hasattr(type(value), "model_fields"):
                yield from given(value, usual, f"{start}{name}.")
            elif name == "options":
                yield from (f"{start}{option}" for option in value)
            elif value != usual:
                yield start + name

    found = set(given(recipe, Recipe(), ""))
    if "net.dropout" in found:
        found.add("regularise.dropout")
    if "net.widths" in found:
        found.add("net.width")
    if not recipe.augment.auto:  # then what is written there is all there shall be
        found |= {f"augment.{name}" for name in type(recipe.augment).model_fields}
    return found


def _round(value: float) -> float:
    return float(f"{value:.2g}")
