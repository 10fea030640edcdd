"""The validation part is not like the training part."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import MUCH, usual_update
from glassnet.diagnose.targets_unscaled import far_value
from glassnet.events import Described, Epoch, Event, Finding

FACTOR, LEAST = 3.0, 0.5
FEW = 60  # samples of either part, below which a single column moves by chance
ALONE, COLUMNS = 1.2, 190  # of one feature, where each is a column and not a pixel that is rarely inked
SPREAD, WILD = 1.8, 25.0  # ratio; largest number over the spread
LABELS = 0.35
FAR = 1.6
KNOWN, SURE, EXPLAINED = 0.06, 5.0, 0.25  # accuracy that holds for one part alone, and standard errors; R²
COPIES = 0.05  # share of the samples
LEARNED, WORSE, EPOCHS = 0.8, 1.25, 2  # of the loss of the best constant answer: training loss and validation loss


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step by comparing inputs and labels of the two parts with what chance would make of them, or by what the first epoch taught."""
    if isinstance(event, Epoch):
        return _from_the_start(history, event)
    if not isinstance(event, Described) or not event.validation:
        return None
    seen = event.validation
    shift, noise = seen.get("shift", 0.0), seen.get("shift_noise", 0.0)
    spread = max(seen.get("spread_ratio", 1.0), 1 / max(seen.get("spread_ratio", 1.0), 1e-6))
    far, labels = seen.get("neighbour_distance_ratio", 1.0), seen.get("label_shift", 0.0)
    told = []
    if shift > FACTOR * noise and shift > LEAST:
        told.append(
            f"input means differ by {shift:.2f} standard deviations on average, where chance would make {noise:.2f} of it"
        )
    elif (
        min(seen.get("samples", 0), event.inputs.get("samples", 0)) >= FEW
        and seen.get("largest_shift", 0.0) > ALONE
        and event.inputs.get("features", 0) <= COLUMNS
    ):
        told.append(f"the mean of one input has moved by {seen['largest_shift']:.1f} of its standard deviations")
    if (
        spread > SPREAD and seen.get("spread_ratio") and not _wild(event)
    ):  # 0 where most columns are rarely anything but 0
        told.append(f"inputs have {seen['spread_ratio']:.2g} times the spread")
    if far > FAR:
        told.append(
            f"a validation sample lies {far:.1f} times as far from the nearest training sample as these lie from each other"
        )
    if labels > LABELS and _enough(event):
        told.append(f"{labels:.0%} of the labels would have to change for the classes to be as frequent")
    if lost := _lost(event):
        told.append(lost)
    if not told:
        return None
    evidence = {
        "shift": shift,
        "shift_noise": noise,
        "spread_ratio": seen.get("spread_ratio", 1.0),
        "label_shift": labels,
        "distance_ratio": far,
    }
    if seen.get("later"):  # nearly every series moves on, and many a network forecasts it well all the same
        return RULE.finding(
            0,
            "the validation part, which comes later in time, is unlike the training part: " + "; ".join(told),
            evidence,
            why="the series moves on: what comes later lies outside of what was before",
            advice="nothing, where the forecast beats the plain ones that are measured beside it; else forecast changes or ratios in place of values, or train on the most recent stretch alone",
            severity="info",
        )
    return RULE.finding(0, "the validation part is unlike the training part: " + "; ".join(told), evidence)


def _lost(event: Described) -> str:
    """What kernel ridge regression knows of training samples, each by the others, and not of validation samples; empty where that may be chance."""
    here, there = number(event.targets.get("kernel_knows")), number(event.validation.get("kernel_knows"))
    # Rows that occur twice answer for each other; where their copies were kept out of the other part, none there is answered so.
    if event.validation.get("same_among", 0.0) > event.validation.get("same_inputs", 0.0) + COPIES:
        return ""
    if event.task == "values":
        if far_value(event) is not None or not here - there > EXPLAINED:
            return ""
        return f"R² of kernel ridge regression is {here:.2f} on training samples, each answered from the others, and {there:.2f} on validation samples"
    count = max(min(event.targets.get("kernel_samples", 0), event.validation.get("samples", 0)), 1)  # of either
    both = (here + there) / 2
    chance = math.sqrt(2 * both * (1 - both) / count)
    if not here - there > max(KNOWN, SURE * chance):
        return ""
    return f"kernel ridge regression is right for {here:.1%} of the training samples, each answered from the others, and for {there:.1%} of the validation samples"


def _from_the_start(history: History, event: Epoch) -> Finding | None:
    """The first epoch has taught something that holds for training samples and not for validation.

    In it each sample was seen once, so hardly any can have been learned by heart; and an answer that looks at nothing would be better for validation.
    """
    constant = number(history.described.start.get("constant")) if history.described is not None else math.nan
    first = number(history.epochs[0].train.get("loss"))
    lowest = min(number(epoch.val.get("loss")) for epoch in history.epochs)
    classes = history.described is not None and history.described.task == "classes"
    if not classes or len(history.epochs) < EPOCHS or history.epochs[0].epoch != 0:
        return None
    # Steps that are long for the weights make a network sure of anything: that is another trouble.
    if usual_update(history) >= MUCH or not (first <= LEARNED * constant and lowest >= WORSE * constant):
        return None
    return RULE.finding(
        event.step,
        f"after one epoch the training loss was {first:.3g}, {first / constant:.2f} times that of the best constant answer, and validation loss was never below {lowest:.3g}, {lowest / constant:.2f} times that: what holds for training samples does not hold for validation",
        {"train_loss": first, "val_loss": lowest, "constant": constant},
    )


def _wild(event: Described) -> bool:
    """Whether a few training numbers are so large that they alone make the spread what it is."""
    largest = max(abs(event.inputs.get("min", 0.0)), abs(event.inputs.get("max", 0.0)))
    return bool(largest > WILD * event.inputs.get("std", math.inf))


def _enough(event: Described) -> bool:
    """Shares of classes are worth comparing only where there are enough samples of each."""
    classes = sum(count > 0 for count in event.targets.get("counts", ()))
    return bool(min(event.targets.get("samples", 0), event.validation.get("samples", 0)) >= 20 * max(classes, 1))


RULE = Rule(
    id="distribution-shift",
    title="Validation data unlike the training data",
    threshold=(
        f"mean difference of the inputs above {LEAST:g} standard deviations and {FACTOR:g} times what two halves of the training part show, or above {ALONE:g} for one of up to {COLUMNS} columns; or spread {SPREAD:g} times as large or small; or "
        f"validation samples {FAR:g} times as far away; or classes of which {LABELS:.0%} would have to change; or kernel ridge regression whose accuracy is {KNOWN:.0%} and {SURE:g} standard errors lower than among training samples (R² {EXPLAINED:g}); or a training loss of at most {LEARNED:g} times that of the best constant answer after the first epoch, and a validation loss of {WORSE:g} times that or more after {EPOCHS}, under updates that usually are less than {MUCH:.0%} of the weights; only recorded of a series, whose validation part comes later"
    ),
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "A network learns the data that it is shown. If the validation part comes from another camera, another preprocessing, another time or another mix of classes, its figure says how "
        "well the network does elsewhere, not how well it has learned: training looks fine, validation is bad from the first epoch, and no amount of training closes the gap."
    ),
    why="the validation part was gathered or preprocessed in another way, or the data were divided in the order of time or class",
    advice="preprocess both parts with the same figures (those of the training part), divide at random, or gather training data like those that will come",
    judge=judge,
    explains=("overfitting", "early-overfit", "labels-noisy", "underfitting"),
)
