"""A meter watches single training steps from inside."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.events import Measured, Step
from glassnet.layers.through_time import carried_of, carry
from glassnet.training.measure.activations import Activations
from glassnet.training.measure.restoring import buffers_kept
from glassnet.training.plan import Plan
from glassnet.training.state import State, random_states, restore_random_states

EARLY = (1, 2, 3, 5, 10, 20, 50)  # most of what goes wrong shows in the first steps


@dataclass(frozen=True)
class Meter:
    """Says which steps are looked at, and looks.

    Attributes:
        every: steps between two looks; besides, some of the first fifty steps are looked at.
        early: whether they are.
    """

    every: int
    early: bool = True

    def due(self, step: int) -> bool:
        """Whether the step after ``step`` steps is to be looked at; a function of the number alone, so that resuming changes nothing."""
        return (step + 1) % self.every == 0 or (self.early and step + 1 in EARLY)

    @contextmanager
    def watch(self, state: State, plan: Plan, inputs: Tensor, targets: Tensor) -> Iterator[Look]:
        """Look at the step that is made within the block; the step itself is what it would have been."""
        look = Look(state, plan, inputs, targets)
        with ExitStack() as stack:
            look.before(stack)
            yield look
        # The hooks are gone; what follows only reads.
        look.after()


class Look:
    """One step, looked at."""

    def __init__(self, state: State, plan: Plan, inputs: Tensor, targets: Tensor) -> None:
        self.state, self.plan, self.inputs, self.targets = state, plan, inputs, targets
        self.activations = Activations(state.net)
        self.batch: dict[str, float] = {}
        self.parameters: list[dict[str, Any]] = []
        self._weights: list[tuple[str, nn.Parameter, Tensor]] = []
        self._gradients: dict[str, Tensor] = {}
        self._states: dict[str, Any] = {}
        self._carried: dict[str, Tensor] = {}

    def before(self, stack: ExitStack) -> None:
        """Take what is needed from before the step, and put the hooks in place."""
        net = self.state.net
        self.activations.batch = len(self.targets)
        self._states = random_states()
        self._carried = carried_of(net)
        if self._repeatable:
            with buffers_kept(net):
                self.batch["before"], outputs = self._loss()
            self.batch |= of_outputs(outputs, self.targets)
        self._weights = [(name, p, p.detach().clone()) for name, p in net.named_parameters() if p.requires_grad]
        if self.plan.clip:  # which changes gradients in place
            for name, parameter, _ in self._weights:
                handle = parameter.register_post_accumulate_grad_hook(self._keeper(name))  # type: ignore[no-untyped-call]
                stack.callback(handle.remove)
        stack.enter_context(self.activations)

    def after(self) -> None:
        """Read gradients and updates, and ask how far the step went."""
        promised, size = 0.0, 0.0
        tables = {
            f"{name}.weight" for name, module in self.state.net.named_modules() if isinstance(module, nn.Embedding)
        }
        for name, parameter, weight in self._weights:
            if parameter.grad is None:
                continue
            gradient = self._gradients.get(name, parameter.grad).detach().float()
            update = (parameter.detach() - weight).float()
            promised += float((gradient * update).sum(dtype=torch.float64))
            size += float(gradient.square().sum(dtype=torch.float64))
            length = float(weight.float().norm())
            self.parameters.append(
                {
                    "name": name,
                    "dims": weight.ndim,
                    "weight": rms(weight),
                    "gradient": rms(gradient[met_rows(gradient)] if name in tables else gradient),
                    "update": rms(update),
                    "ratio": float(update.norm()) / length if length > 0 else 0.0,
                }
                | ({"gain": rms(weight) * math.sqrt(weight.numel() / len(weight))} if weight.ndim > 1 else {})
            )
        self.batch["grad_norm"] = size**0.5
        if self.plan.clip:
            left = sum(
                float(p.grad.square().sum(dtype=torch.float64)) for _, p, _ in self._weights if p.grad is not None
            )
            self.batch["clip_factor"] = (left / size) ** 0.5 if size > 0 else 1.0
        if self.plan.penalty is not None:
            self.batch["penalty_grad_norm"] = self._penalty_norm()
        if self._repeatable:
            later = random_states()
            with buffers_kept(self.state.net):
                restore_random_states(self._states)
                carry(self.state.net, self._carried)  # the step has gone on; its batch began with what was before
                self.batch["after"], _ = self._loss()
            restore_random_states(later)
            self.batch["predicted"] = promised
        self._weights, self._gradients = [], {}

    def event(self, step: Step, made: dict[str, float] | None = None) -> Measured:
        """What was seen, as an event."""
        return Measured(
            epoch=step.epoch,
            step=step.step,
            lr=step.lr,
            batch=self.batch | (made or {}),
            layers=self.activations.records,
            parameters=self.parameters,
            through_time=self.activations.through_time,
        )

    @property
    def _repeatable(self) -> bool:
        """Whether the step's own forward pass can be made again: not with noise on the weights, nor with a line search."""
        return self.plan.around_step is None and not isinstance(self.state.optimizer, torch.optim.LBFGS)

    def _loss(self) -> tuple[float, Tensor]:
        """Loss and penalty of the batch with the present weights, in training mode and float32, and the outputs."""
        total, outputs = 0.0, []
        with torch.no_grad():
            pieces = zip(
                self.inputs.chunk(self.plan.micro_batches), self.targets.chunk(self.plan.micro_batches), strict=True
            )
            for some, wanted in pieces:
                made = self.state.net(some)
                total += float(self.plan.loss(made, wanted)) * (len(wanted) / len(self.targets))
                outputs.append(made[0] if isinstance(made, tuple) else made)
            if self.plan.penalty is not None:
                total += float(self.plan.penalty(self.state.net))
        return total, torch.cat(outputs)

    def _keeper(self, name: str) -> Any:
        def keep(parameter: Tensor) -> None:
            if parameter.grad is not None:
                self._gradients[name] = parameter.grad.detach().clone()

        return keep

    def _penalty_norm(self) -> float:
        """Norm of the penalty's own gradient, at the weights before the step."""
        assert self.plan.penalty is not None
        present = [(p, p.detach().clone()) for _, p, _ in self._weights]
        try:
            with torch.no_grad():
                for _, p, weight in self._weights:
                    p.copy_(weight)
            with torch.enable_grad():
                penalty = self.plan.penalty(self.state.net)
                if not penalty.requires_grad:  # nothing that it speaks of is to be trained
                    return 0.0
                parts = torch.autograd.grad(penalty, [p for p, _ in present], allow_unused=True)
        finally:
            with torch.no_grad():
                for p, now in present:
                    p.copy_(now)
        return math.sqrt(sum(float(g.detach().double().square().sum()) for g in parts if g is not None))


def of_outputs(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Figures of a batch's outputs beside its targets."""
    outputs = outputs.detach().float()
    found = {}
    if outputs.ndim == 2 and len(outputs) > 1:
        found["between_samples"] = float(outputs.std(0, correction=0).mean())
    if outputs.ndim == 2 and not targets.is_floating_point() and targets.ndim == 1:
        if outputs.shape[1] > 1:
            found["accuracy"] = float((outputs.argmax(1) == targets).float().mean())
            found["confidence"] = float(outputs.softmax(1).max(1).values.mean())
        else:
            found["accuracy"] = float(((outputs[:, 0] > 0).long() == targets).float().mean())
            found["confidence"] = float(outputs[:, 0].sigmoid().sub(0.5).abs().mean() + 0.5)
        shares = torch.bincount(targets.reshape(-1).clamp_min(0)).float() / len(targets)
        found["entropy"] = float(torch.special.entr(shares).sum())
    return found


def met_rows(gradient: Tensor) -> Tensor:
    """Which rows of an embedding's gradient belong to tokens of the batch: the others were not asked for anything."""
    return gradient.flatten(1).any(dim=1)


def rms(tensor: Tensor) -> float:
    """Root mean square."""
    return float(tensor.detach().float().square().mean().sqrt()) if tensor.numel() else 0.0
