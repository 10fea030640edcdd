"""Many labels are wrong."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import fallen, number, share
from glassnet.events import Epoch, Event, Finding

CLASSES = 4
WRONG = 80  # wrong answers on validation that are needed to say anything
ABOVE, KNOWING = 0.13, 0.175  # share at which the right class comes second, above chance, of what there is above it
BESIDE = 0.2  # the same where, besides, being sure helps little
SURE = 0.45  # of the accuracy that is lacking, what the surest quarter of the answers has; at most
ACCURACY = 0.25  # of what there is above chance
HALF = 0.45  # accuracy above which other mistakes than wrong labels are few
NEIGHBOURS = 0.1  # by which the nearest neighbour may be right more often than the network
EPOCHS = 3  # whose mean is taken, since a share of some hundred answers is noisy
LOOK = 0.5  # of the run: what is learned late looks like noise until then
LEARNED = 0.12  # of the loss


def judge(history: History, event: Event) -> Finding | None:
    """Found when the network has learned the task, and the labels that it gets wrong on validation are any class, not the similar one."""
    seen = history.described
    if not isinstance(event, Epoch) or seen is None or seen.task != "classes" or share(history) < LOOK:
        return None
    if fallen(history) < LEARNED:
        return None
    classes = sum(count > 0 for count in seen.targets.get("counts", ()))
    looks = history.epochs[-EPOCHS:]
    accuracy = number(event.val.get("accuracy"))
    second = sum(number(epoch.val.get("second")) for epoch in looks) / len(looks)
    samples = int(seen.validation.get("samples", 0))
    if classes < CLASSES or len(looks) < EPOCHS or not math.isfinite(second):
        return None
    if (1 - accuracy) * samples < WRONG or (accuracy - 1 / classes) / (1 - 1 / classes) < ACCURACY:
        return None
    # Where the neighbours' labels fit better than the network does, the labels are in order, and the network is not.
    if number(seen.targets.get("neighbour_agreement")) > accuracy + NEIGHBOURS:
        return None
    chance = 1 / (classes - 1)
    knowing = (second - chance) / (1 - chance)
    told = [(number(epoch.val.get("sure")), number(epoch.val.get("accuracy"))) for epoch in looks]
    gain = sum((sure - right) / max(1 - right, 1e-9) for sure, right in told) / len(told)
    if knowing > (ABOVE if accuracy < HALF else BESIDE if gain <= SURE else KNOWING):
        return None
    return RULE.finding(
        event.step,
        f"validation accuracy is {accuracy:.1%}, but of the wrong answers only {second:.0%} have the label in second place ({chance:.0%} by chance): these labels could be any class",
        {"accuracy": accuracy, "second": second, "chance": chance, "sure": told[-1][0]},
    )


RULE = Rule(
    id="labels-noisy",
    title="Noisy labels",
    threshold=(
        f"after {LOOK:.0%} of the run, with {CLASSES} classes or more, {WRONG} wrong answers on validation or more, and an accuracy of {ACCURACY:.0%} of what there is above chance: among them, over {EPOCHS} epochs, the label has the second largest output hardly more often than by chance: by {ABOVE:.0%} of what there is above chance ({KNOWING:.1%} where {HALF:.0%} are right; {BESIDE:.0%} where, besides, the surest quarter of the answers is right hardly more often than all, by {SURE:.0%} of what is lacking at most); not where the nearest neighbour's label is right {NEIGHBOURS:.0%} more often than the network"
    ),
    source="confident learning (Northcutt, Jiang, Chuang 2021) uses predicted against given labels too; the second place and its limit are calibrated on benchmarks/diagnosis",
    explanation=(
        "A network that errs on a hard sample nearly always has the right class in second place, because classes that look alike are mistaken for each other. Where a label is wrong by accident, the sample looks like its true class, and the given label may be any "
        "other: it comes second no more often than by chance."
    ),
    why="labels were given carelessly, by majority of disagreeing people, or damaged on the way",
    advice="look at the samples that the network is surest to be mislabelled (the report's worst mistakes), correct them, or soften the labels (--label-smoothing 0.1)",
    judge=judge,
    remedies=({"loss.label_smoothing": 0.1},),
    explains=("overfitting", "early-overfit", "underfitting", "plateau"),
)
