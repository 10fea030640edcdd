"""What is wrong with a recipe whatever the data are, told before any time is spent on reading them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain
from typing import Any

from glassnet import zoo
from glassnet.data.preprocess.fitting import PREPROCESSING
from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown
from glassnet.initialise import INITS
from glassnet.recipe import Recipe
from glassnet.training.losses import LOSSES
from glassnet.training.optimizers import OPTIMIZERS, option_mistakes
from glassnet.training.schedules import SCHEDULES, make_schedule
from glassnet.zoo.options import check_options

MONITORS = {
    "classes": ("accuracy", "loss"),
    "values": ("r2", "loss"),
    "language": ("loss",),
    "translation": ("accuracy", "loss"),
}  # what may decide which epoch is the best
OF_SEQUENCES = {"language": ("language", "says what comes next"), "translation": ("translator", "translates")}
OF_CLASSES = ("cross-entropy", "binary", "hinge", "map")
SMOOTHED = "cross-entropy"  # the one loss that smooths labels
EMA_DECAY = Recipe().regularise.ema_decay
OWN_NET = "own"  # what recipe.net.name says of a module of the user's


def check(recipe: Recipe) -> None:
    """Refuse what is wrong whatever the data are, before any time is spent on reading them.

    Raises:
        UsageError: unknown names (with the nearest spelling) and options that the named things do not take, all of them at once.
    """
    net = recipe.net.name
    named = (
        ("net", "net.name", net, (*zoo.ZOO, *(name.removeprefix("graph-") for name in zoo.ZOO), OWN_NET)),
        ("initialisation", "net.init", recipe.net.init, ("default", *INITS)),
        ("preprocessing", "preprocess.name", recipe.preprocess.name, chain.from_iterable(PREPROCESSING.values())),
        ("loss", "loss.name", recipe.loss.name, LOSSES),
        ("optimizer", "optimizer.name", recipe.optimizer.name, OPTIMIZERS),
        ("schedule", "schedule.name", recipe.schedule.name, SCHEDULES),
        ("figure", "stop.monitor", recipe.stop.monitor, chain.from_iterable(MONITORS.values())),
    )
    mistakes: list[GlassnetError] = []
    for what, key, name, known in named:
        names = {"auto", *known}
        if name not in names:
            mistakes.append(unknown(what, name, names, where=key))
    if net in zoo.ZOO:
        mistakes += _option_mistakes(net, recipe.net.options)
        if recipe.regularise.dropout is not None and "dropout" not in zoo.ZOO[net].options:
            able = ", ".join(entry.name for entry in zoo.ZOO.values() if "dropout" in entry.options)
            mistakes.append(
                UsageError(
                    f"the net {net} has no dropout",
                    where="regularise.dropout",
                    got=recipe.regularise.dropout,
                    fix=f"leave it out, or take a net that has it: {able}",
                )
            )
    if recipe.schedule.name in SCHEDULES:
        mistakes += _mistakes(lambda: make_schedule(recipe.schedule.name, **recipe.schedule.options))
    mistakes += [*_optimizer_mistakes(recipe), *loss_mistakes(recipe)]
    mistakes += [*_average_mistakes(recipe), *_ensemble_mistakes(recipe)]
    if mistakes:
        raise all_at_once(mistakes)


def _optimizer_mistakes(recipe: Recipe) -> list[GlassnetError]:
    """What an optimiser that is named does not take."""
    asked = recipe.optimizer
    if asked.name not in OPTIMIZERS:
        return []
    figures = {"lr": asked.lr, "weight_decay": asked.weight_decay, "bias_lr": asked.bias_lr}
    open_ones = {"lr": 1e-3, "weight_decay": 0.0, "bias_lr": 1.0}  # of what is chosen later, any that it takes
    told = {key: open_ones[key] if isinstance(value, str) else value for key, value in figures.items()}
    return option_mistakes(asked.name, **told, options=asked.given())


def loss_mistakes(recipe: Recipe) -> list[GlassnetError]:
    """What a loss that is named does not take; of one that is left open, nothing."""
    asked, found = recipe.loss, list[GlassnetError]()
    if asked.name not in LOSSES:
        return found
    if asked.label_smoothing not in ("auto", 0.0) and asked.name != SMOOTHED:
        fix = f"leave it out, or --loss {SMOOTHED}, which alone takes it"
        found.append(
            UsageError(
                f"the loss {asked.name} smooths no labels",
                where="loss.label_smoothing",
                got=asked.label_smoothing,
                fix=fix if asked.name in OF_CLASSES else "leave it out",
            )
        )
    if asked.j is not None and asked.name != "map":
        found.append(
            UsageError(
                f"the loss {asked.name} has no j", where="loss.j", got=asked.j, fix="leave it out, or --loss map"
            )
        )
    return found


def _average_mistakes(recipe: Recipe) -> list[GlassnetError]:
    """What would do nothing, since the weights are averaged otherwise, or not at all."""
    asked, found = recipe.regularise, list[GlassnetError]()
    settings = (
        ("ema_decay", asked.ema_decay, EMA_DECAY, ("ema",)),
        ("average_from", asked.average_from, None, ("swa", "polyak")),
    )
    for key, value, usual, takes in settings:
        if value != usual and asked.average not in ("auto", *takes):
            found.append(
                UsageError(
                    f"the average {asked.average} has no {key}",
                    where=f"regularise.{key}",
                    got=value,
                    fix=f"leave it out, or --average {' or '.join(takes)}",
                )
            )
    return found


def _option_mistakes(net: str, options: Mapping[str, Any]) -> list[GlassnetError]:
    """Options that the net does not take; of a cell or a convolution, that none of the nets takes that it stands for (which of them, the data decide)."""
    kinds = (*(kind for kind, _ in OF_SEQUENCES.values()), "graph")
    names = [net, *(f"{kind}-{net}" for kind in kinds if f"{kind}-{net}" in zoo.ZOO)]
    found = [_mistakes(partial(check_options, name, zoo.ZOO[name].build, options)) for name in names]
    return [] if any(not mistakes for mistakes in found) else found[0]


def _ensemble_mistakes(recipe: Recipe) -> list[GlassnetError]:
    settings, found = recipe.ensemble, list[GlassnetError]()
    snapshots = settings.snapshots
    in_folds = recipe.data.folds is not None and recipe.data.fold is None
    if in_folds and settings.together == "stacked":
        found.append(
            UsageError(
                "folds differ in their data, and cannot be trained with one pass for all",
                where="ensemble.together",
                got="stacked",
                fix="leave it out, or take processes or in-turn",
            )
        )
    if in_folds and (settings.members > 1 or snapshots):
        found.append(
            UsageError(
                "folds are of single trainings, and several networks are to answer together",
                where="data.folds",
                got=f"{recipe.data.folds} folds and {'snapshots' if snapshots else f'{settings.members} members'}",
                fix="leave out --folds, or --members and --snapshots",
            )
        )
    if settings.last is not None and not snapshots:
        found.append(UsageError("nothing is taken the last of", where="ensemble.last", fix="say --snapshots N too"))
    if snapshots and settings.last is not None and settings.last > snapshots:
        found.append(
            UsageError(
                "there are fewer snapshots than are to answer",
                where="ensemble.last",
                got=settings.last,
                expected=f"1 to {snapshots}",
            )
        )
    if settings.together in ("in-turn", "stacked") and (settings.workers or 1) > 1:
        found.append(
            UsageError(
                "members are trained at once in processes alone",
                where="ensemble.workers",
                got=f"{settings.workers} workers, and ensemble.together = {settings.together}",
                fix="leave out one of the two",
            )
        )
    if snapshots and recipe.train.epochs != "auto" and recipe.train.epochs < snapshots:
        found.append(
            UsageError(
                "a snapshot needs an epoch at least",
                where="ensemble.snapshots",
                got=f"{snapshots} snapshots in {recipe.train.epochs} epochs",
                fix=f"--epochs {10 * snapshots}, or fewer snapshots",
            )
        )
    if snapshots and recipe.regularise.average not in ("auto", "none"):
        found.append(
            UsageError(
                "weights are either averaged or kept apart as snapshots",
                where="regularise.average",
                got=recipe.regularise.average,
                fix="leave out --average or --snapshots",
            )
        )
    return found


def _mistakes(attempt: Callable[[], object]) -> list[GlassnetError]:
    try:
        attempt()
    except GlassnetError as error:
        return [error]
    return []
