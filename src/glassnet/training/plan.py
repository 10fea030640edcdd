"""What a training is decided by: parts, not flags."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from glassnet.training.averaging import Averager
from glassnet.training.clipping import Clip
from glassnet.training.losses import Loss
from glassnet.training.schedules import Schedule, constant
from glassnet.training.stopping import EarlyStopping

if TYPE_CHECKING:  # a meter knows plans, not the other way round
    from glassnet.training.measure.meter import Meter

Figures = Callable[[Tensor, Tensor], dict[str, float]]


@dataclass(frozen=True)
class Plan:
    """Everything the loop needs besides the network and the batches.

    The parts that remember something (optimiser, schedule, averaging, stopping) are given as they are at the start; the run's
    :class:`~glassnet.training.state.State` holds on to them and a checkpoint saves what they remember.

    Attributes:
        loss: (outputs, targets) -> mean loss of the batch, a scalar.
        optimizer: makes the optimiser for a network.
        epochs: how many times every sample is seen.
        schedule: multiplies each group's learning rate at every step.
        penalty: network -> penalty added to the loss and shown apart from it.
        clip: bounds the gradient before a step.
        after_step: corrects the weights after a step, such as max-norm.
        around_step: makes a context manager around forward and backward, such as noise on the weights.
        averager: keeps a moving average of the weights, which is then what is evaluated and kept.
        stopping: which figure says that weights are the best so far, and when there is no hope of better ones.
        figures: (outputs, targets) of a whole part -> figures besides the loss, such as accuracy.
        precision: ``float32`` or ``bfloat16`` (autocast: weights stay float32).
        weight_gradients: of convolutions: ``library``, or ``products`` where those are faster (:mod:`~glassnet.training.weight_gradients`).
        micro_batches: pieces a batch is cut into; gradients are averaged over them, so that memory falls and nothing else changes
            (batch normalisation sees the piece).
        record_every: read loss and norms from the device at every this many steps.
        meter: looks at some steps from inside, describes the training before its first step, and traces strange losses; nobody looks without it.
    """

    loss: Loss
    optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    epochs: int
    schedule: Schedule = field(default_factory=constant)
    penalty: Callable[[nn.Module], Tensor] | None = None
    clip: Clip | None = None
    after_step: Callable[[nn.Module], None] | None = None
    around_step: Callable[[nn.Module], AbstractContextManager[None]] | None = None
    averager: Callable[[nn.Module], Averager] | None = None
    stopping: Callable[[], EarlyStopping] | None = None
    figures: Figures | None = None
    precision: str = "float32"
    weight_gradients: str = "library"
    micro_batches: int = 1
    record_every: int = 10
    meter: Meter | None = None
