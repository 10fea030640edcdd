"""Locally connected layers: convolution without weight sharing."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import ModelError


class _LocallyConnected(nn.Module):
    """y[b, o, p] = bias[o, p] + Σ_{c, k} weight[p, o, c, k] · x[b, c, stride · p − padding + k], for any number of dimensions.

    p and k are positions of the output and of the window, and x is zero outside. At the start, weights and biases are drawn from
    U[−1/√n, 1/√n] with n = in_channels · window, as ``nn.Conv2d`` draws them.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: tuple[int, ...],
        window: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        bias: bool,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.size, self.kernel_size, self.stride, self.padding = size, window, stride, padding
        self.out_size = tuple(
            (m + 2 * p - k) // s + 1 for m, k, s, p in zip(size, window, stride, padding, strict=True)
        )
        if min(self.out_size) < 1:
            raise ModelError(
                "the window of a locally connected layer is larger than its input",
                where=type(self).__name__,
                got=f"a window of {_times(window)} on {_times(size)} with padding {_times(padding)}",
                fix="take a smaller window or more padding",
            )
        self.weight = nn.Parameter(torch.empty(*self.out_size, out_channels, in_channels, *window))
        self.bias = nn.Parameter(torch.empty(out_channels, *self.out_size)) if bias else None
        bound = 1 / sqrt(self.fans[0])
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound)

    @property
    def fans(self) -> tuple[int, int]:
        """Connections into one output unit, and out of one input unit where windows overlap as in a convolution of stride 1."""
        return self.in_channels * prod(self.kernel_size), self.out_channels * prod(self.kernel_size)

    @property
    def weight_groups(self) -> int:
        """Into how many dense layers of their own the weight falls apart, as its leading dimensions tell: one a position."""
        return prod(self.out_size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, *size) → (batch, out_channels, *out_size)."""
        if tuple(x.shape[1:]) != (self.in_channels, *self.size):
            raise ModelError(
                "a locally connected layer has weights for one size of input alone",
                where=type(self).__name__,
                got=_times(tuple(x.shape[1:])),
                expected=_times((self.in_channels, *self.size)),
            )
        around = [side for p in reversed(self.padding) for side in (p, p)]
        windows = F.pad(x, around) if any(around) else x
        count = len(self.size)
        for dim, (k, s) in enumerate(zip(self.kernel_size, self.stride, strict=True), start=2):
            windows = windows.unfold(dim, k, s)  # (batch, in_channels, *out_size, *window)
        places = [*range(2, 2 + count), 0, 1, *range(2 + count, 2 + 2 * count)]
        inputs = windows.permute(places).reshape(prod(self.out_size), x.shape[0], -1)  # (positions, batch, inputs)
        weight = self.weight.reshape(prod(self.out_size), self.out_channels, -1)
        outputs = torch.bmm(inputs, weight.transpose(1, 2))  # (positions, batch, out_channels)
        outputs = outputs.permute(1, 2, 0).reshape(x.shape[0], self.out_channels, *self.out_size)
        return outputs if self.bias is None else outputs + self.bias

    def count_connections(self, output: Sequence[int]) -> int:
        """Connections: each output unit has its window over all channels, and its bias.

        Args:
            output: (out_channels, *out_size).
        """
        return prod(output) * (self.fans[0] + (self.bias is not None))

    def extra_repr(self) -> str:
        """The arguments, for ``print(net)``."""
        return (
            f"{self.in_channels}, {self.out_channels}, size={self.size}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, bias={self.bias is not None}"
        )


class LocallyConnected1d(_LocallyConnected):
    """A convolution along one dimension whose every position has weights of its own.

    y[b, o, t] = bias[o, t] + Σ_{c, k} weight[t, o, c, k] · x[b, c, stride · t − padding + k]

    (batch, in_channels, length) → (batch, out_channels, positions), positions = ⌊(length + 2 padding − kernel) / stride⌋ + 1

    Source: LeCun, "Generalization and network design strategies", 1989, section 6.3; Taigman et al., "DeepFace", 2014, section 3.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
        length: length of the input, which the weights fix.
        kernel_size: length of the window.
        stride: step of the window.
        padding: zeros put before and after.
        bias: whether every output unit has one.

    Raises:
        ModelError: the window does not fit, or, when called, an input of another size.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        length: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, (length,), (kernel_size,), (stride,), (padding,), bias)


class LocallyConnected2d(_LocallyConnected):
    """A convolution whose every pixel has weights of its own.

    y[b, o, i, j] = bias[o, i, j] + Σ_{c, u, v} weight[i, j, o, c, u, v] · x[b, c, stride · i − padding + u, stride · j − padding + v]

    (batch, in_channels, height, width) → (batch, out_channels, rows, columns), sized as by ``nn.Conv2d``

    Source: LeCun, "Generalization and network design strategies", 1989, section 6.3; Taigman et al., "DeepFace", 2014, section 3.

    Args:
        in_channels: channels that come in.
        out_channels: channels that go out.
        size: height and width of the input, which the weights fix.
        kernel_size: height and width of the window, or its side.
        stride: step of the window, down and across.
        padding: zeros put around, above and below, left and right.
        bias: whether every output unit has one.

    Raises:
        ModelError: the window does not fit, or, when called, an input of another size.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        size: tuple[int, int],
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, size, _pair(kernel_size), _pair(stride), _pair(padding), bias)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _times(sizes: tuple[int, ...]) -> str:
    return "×".join(map(str, sizes))
