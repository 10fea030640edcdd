"""How the arithmetic is run: process settings, device, precision, memory layout. Chosen by measuring, recorded, overridable.

Nothing here changes a result beyond the stated precision.
"""

from __future__ import annotations

import copy
import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.training.losses import Loss
from glassnet.training.state import random_states, restore_random_states

# mallopt's parameters, from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4

WIDE = 256  # units of a recurrent layer from which on lower precision may pay
LEAST_GAIN = 1.15  # below that, lower precision is not worth having
# At the start, rounding turns the gradient of a batch-normalised net so far without harm (docs/log.md).
LEAST_COSINE = 0.9


@dataclass(frozen=True)
class Execution:
    """The chosen way.

    Attributes:
        device: where the network lives.
        precision: ``float32`` or ``bfloat16``.
        channels_last: image batches laid out as (batch, height, width, channels).
        threads: threads inside one operation on the CPU.
        reason: one sentence with the measured gain.
    """

    device: torch.device
    precision: str
    channels_last: bool
    threads: int
    reason: str


def prepare_process(threads: int | None = None) -> None:
    """Settings of the whole process that pay everywhere; call once before the first tensor.

    Denormal numbers are flushed to zero (they slow some steps down tenfold and lie below float32's useful range). glibc keeps freed
    memory instead of handing every large tensor back to the kernel and faulting it in again in the next step.
    """
    torch.set_flush_denormal(True)
    if threads:
        torch.set_num_threads(threads)
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc: its default stands
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_M_TOP_PAD, 64 << 20)


def choose_device(name: str) -> torch.device:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``cuda:1`` means here.

    Raises:
        UsageError: the device does not exist on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(
            f"unknown device '{name}'", expected="auto, cpu, cuda or cuda:0", where="train.device"
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "no CUDA device on this machine", where="train.device", got=name, fix="use --device cpu, or --device auto"
        )
    return device


def choose_execution(
    net: nn.Module,
    example: tuple[Tensor, Tensor],
    loss: Loss,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Execution:
    """Measure some training steps of this network on this machine and choose.

    bfloat16 is taken where it is at least 15 % faster and its gradient points the same way as float32's (cosine ≥ 0.9). On the CPU
    one thread is taken where all of them are no faster: for tiny networks, and where a neighbour occupies a core and threads that
    wait for each other lose far more than a half. The network and the random states are left as they were; the process's number of
    threads is set to the chosen one.

    Args:
        net: the network to be trained.
        example: one batch of inputs and targets as training will see them.
        loss: the loss.
        device: as in :func:`choose_device`.
        precision: ``auto``, ``float32`` or ``bfloat16``.
        threads: threads inside an operation; None measures.
    """
    place = choose_device(device)
    convolutional = any(isinstance(module, nn.Conv2d) for module in net.modules())
    heavy = convolutional or any(getattr(module, "hidden_size", 0) >= WIDE for module in net.modules())
    layout = convolutional and example[0].ndim == 4
    every = torch.get_num_threads()
    if precision != "auto" and threads is not None:
        torch.set_num_threads(threads)
        return Execution(place, precision, layout, threads, f"{precision} on {threads} threads, as asked")
    states = random_states()

    def measure(with_precision: str, with_threads: int) -> tuple[float, Tensor]:
        torch.set_num_threads(with_threads)
        return _measure(net, example, loss, place, layout, with_precision)

    try:
        chosen, why = precision, f"{precision} as asked"
        seconds, reference = measure("float32" if precision == "auto" else precision, threads or every)
        if precision == "auto":
            chosen, why = "float32", "float32: this network or machine gains nothing from bfloat16"
            if heavy and _has_fast_bfloat16(place):
                fast, gradient = measure("bfloat16", threads or every)
                cosine = float(torch.nn.functional.cosine_similarity(reference, gradient, dim=0))
                gain = f"{seconds / fast:.1f} times as fast as float32 here, gradient cosine {cosine:.4f}"
                if seconds / fast >= LEAST_GAIN and cosine >= LEAST_COSINE:
                    chosen, why, seconds = "bfloat16", f"bfloat16: {gain}", fast
                else:
                    why = f"float32: bfloat16 would be {gain}"
        count = threads or every
        if threads is None and every > 1 and place.type == "cpu":
            alone, _ = measure(chosen, 1)
            if alone <= seconds:
                count = 1
            why += f"; {count} of {every} threads: one alone takes {alone / seconds:.1f} times as long as all"
    finally:
        restore_random_states(states)
    torch.set_num_threads(count)
    return Execution(place, chosen, layout, count, why)


def _has_fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _measure(
    net: nn.Module, example: tuple[Tensor, Tensor], loss: Loss, device: torch.device, layout: bool, precision: str
) -> tuple[float, Tensor]:
    """Seconds of the fastest of a few forward and backward passes, and the gradient as one vector."""
    from glassnet.training.step import autocast

    copied = copy.deepcopy(net).to(device).train()
    if layout:
        copied = copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs, targets = example[0].to(device), example[1].to(device)
    if layout:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    start = random_states()

    def once() -> None:
        restore_random_states(start)  # the same dropout masks in both precisions
        copied.zero_grad(set_to_none=True)
        with autocast(precision, device):
            outputs = copied(inputs)
        loss(outputs, targets).backward()  # type: ignore[no-untyped-call]
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    once()
    seconds = min(_seconds(once) for _ in range(3))
    parts = [p.grad.flatten().float() for p in copied.parameters() if p.grad is not None]
    return seconds, torch.cat(parts)


def _seconds(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def machine() -> dict[str, str | int]:
    """What the figures were measured on, for ``environment.json``."""
    import platform

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none",
    }


def _processor() -> str:
    import platform

    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - not a path of ours
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
