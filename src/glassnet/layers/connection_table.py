"""Convolution in which each map sees only some of the maps below."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import UsageError

Table = Sequence[Sequence[int]]

# Table I of LeCun, Bottou, Bengio, Haffner, 1998: for each of the 16 maps of C3, the maps of S2 that it sees. The first six see three
# neighbours, the next six four neighbours, three more see two pairs, the last sees all; neighbourhood goes round from 5 to 0.
LENET5_TABLE: Table = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)


class ConnectionTableConv2d(nn.Module):
    """y_o = b_o + Σ_{i in table[o]} w_oi ⋆ x_i, with ⋆ the cross-correlation over valid positions.

    (batch, in_channels, h, w) → (batch, len(table), h − kh + 1, w − kw + 1). Only the connections of the table are parameters: those
    of all maps that see n others stand in one tensor ``weight<n>`` of shape (such maps in the table's order, n, kh, kw), so that an
    initialisation by fan-in treats each map by what it really sees.

    The sum is computed as an ordinary convolution whose missing connections are zeros: in PyTorch that is some ten times as fast as
    convolutions over small groups. The layer table counts the true connections; its multiply-adds are those computed.

    Weights and biases start from U[−1/√n', 1/√n'], n' = n·kh·kw, as in ``nn.Conv2d``.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section II.B and table I:
    1,516 parameters in C3.

    Args:
        in_channels: maps that come in.
        table: for each map that goes out, the maps that it sees, counted from 0.
        kernel_size: side of the window, or height and width.

    Raises:
        UsageError: a map that sees nothing, sees a map twice, or sees one that does not exist.
    """

    places: Tensor

    def __init__(self, in_channels: int, table: Table, kernel_size: int | tuple[int, int]) -> None:
        super().__init__()
        _check(in_channels, table)
        self.in_channels, self.out_channels = in_channels, len(table)
        self.kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        self.connected = sum(map(len, table))
        self.seen = tuple(sorted({len(row) for row in table}))  # how many maps a map may see
        places = []  # of each kernel in the dense tensor of all pairs (out, in)
        for count in self.seen:
            maps = [out for out, row in enumerate(table) if len(row) == count]
            places += [out * in_channels + below for out in maps for below in table[out]]
            self.register_parameter(f"weight{count}", nn.Parameter(torch.empty(len(maps), count, *self.kernel_size)))
        self.register_buffer("places", torch.tensor(places), persistent=False)
        self.bias = nn.Parameter(torch.empty(len(table)))
        with torch.no_grad():
            for weight in self.weights():
                weight.uniform_(-1, 1).div_(sqrt(prod(weight.shape[1:])))
            bounds = torch.tensor([1 / sqrt(len(row) * prod(self.kernel_size)) for row in table])
            self.bias.uniform_(-1, 1).mul_(bounds)

    def weights(self) -> list[Tensor]:
        """The tensors of connections, those of the maps that see fewest first."""
        return [getattr(self, f"weight{count}") for count in self.seen]

    def dense_weight(self) -> Tensor:
        """All pairs (out, in, kh, kw), with zeros where the table has no connection."""
        kernels = torch.cat([weight.flatten(0, 1) for weight in self.weights()])  # (connections, kh, kw)
        dense = kernels.new_zeros(self.out_channels * self.in_channels, *self.kernel_size)
        return dense.index_copy(0, self.places, kernels).view(self.out_channels, self.in_channels, *self.kernel_size)

    @torch.no_grad()
    def scale_maps(self, factors: Tensor) -> None:
        """Multiply the kernels into each map that goes out by that map's number, in place.

        Args:
            factors: one number a map, in the table's order.
        """
        of_kernels = factors.to(self.bias)[self.places // self.in_channels]  # (connections,)
        until = 0
        for weight in self.weights():
            begin, until = until, until + weight.shape[0] * weight.shape[1]
            weight.mul_(of_kernels[begin:until].view(*weight.shape[:2], 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve a batch of maps."""
        return F.conv2d(x, self.dense_weight(), self.bias)

    def count_connections(self, output: Sequence[int]) -> int:
        """Connections as the paper counts them: each unit has the windows that it sees and a bias.

        Args:
            output: (maps, h, w) that go out.
        """
        return (self.connected * prod(self.kernel_size) + self.out_channels) * prod(output[1:])

    def extra_repr(self) -> str:
        """The arguments, for ``print(net)``."""
        size = self.kernel_size
        pairs = self.in_channels * self.out_channels
        return f"{self.in_channels}, {self.out_channels}, kernel_size={size}, connected={self.connected} of {pairs}"


def _check(in_channels: int, table: Table) -> None:
    for out, row in enumerate(table):
        if not row or len(set(row)) < len(row) or not all(0 <= below < in_channels for below in row):
            raise UsageError(
                "a row of a connection table does not fit",
                where=f"map {out} of the table",
                got=f"sees {', '.join(map(str, row)) or 'nothing'}",
                expected=f"one or more different maps of 0 to {in_channels - 1}",
            )
    if not table:
        raise UsageError(
            "a connection table needs at least one map",
            got="an empty table",
            expected="for each map the maps below that it sees, such as ((0, 1), (1, 2))",
        )
