"""Training small nets on a handful of numbers, with Glassnet's own loop."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from glassnet.data.batches import Batches
from glassnet.data.dataset import InMemory, Part
from glassnet.training import Plan, train
from glassnet.training.losses import make_loss
from glassnet.training.optimizers import make_optimizer
from glassnet.training.schedules import Schedule, constant


def fit(
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    loss: str = "squared",
    epochs: int = 500,
    lr: float = 0.01,
    batch_size: int | None = None,
    weight_decay: float = 0.0,
    schedule: Schedule | None = None,
    seed: int = 0,
    **options: Any,
) -> nn.Module:
    """The net, trained in place with Adam.

    Args:
        net: to be trained.
        x: inputs (samples, inputs).
        y: values (samples, outputs), or classes (samples,) for ``cross-entropy``.
        loss: name of the loss.
        epochs: how many times every sample is seen.
        lr: learning rate.
        batch_size: all samples at once without it.
        weight_decay: of Adam's own kind, L2.
        schedule: of the learning rate; constant without it.
        seed: of the order.
        **options: more of Adam's.
    """
    part = Part(InMemory(x), y, [""] * len(y))
    plan = Plan(
        loss=make_loss(loss),
        optimizer=lambda net: make_optimizer("adam", net, lr=lr, weight_decay=weight_decay, options=options),
        epochs=epochs,
        schedule=schedule or constant(),
        record_every=10**6,
    )
    for _ in train(net, Batches(part, batch_size or len(x), seed=seed), plan):
        pass
    return net.eval()


def predict(net: nn.Module, x: Tensor) -> Tensor:
    """The net's outputs, without gradient."""
    with torch.no_grad():
        outputs: Tensor = net(x)
    return outputs
