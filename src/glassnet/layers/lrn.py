"""Local response normalisation, with the constants' meaning of the AlexNet paper."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

AT_ONCE = 2**18
"""Numbers of a piece on a CPU: several tensors of so many lie in its caches, and a call still has enough to do."""


class LocalResponseNorm(nn.Module):
    """b_i = a_i / (k + α · Σ_{j = max(0, i − ⌊n/2⌋)}^{min(N − 1, i + ⌊n/2⌋)} a_j²)^β over N channels, pixel by pixel.

    (batch, channels, …) → the same shape

    ``nn.LocalResponseNorm`` divides α by n, so that its α = 1e−4 is five times weaker than the paper's; and for an even n its
    window reaches one channel less far up. It also takes half the time of a forward and backward pass of AlexNet in bfloat16 (``docs/speed.md``), because each
    of its dozen operations goes through memory; here a piece of the images goes through all of them while it lies in the cache, and the gradient is written out:

        ∂a_i = d_i s_i^−β − 2αβ a_i Σ_j d_j a_j s_j^(−β−1),  with s the sum in brackets and j over the same window.

    Numbers of less than 32 bits are normalised in float32 and given back as what they were.

    Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, section 3.3.

    Args:
        n: width of the window in channels.
        alpha: weight of the sum.
        beta: the exponent.
        k: added to the sum, above zero.
    """

    def __init__(self, n: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        self.n, self.alpha, self.beta, self.k = n, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel by its neighbours."""
        constants = self.n // 2, self.alpha, self.beta, self.k
        # Who writes a network down, or looks through its operations, finds PyTorch's own.
        if not isinstance(x, Tensor) or is_in_torch_dispatch_mode():
            return _by_library(x, *constants)
        said: Tensor = _Normalised.apply(x, *constants)  # type: ignore[no-untyped-call]
        return said

    def extra_repr(self) -> str:
        """The constants, for ``print(net)``."""
        return f"n={self.n}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g}"


def _by_library(x: Tensor, reach: int, alpha: float, beta: float, k: float) -> Tensor:
    window = 2 * reach + 1
    return F.local_response_norm(x, window, alpha * window, beta, k)


class _Normalised(Function):
    """The formula piece by piece. Nothing but the input is remembered: the sums are cheaper to make again than to keep."""

    @staticmethod
    def forward(x: Tensor, reach: int, alpha: float, beta: float, k: float) -> Tensor:
        x = _dense(x)
        said = torch.empty_like(x)
        neighbours = _Neighbours(x, reach)
        for a, y in _pieces(x, said):
            a = _wide(a)
            sums = neighbours.added(a, a).mul_(alpha).add_(k)
            y.copy_(_root(sums, beta).mul_(a))
        return said

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.constants = inputs[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        (d,), (x,) = gradients, ctx.saved_tensors
        reach, alpha, beta, k = ctx.constants
        if torch.is_grad_enabled():  # somebody wants the gradient of the gradient
            (slope,) = torch.autograd.grad(_by_library(x, *ctx.constants), x, d, create_graph=True)
            return slope, None, None, None, None
        x = _dense(x)
        slope = torch.empty_like(x)
        neighbours = _Neighbours(x, reach)
        for a, weight, out in _pieces(x, torch.empty_like(x).copy_(d), slope):
            a = _wide(a)
            sums = neighbours.added(a, a).mul_(alpha).add_(k)
            direct = _root(sums, beta).mul_(weight)
            others = neighbours.added(direct / sums, a)
            out.copy_(direct.addcmul_(a, others, value=-2 * alpha * beta))
        return slope, None, None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], x: Tensor, *constants: Any) -> tuple[Tensor, int]:
        x = x.movedim(in_dims[0] or 0, 0)  # each pixel is by itself, so several networks' images are one batch
        said: Tensor = _Normalised.apply(x.flatten(0, 1), *constants)  # type: ignore[no-untyped-call]
        return said.view(x.shape), 0


class _Neighbours:
    """Sums over the channels around each, 0 beyond the first and the last.

    A pixel's channels are laid out with zeros on both sides. Sums over a window are then sums of the whole memory with itself moved by a channel.

    Args:
        x: what is normalised.
        reach: channels on each side that belong to the window.
    """

    def __init__(self, x: Tensor, reach: int) -> None:
        largest = next(_pieces(x))[0]
        outer, channels, inner = largest.shape
        self.reach, self.channels, self.inner = reach, channels, inner
        self.padded = x.new_zeros((outer, channels + 2 * reach, inner), dtype=_wide(x[:0]).dtype)
        self.total = torch.empty_like(self.padded)

    def added(self, one: Tensor, other: Tensor) -> Tensor:
        """Σ over the window of one · other, both (pixels, channels, places). The next call writes where it lies."""
        padded, total = self.padded[: len(one)], self.total[: len(one)]
        torch.mul(one, other, out=padded[:, self.reach : self.reach + self.channels])
        line = padded.view(-1)
        count = line.numel() - 2 * self.reach * self.inner
        sums = total.view(-1)[:count].copy_(line[:count])
        for channel in range(1, 2 * self.reach + 1):
            sums.add_(line.narrow(0, channel * self.inner, count))
        return total[:, : self.channels]


def _dense(x: Tensor) -> Tensor:
    """The numbers without gaps: channels last where they lie so, else channels first."""
    return x if x.movedim(1, -1).is_contiguous() else x.contiguous()


def _pieces(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The same part of each, some pixels or images at a time, as (pixels or images, channels, 1 or places)."""
    first = tensors[0]
    last = first.movedim(1, -1).is_contiguous()
    views = [t.movedim(1, -1).view(-1, t.shape[1], 1) if last else t.view(len(t), t.shape[1], -1) for t in tensors]
    each = max(1, math.prod(views[0].shape[1:]))
    some = max(1, AT_ONCE // each) if first.device.type == "cpu" else max(1, len(views[0]))
    return zip(*(torch.split(view, some) for view in views), strict=True)


def _wide(x: Tensor) -> Tensor:
    """At least float32."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def _root(sums: Tensor, beta: float) -> Tensor:
    """The sums to the power of −β."""
    if beta == 0.75:  # roots are a fifth of the work of a power
        inverse = sums.rsqrt()
        return inverse.sqrt().mul_(inverse)
    return sums.pow(-beta)
