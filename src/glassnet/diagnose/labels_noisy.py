"""Many labels are wrong."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import fallen, known_simply, share
from glassnet.events import Described, Epoch, Event, Finding

CLASSES = 4
MANY, SHARE = 400, 0.2  # wrong answers of kernel ridge regression, and their share
TELLS = 0.1  # of what there is above the most frequent class, that it must know
ANYWHERE = 0.385  # place of the label among the other answers where it is wrong, from 0 for second to 1 for last
WRONG = 80  # wrong answers on validation that are needed to say anything
ABOVE, KNOWING = 0.13, 0.175  # share at which the right class comes second, above chance, of what there is above it
BESIDE = 0.2  # the same where, besides, being sure helps little
SURE = 0.45  # of the accuracy that is lacking, what the surest quarter of the answers has; at most
ACCURACY = 0.25  # of what there is above chance
HALF = 0.45  # accuracy above which other mistakes than wrong labels are few
NEIGHBOURS = 0.1  # by which simple means may be right more often than the network
EPOCHS = 3  # whose mean is taken, since a share of some hundred answers is noisy
LOOK = 0.5  # of the run: what is learned late looks like noise until then
LEARNED = 0.12  # of the loss


def judge(history: History, event: Event) -> Finding | None:
    """Found when the task has been learned, by simple means before the first step or by the network, and the labels that are got wrong are any class, not the similar one."""
    if isinstance(event, Described):
        return _before(event)
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
    # Where simple means do better than the network does, the labels are in order, and the network is not.
    if known_simply(history)[0] > accuracy + NEIGHBOURS:
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


def _before(event: Described) -> Finding | None:
    """What kernel ridge regression gets wrong, though it tells classes apart."""
    counts = event.targets.get("counts") or [1]
    classes, majority = sum(count > 0 for count in counts), max(counts) / max(sum(counts), 1)
    wrong, place = event.targets.get("kernel_wrong", 0), number(event.targets.get("kernel_place"))
    knows = number(event.targets.get("kernel_knows"))
    if event.task != "classes" or classes < CLASSES or wrong < MANY or not knows <= 1 - SHARE:
        return None
    if not (knows - majority) / (1 - majority) >= TELLS or not place >= ANYWHERE:
        return None
    return RULE.finding(
        0,
        f"kernel ridge regression gets {knows:.1%} of the training samples right, each from the others, and where it is wrong, {wrong:,} times, the label stands at {place:.2f} of the way from its second answer to its last (0.5 by chance): these labels could be any class",
        {"accuracy": knows, "place": place, "wrong": float(wrong)},
    )


RULE = Rule(
    id="labels-noisy",
    title="Noisy labels",
    threshold=(
        f"of {MANY} wrong answers or more of kernel ridge regression ({SHARE:.0%} of all), which knows at least {TELLS:.0%} of what there is above the most frequent class, the label stands at {ANYWHERE:g} or more of the way from the second answer to the last; or, after {LOOK:.0%} of the run, with {CLASSES} classes or more, {WRONG} wrong answers on validation or more, and an accuracy of {ACCURACY:.0%} of what there is above chance: among them, over {EPOCHS} epochs, the label has the second largest output hardly more often than by chance: by {ABOVE:.0%} of what there is above chance ({KNOWING:.1%} where {HALF:.0%} are right; {BESIDE:.0%} where, besides, the surest quarter of the answers is right hardly more often than all, by {SURE:.0%} of what is lacking at most); not where kernel ridge regression or the nearest neighbour is right {NEIGHBOURS:.0%} more often than the network"
    ),
    source="confident learning (Northcutt, Jiang, Chuang 2021) uses predicted against given labels too; the second place and its limit are calibrated on benchmarks/diagnosis",
    explanation=(
        "A network that errs on a hard sample nearly always has the right class in second place, because classes that look alike are mistaken for each other. Where a label is wrong by accident, the sample looks like its true class, and the given label may be any "
        "other: it comes second no more often than by chance. Before the first step the same is asked of kernel ridge regression, which answers for each sample by the labels of the others, weighted by how far away they lie, and needs no training."
    ),
    why="labels were given carelessly, by majority of disagreeing people, or damaged on the way",
    advice="look at the samples that the network is surest to be mislabelled (the report's worst mistakes), correct them, or soften the labels (--label-smoothing 0.1)",
    judge=judge,
    remedies=({"loss.label_smoothing": 0.1},),
    explains=("overfitting", "early-overfit", "underfitting", "plateau"),
)
