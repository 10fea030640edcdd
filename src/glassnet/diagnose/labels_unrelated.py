"""Labels that have nothing to do with the inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from glassnet.diagnose.history import History
from glassnet.diagnose.look import narrowest, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import NARROW, share
from glassnet.diagnose.targets_unscaled import far_value
from glassnet.events import Described, Epoch, Event, Finding

SURE, SURER = 3.0, 3.5  # standard errors
MUTUAL = 2.0  # of two samples that are each other's neighbours the pair is counted twice, so there are half as many independent ones
LOOK = 0.6
SOON, FEW = 0.2, 200  # of the run; samples
TOLD = 0.03  # R² that is more than chance
TELLING = 0.998  # of the loss of the best constant answer


def suspected(history: History) -> bool:
    """Whether nearest neighbours agree no more often than by chance, and no epoch has told yet whether there is something to be learned."""
    seen = history.described
    if (
        seen is None
        or not history.total_steps
        or any(epoch.step >= LOOK * history.total_steps for epoch in history.epochs)
    ):
        return False
    count = int(seen.targets.get("neighbour_samples", 0))
    agreement, chance = number(seen.targets.get("neighbour_agreement")), number(seen.targets.get("chance_agreement"))
    if count < 200 or seen.task not in ("classes", "values"):
        return False
    if seen.task == "classes":
        return agreement <= chance + SURE * math.sqrt(MUTUAL * max(chance * (1 - chance), 1e-6) / count)
    return abs(agreement) <= SURE * math.sqrt(MUTUAL / count)


def judge(history: History, event: Event) -> Finding | None:
    """Found at an early epoch when nearest neighbours share a class no more often than by chance, and validation is no better than the most frequent class."""
    seen = history.described
    if not isinstance(event, Epoch) or seen is None or not event.val:
        return None
    # What neither neighbours nor kernel ridge regression see a network for sequences may find out late; others begin to at once.
    soon = seen.targets.get("kernel_samples", 0) >= FEW and seen.net.get("recurrents") == 0
    if share(history) < (SOON if soon else LOOK):
        return None
    if history.measured and narrowest(history.measured[-1]) <= NARROW:  # it could learn next to nothing of any labels
        return None
    count = int(seen.targets.get("neighbour_samples", 0))
    agreement, chance = number(seen.targets.get("neighbour_agreement")), number(seen.targets.get("chance_agreement"))
    if count < 200 or not math.isfinite(agreement) or _learnable(seen):
        return None
    if seen.task == "classes":
        error = math.sqrt(MUTUAL * max(chance * (1 - chance), 1e-6) / count)
        counts = seen.validation.get("counts") or seen.targets.get("counts") or [1]
        majority = max(counts) / max(sum(counts), 1)
        unseen = max(int(seen.validation.get("samples", count)), 1)
        best = max(number(epoch.val.get("accuracy")) for epoch in history.epochs)
        cross_entropy = "constant" in seen.start  # other losses have another scale
        lowest = min(number(epoch.val.get("loss")) for epoch in history.epochs)
        if (
            agreement > chance + SURE * error
            or (cross_entropy and lowest < TELLING * _entropy(counts))
            or best > majority + SURE * math.sqrt(majority * (1 - majority) / unseen) + 0.01
        ):
            return None
        told = f"the nearest neighbour of a sample has its class for {agreement:.1%} of {count} samples, where labels drawn at random would for {chance:.1%}; validation accuracy is at best {best:.1%}, the most frequent class has {majority:.1%}"
    elif seen.task == "values":
        best = max(number(epoch.val.get("r2")) for epoch in history.epochs)
        if far_value(seen) is not None or abs(agreement) > SURE * math.sqrt(MUTUAL / count) or best > TOLD:
            return None
        told = f"the values of nearest neighbours are uncorrelated ({agreement:.2f}), and R² on validation is at best {best:.2f}"
    else:
        return None
    return RULE.finding(event.step, told, {"agreement": agreement, "chance": chance})


def _learnable(seen: Described) -> bool:
    """Whether kernel ridge regression tells a sample from the others better than by chance: then the labels belong to the inputs, however little neighbours agree."""
    if seen.task == "values":
        return number(seen.targets.get("kernel_knows")) > TOLD
    return number(seen.targets.get("kernel_sure")) > SURER


def _entropy(counts: Sequence[int]) -> float:
    """Cross-entropy of the best answer that looks at no input, in nats: what validation loss goes below as soon as something is learned of it."""
    total = max(sum(counts), 1)
    return -sum(count / total * math.log(count / total) for count in counts if count)


RULE = Rule(
    id="labels-unrelated",
    title="Labels that the inputs do not explain",
    threshold=f"nearest neighbours agree within {SURE:g} standard errors of chance, and after {LOOK:.0%} of the run validation is not better than the most frequent class, in accuracy or by {1 - TELLING:.1%} in loss (R² {TOLD:g}), where kernel ridge regression does not tell a sample's own class from the others by {SURER:g} standard errors either (R² {TOLD:g}); not of a network with a layer of {NARROW} units or fewer",
    source="Cover and Hart 1967 for the nearest neighbour; calibrated on benchmarks/diagnosis",
    explanation=(
        "Samples that look alike usually have the same label. If they do so no more often than by chance, the labels do not belong to these inputs: they were shuffled, shifted by a row, or come from another file. A network can still learn them by heart, "
        "so training loss may fall; validation never gets better than guessing."
    ),
    why="labels and inputs were put in different orders, joined by the wrong key, or shifted by one",
    advice="look at some samples with their labels (glassnet data DATA), and check how the two were brought together",
    judge=judge,
    explains=("overfitting", "early-overfit", "plateau", "underfitting", "labels-noisy", "lr-too-low", "slow-start"),
)
