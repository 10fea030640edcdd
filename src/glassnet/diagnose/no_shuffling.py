"""Batches that are not mixed."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

LOSS = 0.10
SURE = 6.0  # standard errors
VALUES = 0.7  # spread within batches over that of all samples


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when classes within batches are clearly less mixed than in batches drawn at random."""
    if not isinstance(event, Described):
        return None
    within = event.targets.get("batch_spread", 1.0)
    if within < VALUES and event.targets.get("batches", 0) >= 4:
        return RULE.finding(
            0,
            f"within a batch the values to be learned spread {within:.2f} times as far as over all samples looked at",
            {"batch_spread": within},
        )
    if not {"batch_entropy", "shuffled_entropy", "shuffled_entropy_std"} <= set(event.targets):
        return None
    if not event.targets.get("batches"):
        return None
    if event.targets["batch_entropy"] == 0 and event.targets.get("entropy", 0.0) > 0 and event.targets["batches"] >= 4:
        return RULE.finding(
            0,
            f"each of the {event.targets['batches']:.0f} batches looked at holds a single class",
            {"batch_entropy": 0.0, "shuffled_entropy": event.targets["shuffled_entropy"]},
        )
    mixed, usual = event.targets["batch_entropy"], event.targets["shuffled_entropy"]
    error = max(event.targets["shuffled_entropy_std"] / event.targets["batches"] ** 0.5, 1e-6)
    if usual - mixed < LOSS * usual or (usual - mixed) / error < SURE:
        return None
    return RULE.finding(
        0,
        f"within a batch the labels have an entropy of {mixed:.3f}; drawn at random from the same samples they would have {usual:.3f}",
        {"batch_entropy": mixed, "shuffled_entropy": usual},
    )


RULE = Rule(
    id="no-shuffling",
    title="Batches are not shuffled",
    threshold=f"label entropy within batches at least {LOSS:.0%} and {SURE:g} standard errors below that of batches drawn at random from the same samples; or values that spread less than {VALUES:g} times as far within batches as over all",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "Files and tables are often sorted by class. If batches are taken in that order, each one pulls all weights towards its own few classes, and the next one "
        "undoes it: the training loss falls within every batch's class, and the network forgets. Batch normalisation suffers twice, since its statistics are those of "
        "one class."
    ),
    why="the data are sorted and the batches are taken in their order",
    advice="shuffle the training samples anew in every epoch (DataLoader(..., shuffle=True); Glassnet's own batches always do)",
    judge=judge,
    explains=(
        "plateau",
        "outputs-mismatch",
        "lr-too-low",
        "dead-units",
        "lr-too-high",
        "loss-spike",
        "underfitting",
        "distribution-shift",
        "outputs-collapsed",
        "divergence",
        "early-overfit",
        "overfitting",
        "loss-exploding",
        "lr-much-too-high",
        "class-imbalance",
        "labels-noisy",
        "exploding-gradient",
        "clipping-always",
    ),
)
