"""Inputs that are the same for every sample."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

SHARE = 0.8
ALIKE, FEATURES = (
    0.3,
    20,
)  # share of samples whose input another sample has too, and the features from which that is no chance


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when most input features never change, or when many samples have the same input."""
    if not isinstance(event, Described) or event.inputs.get("samples", 0) < 20:
        return None
    share, features = event.inputs.get("constant", 0.0), event.inputs.get("features", 0)
    alike = event.validation.get("same_among", 0.0)
    if share < SHARE and alike > ALIKE and features >= FEATURES and not event.inputs.get("indices"):
        return RULE.finding(
            0,
            f"{alike:.0%} of the samples looked at have the very input of another one, in each of {features:,} features",
            {"constant": share, "alike": alike},
            why="rows or files that were read more than once, classes that were made as frequent as others by copying, or a step on the way that gives many samples the same numbers",
            advice="take repetitions out before the data are divided ('glassnet data DATA' names them), or else what is learned by heart counts as known; where these samples should differ, look at them as the network gets them",
        )
    if share < SHARE:
        return None
    every = (
        "none of the inputs changes" if share >= 1 else f"{share:.0%} of the {features:,} input features never change"
    )
    return RULE.finding(
        0,
        f"{every} over the {event.inputs['samples']:,} samples looked at",
        {"constant": share},
        severity="stop" if share >= 1 else None,
    )


RULE = Rule(
    id="inputs-constant",
    title="Inputs that do not change",
    threshold=f"at least {SHARE:.0%} of the features are the same in all samples looked at (all of them: training is stopped); or, with {FEATURES} features or more, {ALIKE:.0%} of the samples have the input of another one",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "What is the same for every sample says nothing about any of them. If nearly all features are constant, the network can at best learn how frequent "
        "each class is: the loss stops at the entropy of the labels."
    ),
    why="the wrong column or file was read, images failed to decode, or a preprocessing step divided everything away",
    advice="look at some samples as the network gets them (glassnet data DATA), and at every step of the preprocessing",
    judge=judge,
    explains=(
        "validation-leak",
        "lr-too-high",
        "inputs-unscaled",
        "labels-unrelated",
        "plateau",
        "underfitting",
        "outputs-collapsed",
        "lr-too-low",
        "slow-start",
        "vanishing-gradient",
        "dead-units",
        "leaking-input",
    ),
)
