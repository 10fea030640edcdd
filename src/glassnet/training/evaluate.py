"""What a network says of a whole part of the data, in evaluation mode, and the figures of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from glassnet.layers.through_time import carrying_on
from glassnet.training.losses import EveryStep, steps_that_count
from glassnet.training.plan import Plan
from glassnet.training.step import autocast

SEVERAL = 4  # classes from which on it is telling which one comes second


def show(
    net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], precision: str, seen: Callable[[Tensor, Tensor], None]
) -> None:
    """Hand every batch's outputs (float32) and targets to ``seen``, in their order.

    The network is in evaluation mode and goes on from batch to batch where it carries a state; both are put back.
    """
    was_training = {module: module.training for module in net.modules()}
    net.eval()
    try:
        with torch.inference_mode(), carrying_on(net):
            for inputs, targets in batches:
                with autocast(precision, inputs.device):
                    outputs = net(inputs)
                seen(outputs.float(), targets)
    finally:
        for module, training in was_training.items():
            module.training = training


def outputs_of(
    net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], precision: str = "float32"
) -> tuple[Tensor, Tensor]:
    """Outputs (float32) and targets of every sample, in the order of the batches; of nets that say one row for each."""
    made: list[tuple[Tensor, Tensor]] = []
    show(net, batches, precision, lambda outputs, targets: made.append((outputs, targets)))
    outputs, wanted = zip(*made, strict=True)
    return torch.cat(outputs), torch.cat(wanted)


def evaluate(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], plan: Plan) -> dict[str, float]:
    """The loss without penalty, and the plan's further figures; of nets that say something at every step over all steps that count."""
    if isinstance(plan.loss, EveryStep):
        return _of_steps(net, batches, plan)
    outputs, targets = outputs_of(net, batches, plan.precision)
    figures = {"loss": float(plan.loss(outputs, targets))}
    if plan.figures:
        figures |= plan.figures(outputs, targets)
    return figures


def _of_steps(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], plan: Plan) -> dict[str, float]:
    """As :func:`evaluate`; a row for each token of a text would be too large to keep, and of each only its loss and its place are."""
    total, places = 0.0, list[Tensor]()

    def seen(outputs: Tensor, targets: Tensor) -> None:
        nonlocal total
        rows, wanted = steps_that_count(outputs, targets)
        if len(rows):
            total += float(plan.loss(outputs, targets)) * len(rows)
            places.append(placed(rows, wanted))

    show(net, batches, plan.precision, seen)
    place = torch.cat(places) if places else torch.zeros(0, dtype=torch.uint8)
    return {"loss": total / max(len(place), 1)} | (of_places(place) if plan.figures else {})


def accuracy(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Share of samples whose largest output (or, with one logit, whose sign) is right; shapes (n, classes) and (n,).

    Of four classes or more also ``second``: of the wrong answers, the share where the right class has the second largest output. It is high where classes are
    alike, and 1/(classes − 1) where labels are wrong at random, whatever the sample looks like. And ``sure``: the share that is right among the quarter of the samples
    whose largest output stands furthest above the second: near 1 of a network that can tell easy samples, the share of right labels where others are wrong at random.
    """
    place = placed(outputs, targets)
    figures = of_places(place)
    if outputs.ndim == 2 and outputs.shape[1] >= SEVERAL and len(outputs) >= SEVERAL:
        largest = outputs.topk(2, dim=1).values
        surest = (largest[:, 0] - largest[:, 1]).topk(len(outputs) // 4).indices
        figures["sure"] = float((place[surest] == FIRST).double().mean())
    return figures


FIRST, SECOND, BEHIND, WRONG = range(4)


def placed(outputs: Tensor, targets: Tensor) -> Tensor:
    """Where the right class stands among the outputs of its row: ``FIRST``, ``SECOND`` or ``BEHIND``; of few classes ``FIRST`` or ``WRONG``; uint8 (n,)."""
    said = outputs.argmax(1) if outputs.ndim == 2 and outputs.shape[1] > 1 else (outputs.reshape(-1) > 0).long()
    wrong = said != targets
    if outputs.ndim < 2 or outputs.shape[1] < SEVERAL:
        return wrong.to(torch.uint8) * WRONG
    place = torch.zeros(len(said), dtype=torch.uint8, device=outputs.device)
    others = outputs[wrong].scatter(1, said[wrong][:, None], float("-inf"))
    place[wrong] = torch.where(others.argmax(1) == targets[wrong], SECOND, BEHIND).to(torch.uint8)
    return place


def of_places(place: Tensor) -> dict[str, float]:
    """``accuracy`` and ``second`` from what :func:`placed` says of each row; see :func:`accuracy`."""
    figures = {"accuracy": float((place == FIRST).double().mean()) if len(place) else 0.0}
    told = place[(place == SECOND) | (place == BEHIND)]
    if len(told):
        figures["second"] = float((told == SECOND).double().mean())
    return figures


def explained(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """R² = 1 − Σ(y−ŷ)²/Σ(y−ȳ)², averaged over the outputs whose targets change: 1 is perfect, 0 no better than always saying the mean. Where none changes, 1 if all are met and 0 if not."""
    outputs, targets = outputs.double().reshape(len(targets), -1), targets.double().reshape(len(targets), -1)
    residual = (targets - outputs).square().sum(0)
    spread = (targets - targets.mean(0)).square().sum(0)
    changes = spread > 1e-12
    if not bool(changes.any()):
        return {"r2": float(not bool(residual.any()))}
    return {"r2": float((1 - residual[changes] / spread[changes]).mean())}
