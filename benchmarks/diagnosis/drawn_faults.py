"""The faults that are planted in drawn hosts: what is broken, how strongly (drawn from a range), where it can be, and which diagnoses are right.

**Which diagnoses are right**, by rule and before anything is scored: the fault's own id, and another one only where a user who follows its advice undoes the fault.

- A rate s times too high: ``lr-much-too-high`` ("divide by 10 to 100") is right from s = 10 on, ``lr-too-high`` ("by 3 to 10") up to s = 30, after which its advice leaves the rate more
  than three times too high. ``loss-exploding`` is the lectures' own stop for a rate far too high, as it was in the catalogue.
- A rate that a schedule lowers or raises: the id of the schedule (``lr-decays-early``, ``lr-rises``) or of the rate that comes of it (``lr-too-low``, ``lr-too-high``).
- Learning by heart early and late have one advice.
- Weights of the wrong size: the id of what they do first (``vanishing-gradient``, ``initial-loss-high``, ``slow-start``), whose advice is the same change of the initial weights.
- A few wild rows: ``inputs-unscaled``, whose advice is to look at them and at the scaling.

No other pair is merged: "underfitting" is wrong for a rate that is too low, "dead-units" for one that is too high, although it may have killed them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.drawn import DRAWS, VALUES, between, chance, hosts, sound
from benchmarks.diagnosis.faults import SAME_OVERSHOOT, SATURATING, TOO_LARGE, WHEN
from benchmarks.diagnosis.plantings import (
    Planting,
    all_of,
    by_cross_entropy,
    by_sgd,
    classes_as_values,
    decayed_early,
    deep,
    dropping,
    in_pieces,
    in_tiny_batches,
    normed,
    of_data,
    of_nets,
    plain,
    rate_divided_by,
    rate_times,
    rectified,
    recurrent,
    spoilt_by,
    squashed,
    tells_classes,
    with_few_samples,
    with_options,
)

PER_FAULT = {
    "practised": 6,
    "again": 5,
    "unseen": 5,
    "later": 5,
    "further": 6,
    "first-half": 6,
    "second-half": 6,
    "another": 6,
    "yet-another": 6,
    "one-more": 6,
    "once-more": 6,
    "last": 6,
    "draw-91": 6,
    "draw-101": 6,
    "draw-111": 6,
    "draw-121": 6,
    "draw-131": 6,
    "draw-141": 6,
    "draw-151": 6,
    "draw-161": 6,
    "draw-171": 6,
    "draw-181": 6,
    "draw-191": 6,
    "draw-201": 6,
}
BYTES = {"mnist", "notmnist", "creatures", "insects", "fonts", "vehicles", "glyphs"}
IMAGES = BYTES | {"digits", "spoken", "shapes", "speakers", "dots", "textures"}
OWN_UNITS = {"wine", "wine-values", "diabetes", "tumours", "housing", "red-wine-values", "circuit", "alcohol"}
NUMERIC = OWN_UNITS | {"friedman", "waveforms", "balls", "arm", "sphere", "clusters", "roll", "rank"}
LARGE_UNITS = BYTES | OWN_UNITS | {"adult", "hours"}
TABLES = NUMERIC | {"adult", "papers", "reviews", "sentences", "segments", "hours", "cited"}
MANY_FEATURES = IMAGES | {"tumours", "papers", "reviews", "sentences", "cited"}
LONG = {
    "mnist": 28,
    "notmnist": 28,
    "temperatures": 30,
    "spoken": 24,
    "chaos": 25,
    "characters": 12,
    "added": 30,
    "tones": 40,
    "brackets": 16,
    "speakers": 20,
    "glyphs": 14,
    "origins": 20,
    "counted": 20,
    "walks": 40,
    "recalled": 10,
    "pitch": 30,
}  # time steps
CLASSES = {
    "digits": 10,
    "mnist": 10,
    "notmnist": 10,
    "spoken": 10,
    "papers": 7,
    "rings": 4,
    "characters": 3,
    "sentences": 5,
    "fonts": 10,
    "shapes": 4,
    "waveforms": 3,
    "segments": 10,
    "tones": 5,
    "speakers": 6,
    "vehicles": 4,
    "glyphs": 5,
    "cited": 7,
    "clusters": 5,
    "counted": 5,
    "walks": 3,
    "recalled": 5,
    "dots": 5,
    "textures": 4,
}  # where more than two
ELSEWHERE = "in the validation figures: they do not speak of the data that were trained on"
LOST = "in the batches with it, which teach nothing, and in training figures that cannot be told"
ALONE = "an answer depends on what else is in the batch; alone, a sample cannot be judged"
ADAM: dict[str, Any] = {"optimizer": "adam", "optimizer_options": {}, "weight_decay": 0.0}
BY_ADVICE = "dividing the rate as this finding advises undoes the fault"


PLANTINGS: tuple[Planting, ...] = (
    Planting("lr-too-low", "low", "the rate divided by {s:g}", rate_divided_by, 10, 1000),
    Planting("lr-too-high", "high", "{s:g} times the rate", rate_times, 5, 9.5),
    Planting(
        "lr-too-high",
        "higher",
        "{s:g} times the rate",
        rate_times,
        10,
        20,
        also=("lr-much-too-high",),
        because=BY_ADVICE,
    ),
    Planting(
        "lr-much-too-high",
        "much",
        "{s:g} times the rate",
        rate_times,
        40,
        1000,
        also=("loss-exploding",),
        because=SAME_OVERSHOOT,
    ),
    Planting(
        "loss-exploding",
        "much",
        "{s:g} times the rate of a regression or of a linear net",
        rate_times,
        50,
        1000,
        lambda setup: by_sgd(setup) and (setup.data in VALUES or setup.net == "linear"),
        also=("lr-much-too-high",),
        because=SAME_OVERSHOOT,
    ),
    Planting(
        "divergence",
        "uphill",
        "the optimiser maximises, at the rate divided by {s:g}",
        lambda setup, s: {"spoilt": (*setup.spoilt, ("uphill", 1.0)), "lr": setup.lr / s},
        4,
        10,
        also=("loss-exploding",),
        because="the loss rises without end, whichever of the two says so",
    ),
    Planting(
        "divergence",
        "rising-rate",
        "the schedule multiplies the rate by {s:g} over the run",
        spoilt_by("rising-rate"),
        40,
        150,
        by_sgd,
        also=("lr-rises", "lr-too-high"),
        because="the rate is what makes it rise",
    ),
    Planting(
        "plateau",
        "early-decay",
        "the rate is divided by {s:g} after each eighth of the run",
        decayed_early,
        15,
        100,
        also=("lr-decays-early", "lr-too-low"),
        because="the loss stands still since the rate has become too low",
    ),
    Planting(
        "loss-spike",
        "glitch",
        "from the third epoch on one batch an epoch arrives as {s:g} times its size",
        spoilt_by("glitch"),
        40,
        120,
    ),
    Planting(
        "loss-spike",
        "rate-jump",
        "in the middle of the run the rate is {s:g} times as high for some steps",
        spoilt_by("rate-jump"),
        40,
        100,
    ),
    Planting(
        "loss-spike",
        "rows",
        "one training row in a thousand, or one, is {s:g} times as large as it should be",
        spoilt_by("outlier-rows"),
        40,
        100,
        of_data(NUMERIC),
        also=("inputs-unscaled",),
        because="the rows are large inputs, which can be seen before the first step",
    ),
    Planting(
        "loss-not-finite",
        "naive-softmax",
        "exponentials of {s:g} times the answers overflow in a softmax written by hand",
        spoilt_by("naive-softmax"),
        16,
        60,
        by_cross_entropy,
    ),
    Planting(
        "loss-not-finite",
        "log-of-zero",
        "the logarithm of probabilities that are rounded to zero (a temperature of 1/{s:g})",
        spoilt_by("log-of-softmax"),
        10,
        40,
        by_cross_entropy,
    ),
    Planting(
        "loss-not-finite",
        "logarithm",
        "the net takes logarithms of its inputs plus {s:g}, some of which are negative",
        spoilt_by("log-of-inputs"),
        1.5,
        3,
        of_data(NUMERIC | IMAGES),
    ),
    Planting(
        "clipping-always",
        "short",
        "gradients clipped to a norm of {s:g}",
        lambda setup, s: {"clip": s},
        0.004,
        0.02,
        by_sgd,
    ),
    Planting("penalty-dominates", "l2", "an L2 penalty of {s:g}", lambda setup, s: {"l2": s}, 0.05, 0.3),
    Planting(
        "penalty-dominates",
        "decay",
        "a decoupled weight decay of {s:g}",
        lambda setup, s: {"weight_decay": s},
        20,
        100,
        lambda setup: setup.optimizer == "adamw",
    ),
    Planting("slow-start", "zero", "all weights zero", lambda setup, s: {"init": "zero"}, fits=plain),
    Planting(
        "slow-start",
        "constant",
        "all weights {s:g}",
        spoilt_by("constant-weights"),
        0.005,
        0.05,
        lambda setup: plain(setup) or recurrent(setup),
    ),
    Planting(
        "slow-start",
        "small",
        "weights {s:g} times as large",
        spoilt_by("scale-weights"),
        0.02,
        0.2,
        plain,
        also=("vanishing-gradient",),
        because="small weights make small gradients: cause and mechanism of one trouble",
    ),
    Planting(
        "slow-start",
        "large",
        "weights {s:g} times as large",
        spoilt_by("scale-weights"),
        4,
        12,
        plain,
        also=("initial-loss-high",),
        because=TOO_LARGE,
    ),
    Planting(
        "initial-loss-high",
        "head",
        "weights of the last layer {s:g} times as large",
        spoilt_by("scale-head"),
        20,
        80,
        lambda setup: setup.net != "linear",
    ),
    Planting(
        "vanishing-gradient",
        "sigmoid",
        "nine hidden layers of sigmoids",
        deep("sigmoid", 9, ""),
        fits=of_nets("mlp"),
    ),
    Planting(
        "vanishing-gradient",
        "tanh",
        "fourteen layers of tanh with torch's own small weights",
        deep("tanh", 14, ""),
        fits=of_nets("mlp"),
    ),
    Planting(
        "vanishing-gradient",
        "recurrence",
        "recurrent weights {s:g} times as large",
        spoilt_by("scale-recurrence"),
        0.2,
        0.45,
        all_of(of_nets("rnn"), lambda setup: LONG.get(setup.data, 0) >= 24),
    ),
    Planting(
        "exploding-gradient",
        "recurrence",
        "recurrent weights {s:g} times as large, and no clipping",
        spoilt_by("scale-recurrence", clip=None),
        3,
        5,
        all_of(of_nets("rnn"), lambda setup: LONG.get(setup.data, 0) >= 12),
    ),
    Planting(
        "exploding-gradient",
        "deep",
        "eight layers with weights {s:g} times as large as they should be",
        deep("relu", 8, "he", scale=True),
        1.6,
        2.2,
        of_nets("mlp"),
        also=("initial-loss-high",),
        because="the same growth from layer to layer makes answers and gradients too large",
    ),
    Planting(
        "dead-units",
        "bias",
        "hidden biases start at −{s:g}",
        lambda setup, s: {"spoilt": (*setup.spoilt, ("hidden-biases", -s))},
        1,
        3,
        rectified,
    ),
    Planting(
        "saturation",
        "large",
        "weights {s:g} times as large",
        spoilt_by("scale-weights"),
        8,
        30,
        squashed,
        also=("slow-start",),
        because=SATURATING,
    ),
    Planting(
        "outputs-collapsed",
        "zeros",
        "the net is fed zeros instead of its input",
        spoilt_by("ignores-input", 1.0),
    ),
    Planting(
        "outputs-collapsed",
        "first-state",
        "the head reads a state that has seen nothing",
        spoilt_by("first-state", 1.0),
        fits=recurrent,
    ),
    Planting(
        "outputs-collapsed",
        "norm-over-one",
        "layer norm over a single number, which leaves zero",
        spoilt_by("norm-over-one", 1.0),
        fits=of_nets("mlp"),
    ),
    Planting(
        "overfitting",
        "few",
        "a sixth of the samples, a wide net, Adam, many epochs",
        with_few_samples(6, **ADAM, lr=1e-3),
        fits=all_of(of_nets("mlp"), tells_classes),
        also=("early-overfit",),
        because=WHEN,
    ),
    Planting(
        "early-overfit",
        "few",
        "an eighth of the samples, a wide net, Adam, many epochs",
        with_few_samples(8, **ADAM, lr=3e-3),
        fits=all_of(of_nets("mlp"), tells_classes),
        also=("overfitting",),
        because=WHEN,
    ),
    Planting(
        "underfitting",
        "narrow",
        "hidden layers of two units",
        with_options(hidden=(2, 2)),
        fits=all_of(of_nets("mlp"), tells_classes),
    ),
    Planting(
        "underfitting",
        "states",
        "two recurrent units",
        with_options(hidden=2),
        fits=all_of(of_nets("gru", "lstm"), tells_classes),
    ),
    Planting(
        "underfitting",
        "linear",
        "a linear net for curved borders",
        lambda setup, s: {"net": "linear", "options": {}, "init": ""},
        fits=of_data({"rings", "spirals", "squares", "balls", "sphere"}),
    ),
    Planting(
        "underfitting",
        "dropout",
        "dropout of {s:g} after every hidden layer",
        lambda setup, s: {"options": {**setup.options, "dropout": s}},
        0.85,
        0.95,
        all_of(of_nets("mlp"), tells_classes),
    ),
    Planting(
        "softmax-twice",
        "end",
        "softmax in the net and in the loss",
        spoilt_by("softmax-at-end", 1.0),
        fits=by_cross_entropy,
    ),
    Planting(
        "wrong-loss", "sigmoid", "cross-entropy on sigmoids", spoilt_by("sigmoid-at-end", 1.0), fits=by_cross_entropy
    ),
    Planting(
        "wrong-loss",
        "relu",
        "cross-entropy on what a ReLU lets through",
        spoilt_by("relu-at-end", 1.0),
        fits=by_cross_entropy,
    ),
    Planting("wrong-loss", "tanh", "cross-entropy on tanh", spoilt_by("tanh-at-end", 1.0), fits=by_cross_entropy),
    Planting(
        "wrong-loss",
        "values",
        "the class number learned as a value with squared loss",
        classes_as_values,
        fits=of_data(set(CLASSES)),
    ),
    Planting("labels-unrelated", "shuffled", "labels shuffled", spoilt_by("shuffled-labels", 1.0)),
    Planting(
        "labels-unrelated",
        "shifted",
        "each label is that of the row before",
        spoilt_by("shifted-labels", 1.0),
        fits=tells_classes,
    ),
    Planting(
        "labels-noisy",
        "wrong",
        "a share {s:g} of the labels is wrong",
        spoilt_by("noisy-labels"),
        0.25,
        0.45,
        lambda setup: CLASSES.get(setup.data, 0) >= 4,
    ),
    Planting("inputs-unscaled", "raw", "inputs in their own units", spoilt_by("raw", 1.0), fits=of_data(LARGE_UNITS)),
    Planting(
        "inputs-unscaled",
        "large",
        "inputs {s:g} times as large",
        spoilt_by("scaled"),
        20,
        150,
        lambda setup: setup.data != "papers",
    ),
    Planting(
        "inputs-unscaled",
        "small",
        "inputs divided by {s:g}",
        lambda setup, s: {"spoilt": (*setup.spoilt, ("scaled", 1 / s))},
        60,
        300,
        lambda setup: setup.data != "papers",
    ),
    Planting(
        "inputs-unscaled",
        "column",
        "one column {s:g} times as large as the others",
        spoilt_by("one-column-large"),
        200,
        1000,
        of_data(NUMERIC),
    ),
    Planting("inputs-constant", "zeros", "every input is zero", spoilt_by("zeros", 0.0)),
    Planting("inputs-constant", "first", "every input is the first one", spoilt_by("first-sample", 0.0)),
    Planting(
        "inputs-constant",
        "columns",
        "all but a share {s:g} of the features are constant",
        spoilt_by("most-columns-constant"),
        0.05,
        0.12,
        of_data(MANY_FEATURES),
    ),
    Planting(
        "inputs-constant",
        "division",
        "bytes divided by 255 without remainder",
        spoilt_by("whole-division", 255.0),
        fits=of_data(BYTES),
    ),
    Planting(
        "inputs-not-finite",
        "rows",
        "a missing value in {s:.0f} rows",
        spoilt_by("not-finite-rows"),
        1,
        6,
        elsewhere=LOST,
    ),
    Planting(
        "inputs-not-finite",
        "logarithm",
        "the logarithm of zero in a share {s:g} of one column",
        spoilt_by("not-finite-column"),
        0.01,
        0.1,
        of_data(TABLES),
    ),
    Planting(
        "leaking-input",
        "column",
        "one column is the target with {s:g} of noise",
        spoilt_by("leak"),
        0.01,
        0.25,
        lambda setup: setup.data in TABLES and setup.data not in CLASSES,
    ),
    Planting(
        "class-imbalance",
        "rare",
        "all classes but the first are {s:g} times as rare",
        spoilt_by("imbalance"),
        15,
        40,
        lambda setup: tells_classes(setup) and setup.data != "tumours",
    ),
    Planting(
        "no-shuffling",
        "sorted",
        "sorted by class or value, never shuffled",
        spoilt_by("sorted-by-class", 1.0, shuffle=False),
    ),
    Planting(
        "distribution-shift",
        "brightness",
        "the validation inputs are {s:g} standard deviations larger",
        spoilt_by("validation-offset"),
        0.7,
        1.5,
        of_data(IMAGES | NUMERIC),
        elsewhere=ELSEWHERE,
    ),
    Planting(
        "distribution-shift",
        "moved",
        "{s:.0f} columns of the validation part have moved by two standard deviations",
        spoilt_by("validation-columns-moved"),
        3,
        6,
        of_data(NUMERIC),
        elsewhere=ELSEWHERE,
    ),
    Planting(
        "distribution-shift",
        "noise",
        "the validation inputs have noise of {s:g} standard deviations",
        spoilt_by("validation-noise"),
        1.0,
        1.8,
        of_data(IMAGES | NUMERIC),
        elsewhere=ELSEWHERE,
    ),
    Planting(
        "distribution-shift",
        "inverted",
        "the validation images are inverted",
        spoilt_by("validation-inverted", 1.0),
        fits=of_data(IMAGES),
        elsewhere=ELSEWHERE,
    ),
    Planting(
        "validation-leak",
        "share",
        "a share {s:g} of the validation samples was trained on",
        spoilt_by("validation-from-training"),
        0.25,
        1.0,
        elsewhere="in the validation figures: they promise what fresh data do not keep",
    ),
    Planting(
        "targets-unscaled",
        "units",
        "targets that vary by {s:g} and lie at five times that",
        spoilt_by("targets-in-units"),
        50,
        1000,
        of_data(VALUES),
    ),
    Planting(
        "outputs-mismatch", "from-one", "classes counted from 1", spoilt_by("classes-from-one", 1.0), fits=tells_classes
    ),
    Planting(
        "outputs-mismatch",
        "many",
        "hundreds of outputs for some classes",
        lambda setup, s: {"outputs": round(s)},
        200,
        1000,
        tells_classes,
    ),
    Planting("batch-too-small-for-norm", "two", "batches of two", in_tiny_batches, fits=normed),
    Planting("batch-too-small-for-norm", "pieces", "batches cut into pieces of two", in_pieces, fits=normed),
    Planting(
        "stuck-in-eval",
        "norms",
        "batch norm never learns its statistics",
        spoilt_by("norms-stuck-in-eval", 1.0),
        fits=normed,
    ),
    Planting(
        "stuck-in-eval", "dropout", "dropout never drops", spoilt_by("dropouts-stuck-in-eval", 1.0), fits=dropping
    ),
    Planting(
        "stuck-in-train",
        "function",
        "dropout by a function that drops in evaluation too",
        spoilt_by("dropout-function"),
        0.4,
        0.7,
        dropping,
    ),
    Planting(
        "stuck-in-train",
        "module",
        "dropout modules that ignore eval()",
        spoilt_by("dropout-stuck-in-train"),
        0.4,
        0.7,
        dropping,
    ),
    Planting(
        "stuck-in-train",
        "norms",
        "batch norm uses the batch's statistics in evaluation",
        spoilt_by("norms-without-memory", 1.0),
        fits=normed,
        elsewhere=ALONE,
    ),
    Planting(
        "frozen-parameters",
        "all-but-head",
        "all layers but the last frozen at random weights",
        spoilt_by("frozen-all-but-head", 1.0),
        fits=lambda setup: setup.net != "linear",
    ),
    Planting(
        "frozen-parameters",
        "first",
        "the first layer frozen at random weights",
        spoilt_by("frozen-first", 2.0),
        fits=of_nets("mlp", "residual"),
    ),
    Planting(
        "unreached-parameters",
        "detached",
        "the gradient's way is cut before the last layer",
        spoilt_by("detached", -1.0),
        fits=of_nets("mlp", "convolutional", "strided", "residual"),
    ),
    Planting(
        "unreached-parameters",
        "state",
        "the state is detached before the head",
        spoilt_by("detached-state", 1.0),
        fits=recurrent,
    ),
    Planting(
        "unreached-parameters",
        "forgotten",
        "the hidden layers are never called",
        spoilt_by("forgotten-layers", 1.0),
        fits=of_nets("mlp"),
    ),
    Planting(
        "not-optimised",
        "head-alone",
        "the optimiser was given the last layer alone",
        spoilt_by("head-alone-optimised", 1.0),
        fits=lambda setup: setup.net != "linear",
    ),
    Planting(
        "not-optimised",
        "old-head",
        "the head was replaced after the optimiser had been made",
        spoilt_by("old-optimised", 1.0),
    ),
    Planting(
        "not-optimised",
        "first",
        "the optimiser does not know the first layer",
        spoilt_by("first-not-optimised", 2.0),
        fits=of_nets("mlp", "residual", "convolutional"),
    ),
)


def planted(folder: Path, draw: str) -> list[Case]:
    """The faults of a draw, in healthy hosts that are recorded: so many of each kind, its plantings in turn, each host once for a kind."""
    kept = sound(folder, draw)
    healthy = [case for case in hosts(folder, draw) if case.name in kept]
    found = []
    for fault in dict.fromkeys(planting.fault for planting in PLANTINGS):
        ways = [planting for planting in PLANTINGS if planting.fault == fault]
        start = int(chance(draw, fault) * len(ways))
        used: set[str] = set()
        for number in range(PER_FAULT[draw]):
            for turn in range(len(ways)):
                planting = ways[(start + number + turn) % len(ways)]
                fit = [host for host in healthy if host.name not in used and planting.fits(host.setup)]
                if fit:
                    host = min(fit, key=lambda each: chance(fault, number, "in", each.name))
                    used.add(host.name)
                    found.append(case_of(planting, host))
                    break
    return found


def case_of(planting: Planting, host: Case) -> Case:
    """The host with the fault, as strong as its name draws it."""
    name = f"{planting.fault}--{host.name}--{planting.variant}"
    strength = between(planting.low, planting.high, name)
    return Case(
        name,
        replace(host.setup, **planting.change(host.setup, strength)),
        planting.fault,
        planting.how.format(s=strength),
        (planting.fault, *planting.also),
        planting.because,
        host.name,
        planting.elsewhere,
    )


assert set(DRAWS) == set(PER_FAULT)
