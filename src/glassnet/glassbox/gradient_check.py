"""The gradient three ways: by hand (the gates), by autograd, and by central differences (requirement G4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.checks.numerical import compare
from glassnet.errors import GlassnetError, ModelError, UsageError
from glassnet.gates import Array, Graph
from glassnet.glassbox.comparison import KINKS, Compared, GradientCheck
from glassnet.glassbox.recorder import flat, numbers
from glassnet.glassbox.tracing import Opened, doubled, open_module, twin_of
from glassnet.training.losses import make_loss, with_auxiliary

TorchLoss: TypeAlias = Callable[[Any, Tensor], Tensor]

BEND = 1e-2  # by how much the slopes on both sides of a kink differ, relatively; a smooth loss bends less within the steps tried
NOTHING = 1e-12  # of the largest gradient: below it, a gradient is zero but for rounding


def gradient_check(
    net: nn.Module,
    inputs: Tensor,
    targets: Tensor | None = None,
    *,
    loss: str | TorchLoss = "auto",
    training: bool = False,
    count: int = 6,
    seed: int = 0,
) -> GradientCheck:
    """Compare a network's gradients by hand, by autograd and by (L(w + h) − L(w − h)) / 2h, all in float64.

    For a network of your own, with modules and ``autograd.Function`` of your own. What has no gates is compared two ways. Steps h of several
    sizes are tried for each number and the best taken, since a kink may lie within one of them.

    The verdicts follow Stanford's CS231n: below 1e-7 fine, to 1e-4 good for losses with kinks, to 1e-2 suspicious, above wrong.

    Args:
        net: maps a batch to outputs; not touched.
        inputs: a batch of a few samples; a row of its own where they are floating-point numbers.
        targets: class indices or values. Without them, L = Σ r·y with random numbers r.
        loss: a name as for :func:`~glassnet.glassbox.open_module`, or a PyTorch function of (outputs, targets).
        training: in training mode, with the same random numbers each time.
        count: numbers moved in each parameter: those with the largest gradients, and others at random.
        seed: of the choice.

    Raises:
        ModelError: a network that does not compute in float64 or gives no gradient.
        UsageError: an unknown loss.
    """
    twin = twin_of(net).train(training)
    x = doubled(inputs)
    state = torch.get_rng_state()
    try:
        value, upstream = loss_value(twin, x, targets, loss, seed, state)
        known = {name: p for name, p in twin.named_parameters() if p.requires_grad}
        if x.is_floating_point():
            known["x" if "x" not in known else "x (input)"] = x = nn.Parameter(x)
            value, upstream = loss_value(twin, x, targets, loss, seed, state)
        first = value()
        if not first.requires_grad:
            raise ModelError(
                "the loss does not depend on any parameter",
                where=type(net).__name__,
                expected="a parameter that requires a gradient, and no detach, argmax or no_grad between it and the loss",
            )
        first.backward()  # type: ignore[no-untyped-call]
        found = {name: torch.zeros_like(p) if p.grad is None else p.grad.clone() for name, p in known.items()}
        torch.set_rng_state(state)
        by_hand, why = hand_gradients(net, inputs, targets, loss, training, upstream)
        generator = torch.Generator().manual_seed(seed)
        largest = max((float(each.norm()) for each in found.values()), default=0.0)
        rows = []
        for name, parameter in known.items():
            hand = by_hand.get(name) if by_hand is not None else None
            if by_hand is not None and hand is None:
                hand = numbers(torch.zeros_like(parameter))
            rows.append(row(name, parameter, found[name], hand, value, largest * NOTHING, count, generator))
    finally:
        torch.set_rng_state(state)
    if not rows:
        raise ModelError(
            "there is no gradient to compare",
            where=type(net).__name__,
            got="no parameters, whole inputs",
            expected="parameters that require a gradient, or floating-point inputs",
        )
    return GradientCheck(float(first.detach()), tuple(rows), why)


def formula_check(graph: Graph, values: Mapping[str, Array]) -> GradientCheck:
    """The gradients of a formula by its gates and by central differences, for every number of every input.

    Args:
        graph: its output is one number.
        values: of its inputs.
    """
    loss = float(graph.forward(values).item())
    found = graph.backward()
    rows = []
    for name, gradient in found.items():
        numeric = np.zeros_like(gradient)
        own = np.array(values[name], dtype=np.float64)
        for place in np.ndindex(own.shape):
            step = 1e-5 * max(abs(float(own[place])), 1e-2)
            ends = []
            for sign in (1, -1):
                moved = own.copy()
                moved[place] += sign * step
                ends.append(float(graph.forward({**values, name: moved}).item()))
            numeric[place] = (ends[0] - ends[1]) / (2 * step)
        graph.forward(values)
        difference = error(gradient.ravel().tolist(), numeric.ravel().tolist(), 0.0)
        rows.append(Compared(name, gradient.size, float(np.linalg.norm(gradient)), None, difference, None))
    graph.backward()
    return GradientCheck(loss, tuple(rows))


def row(
    name: str,
    parameter: nn.Parameter,
    gradient: Tensor,
    hand: Array | None,
    value: Callable[[], Tensor],
    nothing: float,
    count: int,
    generator: torch.Generator,
) -> Compared:
    """One parameter, some of its numbers moved."""
    flat_gradient = gradient.flatten()
    own = None if hand is None else torch.from_numpy(hand).flatten()
    places = chosen(flat_gradient, count, generator)
    autograd, numeric, by_hand, kinks = [], [], [], 0
    for place in places:
        direction = torch.zeros_like(flat_gradient)
        direction[place] = 1.0
        probe = compare(
            name, parameter, gradient, direction.reshape(gradient.shape), lambda: float(value().detach()), whole=False
        )
        if probe.clear and probe.error > KINKS and on_kink(parameter, place, value):
            kinks += 1
            continue
        autograd.append(probe.analytic)
        # A slope that is lost in rounding is as good as equal.
        numeric.append(probe.numeric if probe.clear or not probe.agrees else probe.analytic)
        by_hand.append(probe.analytic if own is None else float(own[place]))
    return Compared(
        name,
        len(numeric),
        float(flat_gradient.norm()),
        None if own is None else error(own.tolist(), flat_gradient.tolist(), nothing),
        None if own is None else error(by_hand, numeric, nothing),
        error(autograd, numeric, nothing),
        kinks,
    )


def on_kink(parameter: nn.Parameter, place: int, value: Callable[[], Tensor]) -> bool:
    """Whether the loss bends at this very number: its slopes to the right and to the left differ, however small the step."""
    flat_parameter = parameter.detach().view(-1)
    own = float(flat_parameter[place])
    here = float(value().detach())
    for step in (1e-6, 1e-7):
        h = step * max(abs(own), 1.0)
        with torch.no_grad():
            flat_parameter[place] = own + h
            above = (float(value().detach()) - here) / h
            flat_parameter[place] = own - h
            below = (here - float(value().detach())) / h
            flat_parameter[place] = own
        noise = 1e-14 * abs(here) / h
        if abs(above - below) <= BEND * max(abs(above), abs(below)) + noise:
            return False
    return True


def error(a: list[float], b: list[float], nothing: float) -> float:
    """‖a − b‖ / max(‖a‖, ‖b‖), and 0 where both are zero but for rounding."""
    size = max(sqrt(sum(x * x for x in a)), sqrt(sum(x * x for x in b)))
    if size <= nothing:
        return 0.0
    return sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True))) / size


def chosen(gradient: Tensor, count: int, generator: torch.Generator) -> list[int]:
    """Places in a gradient: half with the largest slopes, half at random."""
    if len(gradient) <= count:
        return list(range(len(gradient)))
    largest = gradient.abs().topk((count + 1) // 2).indices.tolist()
    others = torch.randperm(len(gradient), generator=generator).tolist()
    return [*largest, *[place for place in others[: 2 * count] if place not in largest][: count // 2]]


def loss_value(
    twin: nn.Module, x: Tensor, targets: Tensor | None, loss: str | TorchLoss, seed: int, state: Tensor
) -> tuple[Callable[[], Tensor], Array | None]:
    """The loss as a function of nothing, the same each time, and ∂L/∂output where there are no targets."""
    held = [(buffer, buffer.detach().clone()) for buffer in twin.buffers()]

    def outputs() -> Any:
        torch.set_rng_state(state)
        with torch.no_grad():
            for buffer, before in held:
                buffer.copy_(before)
        return twin(x)

    try:
        first = outputs()
    except GlassnetError:
        raise
    except Exception as problem:  # whatever a user's forward may raise
        raise ModelError(
            "this network does not compute these inputs in float64",
            where=type(twin).__name__,
            got=f"{type(problem).__name__}: {str(problem).splitlines()[0] if str(problem) else ''}",
            expected="a network that computes on the CPU in the type of its weights",
        ) from problem
    several = [each for each in flat(first) if isinstance(each, Tensor)]
    if not several:
        raise ModelError(
            "this network returns no tensor",
            where=type(twin).__name__,
            got=type(first).__name__,
            expected="a forward that returns a tensor, or a tuple, list or dictionary of tensors",
        )
    if targets is None:
        generator = torch.Generator().manual_seed(seed)
        factors = torch.randn(several[0].shape, generator=generator, dtype=torch.float64)

        def projected() -> Tensor:
            first: Tensor = next(each for each in flat(outputs()) if isinstance(each, Tensor))
            return (first * factors).sum()

        return projected, numbers(factors)
    wanted = doubled(targets)
    compute: TorchLoss = loss_function(loss, several[0], wanted)
    if isinstance(loss, str):
        compute = with_auxiliary(compute, float(getattr(twin, "auxiliary_weight", 0.0)))

    def value() -> Tensor:
        return compute(outputs(), wanted)

    if value().numel() != 1:
        raise UsageError(
            "the loss is not one number",
            where="loss",
            got=f"a tensor of shape {tuple(value().shape)}",
            fix="let it end in .mean()",
        )
    return value, None


def torch_loss(name: str, label_smoothing: float = 0.0, j: float | None = None) -> str | TorchLoss:
    """A loss with its settings, as :func:`gradient_check` takes it; see :func:`~glassnet.glassbox.losses.gate_loss`."""
    if name == "map" and j is not None:
        return make_loss(name, j=j)
    if name == "cross-entropy" and label_smoothing:
        return make_loss(name, label_smoothing=label_smoothing)
    return name


def loss_function(loss: str | TorchLoss, output: Tensor, targets: Tensor) -> TorchLoss:
    """The loss on PyTorch's side."""
    if not isinstance(loss, str):
        return loss
    if loss == "auto":
        one = output.dim() == 2 and output.shape[1] == 1
        loss = "squared" if targets.is_floating_point() else "binary" if one else "cross-entropy"
    return make_loss(loss)


class _WithLoss(nn.Module):
    """A network and a loss function as one module, so that both are opened."""

    def __init__(self, net: nn.Module, loss: TorchLoss) -> None:
        super().__init__()
        self.net = net
        self.loss = loss

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """The loss."""
        return self.loss(self.net(x), target)


def hand_gradients(
    net: nn.Module,
    inputs: Tensor,
    targets: Tensor | None,
    loss: str | TorchLoss,
    training: bool,
    upstream: Array | None,
) -> tuple[dict[str, Array] | None, str]:
    """The gates' gradients by name, or None and why there are none."""
    try:
        if isinstance(loss, str) or targets is None:
            opened: Opened = open_module(
                net, inputs, targets, loss=loss if isinstance(loss, str) else "auto", training=training
            )
            found = opened.graph.backward(upstream)
        else:
            opened = open_module(_WithLoss(net, loss), (inputs, targets), training=training)
            found = {name.removeprefix("net."): each for name, each in opened.graph.backward().items()}
    except ModelError as problem:
        return None, "; ".join(each.problem for each in (problem.several or (problem,)))
    return found, ""
