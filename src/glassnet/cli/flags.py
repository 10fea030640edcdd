"""The flags that stand for keys of the recipe, in one table, so that every command takes them alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from glassnet.errors import GlassnetError, UsageError, all_at_once
from glassnet.recipe import parse_value, unknown_key


@dataclass(frozen=True)
class Flag:
    """A flag: its spellings, the recipe key it sets, how it reads on the help page."""

    names: tuple[str, ...]
    key: str
    metavar: str
    help: str


FLAGS = (
    Flag(("--net",), "net.name", "NAME", "the network; 'glassnet nets' lists them (default: chosen by the data)"),
    Flag(("--epochs",), "train.epochs", "N", "how often every sample is seen"),
    Flag(("--budget",), "train.budget", "TIME", "time for training, such as 90s, 5m or 1h; epochs are chosen to fit"),
    Flag(("--effort",), "train.effort", "NAME", "full, or quick: a smaller net and a quarter of the epochs"),
    Flag(("-b", "--batch-size"), "train.batch_size", "N", "samples in a step; 'full' takes all"),
    Flag(("--lr",), "optimizer.lr", "RATE", "learning rate; 'find' makes a range test"),
    Flag(("--opt", "--optimizer"), "optimizer.name", "NAME", "sgd, adagrad, rmsprop, adam, adamw, lbfgs"),
    Flag(("--momentum",), "optimizer.momentum", "M", "momentum of sgd and rmsprop"),
    Flag(("--weight-decay",), "optimizer.weight_decay", "D", "weight decay of the optimiser"),
    Flag(
        ("--sched", "--schedule"),
        "schedule.name",
        "NAME",
        "constant, step, exponential, inverse, cosine, one-cycle, ...",
    ),
    Flag(("--loss",), "loss.name", "NAME", "cross-entropy, binary, hinge, map, squared, absolute, huber"),
    Flag(("--label-smoothing",), "loss.label_smoothing", "P", "share of the target spread over all classes"),
    Flag(("--l2",), "regularise.l2", "L", "penalty L * sum of squared weights"),
    Flag(("--l1",), "regularise.l1", "L", "penalty L * sum of absolute weights"),
    Flag(("--dropout",), "regularise.dropout", "P", "probability to drop a unit"),
    Flag(("--max-norm",), "regularise.max_norm", "C", "largest norm of the weights into one unit"),
    Flag(("--average",), "regularise.average", "NAME", "average the weights: none, ema, swa or polyak"),
    Flag(("--clip-norm",), "clip.norm", "C", "largest norm of the whole gradient"),
    Flag(("--clip-value",), "clip.value", "C", "largest size of a gradient component"),
    Flag(("--init",), "net.init", "NAME", "initialisation of the weights"),
    Flag(("--pretrained",), "net.pretrained", "FILE", "a file with weights to start from"),
    Flag(
        ("--preprocess",),
        "preprocess.name",
        "NAME",
        "standardise, none, mean-image, channel-mean, pca, whiten, imagenet, centred, quantile, tree-bins",
    ),
    Flag(("--patience",), "stop.patience", "N", "epochs without improvement before stopping; or never"),
    Flag(("--target",), "data.target", "COLUMN", "column or key to learn"),
    Flag(("--task",), "data.task", "KIND", "classes or values"),
    Flag(("--tokens",), "data.tokens", "UNIT", "what texts are cut into: words or characters"),
    Flag(("--text",), "data.text", "COLUMN", "column of a table that holds texts, or none"),
    Flag(("--time",), "data.time", "COLUMN", "column with the times of a series; none reads the file as a table"),
    Flag(("--window",), "data.window", "STEPS", "steps of a series that the network sees"),
    Flag(("--horizon",), "data.horizon", "STEPS", "steps of a series that are forecast"),
    Flag(("--image-size",), "data.image_size", "PIXELS", "side to which images are brought"),
    Flag(("--val",), "data.val", "PATH", "a separate validation file or folder"),
    Flag(("--test",), "data.test", "PATH", "a separate test file or folder"),
    Flag(("--test-names",), "data.test_names", "PATTERN", "names that make the test part, such as '*_[0-4].wav'"),
    Flag(("--seed",), "train.seed", "N", "decides splits, weights, order, augmentation"),
    Flag(("--device",), "train.device", "NAME", "auto, cpu, cuda"),
    Flag(("--precision",), "train.precision", "NAME", "auto, float32, bfloat16"),
    Flag(("--threads",), "train.threads", "N", "threads inside an operation"),
)


def recipe_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add every flag of the table, and ``--set``, to a command."""
    for flag in reversed(FLAGS):
        command = click.option(*flag.names, _parameter(flag), metavar=flag.metavar, help=flag.help)(command)
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="any recipe key, such as optimizer.lr=0.01 or net.hidden=[256,64]",
    )(command)


def settings_of(parameters: dict[str, Any]) -> dict[str, Any]:
    """The recipe keys that the given flags and ``--set`` options set.

    Raises:
        UsageError: each ``--set`` without ``=`` or without a section, and a budget that is no length of time, all at once.
    """
    found: dict[str, Any] = {}
    mistakes: list[GlassnetError] = []
    for flag in FLAGS:
        text = parameters.get(_parameter(flag))
        if text is not None:
            try:
                found[flag.key] = seconds(text) if flag.key == "train.budget" else parse_value(text)
            except UsageError as error:
                mistakes.append(error)
            if flag.key in _TEXTS:
                found[flag.key] = text
    for given in parameters.get("settings", ()):
        key, equals, text = (part.strip() for part in given.partition("="))
        if not equals:
            mistakes.append(UsageError("--set takes KEY=VALUE", got=given, fix=f"--set {given}=..."))
        elif "." not in key:
            mistakes.append(unknown_key(key, f"--set {key}"))
        else:
            found[key] = _value(key, text)
    if mistakes:
        raise all_at_once(mistakes)
    return found


def places_of(parameters: dict[str, Any]) -> dict[str, str]:
    """Where on the command line each key of :func:`settings_of` was given, as a user would name the place."""
    given = [text.partition("=")[0].strip() for text in parameters.get("settings", ())]
    flags = {flag.key: flag.names[-1] for flag in FLAGS if parameters.get(_parameter(flag)) is not None}
    return flags | {key: f"--set {key}" for key in given}


def no_data(command: str) -> UsageError:
    """The error for a command that was told neither data nor a recipe."""
    return UsageError(
        "which data?",
        expected="a folder, a file, or a name such as digits, letters or mnist",
        fix=f"glassnet {command} digits",
    )


def _value(key: str, text: str) -> Any:
    """The value of a ``--set``; a column called 3 is a text although it looks like a number."""
    value = parse_value(text)
    return text if key in _TEXTS and not isinstance(value, str) else value


def _parameter(flag: Flag) -> str:
    """The name under which click hands a flag's value on; given outright, since click would take the first long spelling."""
    return flag.key.replace(".", "_")


_TEXTS = {"net.name", "net.pretrained", "data.target", "data.time", "data.val", "data.test", "data.path"}


def seconds(text: str) -> float:
    """Seconds that ``90``, ``90s``, ``1.5m`` or ``2h`` mean.

    Raises:
        UsageError: anything else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h)?\s*", text)
    if not found:
        raise UsageError("not a length of time", where="--budget", got=text, expected="such as 90s, 5m or 1h")
    return float(found[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}[found[2]]
