"""Confidently wrong before the first step."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.softmax_twice import makes_probabilities
from glassnet.events import Described, Event, Finding, Measured, Step

CERTAIN = 3.0  # nats above that of equal chances; He's rule in all layers, the last among them, makes up to 1.6
EXCESS, LARGE = 0.7, 4.0  # less will do where the last layer's weights are as many times the size that keeps variances
VALUES = 11.0  # one output of variance 2, as drawn, may well be three times as large: 1 + 6; four times: 1 + 8
STRAIGHT = 4.0  # the same of losses that grow with a mistake and not with its square
BESIDE = 3.0, 2.0  # of both kinds, where the last layer's weights are large
WAIT = 20  # finite recorded losses
FEWEST, NEAR = 8, 0.2  # samples of a batch; of their number, which the loss is then so many times as high
DISTANCES = ("RBF",)  # outputs that are distances begin far from equal by design


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when the untrained network's loss is far above that of one that knows nothing."""
    if isinstance(event, Described) and not makes_probabilities(event):
        return _high(event, 0, CERTAIN, (VALUES, STRAIGHT))
    if isinstance(event, Measured) and len(history.measured) == 1 and (seen := history.described):
        large = _head(event) > LARGE and not makes_probabilities(seen)
        return _high(seen, event.step, EXCESS, BESIDE) if large else None
    # Where the network computes log-probabilities by a formula of its own, large outputs may overflow in it: that is told first, if it comes.
    if isinstance(event, Step) and history.losses.count == WAIT and (seen := history.described):
        return _high(seen, event.step, EXCESS, BESIDE) if makes_probabilities(seen) else None
    return None


def _head(event: Measured) -> float:
    """Gain of the last layer's weights at the first step; NaN where there are none."""
    gains = [number(record["gain"]) for record in event.parameters if "gain" in record]
    return gains[-1] if gains else math.nan


def _high(event: Described, step: int, excess: float, times: tuple[float, float]) -> Finding | None:
    """Found where the loss is so many nats above that of equal chances; of values where it is so many times that of a network that says nothing: of squares, and of losses that grow straight."""
    if event.net.get("last") in DISTANCES:
        return None
    loss, expected = event.start.get("loss"), event.start.get("expected")
    if loss is None or expected is None or not math.isfinite(loss) or expected <= 0:
        return None
    # Running averages do not fit yet before the first step, so a normalised network is better judged in training mode.
    loss = min(loss, event.start.get("train_loss") or loss)
    if event.task == "values":
        expected = max(expected, event.start.get("constant", expected))
    squares = str(event.plan.get("loss")).lower().startswith(("squared", "mse"))
    if loss < ((times[0] if squares else times[1]) * expected if event.task == "values" else expected + excess):
        return None
    told = f"before the first step the loss is {loss:.3g}; a network that knows nothing has {expected:.3g}"
    evidence = {"loss": loss, "expected": expected}
    batch = int(event.plan.get("batch_size", 0))
    if batch >= FEWEST and abs(loss / (batch * expected) - 1) < NEAR:
        return RULE.finding(
            step,
            f"{told}, and {batch} samples of a batch together {batch * expected:.3g}",
            evidence,
            why="the loss is added up over the batch instead of averaged (reduction='sum'): so the gradient, and the rate that suits, grow with the batch",
            advice="take the mean over the batch (reduction='mean', which is PyTorch's own), or divide the learning rate by the batch size",
            remedies=(),
        )
    return RULE.finding(step, told, evidence)


RULE = Rule(
    id="initial-loss-high",
    title="Confidently wrong before the first step",
    threshold=f"first loss at least ln(classes) + {CERTAIN:g} (+ {EXCESS:g} where the weights of the last layer are more than {LARGE:g} times the size that keeps the variance), or {VALUES:g} times that of zero for all values ({BESIDE[0]:g} with such weights; of losses that are no squares {STRAIGHT:g} and {BESIDE[1]:g}); of a network that computes its log-probabilities itself only once {WAIT} losses were finite",
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
