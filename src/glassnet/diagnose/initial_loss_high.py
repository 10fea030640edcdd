"""Confidently wrong before the first step."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.softmax_twice import makes_probabilities
from glassnet.events import Described, Event, Finding, Step

EXCESS = 1.15  # nats: outputs of variance 2, which He's rule allows, cost up to one
VALUES = 8.0  # one output of variance 2, as drawn, may well be three times as large: 1 + 6
WAIT = 10  # finite recorded losses
DISTANCES = ("RBF",)  # outputs that are distances begin far from equal by design


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when the untrained network's loss is far above that of one that knows nothing."""
    if isinstance(event, Described) and not makes_probabilities(event):
        return _high(event, 0)
    # Where the network computes log-probabilities by a formula of its own, large outputs may overflow in it: that is told first, if it comes.
    if isinstance(event, Step) and len(history.losses()) == WAIT and (seen := history.described):
        return _high(seen, event.step) if makes_probabilities(seen) else None
    return None


def _high(event: Described, step: int) -> Finding | None:
    if event.net.get("last") in DISTANCES:
        return None
    loss, expected = event.start.get("loss"), event.start.get("expected")
    if loss is None or expected is None or not math.isfinite(loss) or expected <= 0:
        return None
    # Running averages do not fit yet before the first step, so a normalised network is better judged in training mode.
    loss = min(loss, event.start.get("train_loss") or loss)
    if event.task == "values":
        expected = max(expected, event.start.get("constant", expected))
    if loss < (VALUES * expected if event.task == "values" else expected + EXCESS):
        return None
    return RULE.finding(
        step,
        f"before the first step the loss is {loss:.3g}; a network that knows nothing has {expected:.3g}",
        {"loss": loss, "expected": expected},
    )


RULE = Rule(
    id="initial-loss-high",
    title="Confidently wrong before the first step",
    threshold=f"first loss at least ln(classes) + {EXCESS:g}, or {VALUES:g} times the values' mean square; of a network that computes its log-probabilities itself only once {WAIT} losses were finite",
    source="requirement T1 of the lectures: ln(classes); the mean of log-sum-exp over outputs of variance v is v/2 higher; calibrated on benchmarks/diagnosis",
    explanation=(
        "An untrained classifier should find all classes equally likely, which costs ln(classes): 2.3026 for ten. A loss far above that means that its first outputs are large, so "
        "it is sure of answers that it has no reason for. The first steps are then spent on unlearning, with large gradients."
    ),
    why="initial weights that are too large, above all in the last layer",
    advice="smaller initial weights (--init he or xavier), or a last layer of a tenth of the size",
    judge=judge,
    remedies=({"net.init": "he"}, {"net.init": "xavier"}),
    explains=(
        "exploding-gradient",
        "slow-start",
        "saturation",
        "lr-too-high",
        "clipping-always",
        "plateau",
        "dead-units",
        "lr-too-low",
        "underfitting",
        "vanishing-gradient",
        "outputs-collapsed",
    ),
)
