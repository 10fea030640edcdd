"""Losses (requirements O1, O2, and Z2's own), each the mean over the batch, computed in float32 or wider whatever the network's precision."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from glassnet.errors import GlassnetError, ModelError, UsageError, all_at_once, unknown
from glassnet.layers import map_criterion

J = 8.0  # of the MAP criterion, for which the paper gives no value; found on a validation part of MNIST, see docs/log.md

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """−Σ_c ŷ_c log softmax(s)_c, averaged over the batch.

    Args:
        logits: (batch, classes).
        targets: class indices (batch,), or probabilities or one-hot rows (batch, classes).
        label_smoothing: ε in 0 to 1; ŷ becomes (1 − ε) ŷ + ε / classes (Szegedy et al. 2016, section 7).
    """
    return F.cross_entropy(_wide(logits), targets, label_smoothing=label_smoothing)


def binary(logits: Tensor, targets: Tensor) -> Tensor:
    """Logistic loss of one logit: log(1 + e^s) − y s, averaged. Logits (batch, 1) or (batch,), targets 0 or 1 (batch,)."""
    flat = _wide(logits).reshape(-1)
    if len(flat) != targets.numel():
        raise ModelError("the binary loss needs one logit", got=tuple(logits.shape), expected=(len(targets), 1))
    return F.binary_cross_entropy_with_logits(flat, targets.to(flat.dtype).reshape(-1))


def hinge(logits: Tensor, targets: Tensor) -> Tensor:
    """Multiclass support-vector loss Σ_{j≠y} max(0, s_j − s_y + 1), averaged over the batch (Weston & Watkins 1999).

    Logits (batch, classes), targets class indices (batch,). PyTorch's ``multi_margin_loss`` divides by the number of classes; the
    lectures' form, which this is, does not.
    """
    scores = _wide(logits)
    right = scores.gather(1, targets[:, None])
    margins = (scores - right + 1).clamp_min(0)
    # The right class itself contributes max(0, 1) = 1 to every row.
    return margins.sum(1).mean() - 1


def maximum_a_posteriori(scores: Tensor, targets: Tensor, *, j: float = J) -> Tensor:
    """y_t + log(e^−j + Σ_i e^−y_i) with penalties y = −s, averaged over the batch: what LeNet-5 was trained with.

    Beside outputs that measure distances (:class:`glassnet.layers.RBF`) it asks for two things: that the right class be nearer
    than the others, as cross-entropy asks too, and that it be nearer than j. Source: LeCun, Bottou, Bengio, Haffner, 1998, equation 9.

    Args:
        scores: (batch, classes), minus the squared distances.
        targets: class indices (batch,).
        j: above 0: how far is too far, and from where on a wrong class is left alone.
    """
    return map_criterion(scores, targets, j)


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """(y − ŷ)², averaged over the batch and over outputs; both (batch, outputs)."""
    return F.mse_loss(_wide(outputs), _like(targets, outputs))


def absolute(outputs: Tensor, targets: Tensor) -> Tensor:
    """|y − ŷ|, averaged over the batch and over outputs; both (batch, outputs)."""
    return F.l1_loss(_wide(outputs), _like(targets, outputs))


def huber(outputs: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """r²/2 where |r| ≤ δ, else δ(|r| − δ/2), averaged; both (batch, outputs) (Huber 1964)."""
    return F.huber_loss(_wide(outputs), _like(targets, outputs), delta=delta)


def with_auxiliary(loss: Loss, weight: float) -> Callable[[Tensor | tuple[Tensor, ...], Tensor], Tensor]:
    """The loss of networks that have further classifiers in training: L(s_0, y) + weight · Σ_{i≥1} L(s_i, y).

    Args:
        loss: L, of one output.
        weight: of each further output (Szegedy et al. 2014, section 5, take 0.3).

    Returns:
        A loss that takes a tuple of outputs, the network's own first, or one output alone, as in evaluation.
    """

    def summed(outputs: Tensor | tuple[Tensor, ...], targets: Tensor) -> Tensor:
        if isinstance(outputs, Tensor):
            return loss(outputs, targets)
        own, *further = outputs
        total = loss(own, targets)
        for output in further:
            total = total + weight * loss(output, targets)
        return total

    return summed


def with_nodes(loss: Loss) -> Callable[[Tensor | tuple[Tensor, ...], Tensor], Tensor]:
    """The loss of networks that say something of every node of a tree: the mean of L over all nodes with a class, the roots among them.

    Source: Socher et al. 2013, equation 2, whose sum over nodes is a mean here, so that large trees and small ones learn at one rate.

    Args:
        loss: L, of one output a row.

    Returns:
        A loss that takes the roots' outputs (batch, classes) alone, as in evaluation, or with the other nodes' outputs (nodes, classes) and their classes,
        int64 (nodes,), -1 where they have none.
    """

    def over_nodes(outputs: Tensor | tuple[Tensor, ...], targets: Tensor) -> Tensor:
        if isinstance(outputs, Tensor):
            return loss(outputs, targets)
        roots, others, classes = outputs
        known = classes >= 0
        return loss(torch.cat([roots, others[known]]), torch.cat([targets, classes[known].to(targets)]))

    return over_nodes


def with_steps(loss: Loss) -> Callable[[Tensor | tuple[Tensor, ...], Tensor], Tensor]:
    """The loss of networks that answer behind every step of a sequence in training: Σ_t L(s_t, y) over the steps of all sequences, divided by their number.

    The targets are those of the whole sequences: each step is asked for the same answer. So every step is taught directly, however long the sequence is, and long
    sequences count for more than short ones, as words do in tagging.

    Args:
        loss: L, of one output a row.

    Returns:
        A loss that takes the answers (batch, outputs) alone, as in evaluation, or with those of every step (batch, time, outputs) and which of them are
        no padding, bool (batch, time).
    """

    def over_steps(outputs: Tensor | tuple[Tensor, ...], targets: Tensor) -> Tensor:
        if isinstance(outputs, Tensor):
            return loss(outputs, targets)
        _, every, inside = outputs
        return loss(every[inside], targets.repeat_interleave(inside.sum(dim=1), dim=0))

    return over_steps


class EveryStep:
    """The mean of a loss over all steps of all sequences, see :func:`steps_that_count`: of what a language model, a tagger or a translator says.

    This is the one place where a loss meets steps; every loss itself knows rows alone.

    Args:
        loss: of (steps, classes) and class indices (steps,).
    """

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.name = str(getattr(loss, "func", loss).__name__).replace("_", "-")

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean over the steps that count; NaN where none does."""
        return self.loss(*steps_that_count(outputs, targets))


def steps_that_count(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The steps of all sequences one behind the other, without those where nothing is to be said.

    Args:
        outputs: (batch, steps, classes).
        targets: int64 (batch, steps or more); below 0 where nothing is to be said, as behind the end of a sequence.

    Returns:
        (steps that count, classes) and (steps that count,).
    """
    flat, wanted = outputs.flatten(0, 1), targets[:, : outputs.shape[1]].flatten()  # behind it all is padding
    counts = wanted >= 0
    return (flat, wanted) if bool(counts.all()) else (flat[counts], wanted[counts])


LOSSES: dict[str, Callable[..., Tensor]] = {
    "cross-entropy": cross_entropy,
    "binary": binary,
    "hinge": hinge,
    "map": maximum_a_posteriori,
    "squared": squared,
    "absolute": absolute,
    "huber": huber,
}


def make_loss(name: str, **options: Any) -> Loss:
    """The loss of a name, its options filled in.

    Raises:
        UsageError: unknown name or options, all of them at once.
    """
    if name not in LOSSES:
        raise unknown("loss", name, LOSSES)
    known = {
        key for key, value in inspect.signature(LOSSES[name]).parameters.items() if value.kind is value.KEYWORD_ONLY
    }
    mistakes: list[GlassnetError] = [
        unknown(f"option of the loss {name}", key, known)
        if known
        else UsageError(
            f"the loss {name} has no option '{key}'", where=f"loss.{key}", got=options[key], fix="leave it out"
        )
        for key in options
        if key not in known
    ]
    if mistakes:
        raise all_at_once(mistakes)
    return partial(LOSSES[name], **options) if options else LOSSES[name]


def _wide(outputs: Tensor) -> Tensor:
    return outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs


def _like(targets: Tensor, outputs: Tensor) -> Tensor:
    if targets.shape == outputs.shape:
        return targets
    if targets.shape == outputs.shape[:1] and outputs.shape[1:].numel() == 1:
        return targets.reshape(outputs.shape)
    # Reshaping (2, 3) to (3, 2) would pair each output with another's target and train on without a word.
    raise ModelError("outputs and targets do not fit together", got=tuple(outputs.shape), expected=tuple(targets.shape))
