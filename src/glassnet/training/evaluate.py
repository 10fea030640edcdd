"""What a network says of a whole part of the data, in evaluation mode, and the figures of that."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from glassnet.layers.carried import carrying_on
from glassnet.training.losses import EveryStep
from glassnet.training.plan import Plan
from glassnet.training.step import autocast

IGNORED = -100  # the target of what is no step
SEVERAL = 4  # classes from which on it is telling which one comes second


def outputs_of(
    net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], precision: str = "float32"
) -> tuple[Tensor, Tensor]:
    """Outputs (float32) and targets of every sample, in the order of the batches. The network's mode is put back."""
    was_training = {module: module.training for module in net.modules()}
    outputs, wanted = [], []
    net.eval()
    try:
        with torch.inference_mode():
            for inputs, targets in batches:
                with autocast(precision, inputs.device):
                    made = net(inputs).float()
                if (
                    made.ndim == 3 and targets.ndim == 2
                ):  # of every step, of which those behind the end of a sequence are none
                    made, targets = made[targets != IGNORED], targets[targets != IGNORED]
                outputs.append(made)
                wanted.append(targets)
    finally:
        for module, training in was_training.items():
            module.training = training
    return torch.cat(outputs), torch.cat(wanted)


def by_steps(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], plan: Plan) -> dict[str, float]:
    """Loss and accuracy over all steps that count, a network that carries its state going on from batch to batch; nothing large is kept."""
    was_training = {module: module.training for module in net.modules()}
    total, right, count = 0.0, 0, 0
    net.eval()
    try:
        with torch.inference_mode(), carrying_on(net):
            for inputs, targets in batches:
                with autocast(plan.precision, inputs.device):
                    outputs = net(inputs).float()
                targets = targets[:, : outputs.shape[1]]  # behind it all is padding
                counted = targets >= 0
                steps = int(counted.sum())
                if steps:
                    total += float(plan.loss(outputs, targets)) * steps
                    right += int((outputs.argmax(-1) == targets)[counted].sum())
                    count += steps
    finally:
        for module, training in was_training.items():
            module.training = training
    figures = {"loss": total / max(count, 1)}
    return figures | ({"accuracy": right / max(count, 1)} if plan.figures else {})


def evaluate(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], plan: Plan) -> dict[str, float]:
    """The loss without penalty, and the plan's further figures."""
    if isinstance(plan.loss, EveryStep):
        return by_steps(net, batches, plan)
    outputs, targets = outputs_of(net, batches, plan.precision)
    figures = {"loss": float(plan.loss(outputs, targets))}
    if plan.figures:
        figures |= plan.figures(outputs, targets)
    return figures


def accuracy(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Share of samples whose largest output (or, with one logit, whose sign) is right; shapes (n, classes) and (n,).

    Of four classes or more also ``second``: of the wrong answers, the share where the right class has the second largest output. It is high where classes are
    alike, and 1/(classes − 1) where labels are wrong at random, whatever the sample looks like.
    """
    said = outputs.argmax(1) if outputs.ndim == 2 and outputs.shape[1] > 1 else (outputs.reshape(-1) > 0).long()
    figures = {"accuracy": float((said == targets).double().mean())}
    if outputs.ndim == 2 and outputs.shape[1] >= SEVERAL:
        wrong = outputs[said != targets].scatter(1, said[said != targets][:, None], float("-inf"))
        if len(wrong):
            figures["second"] = float((wrong.argmax(1) == targets[said != targets]).double().mean())
    return figures


def explained(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """R² = 1 − Σ(y−ŷ)²/Σ(y−ȳ)², averaged over outputs: 1 is perfect, 0 no better than always saying the mean."""
    outputs, targets = outputs.double().reshape(len(targets), -1), targets.double().reshape(len(targets), -1)
    residual = (targets - outputs).square().sum(0)
    spread = (targets - targets.mean(0)).square().sum(0).clamp_min(1e-12)
    return {"r2": float((1 - residual / spread).mean())}
