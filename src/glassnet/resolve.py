"""From a recipe with ``auto`` in it, and the data, to one without; with the reason of every choice.

What can only be known by measuring (learning rate by a range test, precision, epochs for a time budget) is left for
:mod:`glassnet.assembly`, which has a network to measure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from math import ceil, log2, prod
from typing import Any

from glassnet import zoo
from glassnet.data.augment import auto_augment
from glassnet.data.dataset import Data
from glassnet.data.preprocess.fitting import PREPROCESSING
from glassnet.errors import GlassnetError, UsageError, all_at_once
from glassnet.presets import PRESETS, QUICK_CHANGES, QUICK_OPTIONS, QUICK_WIDTH, Choice, Preset, other, quick
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import MONITORS, OF_CLASSES, OF_SEQUENCES, OWN_NET, SMOOTHED, loss_mistakes
from glassnet.training.losses import J

LOOKS = 256  # images that are looked at to choose the augmentation
SOUND_AS = {"conv1d": "waveform", "rnn": "log-mel-steps", "lstm": "log-mel-steps", "gru": "log-mel-steps"}
WORD_DROPOUT = 0.2  # share of a text's words that are made unknown in training
CELLS = ("rnn", "lstm", "gru")


def resolve(recipe: Recipe, data: Data) -> tuple[Recipe, dict[str, str]]:
    """The recipe with every choice made that the data decide.

    Returns:
        The recipe, and for each choice made here its reason, by dotted key.

    Raises:
        UsageError: settings that do not go together.
    """
    check_together(recipe, data)
    chosen = _net(recipe, data) | _task(recipe, data) | _preprocess(recipe, data, recipe.net.name)
    net = chosen["net.name"].value if "net.name" in chosen else recipe.net.name
    chosen |= _through_time(recipe, data, net)
    samples = len(data.train)
    shape = (1, *data.schema.shape) if data.schema.kind == "sound" else data.schema.shape  # channels, time
    preset = PRESETS.get(net, other)(samples, shape)
    if recipe.train.effort == "quick":
        preset = quick(preset, net, samples)
    if data.task == "values":
        preset = {key: choice for key, choice in preset.items() if key != "loss.name"}
        preset["loss.label_smoothing"] = Choice(0.0, "values have no labels")
    elif recipe.loss.name not in ("auto", SMOOTHED):
        preset = {**preset, "loss.label_smoothing": Choice(0.0, f"only {SMOOTHED} smooths labels")}
    chosen |= _from_preset(recipe, {**preset, **_for_batch(recipe, preset), **_for_averages(recipe, preset)})
    chosen |= _augment(recipe, data)
    chosen |= _schedule_options(recipe, chosen)
    settings = {key: choice.value for key, choice in chosen.items()}
    resolved = recipe.changed(settings)
    rest = _rest(resolved, data)
    resolved = resolved.changed({key: choice.value for key, choice in rest.items()})
    _check_warmup(resolved)
    return resolved, {key: choice.reason for key, choice in (chosen | rest).items()}


def _check_warmup(recipe: Recipe) -> None:
    """Refuse a rise of the rate that the run does not live to see the end of."""
    warmup, epochs = recipe.schedule.warmup, recipe.train.epochs
    if warmup and not isinstance(epochs, str) and recipe.train.budget is None and warmup >= epochs:
        raise UsageError(
            "the warm-up lasts as long as the whole run",
            where="schedule.warmup",
            got=f"{warmup:g} of {epochs} epochs",
            expected=f"fewer than {epochs}",
            fix="a shorter warm-up (a tenth of the run is usual), or more epochs",
        )


def check_together(recipe: Recipe, data: Data) -> None:
    """Refuse ensembles whose members could not be asked for a token at a time.

    Raises:
        UsageError: it is one.
    """
    if data.task in OF_SEQUENCES and (recipe.ensemble.members > 1 or recipe.ensemble.snapshots):
        raise UsageError(
            "language models and translators do not answer together yet",
            where="ensemble",
            got=data.task,
            fix="train one",
        )


def _net(recipe: Recipe, data: Data) -> dict[str, Choice]:
    chosen: dict[str, Choice] = {}
    name = recipe.net.name
    options: Mapping[str, Any] = {}
    if name == "auto":
        shape = data.schema.shape
        if data.schema.kind == "array" and recipe.preprocess.name in ("pca", "whiten"):
            shape = (prod(shape),)  # principal components have no order along an axis
        name, options, reason = zoo.choose(data.schema.kind, shape, len(data.train))
        if recipe.train.effort == "quick" and "width" in options and "width" not in recipe.net.options:
            cheaper = {"width": 2.0 ** ceil(log2(QUICK_WIDTH * options["width"])), **QUICK_OPTIONS.get(name, {})}
            options = {**options, **cheaper}
            reason += f"; quick: {', '.join(f'{key} {value}' for key, value in cheaper.items())}"
        chosen["net.name"] = Choice(name, reason)
        options = {key: value for key, value in options.items() if key not in recipe.net.options}
    elif data.task in OF_SEQUENCES and name in CELLS:
        net, why = OF_SEQUENCES[data.task]
        chosen["net.name"] = Choice(f"{net}-{name}", f"the {name} that {why}")
    elif data.schema.kind == "graphs" and f"graph-{name}" in zoo.ZOO:
        chosen["net.name"] = Choice(f"graph-{name}", f"the {name} that reads whole graphs")
    if name.startswith("unrolled-") and (data.task != "values" or len(data.outputs) < 2):
        raise UsageError(
            "this net says a sequence of values, and one answer is asked for",
            where=f"net {name}",
            got=f"{len(data.classes)} classes" if data.classes else f"{len(data.outputs)} value",
            expected="several values for each input, one a step: y of shape (samples, steps) in FILE.npz",
        )
    if recipe.regularise.dropout is not None:
        options = {**options, "dropout": recipe.regularise.dropout}
    for key, value in options.items():
        chosen[f"net.{key}"] = Choice(value, "chosen with the net")
    return chosen


def _through_time(recipe: Recipe, data: Data, net: str) -> dict[str, Choice]:
    """What follows from gradients through few steps, and from a loss at every step, for nets that read whole sequences: they read forwards alone.

    Raises:
        UsageError: the net is none of these, or other options contradict; all at once.
    """
    asked: list[tuple[str, object, str]] = []
    if recipe.train.through_time and data.task != "language":
        asked.append(("train.through_time", recipe.train.through_time, "cutting gradients through time"))
    if recipe.loss.steps == "all":
        asked.append(("loss.steps", "all", "a loss at every step"))
    if not asked or net == OWN_NET:
        return {}
    wrong: list[GlassnetError] = []
    for key, value, what in asked:
        series = key == "loss.steps" and data.schema.kind == "series"
        if net not in CELLS or series:
            wrong.append(
                UsageError(
                    f"{what} is for rnn, lstm and gru that read a sequence and say one thing of it",
                    where=key,
                    got=f"{value} for {'a forecast, which is told from the end of its window' if series else f'the net {net}'}",
                    fix="leave it out"
                    if series or data.task not in ("classes", "values")
                    else "--net gru, or leave it out",
                )
            )
    if recipe.net.options.get("both_ways"):
        wrong.append(
            UsageError(
                f"{' and '.join(what for _, _, what in asked)} needs a net that reads forwards alone",
                where="net.both_ways",
                got="true",
                fix="leave it out",
            )
        )
    if recipe.loss.steps == "all" and recipe.net.options.get("pool", "last") != "last":
        wrong.append(
            UsageError(
                "a loss at every step is the loss of the state there, and nothing is pooled",
                where="net.pool",
                got=recipe.net.options["pool"],
                expected="last",
            )
        )
    if wrong:
        raise all_at_once(wrong)
    return {} if "both_ways" in recipe.net.options else {"net.both_ways": Choice(False, f"for {asked[-1][2]}")}


def _task(recipe: Recipe, data: Data) -> dict[str, Choice]:
    chosen: dict[str, Choice] = {}
    if recipe.data.task == "auto":
        chosen["data.task"] = Choice(data.task, "seen from the targets")
    if recipe.loss.name == "auto":
        chosen["loss.name"] = (
            Choice("cross-entropy", "the targets are classes")
            if data.task == "classes"
            else Choice("squared", "the targets are values")
            if data.task == "values"
            else Choice("cross-entropy", "at every step one of the tokens is right")
        )
    elif data.task not in ("classes", "values"):
        if recipe.loss.name != "cross-entropy":
            raise UsageError(
                "the loss does not fit the task", where="loss.name", got=recipe.loss.name, expected="cross-entropy"
            )
    elif (recipe.loss.name in OF_CLASSES) != (data.task == "classes"):
        raise UsageError(
            "the loss does not fit the targets",
            where="loss.name",
            got=f"{recipe.loss.name} for {data.task}",
            expected="squared, absolute or huber for values; cross-entropy, hinge, map or binary for classes",
        )
    elif data.schema.kind == "tags" and recipe.loss.name != "cross-entropy":
        raise UsageError(
            "tags are learned by cross-entropy", where="loss.name", got=recipe.loss.name, fix="leave it out"
        )
    elif recipe.loss.name == "binary" and len(data.classes) != 2:
        raise UsageError(
            "the binary loss needs exactly two classes",
            where="loss.name",
            got=f"{len(data.classes)} classes",
            fix="--loss cross-entropy",
        )
    return chosen


def _preprocess(recipe: Recipe, data: Data, net: str) -> dict[str, Choice]:
    if recipe.preprocess.name != "auto" or (recipe.net.pretrained and data.schema.kind == "image"):
        return {}  # a file of weights may expect a preprocessing of its own, see glassnet.assembly
    if data.schema.kind == "sound" and net in SOUND_AS:
        return {"preprocess.name": Choice(SOUND_AS[net], f"what {net} reads of sounds")}
    return {
        "preprocess.name": Choice(PREPROCESSING[data.schema.kind][0], f"the usual for data of kind {data.schema.kind}")
    }


def _from_preset(recipe: Recipe, preset: Any) -> dict[str, Choice]:
    """The preset's values where the recipe is silent. A user's own optimiser takes its own defaults, not another's."""
    own_optimizer = recipe.optimizer.name not in ("auto", preset["optimizer.name"].value)
    chosen: dict[str, Choice] = {}
    tree = recipe.model_dump()
    for key, choice in preset.items():
        section, name = key.split(".")
        if tree[section][name] not in ("auto", None):
            continue
        if own_optimizer and section == "optimizer":
            continue
        chosen[key] = choice
    if own_optimizer:
        chosen |= _for_own_optimizer(recipe)
    return chosen


def _for_batch(recipe: Recipe, preset: Preset) -> dict[str, Choice]:
    """The preset's rate of stochastic gradient descent for batches that the user wants smaller: in proportion (Goyal et al. 2017, section 2.1)."""
    size, usual = recipe.train.batch_size, preset["train.batch_size"].value
    rate = preset["optimizer.lr"].value
    if not isinstance(size, int) or size >= usual or preset["optimizer.name"].value != "sgd" or rate == "find":
        return {}
    return {"optimizer.lr": Choice(rate * size / usual, f"{rate:.3g} for {usual} samples a step, in proportion")}


def _for_averages(recipe: Recipe, preset: Preset) -> dict[str, Choice]:
    """What snapshots, or an average over the last epochs, put in the place of the preset's values."""
    snapshots, changed = recipe.ensemble.snapshots, dict[str, Choice]()
    if snapshots:
        epochs = snapshots * max(1, math.ceil(preset["train.epochs"].value / 2))
        changed["schedule.name"] = Choice("cyclic-cosine", "each cycle ends in a minimum of its own")
        changed["train.epochs"] = Choice(epochs, f"{snapshots} cycles of half a training each")
    elif recipe.regularise.average == "swa":
        changed["schedule.name"] = Choice("swa", "the rate stays up while weights are averaged")
    return changed


def _schedule_options(recipe: Recipe, chosen: Mapping[str, Choice]) -> dict[str, Choice]:
    """Options of the schedule that follow from what is kept of the run."""
    name = chosen["schedule.name"].value if "schedule.name" in chosen else recipe.schedule.name
    given = recipe.schedule.options
    if name == "cyclic-cosine" and recipe.ensemble.snapshots and "cycles" not in given:
        return {"schedule.cycles": Choice(recipe.ensemble.snapshots, "one for each snapshot")}
    if name == "swa" and recipe.regularise.average_from is not None and "start" not in given:
        return {"schedule.start": Choice(recipe.regularise.average_from, "where the average begins")}
    return {}


def _for_own_optimizer(recipe: Recipe) -> dict[str, Choice]:
    """What goes with an optimiser that the preset does not know."""
    chosen: dict[str, Choice] = {}
    by_search = recipe.optimizer.name == "lbfgs"
    if recipe.optimizer.lr == "auto":
        chosen["optimizer.lr"] = (
            Choice(1.0, "its line search finds the length of a step")
            if by_search
            else Choice("find", f"no preset for {recipe.optimizer.name} with this net: a range test")
        )
    if recipe.schedule.name == "auto" and by_search:
        chosen["schedule.name"] = Choice("constant", "as its line search needs")
    if recipe.optimizer.weight_decay == "auto":
        chosen["optimizer.weight_decay"] = Choice(0.0, "none by default")
    if recipe.optimizer.bias_lr == "auto":
        chosen["optimizer.bias_lr"] = Choice(1.0, "as the weights")
    return chosen


def _augment(recipe: Recipe, data: Data) -> dict[str, Choice]:
    if not recipe.augment.auto:
        return {}
    off = {"augment.auto": Choice(False, "resolved: what is written here is all there is")}
    if recipe.optimizer.name == "lbfgs":  # which compares losses of one and the same batch
        return off
    if data.schema.kind == "text" and recipe.augment.word_dropout is None:
        return off | {"augment.word_dropout": Choice(WORD_DROPOUT, "so that no single word decides")}
    if data.schema.kind == "sound" and not recipe.augment.given():
        return off | {
            "augment.translate": Choice(0.1, "sounds: begun earlier or later"),
            "augment.noise": Choice(0.1, "sounds: with some noise"),
        }
    if data.schema.kind != "image":
        return off
    settings, reason = auto_augment(data.schema.shape, len(data.train), data.train.some(LOOKS))
    if recipe.train.effort == "quick":
        settings = {key: value for key, value in settings.items() if key in QUICK_CHANGES}
    given = recipe.augment.given()
    for number, (key, value) in enumerate((k, v) for k, v in settings.items() if k not in given):
        off[f"augment.{key}"] = Choice(value, "likewise" if number else reason)
    return off


def _rest(recipe: Recipe, data: Data) -> dict[str, Choice]:
    chosen: dict[str, Choice] = {}
    samples = len(data.train)
    chosen |= _loss(recipe)
    if recipe.train.batch_size == "full" or recipe.optimizer.name == "lbfgs":
        chosen["train.batch_size"] = Choice(samples, "the whole training part in every step")
    size = int(chosen["train.batch_size"].value if "train.batch_size" in chosen else recipe.train.batch_size)
    steps = -(-samples // size)
    if data.task == "language" and recipe.train.micro_batches > 1:
        raise UsageError(
            "a batch that goes on from the one before cannot be cut into pieces",
            where="train.micro_batches",
            got=recipe.train.micro_batches,
            fix="a smaller --batch-size",
        )
    if recipe.stop.monitor not in ("auto", *MONITORS[data.task]):
        raise UsageError(
            "the figure to watch does not fit the targets",
            where="stop.monitor",
            got=f"{recipe.stop.monitor} for {data.task}",
            expected=" or ".join(MONITORS[data.task]),
        )
    if recipe.stop.monitor == "auto":
        monitor = "loss" if data.task in ("values", "language") else MONITORS[data.task][0]
        chosen["stop.monitor"] = Choice(monitor, "what the user wants of it")
    if recipe.stop.patience == "auto":
        falling = recipe.schedule.name in ("one-cycle", "cosine", "cyclic-cosine", "swa")
        chosen["stop.patience"] = (
            Choice(
                "never", f"{recipe.schedule.name} does best at its end; the best epoch's weights are kept all the same"
            )
            if falling
            else Choice(10, "ten epochs without improvement")
        )
    if recipe.train.record_every == "auto":
        chosen["train.record_every"] = Choice(max(1, min(50, steps // 10)), "about ten records an epoch")
    return chosen


def _loss(recipe: Recipe) -> dict[str, Choice]:
    """The options of the loss that was chosen."""
    if mistakes := loss_mistakes(recipe):
        raise all_at_once(mistakes)
    if recipe.loss.name == "map" and not recipe.loss.j:
        return {"loss.j": Choice(J, "the paper gives none; on MNIST 3 did as well, 20 worse")}
    return {}


def outputs_of(recipe: Recipe, data: Data) -> int:
    """How many numbers the network puts out."""
    if data.task == "values":
        return len(data.outputs)
    if data.task != "classes":
        return len(data.classes)
    return 1 if recipe.loss.name == "binary" else len(data.classes)
