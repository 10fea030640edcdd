"""The network ends in a softmax, and the loss applies another."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

CLOSE = 1e-3


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when the outputs under cross-entropy are never negative and every row sums to 1."""
    if not isinstance(event, Described) or event.task != "classes" or event.outputs < 2 or not is_cross_entropy(event):
        return None
    result = event.result
    if (
        result.get("nonnegative", 0.0) < 1
        or abs(result.get("row_sum", 0.0) - 1) > CLOSE
        or result.get("row_sum_spread", 1.0) > CLOSE
    ):
        return None
    floor = math.log(1 + (event.outputs - 1) / math.e)
    return RULE.finding(
        0,
        f"the network's outputs are probabilities already: every row sums to 1. The loss applies softmax again, and cannot fall below {floor:.4f}",
        {"floor": floor, "row_sum": result["row_sum"]},
    )


def is_cross_entropy(event: Described) -> bool:
    """Whether the loss takes logits and applies softmax by itself."""
    return str(event.plan.get("loss", "")).lower().replace("-", "").replace("_", "") in (
        "crossentropy",
        "crossentropyloss",
    )


def makes_probabilities(event: Described) -> bool:
    """Whether the outputs are logarithms of probabilities that the network has computed by a formula of its own, not by torch's log_softmax."""
    log_sum_exp = number(event.result.get("log_sum_exp"))
    return (
        event.task == "classes" and abs(log_sum_exp) < CLOSE and event.net.get("last") not in ("", None, "LogSoftmax")
    )


RULE = Rule(
    id="softmax-twice",
    title="Softmax applied twice",
    threshold=f"outputs under cross-entropy that are never negative and whose rows sum to 1 within {CLOSE:g}",
    source="no tolerance but rounding; the floor ln(1 + (C − 1)/e) follows from putting the best possible probabilities, one 1 and zeros, into softmax",
    explanation=(
        "Cross-entropy takes logits, any numbers, and makes probabilities of them by softmax. If the network ends in a softmax itself, the second one gets "
        "numbers between 0 and 1 only, and cannot make any probability larger than e/(e + C − 1): 23 % for ten classes. The loss looks right at the start, "
        "ln C, falls a little, and stops at the floor ln(1 + (C − 1)/e), 1.4612 for ten classes; gradients are weak all the way."
    ),
    why="the network's last layer is a softmax, and the loss (CrossEntropyLoss) contains one too",
    advice="remove the softmax at the network's end; apply it only where probabilities are wanted, after training",
    judge=judge,
    explains=(
        "plateau",
        "underfitting",
        "lr-too-low",
        "vanishing-gradient",
        "slow-start",
        "wrong-loss",
        "outputs-collapsed",
    ),
)
