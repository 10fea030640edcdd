"""Maxout: units that take the largest of several linear functions, and pooling across maps, which is how they are made."""

from __future__ import annotations

from torch import Tensor, nn


class ChannelMaxPool(nn.Module):
    """The largest of each run of k neighbouring channels, y_i = max(x_{k·i}, …, x_{k·i + k − 1}), i counted from 0.

    (batch, k · channels, …) → (batch, channels, …)

    Source: Goodfellow, Warde-Farley, Mirza, Courville, Bengio, "Maxout Networks", 2013, section 3 ("max pooling across channels").

    Args:
        pieces: k, channels that become one; their number must be a multiple of it.
    """

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        """Pool across the second dimension."""
        return x.reshape(x.shape[0], -1, self.pieces, *x.shape[2:]).amax(2)

    def extra_repr(self) -> str:
        """The argument, for ``print(net)``."""
        return f"pieces={self.pieces}"


class MaxoutLinear(nn.Module):
    """h_i = max over j of w_ijᵀx + b_ij, j = 1 … k; with k = 2 and one piece zero this is ReLU.

    (batch, inputs) → (batch, outputs)

    Source: Goodfellow et al., 2013, section 3, first equation.

    Args:
        inputs: numbers that come in.
        outputs: units.
        pieces: k, linear functions in a unit.
        bias: whether the linear functions have one.
    """

    def __init__(self, inputs: int, outputs: int, pieces: int = 2, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs * pieces, bias)  # rows k·i … k·i + k − 1 belong to unit i
        self.pool = ChannelMaxPool(pieces)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) → (batch, outputs)."""
        return self.pool(self.linear(x))  # type: ignore[no-any-return]


class MaxoutConv2d(nn.Module):
    """Maxout whose linear functions are convolutions: every map is the largest of k maps, pixel by pixel.

    (batch, in_channels, height, width) → (batch, out_channels, rows, columns), sized as by ``nn.Conv2d``

    Source: Goodfellow et al., 2013, section 3 and 5.2.

    Args:
        in_channels: channels that come in.
        out_channels: maps that go out.
        kernel_size: side of the window.
        pieces: k, convolutions behind one map.
        stride: step of the window.
        padding: zeros put around the image.
        bias: whether the convolutions have one.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        pieces: int = 2,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels * pieces, kernel_size, stride, padding, bias=bias)
        self.pool = ChannelMaxPool(pieces)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, height, width) → (batch, out_channels, rows, columns)."""
        return self.pool(self.conv(x))  # type: ignore[no-any-return]
