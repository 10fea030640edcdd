"""How the arithmetic is run: process settings, device, precision, memory layout. Chosen by measuring (:mod:`.choosing`), recorded, overridable.

Nothing here changes a result beyond the stated precision.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from glassnet.errors import UsageError
from glassnet.training.state import random_kept

# mallopt's parameters, from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


@dataclass(frozen=True)
class Execution:
    """The chosen way.

    Attributes:
        device: where the network lives.
        precision: ``float32`` or ``bfloat16``.
        channels_last: image batches laid out as (batch, height, width, channels).
        threads: threads inside one operation on the CPU.
        reason: one sentence with the measured gain.
        weight_gradients: of convolutions: ``library``, or ``products`` where those are faster (:mod:`~glassnet.training.weight_gradients`).
        most_threads: how many there may be at another time of the training, whose number was not given and hangs on who else is at work; None where it stays.
    """

    device: torch.device
    precision: str
    channels_last: bool
    threads: int
    reason: str
    weight_gradients: str = "library"
    most_threads: int | None = None


def prepare_process(threads: int | None = None) -> None:
    """Settings of the whole process that pay everywhere; call once before the first tensor.

    Denormal numbers are flushed to zero (they slow some steps down tenfold and lie below float32's useful range). glibc keeps freed
    memory instead of handing every large tensor back to the kernel and faulting it in again in the next step.
    """
    torch.set_flush_denormal(True)
    if threads:
        torch.set_num_threads(threads)
    glibc = _glibc()
    if glibc is not None:
        glibc.mallopt(_M_MMAP_MAX, 0)
        glibc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        glibc.mallopt(_M_TOP_PAD, 64 << 20)


def give_back() -> None:
    """Hand memory that was freed back to the system, once, after preparations that needed much: what a step frees and takes again is better kept."""
    glibc = _glibc()
    if glibc is not None:
        glibc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library where it is glibc; another's own ways stand."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except OSError:
        return None


@contextmanager
def process_kept() -> Iterator[None]:
    """Within the block the number of threads and the treatment of denormal numbers may be set and random numbers be drawn; all is put back, so that the next one finds all threads, and whoever called draws on as if nothing had happened."""
    threads, flushed, kind = torch.get_num_threads(), _flushes(), torch.get_default_dtype()
    try:
        # Somebody may call within torch.no_grad, or compute in float64 elsewhere.
        torch.set_default_dtype(torch.float32)
        with random_kept(), torch.inference_mode(mode=False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)
        torch.set_default_dtype(kind)


def _flushes() -> bool:
    """Whether denormal numbers are flushed to zero at present; PyTorch can set this and not tell it."""
    return bool((torch.tensor([1e-39]) * 0.5).item() == 0.0)


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
