"""Whether backpropagation computes the slope of the loss, compared with central differences in float64."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from glassnet.checks.check import FAILED, Check
from glassnet.checks.numerical import AGREES, SMALLEST, Probe, probes
from glassnet.checks.subject import UNCOPIABLE, Subject
from glassnet.events import Checked
from glassnet.training.losses import Loss
from glassnet.training.state import generators, restore_generators

SAMPLES, QUICK_SAMPLES = 8, 4
MOST, QUICK_MOST = 120, 6  # comparisons
SINGLE, QUICK_SINGLE = 3, 1
QUICK_OPERATIONS = 2e9  # floating-point operations that the quick check may cost: a second or so
OPERATIONS = 1e11
FEWEST = 2
ATTEMPTS = 3  # at other places, before slopes count as wrong
JITTER = 0.01  # of a weight's size: moves the network away from places where many units sit exactly on a kink
WRONG = 1e-2  # relative error of a whole parameter that no kink explains
MOST_DISAGREEING = 0.1  # share of single numbers that may fall on a kink


def judge(subject: Subject) -> Checked:
    """Fails where the slope along a whole parameter is wrong, or where more than a tenth of the numbers disagree."""
    samples, most, single = (QUICK_SAMPLES, QUICK_MOST, QUICK_SINGLE) if subject.quick else (SAMPLES, MOST, SINGLE)
    inputs, targets = subject.samples(samples)
    device = torch.device("cpu") if inputs.device.type == "mps" else inputs.device  # which knows no float64
    inputs, targets = doubled(inputs.to(device)), doubled(targets.to(device))
    with subject.trial() as net:
        if net is subject.net:
            return CHECK.skipped("the network cannot be copied, and so not be brought to float64")
        try:
            loss = in_double(subject.plan.loss, device)
            net = jittered(net.to(device=device, dtype=torch.float64))
            value = repeatable(net, loss, inputs, targets)
            once, again = float(value().detach()), float(value().detach())
            cost = operations(net, value)
        except UNCOPIABLE as error:
            return CHECK.skipped(f"the network or the loss does not compute in float64: {str(error).splitlines()[0]}")
        if not math.isfinite(once):
            return CHECK.skipped(f"the loss is {once}, which has no slope; see initial-loss and sane-sizes")
        if once != again:
            return CHECK.skipped(
                "two passes over the same samples differ: forward keeps a state from one to the next, or draws random numbers from a source of its own"
            )
        first = value()
        if first.dtype != torch.float64:
            return CHECK.skipped("the network or the loss computes in float32 within: too coarse for differences")
        if not first.requires_grad:
            return CHECK.skipped("the loss does not depend on any parameter; see gradients-reach")
        affordable = int((QUICK_OPERATIONS if subject.quick else OPERATIONS) // (2 * cost))
        if subject.quick and affordable < FEWEST:
            return CHECK.skipped("left to 'glassnet check': this network is too large for the quick look")
        told = CHECK.skipped("")
        for attempt in range(ATTEMPTS):
            generator = torch.Generator().manual_seed(attempt)
            most = max(FEWEST, min(most, affordable))
            told = verdict(list(probes(net, value, single=single, most=most, generator=generator)))
            if told.verdict != FAILED:
                break
            jittered(
                net, attempt + 2
            )  # a unit that by chance sits on its kink is elsewhere then, a wrong slope is wrong again
    return told


def verdict(found: list[Probe]) -> Checked:
    """What the comparisons mean together."""
    clear = [probe for probe in found if probe.clear]
    if not clear:
        return CHECK.skipped("no slope stands out from rounding; see gradients-reach")
    disagree = [probe for probe in clear if not probe.agrees]
    wrong = [probe for probe in disagree if probe.whole and probe.error > WRONG]
    errors = [probe.error for probe in clear]
    figures = {
        "compared": float(len(clear)),
        "parameters": float(len({probe.name for probe in clear})),
        "disagree": float(len(disagree)),
        "median_error": median(errors),
        "largest_error": max(errors),
    }
    curves = {
        "analytic": [probe.analytic for probe in clear],
        "numeric": [probe.numeric for probe in clear],
        "error": errors,
    }
    told = (
        f"{len(clear)} slopes of {int(figures['parameters'])} parameters compared in float64: relative error {median(errors):.0e} in the middle, "
        f"{max(errors):.0e} at most"
    )
    if wrong or len(disagree) > max(1.0, MOST_DISAGREEING * len(clear)):
        blamed = wrong or disagree
        names = list(dict.fromkeys(probe.name for probe in blamed))
        last = blamed[[probe.name for probe in blamed].index(names[-1])]
        return CHECK.failed(
            f"{len(disagree)} of {len(clear)} slopes disagree; in {names[-1]} backpropagation says {last.analytic:.4g} where the loss moves by {last.numeric:.4g}",
            figures,
            curves,
            why=f"a backward pass that was written by hand is wrong, or forward changes or detaches a value on the way; the fault lies in or right behind the layer of {names[-1]}, "
            "the last one that disagrees",
        )
    if disagree:
        return CHECK.passed(
            f"{told}; {len(disagree)} disagree, as happens where a unit switches on or off, and where a slope is all but zero",
            figures,
            curves,
        )
    return CHECK.passed(told, figures, curves)


def doubled(tensor: Tensor) -> Tensor:
    """Floating-point numbers in float64; whole numbers as they are."""
    return tensor.double() if tensor.is_floating_point() else tensor


def in_double(loss: Loss, device: torch.device) -> Loss:
    """A loss that holds tensors of its own, such as class weights, with these in float64."""
    return copy.deepcopy(loss).to(device=device, dtype=torch.float64) if isinstance(loss, nn.Module) else loss


def jittered(net: nn.Module, seed: int = 1) -> nn.Module:
    """The network with its weights moved a little at random, in place.

    Where biases are zero and inputs blank, units sit exactly on the kink of ReLU, and there the loss has no slope to compare with. Backpropagation
    is right or wrong a little beside that place just as well.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            size = max(float(p.square().mean().sqrt()), SMALLEST) if p.numel() else 0.0
            p.add_(torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.device), alpha=JITTER * size)
    return net


def repeatable(net: nn.Module, loss: Loss, inputs: Tensor, targets: Tensor) -> Callable[[], Tensor]:
    """The loss in training mode with the same random numbers, and the same running averages, each time."""
    net.train()
    states = generators()
    held = [(buffer, buffer.detach().clone()) for buffer in net.buffers()]

    def value() -> Tensor:
        restore_generators(states)
        with torch.no_grad():
            for buffer, before in held:
                buffer.copy_(before)
        return loss(net(inputs.clone()), targets)  # forward may change its inputs in place

    return value


def operations(net: nn.Module, value: Callable[[], Tensor]) -> float:
    """Floating-point operations of one forward pass; at least two for each parameter."""
    counter = Counter()
    with torch.no_grad(), counter:
        value()
    return float(max(counter.total, 2 * sum(p.numel() for p in net.parameters()), 1))


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating-point operations by PyTorch's own formulas, as its FlopCounterMode does, which loads PyTorch's compiler, for a second or more.

    Attributes:
        total: operations so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Do the operation and count it."""
        made = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += int(formula(*args, **(kwargs or {}), out_val=made))
        return made


CHECK = Check(
    id="gradient-check",
    title="Backpropagation agrees with the slope of the loss",
    threshold=(
        f"two slopes agree within a relative error of {AGREES:g}; fails where one along a whole parameter is off by more than {WRONG:g} for every step size, or more than "
        f"{MOST_DISAGREEING:.0%} of all disagree, at each of {ATTEMPTS} places near by"
    ),
    source="Stanford CS231n, Gradient checks: central differences in float64; 1e-7 is good, 1e-4 is right for a loss with kinks, 1e-2 is wrong",
    explanation=(
        "The gradient says how the loss changes when a weight moves a little. That can be tried: move the weight a little up and a little down, and see by how much the loss differs, "
        "(L(w + h) − L(w − h)) / 2h. Backpropagation has to say the same. This is done in float64 on a few samples, for a random direction through each parameter and for single weights. Near a kink, "
        "such as the corner of ReLU, the two may differ honestly, so that steps of several sizes are tried and a few differences are allowed. Layers of PyTorch pass; what is checked is "
        "code of your own: a backward written by hand, values changed in place, something detached by mistake."
    ),
    why="a backward pass that was written by hand is wrong, or forward changes or detaches a value on the way",
    advice="check the backward of your own autograd functions alone with torch.autograd.gradcheck, and look for .detach() and .data in forward",
    judge=judge,
)
