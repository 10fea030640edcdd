"""Whether the data can be learned from at all: the audit of the data set, and a look at the numbers that reach the network."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn

from glassnet.checks.check import Check
from glassnet.checks.look import first
from glassnet.checks.subject import Subject
from glassnet.data.audit import Trouble, audit
from glassnet.diagnose.look import called
from glassnet.events import Checked

SAMPLES, FEW = 1_000, 8
BATCH_NORMS = nn.modules.batchnorm._BatchNorm


def judge(subject: Subject) -> Checked:
    """Fails on an error of the audit, and on inputs or targets that are not finite or never change."""
    inputs, targets = subject.samples(SAMPLES)
    values = inputs.float()
    bad = int((~torch.isfinite(values)).sum())
    bad_targets = int((~torch.isfinite(targets)).sum()) if targets.is_floating_point() else 0
    figures = {"samples": float(len(targets)), "nonfinite": float(bad), "nonfinite_targets": float(bad_targets)}
    if bad or bad_targets:
        row = int((~torch.isfinite(values)).flatten(1).any(1).nonzero()[0]) if bad else -1
        where = f"{bad:,} input numbers" if bad else f"{bad_targets:,} targets"
        return CHECK.failed(
            f"{where} of the first {len(targets):,} samples are infinite or not a number"
            + (f", first in sample {row}" if bad else ""),
            figures,
            why="one such number makes the loss, and with the next step every weight, not a number",
            advice="correct or remove these samples; 'glassnet data' names them",
        )
    spread = float(values.flatten(1).std(0, correction=0).max()) if len(values) > 1 else 1.0
    distinct = len(torch.unique(targets, dim=0))
    figures |= {"largest_feature_std": spread, "distinct_targets": float(distinct)}
    told = f"{len(targets):,} samples looked at, all numbers finite"
    if spread == 0 and len(values) > 1:
        return CHECK.failed(
            f"all {len(targets):,} inputs looked at are the same", figures, advice="look at what reads the inputs"
        )
    if distinct == 1 and len(targets) > 1:
        return CHECK.failed(
            f"all {len(targets):,} targets looked at are the same ({targets.flatten()[0].item():g})",
            figures,
            why="there is nothing to tell apart; or the samples come sorted and the first batches hold one class",
            advice="look at what reads the targets; let the batches be shuffled",
        )
    if refused := too_few_to_normalise(subject):
        return CHECK.failed(
            refused,
            figures,
            why="the spread of a single sample is zero: batch normalisation needs two at least, and works well from eight on",
            advice="leave a small last batch out (DataLoader(..., drop_last=True)), take batches of another size, or use layer or group normalisation",
        )
    said = outputs_of(subject, inputs)
    if said is not None and (shapes := broadcast(subject, said, targets[: len(said)])):
        return CHECK.failed(
            f"the loss of outputs of shape {shapes[0]} and targets of shape {shapes[1]} compares each output with every target",
            figures,
            why="PyTorch stretches both to one shape, (samples, samples): the net then learns to say the mean to every input",
            advice="bring both to one shape: targets.unsqueeze(1), or outputs.squeeze(1)",
        )
    outputs = outputs_for_classes(said, targets)
    if outputs is not None and bool((outside := (targets < 0) | (targets >= outputs)).any()):
        return CHECK.failed(
            f"{int(outside.sum()):,} of the first {len(targets):,} targets, such as {int(targets[outside][0])}, are no index of one of the network's {outputs} outputs, which are counted from 0",
            figures,
            why="the last layer was made for other data, or classes are counted from 1 instead of 0",
            advice="let the last layer have one output for each class, and count classes from 0",
        )
    if subject.data is None:
        return CHECK.passed(told, figures)
    found = audit(subject.data)
    troubles = {severity: [t for t in found.troubles if t.severity == severity] for severity in ("error", "warning")}
    figures |= {"errors": float(len(troubles["error"])), "warnings": float(len(troubles["warning"]))}
    if troubles["error"]:
        return CHECK.failed(_told(troubles["error"]), figures, advice=troubles["error"][0].advice)
    if troubles["warning"]:
        return CHECK.warning(_told(troubles["warning"]), figures, advice=troubles["warning"][0].advice)
    return CHECK.passed(f"{told}; the audit of {sum(found.sizes.values()):,} samples has found no trouble", figures)


def outputs_of(subject: Subject, inputs: Tensor) -> Tensor | None:
    """What the untrained network says of the first samples; None where that is no tensor."""
    with subject.trial() as net, torch.no_grad():
        net.eval()
        said = first(net(inputs[:FEW]))
    return said if isinstance(said, Tensor) else None


def too_few_to_normalise(subject: Subject) -> str:
    """What is wrong where a batch, or the piece of one that passes together, holds one sample, and the network normalises by the batch; empty otherwise."""
    batches = subject.batches
    smallest = getattr(batches, "smallest", batches.samples // max(batches.steps_per_epoch, 1))
    norms = [name for name, module in subject.net.named_modules() if isinstance(module, BATCH_NORMS)]
    if not norms or smallest // max(subject.plan.micro_batches, 1) > 1:
        return ""
    inputs, _ = subject.samples(1)
    with subject.trial() as net, torch.no_grad():
        net.train()
        try:
            net(inputs)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            return f"a batch of one sample comes to {called(norms[0], 'norm')}, which normalises by the batch and refuses it"
    return ""


def outputs_for_classes(said: Tensor | None, targets: Tensor) -> int | None:
    """How many classes the network tells apart; None where targets are no class indices, or outputs no row of scores."""
    if targets.is_floating_point() or targets.ndim != 1 or said is None:
        return None
    return said.shape[1] if said.ndim == 2 and said.shape[1] > 1 else None


def broadcast(subject: Subject, said: Tensor, targets: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The shapes of outputs and targets, one number a sample each, where the loss is another when they have the same shape, and pulls at one sample's output by another's target."""
    if not targets.is_floating_point() or said.shape == targets.shape or said.numel() != targets.numel():
        return None
    if len(said) < 2:
        return None
    others = targets.clone()
    others[0] += 1.0
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, which names no layer and comes at every step
        leaf = said.detach().clone().requires_grad_()
        given, moved = subject.plan.loss(leaf, targets), subject.plan.loss(leaf, others)
        alike = subject.plan.loss(leaf, targets.reshape(said.shape))
        if not given.requires_grad or math.isclose(float(given.detach()), float(alike.detach()), rel_tol=1e-5):
            return None
        pull, other = (torch.autograd.grad(each, leaf)[0] for each in (given, moved))
    mixed = not torch.allclose(pull[1:], other[1:])
    return (tuple(said.shape), tuple(targets.shape)) if mixed else None


def _told(troubles: list[Trouble]) -> str:
    more = f" (and {len(troubles) - 1} more; 'glassnet data' tells all)" if len(troubles) > 1 else ""
    return troubles[0].what + more


CHECK = Check(
    id="data-sane",
    title="The data can be learned from",
    threshold="fails where inputs or targets are not finite or never change, where a target is no index of an output where the loss compares each output with every target, where batch normalisation gets a single sample, or where the audit finds an error; warns with the audit's warnings",
    source="the audit of 'glassnet data'; Karpathy, A recipe for training neural networks, 2019: become one with the data first",
    explanation=(
        "Most of what goes wrong in a training goes wrong before it, in the data: missing numbers, labels in the wrong order, the same sample in the training part and "
        "in the test part, one class that drowns the others. A network does not complain about any of it; it just learns something else than you want. So the data are looked "
        "over first, and then once more at the point where they reach the network, after every change that was made to them on the way."
    ),
    why="a network learns what the data say, faults included",
    advice="look at the data with 'glassnet data DATA'",
    judge=judge,
)
