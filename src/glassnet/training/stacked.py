"""Several networks of one build, whose weights lie in common tensors, so that one pass computes the gradients of all.

Small networks leave a GPU idle: each of the few dozen kernels of a step is done before the next one is called. A stack of E networks calls as many kernels
as one network, each over E times the numbers: products of matrices become batched products, convolutions become grouped ones.

Only the forward and the backward pass are shared. Every parameter keeps its identity, and its numbers become a view of its slice of the common tensor; so
optimiser, schedule, clipping, penalties, averages, looks, evaluation and checkpoints are each network's own and know nothing of it, and steps of
one's own and shared ones can alternate freely. What is computed is the same; sums are rounded in another order.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import itemgetter
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._pytree import tree_map

from glassnet.training.losses import Loss
from glassnet.training.measure.restoring import buffers_kept
from glassnet.training.state import State, random_states
from glassnet.training.step import autocast, backward
from glassnet.training.waiting import Shared, Waiting

# How far gradients of a shared pass may be from those of the networks' own, as a share of their length: far more than rounding, and less than any mistake makes.
# In float32 on a GPU convolutions are computed in TF32, with ten bits; bfloat16 is allowed an angle whose cosine is 0.9, as between precisions (choosing.py).
APART = {("float32", "cpu"): 0.01, ("float32", "cuda"): 0.1}
APART_IN_LOWER = 0.44
WORTH = 1.1  # gain of a pass for which networks are stacked: the way through all trainings by turns costs a little too
ROUNDS, MOST_ROUNDS = 3, 15  # passes of each way that are timed
PLAIN = (bool, int, float, str, tuple, list, type(None))  # kinds of values that say how a layer computes
ENOUGH = 0.3  # seconds of passes after which there are enough


class Stack:
    """Networks of one build in common tensors. Making one moves their parameters and buffers there, in place and with their layout in memory.

    Args:
        states: of the trainings; :func:`build_of` is the same for all.
    """

    def __init__(self, states: Sequence[State]) -> None:
        self.states = list(states)
        self.net = states[0].net  # the one whose ``forward`` is run, on everybody's weights
        nets = [state.net for state in states]
        self._parameters = _common([dict(net.named_parameters()) for net in nets])
        self._buffers = _common([dict(net.named_buffers()) for net in nets])
        required = {name: parameter.requires_grad for name, parameter in self.net.named_parameters()}
        for name, tensor in self._parameters.items():
            tensor.requires_grad_(required[name])

    def holds(self, states: Sequence[State]) -> bool:
        """Whether these trainings, in this order, are the ones stacked, and nobody has given a parameter other numbers to refer to since."""
        return len(states) == len(self.states) and all(
            state is mine and _lie_in(state.net, self._parameters | self._buffers, place)
            for place, (state, mine) in enumerate(zip(states, self.states, strict=True))
        )

    def learn(self, waiting: Sequence[Waiting]) -> list[Shared]:
        """One forward and one backward pass for the next step of each training, in the order of ``states``; buffers change as in its own step."""
        wanted = [each.plan.loss for each in waiting]
        precision, device = waiting[0].plan.precision, waiting[0].state.device

        def say(parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor) -> Any:
            with autocast(precision, device):
                return functional_call(self.net, (parameters, buffers), (inputs,))

        def one(
            parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor, targets: Tensor
        ) -> tuple[Tensor, Any]:
            outputs = say(parameters, buffers, inputs)
            return wanted[0](outputs, targets), outputs

        inputs = torch.stack([each.inputs for each in waiting])  # (E, batch, ...)
        targets = torch.stack([each.targets for each in waiting])
        if all(_same_loss(wanted[0], other) for other in wanted[1:]):
            losses, answers = vmap(one)(self._parameters, self._buffers, inputs, targets)  # (E,), (E, batch, ...)
        else:  # such as label smoothing of different strengths: a few kernels more for each
            answers = vmap(say)(self._parameters, self._buffers, inputs)
            own = [tree_map(itemgetter(place), answers) for place in range(len(wanted))]
            losses = torch.stack([loss(*each) for loss, *each in zip(wanted, own, targets.unbind(), strict=True)])
        outputs = (answers[0] if isinstance(answers, tuple) else answers).detach()
        learned = {name: tensor for name, tensor in self._parameters.items() if tensor.requires_grad}
        # Each loss depends on its own slice alone, so the gradient of the sum is, slice by slice, that of each.
        found = torch.autograd.grad(losses.sum(), list(learned.values()), allow_unused=True)
        gradients = {
            name: None if gradient is None else _laid_out_as(tensor, gradient).unbind()
            for (name, tensor), gradient in zip(learned.items(), found, strict=True)
        }
        said, lost = outputs.unbind(), losses.detach().unbind()
        return [
            Shared(
                lost[place],
                said[place],
                [None if (all_of := gradients.get(name)) is None else all_of[place] for name in self._parameters],
            )
            for place in range(len(self.states))
        ]

    def dissolve(self) -> None:
        """Give every network tensors of its own again, so that none keeps the memory of all."""
        for place, state in enumerate(self.states):
            for tensors, common in (
                (dict(state.net.named_parameters()), self._parameters),
                (dict(state.net.named_buffers()), self._buffers),
            ):
                for name, tensor in tensors.items():
                    if tensor.data_ptr() == common[name][place].data_ptr():
                        tensor.data = tensor.detach().clone(memory_format=torch.preserve_format)


def build_of(waiting: Waiting) -> object:
    """What has to be equal for trainings to be stacked: layers and what they are set to, sizes, kinds, places and layout of all tensors, and the precision."""
    net = waiting.state.net
    return (
        type(net).__qualname__,
        str(net),
        tuple(
            (name, key, repr(value) if isinstance(value, PLAIN) else getattr(value, "__qualname__", type(value)))
            for name, layer in net.named_modules()
            for key, value in vars(layer).items()
            if not key.startswith("_")
        ),
        tuple((name, p.shape, p.stride(), p.dtype, p.device, p.requires_grad) for name, p in net.named_parameters()),
        tuple((name, b.shape, b.stride(), b.dtype, b.device) for name, b in net.named_buffers()),
        waiting.plan.precision,
    )


def _same_loss(one: Loss, other: Loss) -> bool:
    """Whether two losses are known to be one."""
    if isinstance(one, partial) and isinstance(other, partial):
        plain = all(isinstance(value, PLAIN) for value in (*one.keywords.values(), *other.keywords.values()))
        return plain and not one.args + other.args and (one.func, one.keywords) == (other.func, other.keywords)
    return one is other


def fits(waiting: Sequence[Waiting]) -> bool:
    """Whether the next steps can be made in one pass: there are several, nobody looks inside, and the batches have one shape."""
    first = waiting[0]
    return len(waiting) > 1 and all(
        not each.watched
        and type(each.inputs) is Tensor
        and type(each.targets) is Tensor
        and each.inputs.shape == first.inputs.shape
        and each.inputs.dtype == first.inputs.dtype
        and each.targets.shape == first.targets.shape
        and each.targets.dtype == first.targets.dtype
        for each in waiting
    )


def hindrance(waiting: Waiting) -> str | None:
    """Why no step of this training can be made together with others whatever its network, in words; None where it can."""
    plan = waiting.plan
    if isinstance(waiting.state.optimizer, torch.optim.LBFGS):
        return "L-BFGS asks for the loss as often as its line search needs"
    if plan.micro_batches > 1:
        return "batches are cut into pieces to save memory"
    if plan.around_step is not None:
        return "the noise on the weights is each network's own"
    if type(waiting.inputs) is not Tensor:
        return f"its inputs are {type(waiting.inputs).__name__}, which know more than their numbers"
    return None


def try_stack(waiting: Sequence[Waiting], *, measure: bool) -> tuple[Stack | None, str]:
    """Stack trainings if that does what their own steps do, and, where asked, if it is faster too. Nothing but where their numbers lie is changed.

    The next step's gradients, loss and buffers are computed both ways and compared, for each network. A network that draws random numbers in a step
    is not stacked: a shared pass would draw them in another order, and a training would no longer be what its seed says.

    Args:
        waiting: steps that :func:`fits` says yes to.
        measure: stack only what is faster so.

    Returns:
        The stack, or None where the trainings are better made in turn, and a sentence that says why.
    """
    why = next((found for each in waiting if (found := hindrance(each)) is not None), None)
    if why is None and len({build_of(each) for each in waiting}) > 1:
        why = "they are not built alike"
    if why is not None:
        return None, f"in turn: {why}"
    plain = [replace(each, plan=replace(each.plan, penalty=None)) for each in waiting]
    count, stack, chosen = len(waiting), None, False
    with ExitStack() as kept:
        for each in waiting:
            kept.enter_context(buffers_kept(each.state.net))
            kept.callback(each.state.net.zero_grad)
        own = [_own(each) for each in plain]
        if any(each.drawn for each in own):
            return None, "in turn: a step of the network draws random numbers, as dropout does, and a seed says which"
        try:
            stack = Stack([each.state for each in waiting])
            with _refusing_slow_ways():
                shared = stack.learn(plain)
            if not all(_alike(each, mine, found) for each, mine, found in zip(plain, own, shared, strict=True)):
                return None, f"in turn: one pass for {count} networks did not find what {count} passes find"
            if not measure:
                chosen = True
                return stack, "stacked as asked"
            gain = _gain(stack, plain)
            chosen = gain >= WORTH
            told = f"one pass for {count} networks {'is' if chosen else 'would be'} {gain:.2g} times as fast as {count} in turn"
            return (stack, f"stacked: {told}") if chosen else (None, f"in turn: {told}")
        except Exception as error:
            return None, f"in turn: PyTorch cannot stack this network ({_first_line(error)})"
        finally:
            if stack is not None and not chosen:
                stack.dissolve()


class _Own(NamedTuple):
    """What a training's own pass found.

    Attributes:
        loss: of its batch.
        gradients: of that loss, one for each parameter.
        buffers: what the pass made of them.
        drawn: whether it drew from the process's random generators.
    """

    loss: float
    gradients: list[Tensor | None]
    buffers: list[Tensor]
    drawn: bool


def _own(waiting: Waiting) -> _Own:
    """A training's own pass, after which its buffers and the random states are what they were."""
    net = waiting.state.net
    with buffers_kept(net):
        net.zero_grad()
        before = random_states()
        loss, _, _ = backward(waiting.state, waiting.plan, waiting.inputs, waiting.targets)
        drawn = _plain(random_states()) != _plain(before)
        gradients, buffers = [p.grad for p in net.parameters()], [b.detach().clone() for b in net.buffers()]
        return _Own(float(loss), gradients, buffers, drawn)


def _alike(waiting: Waiting, own: _Own, shared: Shared) -> bool:
    """Whether a shared pass found what the training's own did, and has changed the buffers as it does."""
    apart = APART.get((waiting.plan.precision, waiting.state.device.type), APART_IN_LOWER)
    if [gradient is None for gradient in own.gradients] != [gradient is None for gradient in shared.gradients]:
        return False
    pairs = [(shared.loss, torch.as_tensor(own.loss)), *zip(waiting.state.net.buffers(), own.buffers, strict=True)]
    if not all(
        torch.allclose(one.detach().double().cpu(), other.double().cpu(), rtol=apart, atol=apart, equal_nan=True)
        for one, other in pairs
    ):
        return False
    mine, found = (
        torch.cat([gradient.flatten().double() for gradient in each if gradient is not None])
        for each in (own.gradients, shared.gradients)
    )
    return bool((mine - found).norm() <= apart * mine.norm() + 1e-12)


def _gain(stack: Stack, waiting: Sequence[Waiting]) -> float:
    """How many times as fast one pass for all is as theirs in turn: medians of some, by turns, so that a neighbour's work counts in both."""

    def in_turn() -> float:
        return sum(float(backward(each.state, each.plan, each.inputs, each.targets)[0]) for each in waiting)

    def together() -> float:
        return sum(float(found.loss) for found in stack.learn(waiting))  # which waits for the device

    times: tuple[list[float], list[float]] = ([], [])
    ways: tuple[Callable[[], float], ...] = (in_turn, together)
    for number in range(MOST_ROUNDS + 1):
        for way, known in zip(ways, times, strict=True):
            for each in waiting:
                each.state.net.zero_grad()
            begin = time.perf_counter()
            way()
            if number:  # the first pass is slower than the rest
                known.append(time.perf_counter() - begin)
        if number >= ROUNDS and sum(map(sum, times)) >= 2 * ENOUGH:
            break
    return median(times[0]) / median(times[1])


def _plain(tree: object) -> object:
    if isinstance(tree, Tensor):
        return tree.tolist()
    if isinstance(tree, dict):
        return {name: _plain(value) for name, value in tree.items()}
    return [_plain(value) for value in tree] if isinstance(tree, list | tuple) else tree


@contextmanager
def _refusing_slow_ways() -> Iterator[None]:
    """Within the block an operation that PyTorch would run network by network is an error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*performance drop.*")
        yield


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__


def _common(each: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of one name in one tensor each, (E, ...), of which they become slices that lie in memory as they did."""
    common = {}
    for name, first in each[0].items():
        size, strides = (len(each), *first.shape), (first.numel(), *torch.empty_like(first).stride())
        whole = torch.empty_strided(size, strides, dtype=first.dtype, device=first.device)
        for place, tensors in enumerate(each):
            whole[place].copy_(tensors[name].detach())
            tensors[name].data = whole[place]
        common[name] = whole
    return common


def _laid_out_as(tensor: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in the memory layout of what it belongs to, which fused optimisers ask for."""
    return gradient if gradient.stride() == tensor.stride() else torch.empty_like(tensor).copy_(gradient)


def _lie_in(net: nn.Module, common: dict[str, Tensor], place: int) -> bool:
    return all(
        tensor.data_ptr() == common[name].data_ptr() + place * tensor.numel() * tensor.element_size()
        for name, tensor in chain(net.named_parameters(), net.named_buffers())
    )
