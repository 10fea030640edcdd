"""The loss of a net that knows nothing: it gives all classes the same score, or always says the mean value."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from glassnet.training.losses import Loss
from glassnet.training.measure.direction import are_no_scores

ROW_SUM = 1e-3  # rows of probabilities sum up to 1 within rounding


class Ignorance(NamedTuple):
    """What not knowing costs.

    Attributes:
        loss: of the net that knows nothing.
        task: ``classes``, ``values`` or ``other``.
        classes: how many there are; 0 for values.
        words: such as ``ln 10 = 2.30``.
    """

    loss: float
    task: str
    classes: int
    words: str


def task_of(outputs: Tensor, targets: Tensor) -> str:
    """``classes`` for one whole number a sample beside a row of outputs, ``values`` for floating-point targets, else ``other``."""
    if targets.is_floating_point():
        return "values"
    return "classes" if targets.ndim == 1 and outputs.ndim in (1, 2) else "other"


def ignorance(loss: Loss, outputs: Any, targets: Tensor) -> Ignorance | None:
    """The loss of a constant answer: ln(classes) for cross-entropy, classes − 1 for hinge, the variance for squared error.

    Args:
        loss: (outputs, targets) -> mean loss.
        outputs: what the network said; a tuple where there are further classifiers.
        targets: of the same samples.

    Returns:
        None where no constant answer can be named: two numbers for each value, embeddings in place of scores.
    """
    own: Tensor = outputs[0] if isinstance(outputs, tuple | list) else outputs
    task = task_of(own, targets)
    if task == "classes" and are_no_scores(loss, outputs, targets):
        return None
    # Of two numbers for each value, such as mean and spread, nobody knows what they are.
    if task == "other" or own.numel() == 0 or (task == "values" and own.numel() != targets.numel()):
        return None
    with torch.no_grad():
        value = float(loss(tree_map(lambda output: constant_answer(output, targets, task), outputs), targets))
    if not math.isfinite(value):
        return None
    if task == "values":
        return Ignorance(value, task, 0, f"always saying the mean costs {value:.3g}")
    classes = own.shape[1] if own.ndim == 2 and own.shape[1] > 1 else 2
    if abs(value - math.log(classes)) < 1e-4 * value:
        return Ignorance(value, task, classes, f"ln {classes} = {value:.2f}")
    return Ignorance(value, task, classes, f"the same score for all {classes} classes costs {value:.3g}")


def constant_answer(outputs: Tensor, targets: Tensor, task: str) -> Tensor:
    """What a net that knows nothing says, in the shape and the manner (logits, log-probabilities, probabilities) of these outputs.

    What comes along with outputs and is none (which steps are padding, classes of nodes), and outputs for no rows at all, stay what they are.
    """
    if not outputs.is_floating_point() or not outputs.numel():
        return outputs
    if task == "values":
        mean = targets.to(outputs.dtype).mean(0, keepdim=True)
        return mean.reshape(1, *outputs.shape[1:]).expand_as(outputs) if mean.numel() else outputs
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        classes, rows = outputs.shape[1], outputs.detach().float()
        if bool((rows.exp().sum(1) - 1).abs().max() < ROW_SUM):
            return torch.full_like(outputs, -math.log(classes))
        if bool((rows >= 0).all()) and bool((rows.sum(1) - 1).abs().max() < ROW_SUM):
            return torch.full_like(outputs, 1 / classes)
    return torch.zeros_like(outputs)


def prior_answer(outputs: Tensor, targets: Tensor, task: str) -> Tensor:
    """The best constant answer under a logarithmic loss: log of the classes' shares (as log-odds for one logit), or the mean value."""
    if task != "classes":
        return constant_answer(outputs, targets, task)
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        shares = torch.bincount(targets, minlength=outputs.shape[1])[: outputs.shape[1]].to(outputs.dtype) + 1e-3
        logs = (shares / shares.sum()).log().expand_as(outputs)
        plain = constant_answer(outputs, targets, task)
        return logs.exp() if float(plain.flatten()[0]) > 0 else logs
    share = targets.to(outputs.dtype).mean().clamp(1e-6, 1 - 1e-6)
    return torch.full_like(outputs, float(torch.logit(share)))
