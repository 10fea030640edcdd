"""The faults that are planted in drawn hosts: what is broken, how strongly (drawn from a range), where it can be, and which diagnoses are right.

**Which diagnoses are right**, by rule and before anything is scored: the fault's own id, and another one only where a user who follows its advice undoes the fault.

- A rate s times too high: ``lr-much-too-high`` ("divide by 10 to 100") is right from s = 10 on, ``lr-too-high`` ("by 3 to 10") up to s = 30, after which its advice leaves the rate more
  than three times too high. ``loss-exploding`` is the lectures' own stop for a rate far too high, as it was in the catalogue.
- A rate that a schedule lowers or raises: the id of the rate that comes of it (``lr-too-low``, ``lr-too-high``).
- Learning by heart early and late have one advice.
- Weights of the wrong size: the id of what they do first (``vanishing-gradient``, ``initial-loss-high``, ``slow-start``), whose advice is the same change of the initial weights.
- A few wild rows: ``inputs-unscaled``, whose advice is to look at them and at the scaling.

No other pair is merged: "underfitting" is wrong for a rate that is too low, "dead-units" for one that is too high, although it may have killed them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.case import Case, Setup
from benchmarks.diagnosis.drawn import DRAWS, VALUES, between, chance, hosts, sound
from benchmarks.diagnosis.faults import SAME_OVERSHOOT, SATURATING, TOO_LARGE, WHEN

PER_FAULT = {"practised": 6, "again": 5, "unseen": 5}
IMAGES = {"digits", "mnist", "notmnist", "spoken", "creatures"}
BYTES = {"mnist", "notmnist", "creatures"}
NUMERIC = {"wine", "wine-values", "diabetes", "tumours", "housing", "red-wine-values", "friedman"}
LARGE_UNITS = BYTES | {"adult", "wine", "wine-values", "diabetes", "tumours", "housing", "red-wine-values"}
TABLES = NUMERIC | {"adult", "papers", "reviews"}
MANY_FEATURES = IMAGES | {"tumours", "papers", "reviews"}
LONG = {"mnist": 28, "notmnist": 28, "temperatures": 30, "spoken": 24, "chaos": 25, "characters": 12}  # time steps
CLASSES = {
    "digits": 10,
    "mnist": 10,
    "notmnist": 10,
    "spoken": 10,
    "papers": 7,
    "rings": 4,
    "characters": 3,
}  # where more than two
ELSEWHERE = "in the validation figures: they do not speak of the data that were trained on"
LOST = "in the batches with it, which teach nothing, and in training figures that cannot be told"
ALONE = "an answer depends on what else is in the batch; alone, a sample cannot be judged"
ADAM: dict[str, Any] = {"optimizer": "adam", "optimizer_options": {}, "weight_decay": 0.0}
BY_ADVICE = "dividing the rate as this finding advises undoes the fault"


def _always(setup: Setup) -> bool:
    return True


@dataclass(frozen=True)
class Recipe:
    """A way to plant a fault.

    Attributes:
        fault: id of the rule that is meant.
        variant: end of the case's name.
        how: what was broken; ``{s}`` is the strength.
        change: (host, strength) -> fields that change.
        low: smallest strength.
        high: largest one.
        fits: hosts in which it can be.
        also: other ids that are right.
        because: why.
        elsewhere: where the harm is.
    """

    fault: str
    variant: str
    how: str
    change: Callable[[Setup, float], dict[str, Any]]
    low: float = 1.0
    high: float = 1.0
    fits: Callable[[Setup], bool] = _always
    also: tuple[str, ...] = ()
    because: str = ""
    elsewhere: str = ""


def _rate(setup: Setup, strength: float) -> dict[str, Any]:
    return {"lr": setup.lr * strength}


def _lower(setup: Setup, strength: float) -> dict[str, Any]:
    return {"lr": setup.lr / strength}


def _spoil(name: str, strength: float | None = None, **more: Any) -> Callable[[Setup, float], dict[str, Any]]:
    return lambda setup, drawn: {
        "spoilt": (*setup.spoilt, (name, drawn if strength is None else strength)),
        **more,
    }


def _option(**options: Any) -> Callable[[Setup, float], dict[str, Any]]:
    return lambda setup, strength: {"options": {**setup.options, **options}}


def _classes(setup: Setup) -> bool:
    return setup.data not in VALUES


def _entropy(setup: Setup) -> bool:
    return _classes(setup) and setup.loss == "cross-entropy"


def _of(*nets: str) -> Callable[[Setup], bool]:
    return lambda setup: setup.net in nets


def _both(*tests: Callable[[Setup], bool]) -> Callable[[Setup], bool]:
    return lambda setup: all(test(setup) for test in tests)


def _data(names: set[str]) -> Callable[[Setup], bool]:
    return lambda setup: setup.data in names


def _plain(setup: Setup) -> bool:
    """Rectified or alike, and no norm that would undo a change of the weights' size."""
    plain = setup.net in ("mlp", "convolutional", "lenet5") and not setup.options.get("batch_norm")
    return plain and setup.options.get("activation", "relu") in ("relu", "gelu")


def _rectified(setup: Setup) -> bool:
    return _plain(setup) and setup.options.get("activation", "relu") == "relu"


def _squashed(setup: Setup) -> bool:
    return setup.options.get("activation") in ("tanh", "sigmoid") and not setup.options.get("batch_norm")


def _normed(setup: Setup) -> bool:
    return bool(setup.options.get("batch_norm")) or setup.net in ("strided", "resnet")


def _dropping(setup: Setup) -> bool:
    return bool(setup.options.get("dropout"))


def _sgd(setup: Setup) -> bool:
    return setup.optimizer == "sgd"


_recurrent = _of("gru", "lstm", "rnn")


def _early_decay(setup: Setup, strength: float) -> dict[str, Any]:
    every = max(1, round(setup.epochs / 8))
    return {"schedule": "step", "schedule_options": {"every": every, "factor": 1 / strength}}


def _few(part: float, **more: Any) -> Callable[[Setup, float], dict[str, Any]]:
    def change(setup: Setup, strength: float) -> dict[str, Any]:
        samples = max(100, round(setup.samples / part))
        options = {**setup.options, "hidden": (400, 200), "dropout": 0.0}
        epochs = round(500 * setup.batch_size / samples)
        return {
            "samples": samples,
            "epochs": epochs,
            "options": options,
            "schedule": "constant",
            "schedule_options": {},
        } | more

    return change


def _deep(activation: str, layers: int, init: str, scale: bool = False) -> Callable[[Setup, float], dict[str, Any]]:
    def change(setup: Setup, strength: float) -> dict[str, Any]:
        options = {"hidden": (56,) * layers, "activation": activation, "batch_norm": False, "dropout": 0.0}
        spoilt = (*setup.spoilt, ("scale-weights", strength)) if scale else setup.spoilt
        return {"options": options, "init": init, "spoilt": spoilt}

    return change


def _as_values(setup: Setup, strength: float) -> dict[str, Any]:
    spoilt = (*setup.spoilt, ("classes-as-values", 1.0))
    return {"spoilt": spoilt, "loss": "squared", "loss_options": {}, "outputs": 1, "lr": setup.lr / 10}


def _tiny_batches(setup: Setup, strength: float) -> dict[str, Any]:
    return {"batch_size": 2, "epochs": 2, "samples": min(setup.samples, 500), "lr": setup.lr / 10}


def _pieces(setup: Setup, strength: float) -> dict[str, Any]:
    return {"micro_batches": setup.batch_size // 2, "epochs": 3, "samples": min(setup.samples, 900)}


RECIPES: tuple[Recipe, ...] = (
    Recipe("lr-too-low", "low", "the rate divided by {s:g}", _lower, 10, 1000),
    Recipe("lr-too-high", "high", "{s:g} times the rate", _rate, 5, 9.5),
    Recipe(
        "lr-too-high",
        "higher",
        "{s:g} times the rate",
        _rate,
        10,
        20,
        also=("lr-much-too-high",),
        because=BY_ADVICE,
    ),
    Recipe(
        "lr-much-too-high",
        "much",
        "{s:g} times the rate",
        _rate,
        40,
        1000,
        also=("loss-exploding",),
        because=SAME_OVERSHOOT,
    ),
    Recipe(
        "loss-exploding",
        "much",
        "{s:g} times the rate of a regression or of a linear net",
        _rate,
        50,
        1000,
        lambda setup: _sgd(setup) and (setup.data in VALUES or setup.net == "linear"),
        also=("lr-much-too-high",),
        because=SAME_OVERSHOOT,
    ),
    Recipe(
        "divergence",
        "uphill",
        "the optimiser maximises, at the rate divided by {s:g}",
        lambda setup, s: {"spoilt": (*setup.spoilt, ("uphill", 1.0)), "lr": setup.lr / s},
        4,
        10,
        also=("loss-exploding",),
        because="the loss rises without end, whichever of the two says so",
    ),
    Recipe(
        "divergence",
        "rising-rate",
        "the schedule multiplies the rate by {s:g} over the run",
        _spoil("rising-rate"),
        40,
        150,
        _sgd,
        also=("lr-too-high",),
        because="the rate is what makes it rise",
    ),
    Recipe(
        "plateau",
        "early-decay",
        "the rate is divided by {s:g} after each eighth of the run",
        _early_decay,
        15,
        100,
        also=("lr-too-low",),
        because="the loss stands still since the rate has become too low",
    ),
    Recipe(
        "loss-spike",
        "glitch",
        "from the third epoch on one batch an epoch arrives as {s:g} times its size",
        _spoil("glitch"),
        40,
        120,
    ),
    Recipe(
        "loss-spike",
        "rate-jump",
        "in the middle of the run the rate is {s:g} times as high for some steps",
        _spoil("rate-jump"),
        40,
        100,
    ),
    Recipe(
        "loss-spike",
        "rows",
        "one training row in a thousand, or one, is {s:g} times as large as it should be",
        _spoil("outlier-rows"),
        40,
        100,
        _data(NUMERIC),
        also=("inputs-unscaled",),
        because="the rows are large inputs, which can be seen before the first step",
    ),
    Recipe(
        "loss-not-finite",
        "naive-softmax",
        "exponentials of {s:g} times the answers overflow in a softmax written by hand",
        _spoil("naive-softmax"),
        16,
        60,
        _entropy,
    ),
    Recipe(
        "loss-not-finite",
        "log-of-zero",
        "the logarithm of probabilities that are rounded to zero (a temperature of 1/{s:g})",
        _spoil("log-of-softmax"),
        10,
        40,
        _entropy,
    ),
    Recipe(
        "loss-not-finite",
        "logarithm",
        "the net takes logarithms of its inputs plus {s:g}, some of which are negative",
        _spoil("log-of-inputs"),
        1.5,
        3,
        _data(NUMERIC | IMAGES),
    ),
    Recipe(
        "clipping-always",
        "short",
        "gradients clipped to a norm of {s:g}",
        lambda setup, s: {"clip": s},
        0.004,
        0.02,
        _sgd,
    ),
    Recipe("penalty-dominates", "l2", "an L2 penalty of {s:g}", lambda setup, s: {"l2": s}, 0.05, 0.3),
    Recipe(
        "penalty-dominates",
        "decay",
        "a decoupled weight decay of {s:g}",
        lambda setup, s: {"weight_decay": s},
        20,
        100,
        lambda setup: setup.optimizer == "adamw",
    ),
    Recipe("slow-start", "zero", "all weights zero", lambda setup, s: {"init": "zero"}, fits=_plain),
    Recipe(
        "slow-start",
        "constant",
        "all weights {s:g}",
        _spoil("constant-weights"),
        0.005,
        0.05,
        lambda setup: _plain(setup) or _recurrent(setup),
    ),
    Recipe(
        "slow-start",
        "small",
        "weights {s:g} times as large",
        _spoil("scale-weights"),
        0.02,
        0.2,
        _plain,
        also=("vanishing-gradient",),
        because="small weights make small gradients: cause and mechanism of one trouble",
    ),
    Recipe(
        "slow-start",
        "large",
        "weights {s:g} times as large",
        _spoil("scale-weights"),
        4,
        12,
        _plain,
        also=("initial-loss-high",),
        because=TOO_LARGE,
    ),
    Recipe(
        "initial-loss-high",
        "head",
        "weights of the last layer {s:g} times as large",
        _spoil("scale-head"),
        20,
        80,
        lambda setup: setup.net != "linear",
    ),
    Recipe(
        "vanishing-gradient",
        "sigmoid",
        "nine hidden layers of sigmoids",
        _deep("sigmoid", 9, ""),
        fits=_of("mlp"),
    ),
    Recipe(
        "vanishing-gradient",
        "tanh",
        "fourteen layers of tanh with torch's own small weights",
        _deep("tanh", 14, ""),
        fits=_of("mlp"),
    ),
    Recipe(
        "vanishing-gradient",
        "recurrence",
        "recurrent weights {s:g} times as large",
        _spoil("scale-recurrence"),
        0.2,
        0.45,
        _both(_of("rnn"), lambda setup: LONG.get(setup.data, 0) >= 24),
    ),
    Recipe(
        "exploding-gradient",
        "recurrence",
        "recurrent weights {s:g} times as large, and no clipping",
        _spoil("scale-recurrence", clip=None),
        3,
        5,
        _both(_of("rnn"), lambda setup: LONG.get(setup.data, 0) >= 12),
    ),
    Recipe(
        "exploding-gradient",
        "deep",
        "eight layers with weights {s:g} times as large as they should be",
        _deep("relu", 8, "he", scale=True),
        1.6,
        2.2,
        _of("mlp"),
        also=("initial-loss-high",),
        because="the same growth from layer to layer makes answers and gradients too large",
    ),
    Recipe(
        "dead-units",
        "bias",
        "hidden biases start at −{s:g}",
        lambda setup, s: {"spoilt": (*setup.spoilt, ("hidden-biases", -s))},
        1,
        3,
        _rectified,
    ),
    Recipe(
        "saturation",
        "large",
        "weights {s:g} times as large",
        _spoil("scale-weights"),
        8,
        30,
        _squashed,
        also=("slow-start",),
        because=SATURATING,
    ),
    Recipe(
        "outputs-collapsed",
        "zeros",
        "the net is fed zeros instead of its input",
        _spoil("ignores-input", 1.0),
    ),
    Recipe(
        "outputs-collapsed",
        "first-state",
        "the head reads a state that has seen nothing",
        _spoil("first-state", 1.0),
        fits=_recurrent,
    ),
    Recipe(
        "outputs-collapsed",
        "norm-over-one",
        "layer norm over a single number, which leaves zero",
        _spoil("norm-over-one", 1.0),
        fits=_of("mlp"),
    ),
    Recipe(
        "overfitting",
        "few",
        "a sixth of the samples, a wide net, Adam, many epochs",
        _few(6, **ADAM, lr=1e-3),
        fits=_both(_of("mlp"), _classes),
        also=("early-overfit",),
        because=WHEN,
    ),
    Recipe(
        "early-overfit",
        "few",
        "an eighth of the samples, a wide net, Adam, many epochs",
        _few(8, **ADAM, lr=3e-3),
        fits=_both(_of("mlp"), _classes),
        also=("overfitting",),
        because=WHEN,
    ),
    Recipe(
        "underfitting",
        "narrow",
        "hidden layers of two units",
        _option(hidden=(2, 2)),
        fits=_both(_of("mlp"), _classes),
    ),
    Recipe(
        "underfitting", "states", "two recurrent units", _option(hidden=2), fits=_both(_of("gru", "lstm"), _classes)
    ),
    Recipe(
        "underfitting",
        "linear",
        "a linear net for curved borders",
        lambda setup, s: {"net": "linear", "options": {}, "init": ""},
        fits=_data({"rings", "spirals"}),
    ),
    Recipe(
        "underfitting",
        "dropout",
        "dropout of {s:g} after every hidden layer",
        lambda setup, s: {"options": {**setup.options, "dropout": s}},
        0.85,
        0.95,
        _both(_of("mlp"), _classes),
    ),
    Recipe("softmax-twice", "end", "softmax in the net and in the loss", _spoil("softmax-at-end", 1.0), fits=_entropy),
    Recipe("wrong-loss", "sigmoid", "cross-entropy on sigmoids", _spoil("sigmoid-at-end", 1.0), fits=_entropy),
    Recipe(
        "wrong-loss", "relu", "cross-entropy on what a ReLU lets through", _spoil("relu-at-end", 1.0), fits=_entropy
    ),
    Recipe("wrong-loss", "tanh", "cross-entropy on tanh", _spoil("tanh-at-end", 1.0), fits=_entropy),
    Recipe(
        "wrong-loss",
        "values",
        "the class number learned as a value with squared loss",
        _as_values,
        fits=_data(set(CLASSES)),
    ),
    Recipe("labels-unrelated", "shuffled", "labels shuffled", _spoil("shuffled-labels", 1.0)),
    Recipe(
        "labels-unrelated",
        "shifted",
        "each label is that of the row before",
        _spoil("shifted-labels", 1.0),
        fits=_classes,
    ),
    Recipe(
        "labels-noisy",
        "wrong",
        "a share {s:g} of the labels is wrong",
        _spoil("noisy-labels"),
        0.25,
        0.45,
        lambda setup: CLASSES.get(setup.data, 0) >= 4,
    ),
    Recipe("inputs-unscaled", "raw", "inputs in their own units", _spoil("raw", 1.0), fits=_data(LARGE_UNITS)),
    Recipe(
        "inputs-unscaled",
        "large",
        "inputs {s:g} times as large",
        _spoil("scaled"),
        20,
        150,
        lambda setup: setup.data != "papers",
    ),
    Recipe(
        "inputs-unscaled",
        "small",
        "inputs divided by {s:g}",
        lambda setup, s: {"spoilt": (*setup.spoilt, ("scaled", 1 / s))},
        60,
        300,
        lambda setup: setup.data != "papers",
    ),
    Recipe(
        "inputs-unscaled",
        "column",
        "one column {s:g} times as large as the others",
        _spoil("one-column-large"),
        200,
        1000,
        _data(NUMERIC),
    ),
    Recipe("inputs-constant", "zeros", "every input is zero", _spoil("zeros", 0.0)),
    Recipe("inputs-constant", "first", "every input is the first one", _spoil("first-sample", 0.0)),
    Recipe(
        "inputs-constant",
        "columns",
        "all but a share {s:g} of the features are constant",
        _spoil("most-columns-constant"),
        0.05,
        0.12,
        _data(MANY_FEATURES),
    ),
    Recipe(
        "inputs-constant",
        "division",
        "bytes divided by 255 without remainder",
        _spoil("whole-division", 255.0),
        fits=_data(BYTES),
    ),
    Recipe(
        "inputs-not-finite",
        "rows",
        "a missing value in {s:.0f} rows",
        _spoil("not-finite-rows"),
        1,
        6,
        elsewhere=LOST,
    ),
    Recipe(
        "inputs-not-finite",
        "logarithm",
        "the logarithm of zero in a share {s:g} of one column",
        _spoil("not-finite-column"),
        0.01,
        0.1,
        _data(TABLES),
    ),
    Recipe(
        "leaking-input",
        "column",
        "one column is the target with {s:g} of noise",
        _spoil("leak"),
        0.01,
        0.25,
        lambda setup: setup.data in TABLES and setup.data not in CLASSES,
    ),
    Recipe(
        "class-imbalance",
        "rare",
        "all classes but the first are {s:g} times as rare",
        _spoil("imbalance"),
        15,
        40,
        lambda setup: _classes(setup) and setup.data != "tumours",
    ),
    Recipe(
        "no-shuffling",
        "sorted",
        "sorted by class or value, never shuffled",
        _spoil("sorted-by-class", 1.0, shuffle=False),
    ),
    Recipe(
        "distribution-shift",
        "brightness",
        "the validation inputs are {s:g} standard deviations larger",
        _spoil("validation-offset"),
        0.7,
        1.5,
        _data(IMAGES | NUMERIC),
        elsewhere=ELSEWHERE,
    ),
    Recipe(
        "distribution-shift",
        "moved",
        "{s:.0f} columns of the validation part have moved by two standard deviations",
        _spoil("validation-columns-moved"),
        3,
        6,
        _data(NUMERIC),
        elsewhere=ELSEWHERE,
    ),
    Recipe(
        "distribution-shift",
        "noise",
        "the validation inputs have noise of {s:g} standard deviations",
        _spoil("validation-noise"),
        1.0,
        1.8,
        _data(IMAGES | NUMERIC),
        elsewhere=ELSEWHERE,
    ),
    Recipe(
        "distribution-shift",
        "inverted",
        "the validation images are inverted",
        _spoil("validation-inverted", 1.0),
        fits=_data(IMAGES),
        elsewhere=ELSEWHERE,
    ),
    Recipe(
        "validation-leak",
        "share",
        "a share {s:g} of the validation samples was trained on",
        _spoil("validation-from-training"),
        0.25,
        1.0,
        elsewhere="in the validation figures: they promise what fresh data do not keep",
    ),
    Recipe(
        "targets-unscaled",
        "units",
        "targets that vary by {s:g} and lie at five times that",
        _spoil("targets-in-units"),
        50,
        1000,
        _data(VALUES),
    ),
    Recipe("outputs-mismatch", "from-one", "classes counted from 1", _spoil("classes-from-one", 1.0), fits=_classes),
    Recipe(
        "outputs-mismatch",
        "many",
        "hundreds of outputs for some classes",
        lambda setup, s: {"outputs": round(s)},
        200,
        1000,
        _classes,
    ),
    Recipe("batch-too-small-for-norm", "two", "batches of two", _tiny_batches, fits=_normed),
    Recipe("batch-too-small-for-norm", "pieces", "batches cut into pieces of two", _pieces, fits=_normed),
    Recipe(
        "stuck-in-eval",
        "norms",
        "batch norm never learns its statistics",
        _spoil("norms-stuck-in-eval", 1.0),
        fits=_normed,
    ),
    Recipe("stuck-in-eval", "dropout", "dropout never drops", _spoil("dropouts-stuck-in-eval", 1.0), fits=_dropping),
    Recipe(
        "stuck-in-train",
        "function",
        "dropout by a function that drops in evaluation too",
        _spoil("dropout-function"),
        0.4,
        0.7,
        _dropping,
    ),
    Recipe(
        "stuck-in-train",
        "module",
        "dropout modules that ignore eval()",
        _spoil("dropout-stuck-in-train"),
        0.4,
        0.7,
        _dropping,
    ),
    Recipe(
        "stuck-in-train",
        "norms",
        "batch norm uses the batch's statistics in evaluation",
        _spoil("norms-without-memory", 1.0),
        fits=_normed,
        elsewhere=ALONE,
    ),
    Recipe(
        "frozen-parameters",
        "all-but-head",
        "all layers but the last frozen at random weights",
        _spoil("frozen-all-but-head", 1.0),
        fits=lambda setup: setup.net != "linear",
    ),
    Recipe(
        "frozen-parameters",
        "first",
        "the first layer frozen at random weights",
        _spoil("frozen-first", 2.0),
        fits=_of("mlp", "residual"),
    ),
    Recipe(
        "unreached-parameters",
        "detached",
        "the gradient's way is cut before the last layer",
        _spoil("detached", -1.0),
        fits=_of("mlp", "convolutional", "strided", "residual"),
    ),
    Recipe(
        "unreached-parameters",
        "state",
        "the state is detached before the head",
        _spoil("detached-state", 1.0),
        fits=_recurrent,
    ),
    Recipe(
        "unreached-parameters",
        "forgotten",
        "the hidden layers are never called",
        _spoil("forgotten-layers", 1.0),
        fits=_of("mlp"),
    ),
    Recipe(
        "not-optimised",
        "head-alone",
        "the optimiser was given the last layer alone",
        _spoil("head-alone-optimised", 1.0),
        fits=lambda setup: setup.net != "linear",
    ),
    Recipe(
        "not-optimised",
        "old-head",
        "the head was replaced after the optimiser had been made",
        _spoil("old-optimised", 1.0),
    ),
    Recipe(
        "not-optimised",
        "first",
        "the optimiser does not know the first layer",
        _spoil("first-not-optimised", 2.0),
        fits=_of("mlp", "residual", "convolutional"),
    ),
)


def planted(folder: Path, draw: str) -> list[Case]:
    """The faults of a draw, in healthy hosts that are recorded: so many of each kind, its recipes in turn, each host once for a kind."""
    kept = sound(folder, draw)
    healthy = [case for case in hosts(folder, draw) if case.name in kept]
    found = []
    for fault in dict.fromkeys(recipe.fault for recipe in RECIPES):
        ways = [recipe for recipe in RECIPES if recipe.fault == fault]
        start = int(chance(draw, fault) * len(ways))
        used: set[str] = set()
        for number in range(PER_FAULT[draw]):
            for turn in range(len(ways)):
                recipe = ways[(start + number + turn) % len(ways)]
                fit = [host for host in healthy if host.name not in used and recipe.fits(host.setup)]
                if fit:
                    host = min(fit, key=lambda each: chance(fault, number, "in", each.name))
                    used.add(host.name)
                    found.append(_case(recipe, host))
                    break
    return found


def _case(recipe: Recipe, host: Case) -> Case:
    name = f"{recipe.fault}--{host.name}--{recipe.variant}"
    strength = between(recipe.low, recipe.high, name)
    return Case(
        name,
        replace(host.setup, **recipe.change(host.setup, strength)),
        recipe.fault,
        recipe.how.format(s=strength),
        (recipe.fault, *recipe.also),
        recipe.because,
        host.name,
        recipe.elsewhere,
    )


assert set(DRAWS) == set(PER_FAULT)
