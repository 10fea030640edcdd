"""Whether the untrained network is as wrong as not knowing is, and no more (requirement T1)."""

from __future__ import annotations

import math

from glassnet.checks.check import Check
from glassnet.checks.look import Look
from glassnet.checks.subject import Subject
from glassnet.events import Checked
from glassnet.layers import RBF

HIGH, FAR_TOO_HIGH = 2.0, 3.0
HIGH_VALUES, FAR_VALUES = (
    5.0,
    10.0,
)  # what an untrained net says of values is as wide as its last weights happen to make it
KNOWING = 0.7


def judge(subject: Subject) -> Checked:
    """Compares the first loss with that of a net that knows nothing."""
    look = subject.look()
    figures = {"loss": look.loss}
    if look.penalty is not None:
        figures |= {"penalty": look.penalty, "cost": look.loss + look.penalty}
    if not math.isfinite(look.loss):
        return CHECK.failed(
            f"the loss is {look.loss} before the first step",
            figures,
            why="an input or target that is not a number, a logarithm of zero, or weights so large that a number overflows",
            advice="look for the first layer whose output is not finite (the check sane-sizes names it), and check the inputs with 'glassnet data'",
        )
    if look.penalty is not None and not (math.isfinite(look.penalty) and look.penalty > 0):
        return CHECK.failed(
            f"the penalty is {look.penalty:.3g}: it does not raise the loss of {look.loss:.3g}",
            figures,
            why="a penalty punishes large weights; one that is zero or negative does nothing, or the opposite",
            advice="check the penalty's factor and the names of the parameters it is put on",
        )
    if look.ignorant is None:
        return CHECK.passed(f"initial loss {look.loss:.3g}{_penalised(look)}", figures)
    expected = look.ignorant.loss
    figures["expected"] = expected
    told = f"initial loss {look.loss:.3g} ({look.ignorant.words}){_penalised(look)}"
    if any(isinstance(module, RBF) for module in subject.net.modules()):
        return CHECK.passed(
            f"initial loss {look.loss:.3g}{_penalised(look)}; outputs are distances, which begin far from equal",
            figures,
        )
    # For values a first loss that is too high is another matter than for classes.
    of_values = look.ignorant.task == "values"
    why, advice = (WHY_VALUES, ADVICE_VALUES) if of_values else (None, None)
    if look.loss > (FAR_VALUES if of_values else FAR_TOO_HIGH) * expected + 1e-6:
        return CHECK.failed(told, figures, why=why, advice=advice)
    if look.loss > (HIGH_VALUES if of_values else HIGH) * expected + 1e-6:
        return CHECK.warning(told, figures, why=why, advice=advice)
    if look.penalty is not None and look.penalty > look.loss:
        return CHECK.warning(
            told,
            figures,
            why="the penalty outweighs the loss: the first thing that the net learns is to make its weights zero",
            advice="make the penalty ten to a thousand times smaller (--l2, --l1)",
        )
    if look.loss < KNOWING * expected:
        return CHECK.passed(
            f"{told}: it knows something already, as pretrained weights and forecasts around the last value do", figures
        )
    return CHECK.passed(told, figures)


def _penalised(look: Look) -> str:
    return "" if look.penalty is None else f", {look.loss + look.penalty:.3g} with the penalty"


WHY_VALUES = (
    "what the net says at first is much farther from the targets than their mean is: targets far from the size of 1, or starting weights "
    "that are too large"
)
ADVICE_VALUES = (
    "bring targets to mean 0 and spread 1 (Glassnet does so by itself), and begin with smaller weights (--init he)"
)
CHECK = Check(
    id="initial-loss",
    title="The initial loss is that of not knowing",
    threshold=f"fails where it is not finite or more than {FAR_TOO_HIGH:g} times the loss of a net that knows nothing, and where a penalty does not raise it; warns above {HIGH:g} times; of values {FAR_VALUES:g} and {HIGH_VALUES:g} times",
    source="Stanford CS231n, Babysitting the learning process: ln 10 = 2.30 for ten classes; the nets of the zoo begin at up to 1.74 times that (resnet110)",
    explanation=(
        "Before training, a classifier should find all C classes equally likely. Each then has the probability 1/C, and the cross-entropy is −ln(1/C) = ln C: 2.30 for ten classes. "
        "A much larger loss means that the net is sure of wrong answers before it has seen anything, and the first epochs go into unlearning that. A penalty on the weights must "
        "raise the number, since it adds something positive. For values, not knowing means always saying the mean, which costs their variance."
    ),
    why="the net is confidently wrong before it has seen anything: its starting weights, above all of the last layer, or its inputs are too large",
    advice="smaller starting weights (--init he, or xavier), inputs brought to spread 1 (--preprocess standardise), or a last layer that begins near zero",
    judge=judge,
)
