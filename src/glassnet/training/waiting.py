"""A step that is about to be made, and may be made together with those of other trainings."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from glassnet.training.plan import Plan
from glassnet.training.state import State
from glassnet.training.step import backward, penalised


@dataclass(frozen=True)
class Shared:
    """What a pass for several networks at once found for one of them.

    Attributes:
        loss: mean data loss of its batch, a scalar.
        outputs: what it said of the batch.
        gradients: of that loss, one for each parameter; None where the loss does not depend on it.
    """

    loss: Tensor
    outputs: Tensor
    gradients: list[Tensor | None]


@dataclass
class Waiting:
    """A training that stands before a step: what :func:`glassnet.training.train` yields there when it is asked to wait.

    Whoever goes on with it may have put ``shared`` in place before; the step then takes its gradients from there.

    Attributes:
        state: of the training.
        plan: what it is decided by.
        inputs: of the step's batch.
        targets: likewise.
        watched: somebody looks at this step from inside, so that it has to be made alone.
        shared: what a pass for several networks found for this step.
    """

    state: State
    plan: Plan
    inputs: Tensor
    targets: Tensor
    watched: bool = False
    shared: Shared | None = field(default=None, repr=False)

    def backward(
        self, state: State, plan: Plan, inputs: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """As :func:`glassnet.training.step.backward`, whose place it takes."""
        if self.shared is None:
            return backward(state, plan, inputs, targets)
        for parameter, gradient in zip(state.net.parameters(), self.shared.gradients, strict=True):
            parameter.grad = gradient
        return penalised(state, plan, self.shared.loss, self.shared.outputs if plan.meter is not None else None)
