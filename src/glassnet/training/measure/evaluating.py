"""Whether a network in evaluation mode answers each sample by itself, and always alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.training.measure.kinds import leaves

SAMPLES, FEWEST = 8, 4
ANOTHER = 1e-2  # of the largest answer: more than rounding makes of it
ROUNDING = 1e-5  # of the largest answer
# Layers that take one axis of their inputs for time, across which they carry or compare, and need to be told which.
SEQUENTIAL = (nn.RNNBase, nn.MultiheadAttention)


@dataclass(frozen=True)
class Passed:
    """A call of a module.

    Attributes:
        name: of the module.
        given: its first argument.
        made: its output, the first one of several.
    """

    name: str
    given: Tensor
    made: Tensor


def in_evaluation(net: nn.Module, inputs: Tensor) -> dict[str, Any]:
    """Two passes over some samples, then each half of them alone.

    Args:
        net: left in evaluation mode.
        inputs: (samples, ...), of which a few are taken.

    Returns:
        ``random_in_eval``: two passes differ. ``mixes_samples``: a sample's output depends on its batch mates. Where it does, and no normalisation that goes by the statistics of the
        batch is to blame, ``mixed_after`` and ``mixed_before``: names of the modules between whose outputs that begins, the same one twice where it happens within (empty at the beginning and at the end),
        ``samples_as_time``: names of the recurrent and attention layers that take the samples for the steps of a sequence. Of numbers, ``affine``: see :func:`is_affine`.
    """
    some = inputs[:SAMPLES]
    found: dict[str, Any] = {"random_in_eval": False, "mixes_samples": False}
    net.eval()
    with torch.no_grad():
        first = answer(net, some)
        found["random_in_eval"] = not torch.allclose(first, answer(net, some), rtol=1e-4, atol=1e-5, equal_nan=True)
        if found["random_in_eval"] or len(some) < FEWEST or not bool(torch.isfinite(first).all()):
            return found
        middle = len(some) // 2
        # What is carried from sample to sample changes the later half only.
        for start, stop in ((0, middle), (middle, len(some))):
            if differ(answer(net, some[start:stop]), part_of(first, start, stop)):
                found["mixes_samples"] = True
                if not by_statistics(net):
                    found |= where_mixed(net, some, start, stop)
                break
        if some.is_floating_point() and not found["mixes_samples"]:
            found["affine"] = is_affine(net, some)
    return found


def is_affine(net: nn.Module, inputs: Tensor) -> bool:
    """Whether the answer half way between two inputs lies half way between their answers, as in a network without a nonlinearity."""
    half = len(inputs) // 2
    first, second = inputs[:half], inputs[half : 2 * half]
    one, other = answer(net, first), answer(net, second)
    try:
        between = answer(net, (first + second) / 2)
    except (RuntimeError, IndexError, ValueError, AssertionError):  # whole numbers, for such a network
        return False
    if one.shape != between.shape or not bool(torch.isfinite(between).all()):
        return False
    scale = max(float(one.abs().max()), float(other.abs().max()), 1e-6)
    return bool((between - (one + other) / 2).abs().max() < ROUNDING * scale)


def where_mixed(net: nn.Module, some: Tensor, start: int, stop: int) -> dict[str, Any]:
    """Between which modules a part of the samples begins to be another alone than among all."""
    with passing(net) as whole:
        answer(net, some)
    with passing(net) as part:
        answer(net, some[start:stop])
    modules = dict(net.named_modules())
    found: dict[str, Any] = {"mixed_after": "", "mixed_before": ""}
    as_time = [
        among.name
        for among, alone in zip(whole, part, strict=False)
        if isinstance(module := modules[among.name], SEQUENTIAL) and takes_as_time(module, among.given, alone.given)
    ]
    if as_time:
        found["samples_as_time"] = list(dict.fromkeys(as_time))
    for among, alone in zip(whole, part, strict=False):
        if among.name != alone.name or differ(alone.given, along(among.given, alone.given, start, stop)):
            return found | {"mixed_before": among.name}
        if differ(alone.made, along(among.made, alone.made, start, stop)):
            return found | {"mixed_after": among.name, "mixed_before": among.name}
        found["mixed_after"] = among.name
    return found


def answer(net: nn.Module, inputs: Tensor) -> Tensor:
    """The network's own output for a copy of the inputs: what forward changes in place is another matter."""
    made = net(inputs.clone())
    own: Tensor = made[0] if isinstance(made, tuple) else made
    return own.float()


def part_of(made: Tensor, start: int, stop: int) -> Tensor:
    """The answers to some of the samples; all of them where they are not one for each."""
    return made[start:stop] if len(made) >= stop else made


def along(among: Tensor, alone: Tensor, start: int, stop: int) -> Tensor:
    """Those of the samples along the axis that is shorter for fewer of them."""
    shorter = shorter_axes(among, alone)
    return among.narrow(shorter[0], start, stop - start) if shorter and among.shape[shorter[0]] >= stop else among


def shorter_axes(among: Tensor, alone: Tensor) -> list[int]:
    """The axes that are shorter where there are fewer samples."""
    if among.ndim != alone.ndim:
        return []
    return [axis for axis in range(among.ndim) if alone.shape[axis] < among.shape[axis]]


def differ(one: Tensor, other: Tensor) -> bool:
    """Whether two answers to the same samples are not the same."""
    if one.shape != other.shape:
        return True
    if not one.is_floating_point() or not one.numel():
        return not torch.equal(one, other)
    return bool((one - other).abs().max() > ANOTHER * max(float(other.abs().max()), 1e-6))


def by_statistics(net: nn.Module) -> bool:
    """Whether a batch normalisation goes by the statistics of the batch though the network is evaluated."""
    norms = [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    return any(norm.training or norm.running_mean is None for norm in norms)


def takes_as_time(module: nn.Module, among: Tensor, alone: Tensor) -> bool:
    """Whether such a layer takes the axis of the samples for that of time."""
    shorter = shorter_axes(among, alone)
    return among.ndim == 3 and shorter == [1 if getattr(module, "batch_first", False) else 0]


@contextmanager
def passing(net: nn.Module) -> Iterator[list[Passed]]:
    """What goes into the modules without modules within, and into attention, and what comes out of them, in the order of the calls."""
    seen: list[Passed] = []
    names = {id(module): name for name, module in net.named_modules()}

    def note(module: nn.Module, given: tuple[Any, ...], made: Any) -> None:
        own = made[0] if isinstance(made, tuple | list) else made
        if given and isinstance(given[0], Tensor) and isinstance(own, Tensor):
            seen.append(Passed(names[id(module)], given[0].detach().clone(), own.detach().clone()))

    watched = [module for _, module in leaves(net)]
    watched += [module for module in net.modules() if isinstance(module, nn.MultiheadAttention)]
    with ExitStack() as stack:
        for module in watched:
            stack.callback(module.register_forward_hook(note).remove)
        yield seen
