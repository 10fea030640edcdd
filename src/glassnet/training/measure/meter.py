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
from glassnet.training.measure.activations import Activations, rms
from glassnet.training.measure.restoring import buffers_kept
from glassnet.training.plan import Plan
from glassnet.training.state import Generators, State, generators, restore_generators
from glassnet.training.step import Made

Kept = tuple[str, nn.Parameter, Tensor]  # name, parameter, and what it was before the step

TOGETHER = 2**20  # numbers of parameters whose updates are held at once
EARLY = (1, 3, 10, 30)  # most of what goes wrong shows in the first steps


@dataclass(frozen=True)
class Meter:
    """Says which steps are looked at, and looks.

    Attributes:
        every: steps between two looks; besides, some of the first thirty steps are looked at.
        early: whether they are.
    """

    every: int = 20
    early: bool = True

    def due(self, step: int) -> bool:
        """Whether the step after ``step`` steps is to be looked at; a function of the number alone, so that resuming changes nothing."""
        return (step + 1) % self.every == 0 or (self.early and step + 1 in EARLY)

    @contextmanager
    def watch(self, state: State, plan: Plan, inputs: Tensor, targets: Tensor) -> Iterator[Look]:
        """Look at the step that is made within the block, and told to the look as ``made``; the step itself is what it would have been."""
        look = Look(state, plan, inputs, targets)
        with ExitStack() as stack:
            look.before(stack)
            yield look
        # The hooks are gone; what follows only reads.
        look.after()


class Look:
    """One step, looked at.

    Attributes:
        made: what the step was made of, once it is; in full precision its loss is that of before the update, else the batch is passed once more.
    """

    made: Made | None = None

    def __init__(self, state: State, plan: Plan, inputs: Tensor, targets: Tensor) -> None:
        self.state, self.plan, self.inputs, self.targets = state, plan, inputs, targets
        self.activations = Activations(state.net)
        self.batch: dict[str, float] = {}
        self.parameters: list[dict[str, Any]] = []
        self._weights: list[Kept] = []
        self._gradients: dict[str, Tensor] = {}
        self._generators: Generators | None = None
        self._carried: dict[str, Tensor] = {}

    def before(self, stack: ExitStack) -> None:
        """Take what is needed from before the step, and put the hooks in place."""
        net = self.state.net
        self.activations.batch = len(self.targets)
        self._generators = generators()
        self._carried = carried_of(net)
        if self._repeatable and not self._exact:
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
        if self._repeatable and self._exact and self.made is not None:
            penalty = 0.0 if self.made.penalty is None else float(self.made.penalty)
            self.batch["before"] = float(self.made.loss) + penalty
            if self.made.outputs is not None:
                self.batch |= of_outputs(self.made.outputs, self.targets)
        promised = self._read_parameters()
        if self.plan.penalty is not None:
            self.batch["penalty_grad_norm"] = self._penalty_norm()
        if self._repeatable:
            assert self._generators is not None
            with buffers_kept(self.state.net):
                restore_generators(self._generators)
                carry(self.state.net, self._carried)  # the step has gone on; its batch began with what was before
                self.batch["after"], _ = self._loss()
            self.batch["predicted"] = promised
        self._weights, self._gradients = [], {}

    def _read_parameters(self) -> float:
        """Record every parameter with its gradient and update, and the length of the whole gradient; what the gradient promised of the updates comes back."""
        tables = {
            f"{name}.weight"
            for name, module in self.state.net.named_modules()
            if isinstance(module, nn.Embedding | nn.EmbeddingBag)
        }
        promised, size, left = 0.0, 0.0, 0.0
        # Some at a time: of a small network the calls take longer than the numbers, of a large one the copies fill the memory.
        for some in gathered([each for each in self._weights if each[1].grad is not None], TOGETHER):
            weights = [full(weight) for _, _, weight in some]
            gradients = [full(self._gradients.get(name, p.grad)) for name, p, _ in some if p.grad is not None]
            updates = [full(p) - weight for (_, p, _), weight in zip(some, weights, strict=True)]
            lengths, slopes, moves = (norms(each) for each in (weights, gradients, updates))
            for (name, _, weight), gradient, length, slope, move in zip(
                some, gradients, lengths, slopes, moves, strict=True
            ):
                root = math.sqrt(max(weight.numel(), 1))
                adds_up = weight.ndim > 1 and len(weight) > 0 and name not in tables  # whose rows are taken as they are
                self.parameters.append(
                    {
                        "name": name,
                        "dims": weight.ndim,
                        "weight": length / root,
                        "gradient": rms(gradient[met_rows(gradient)]) if name in tables else slope / root,
                        "update": move / root,
                        "ratio": move / length if length > 0 else 0.0,
                    }
                    | ({"gain": length / math.sqrt(len(weight))} if adds_up else {})
                )
            size = math.hypot(size, *slopes)
            if self.plan.clip:
                left = math.hypot(left, *norms([full(p.grad) for _, p, _ in some if p.grad is not None]))
            torch._foreach_mul_(updates, gradients)
            promised += sum(float(product.sum()) for product in updates)
        self.batch["grad_norm"] = size
        if self.plan.clip:
            self.batch["clip_factor"] = left / size if size > 0 else 1.0
        return promised

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
    def _exact(self) -> bool:
        """Whether the step's own loss is as exact as that of a pass made for the look."""
        return self.plan.precision == "float32"

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


def gathered(weights: list[Kept], most: int) -> Iterator[list[Kept]]:
    """Parameters in groups of up to so many numbers; a larger one by itself."""
    group, count = list[Kept](), 0
    for each in weights:
        if group and count + each[2].numel() > most:
            yield group
            group, count = [], 0
        group.append(each)
        count += each[2].numel()
    if group:
        yield group


def full(tensor: Tensor) -> Tensor:
    """The numbers in full precision; the tensor itself where it has that."""
    tensor = tensor.detach()
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def norms(tensors: list[Tensor]) -> list[float]:
    """Euclidean norm of each."""
    return list(map(float, torch._foreach_norm(tensors)))
