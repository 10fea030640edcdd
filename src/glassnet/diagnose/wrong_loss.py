"""A loss that does not fit what the network puts out or what the targets are."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.softmax_twice import is_cross_entropy
from glassnet.events import Described, Event, Finding

SQUARED = ("squared", "mseloss", "mse", "absolute", "l1loss", "smoothl1loss", "huber", "huberloss")
BOUNDED = ("Sigmoid", "ReLU", "ReLU6", "Tanh", "Hardtanh", "Hardsigmoid", "ScaledTanh", "LogSigmoid", "Softplus")
WITH_LOGITS = ("binary", "bcewithlogits", "bcewithlogitsloss", "binarycrossentropywithlogits")
OF_LOGARITHMS = ("nllloss",)
CLOSE = 0.05
# What the operations of autograd that bound their results can say.
REACHES = {
    "Sigmoid": (0.0, 1.0),
    "Hardsigmoid": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
    "Relu": (0.0, math.inf),
    "Softplus": (0.0, math.inf),
}
AWAY, AWAY_VALUES = 0.9, 0.5  # share of the samples; correlation
FREE = ("Addmm", "Mm", "Linear", "Convolution")
SLACK = 0.1  # of the values' spread
FEWEST, MOST = 3, 50  # distinct whole numbers that may be class indices
LIKE_INDICES = 0.12  # relative distance of mean and spread from those of indices 0 to K − 1 that are equally frequent; counts of things gather closer (of two tosses, 0.13)


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step by the targets, the outputs of the untrained network, the operation that made them, and the name of the loss."""
    if not isinstance(event, Described):
        return None
    if away := _leads_away(event):
        return away
    name = str(event.plan.get("loss", "")).lower().replace("-", "").replace("_", "")
    if event.task == "classes" and is_cross_entropy(event) and event.outputs > 1:
        return _not_logits(event)
    if event.task == "classes" and name in OF_LOGARITHMS and abs(number(event.result.get("log_sum_exp"))) > CLOSE:
        return RULE.finding(
            0,
            f"{event.plan['loss']} takes logarithms of probabilities, whose exponentials sum to 1; those of the network's outputs sum to {math.exp(min(event.result['log_sum_exp'], 50.0)):.3g}",
            {"log_sum_exp": event.result["log_sum_exp"]},
            why="the network ends in logits, and nothing makes probabilities of them: such a loss has no lowest value",
            advice="take cross-entropy, which does both, or end the network with log_softmax",
        )
    if name in WITH_LOGITS and (end := _end(event)):
        return _bounded(event, f"the network ends in {end}")
    if event.task == "values" and name in SQUARED:
        return _out_of_reach(event) or _classes_as_values(event)
    return None


def _leads_away(event: Described) -> Finding | None:
    """A loss that is low for wrong answers."""
    away = number(event.start.get("away"))
    if event.task == "other" or not away > (AWAY if event.task == "classes" else AWAY_VALUES):
        return None
    told = (
        f"for {away:.0%} of the samples looked at a step down the loss makes the score of their own class lower"
        if event.task == "classes"
        else f"a step down the loss leads away from the values to be learned (the slope in an output and its target have a correlation of {away:.2f}, where it should be negative)"
    )
    return RULE.finding(
        0,
        told,
        {"away": away},
        why="the loss has the wrong sign: it is low for wrong answers, as a score, a likelihood or an agreement is that was to be made large",
        advice="put a minus before it: the training makes the loss small",
    )


def _end(event: Described) -> str:
    """The module or the operation that bounds the outputs; empty where they may be any number."""
    last, operation = event.net.get("last", ""), event.net.get("ends_in", "")
    if operation in FREE:  # a layer that is no module comes behind the last module
        return ""
    return str(last if last in BOUNDED else f"torch.{operation.lower()}" if operation in REACHES else "")


def _not_logits(event: Described) -> Finding | None:
    result, end = event.result, _end(event)
    one_sided = result.get("nonnegative", 0.5) >= 1 and result.get("min", -1.0) == 0 < result.get("max", 0.0)
    if not end and not one_sided:
        return None
    return _bounded(event, f"the network ends in {end}" if end else "no output of the network is negative")


def _bounded(event: Described, how: str) -> Finding:
    low, high = event.result.get("min", 0.0), event.result.get("max", 0.0)
    loss = "cross-entropy" if is_cross_entropy(event) else event.plan["loss"]
    return RULE.finding(
        0,
        f"{how} (outputs from {low:.3g} to {high:.3g}), but {loss} takes logits, which must be free to be any number",
        {"min": low, "max": high},
        why="an activation function after the last layer, as between hidden layers",
        advice=f"remove the activation after the last layer; {loss} applies {'softmax' if is_cross_entropy(event) else 'the sigmoid'} by itself",
    )


def _out_of_reach(event: Described) -> Finding | None:
    """Values that an activation after the last layer cannot say."""
    operation, targets = event.net.get("ends_in", ""), event.targets
    if operation not in REACHES or not {"min", "max", "std"} <= set(targets):
        return None
    low, high = REACHES[operation]
    slack = SLACK * targets["std"]
    if targets["min"] >= low - slack and targets["max"] <= high + slack:
        return None
    reach = f"from {low:g} to {high:g}" if math.isfinite(high) else f"from {low:g} on"
    return RULE.finding(
        0,
        f"the network ends in torch.{operation.lower()}, which says numbers {reach} only, and the values to be learned lie between {targets['min']:.3g} and {targets['max']:.3g}",
        {"min": targets["min"], "max": targets["max"]},
        why="an activation function after the last layer, as between hidden layers",
        advice="remove the activation after the last layer, or bring the values into its range",
    )


def _classes_as_values(event: Described) -> Finding | None:
    targets = event.targets
    if targets.get("one_hot") and event.outputs > 2:
        return RULE.finding(
            0,
            f"the targets are one-hot rows of {event.outputs} classes, and the loss is {event.plan['loss']}, which is meant for values",
            {"outputs": float(event.outputs)},
        )
    count = targets.get("distinct", 0)
    if event.outputs != 1 or not targets.get("whole") or targets.get("min") != 0 or not FEWEST <= count <= MOST:
        return None
    if targets.get("max") != count - 1 or not {"mean", "std"} <= set(targets):
        return None
    mean, std = (count - 1) / 2, math.sqrt((count**2 - 1) / 12)
    if abs(targets["mean"] / mean - 1) > LIKE_INDICES or abs(targets["std"] / std - 1) > LIKE_INDICES:
        return None
    return RULE.finding(
        0,
        f"the targets look like the indices of {count} classes (whole numbers 0 to {count - 1}, about equally frequent), and one output learns them as values",
        {"distinct": float(count)},
        why="a value treats class 3 as lying between 2 and 4, which classes do not",
        advice=f"if these are classes: {count} outputs and cross-entropy (--task classes)",
    )


RULE = Rule(
    id="wrong-loss",
    title="The loss does not fit the output or the targets",
    threshold=(
        "negative log-likelihood on outputs that are no logarithms of probabilities; cross-entropy, also the binary one, on outputs that an activation has bounded (or that are never below an exact zero); squared or absolute error on values that the activation after the last layer cannot say; squared or absolute error on one-hot rows, or with one output on "
        f"{FEWEST} to {MOST} whole numbers from 0 on that are about equally frequent; or a loss whose slope takes the score of the own class down for {AWAY:.0%} of the samples, or has a correlation above {AWAY_VALUES:g} with the values to be learned"
    ),
    source="calibrated on benchmarks/diagnosis; the first follows from the definition of logits, UMLAUT (CHI 2021) warns of it too",
    explanation=(
        "The loss says what the outputs mean. Cross-entropy takes logits: any number, negative ones too, since only their differences count. Squared error takes "
        "values on a scale where near is nearly right. Classes have no such scale, and squared error of one-hot rows has weak gradients exactly where the "
        "network is confidently wrong."
    ),
    why="the loss was taken over from another kind of task",
    advice="classes: as many outputs as classes, nothing behind the last layer, cross-entropy (--loss cross-entropy)",
    judge=judge,
    explains=(
        "plateau",
        "underfitting",
        "lr-too-low",
        "vanishing-gradient",
        "slow-start",
        "outputs-collapsed",
        "initial-loss-high",
        "targets-unscaled",
        "dead-units",
        "saturation",
        "exploding-gradient",
        "divergence",
    ),
)
