"""What the layers put out in one forward pass, and what gradient comes back to them."""

from __future__ import annotations

import math
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from glassnet.training.measure.kinds import RECURRENT, WEIGHTED, kind_of, leaves

MOST_LAYERS = 60
MOST_CALLS = 4  # of a module that runs several times in one pass, such as a cell that walks along a sequence
MOST_SAMPLES = 64  # of a batch; a unit that is silent for all of them hardly learns from the rest
MOST_VALUES = 16_384  # of a layer, evenly picked, for mean, spread and histogram: a share is then known to 0.4 %
BINS = 20
TANH_EDGE = 0.97  # of the largest value; the slope there is 1 - 0.97**2, a seventeenth
SIGMOID_EDGE = 0.015  # likewise: a slope of 0.015 * 0.985, a seventeenth of the largest
SCALED_TANH = 1.7159
LAST = ("dense", "recurrent")  # layers whose units stand in the last dimension


class Activations:
    """Records every leaf module's output while entered, and the loss's gradient in it; a context manager.

    Of more than 60 leaf modules an even selection is taken, with the first and the last. A nonlinearity that ``forward`` calls as a function
    has no module; it is seen where its result enters the next dense or convolutional layer, and recorded as ``NAME (input)``. A module that
    runs several times is recorded as ``NAME (call 2)`` and so on, four times at most. Of several passes of the whole network (micro-batches, a line
    search) the first is recorded. Nothing is recorded of a network that ``torch.compile`` has taken over, since hooks would make it compile anew.

    Args:
        net: whose modules are watched.

    Attributes:
        records: in forward order; see ``layers`` of :class:`~glassnet.events.Measured`.
        through_time: likewise.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self.records: list[dict[str, Any]] = []
        self.through_time: list[dict[str, Any]] = []
        self.batch = 1
        self._stack = ExitStack()
        self._seen: dict[str, int] = {}
        self._steps: dict[str, dict[str, Any]] = {}
        self._kind = ""
        self._passes = 0

    def __enter__(self) -> Self:
        if compiled(self.net):
            return self
        self._stack.callback(self.net.register_forward_pre_hook(self._begun).remove)
        for name, module in chosen(leaves(self.net), MOST_LAYERS):
            kind = kind_of(module)
            if isinstance(module, RECURRENT):
                self._stack.callback(module.register_forward_pre_hook(partial(self._into_recurrent, name)).remove)
            elif kind in ("dense", "conv"):
                self._stack.callback(module.register_forward_pre_hook(partial(self._into_weighted, name)).remove)
            self._stack.callback(module.register_forward_hook(partial(self._out, name, kind)).remove)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _begun(self, *_: object) -> None:
        self._passes += 1

    def _into_weighted(self, name: str, module: nn.Module, args: tuple[Any, ...]) -> None:
        """A function such as relu between two layers shows in what enters the second."""
        if (
            self._passes > 1
            or not self.records
            or not args
            or not isinstance(args[0], Tensor)
            or not args[0].is_floating_point()
        ):
            return
        if self.records[-1]["kind"] not in (*WEIGHTED, "norm", "other"):
            return
        with torch.no_grad():
            x = args[0][:MOST_SAMPLES]
            low, high, zeros = float(x.min()), float(x.max()), float((x == 0).float().mean())
            edges = float((x.abs() > TANH_EDGE).float().mean())
            kind = "relu" if low == 0 and zeros > 0.01 else "tanh" if -1 <= low < 0 < high <= 1 and edges > 0.2 else ""
            if kind:
                self.records.append({"name": f"{name} (input)", "kind": kind, **figures(x, kind, module)})

    def _into_recurrent(self, name: str, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The gradient in the input at each time tells how far back through time the loss reaches."""
        if self._passes > 1 or not args or not isinstance(args[0], Tensor) or not torch.is_grad_enabled():
            return None
        x = args[0] if args[0].requires_grad else args[0].detach().requires_grad_()
        record = self._steps.get(name)
        if record is None:
            record = self._steps[name] = {"name": name, "norms": []}
            self.through_time.append(record)
        if isinstance(module, nn.RNNCellBase):  # which its owner calls once for each time
            place = len(record["norms"])
            record["norms"].append(0.0)

            def came(gradient: Tensor) -> None:
                record["norms"][place] = float(gradient.detach().float().norm())

        else:
            time = 1 if module.batch_first and x.ndim == 3 else 0

            def came(gradient: Tensor) -> None:
                apart = gradient.detach().float().movedim(time, 0).flatten(1)
                record["norms"] = apart.norm(dim=1).double().tolist()

        x.register_hook(came)  # type: ignore[no-untyped-call]
        return (x, *args[1:])

    def _out(self, name: str, kind: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        y = output[0] if isinstance(output, tuple) and output and isinstance(output[0], Tensor) else output
        if self._passes > 1 or not isinstance(y, Tensor) or not y.is_floating_point() or y.ndim == 0:
            return
        times = self._seen[name] = self._seen.get(name, 0) + 1
        if times > MOST_CALLS:
            return
        record: dict[str, Any] = {"name": name or type(module).__name__, "kind": kind}
        if times > 1:
            record["name"] += f" (call {times})"
        with torch.no_grad():
            some = y.detach()[:MOST_SAMPLES]
            # After a dense layer on (batch, time, units) the units come last, after a convolution (batch, maps, length) they come second.
            record |= figures(some.movedim(-1, 1) if y.ndim > 2 and self._kind in LAST else some, kind, module)
        if kind in WEIGHTED:
            self._kind = kind
        self.records.append(record)
        if y.requires_grad:

            def came(gradient: Tensor) -> None:
                record["gradient"] = rms(gradient.detach()[:MOST_SAMPLES]) * self.batch

            y.register_hook(came)  # type: ignore[no-untyped-call]


def figures(y: Tensor, kind: str, module: nn.Module) -> dict[str, Any]:
    """Mean, spread, shares of zeros and of dead and saturated units, and a histogram, of some samples of an output.

    Args:
        y: (samples, units, ...); what follows the second dimension are places of the same unit.
        kind: as :func:`~glassnet.training.measure.kinds.kind_of` names it.
        module: whose output it is.
    """
    few = evenly(in_memory_order(y).reshape(-1), MOST_VALUES).float()
    found: dict[str, Any] = {"mean": 0.0, "std": 0.0, "zeros": 0.0, "nonfinite": 0}
    if len(few) == 0:
        return found
    low, high = (float(edge) for edge in few.aminmax())
    if not math.isfinite(low + high):
        found["nonfinite"] = int((~torch.isfinite(y)).sum())
        few = few[torch.isfinite(few)]
        if len(few) == 0:
            return found
        low, high = (float(edge) for edge in few.aminmax())
    mean = float(few.mean())
    found |= {
        "mean": mean,
        "std": rms(few - mean),  # on a processor an eighth of the time of std_mean
        "zeros": 1 - int(few.count_nonzero()) / len(few),
        "low": low,
        "high": high,
        "histogram": histogram(few, low, high),
    }
    if y.ndim > 1:
        found["units"] = y.shape[1]
    if y.ndim > 1 and len(y) > 1:
        units = evenly(in_memory_order(y, 1).flatten(1), MOST_VALUES // len(y)).float()
        found["between"] = float((units - units.mean(0)).square_().mean(0).sqrt_().nan_to_num_().mean())
    if kind == "relu" and y.ndim > 1:  # whose values are never negative: a unit whose largest one is 0 is silent
        largest = y.amax([d for d in range(y.ndim) if d != 1])
        found["dead"] = 1 - int(largest.count_nonzero()) / len(largest)
    if kind == "tanh":
        bound = SCALED_TANH if type(module).__name__ == "ScaledTanh" else 1.0
        found["saturated"] = int((few.abs() > TANH_EDGE * bound).sum()) / len(few)
    if kind == "sigmoid":
        found["saturated"] = int(((few < SIGMOID_EDGE) | (few > 1 - SIGMOID_EDGE)).sum()) / len(few)
    return found


def histogram(values: Tensor, low: float, high: float) -> list[int]:
    """How many of them lie in each of 20 bins of one width from the lowest to the highest; a third of the time of ``torch.histc``."""
    width = (high - low) / BINS
    if not 0 < width < math.inf or 1 / width > torch.finfo(torch.float32).max:
        return []
    bins = values.sub(low).mul_(1 / width).to(torch.int32).clamp_(0, BINS - 1)
    counts: list[int] = torch.bincount(bins, minlength=BINS).tolist()
    return counts


def in_memory_order(y: Tensor, fixed: int = 0) -> Tensor:
    """The tensor with its dimensions, but for the first ``fixed``, in the order in which its numbers lie in memory: channels-last maps are then flattened without a copy."""
    strides = y.stride()
    rest = sorted(range(fixed, y.ndim), key=lambda d: (-strides[d], d))
    return y.permute(*range(fixed), *rest)


def evenly(y: Tensor, most: int) -> Tensor:
    """About so many of the last dimension's numbers, at equal distances that share no factor with their count, so that no row or channel is left out."""
    count = y.shape[-1]
    step = -(-count // max(most, 1))
    while step > 1 and math.gcd(step, count) > 1:
        step += 1
    return y[..., ::step] if step > 1 else y


def rms(tensor: Tensor) -> float:
    """Root mean square."""
    kept = torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else None
    return float(torch.linalg.vector_norm(tensor.detach(), dtype=kept)) / math.sqrt(max(tensor.numel(), 1))


def compiled(net: nn.Module) -> bool:
    """Whether ``torch.compile`` runs the network or a part of it."""
    return any(
        hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None
        for module in net.modules()
    )


def chosen(modules: list[tuple[str, nn.Module]], most: int) -> list[tuple[str, nn.Module]]:
    """All of them, or an even selection with the first and the last."""
    if len(modules) <= most:
        return modules
    return [modules[round(i * (len(modules) - 1) / (most - 1))] for i in range(most)]
