"""Convolution in which each map sees only some of the maps below (requirement L7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from glassnet.gates.convolution import Convolution
from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.window import Padding, Sizes


@dataclass(eq=False)
class TableConvolution(Gate):
    """y = x ⋆ (w ⊙ m) + b, with the mask m[o, c] = 1 where the table lets map o see map c, else 0.

    x (batch, channels, *size), w (outputs, channels, *kernel), b (outputs,) or left out. A weight behind the mask has no influence,
    and so its gradient is 0.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, section II.B and table I.

    Attributes:
        table: for each map that goes out, the maps that it sees, counted from 0.
        stride: as for :class:`Convolution`.
        padding: as for :class:`Convolution`.
    """

    table: Sequence[Sequence[int]] = field(repr=False)
    stride: Sizes = 1
    padding: Padding = 0

    name = "table-convolution"
    formula = "y = x ⋆ (w ⊙ mask) + b"
    chain = ("dx = dy spread with w ⊙ mask", "dw = mask ⊙ (windows of x · dy)", "db = Σ dy over batch and places")

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """The convolution with the connections of the table alone."""
        self.mask = np.zeros((*w.shape[:2], *[1] * (w.ndim - 2)))
        for out, seen in enumerate(self.table):
            self.mask[out, list(seen)] = 1
        self.dense = Convolution(self.stride, self.padding)
        return self.dense.forward(x, w * self.mask, b)

    def backward(self, upstream: Array) -> Gradients:
        """That of the convolution, with the mask on the weights' gradient."""
        dx, dw, db = self.dense.backward(upstream)
        assert dw is not None
        return dx, dw * self.mask, db


@dataclass(eq=False)
class ConnectedKernels(Gate):
    """w[o, c] = the kernel of the connection from map c to map o, and zeros where there is none: the weight of a dense convolution.

    The kernels come as arrays k1, k2, … of shape (maps, count, *kernel), one for each number ``count`` of maps that a map may see,
    the smallest count first and the maps in the order of the table, as ``glassnet.layers.ConnectionTableConv2d`` keeps them.

    Attributes:
        table: for each map that goes out, the maps that it sees, counted from 0.
        channels: maps that come in.
    """

    table: Sequence[Sequence[int]] = field(repr=False)
    channels: int

    name = "connected-kernels"
    formula = "w = [*k] placed by the table"
    chain = ("d*k = dw at its connections",)

    def forward(self, *k: Array) -> Array:
        """The weight (maps out, channels, *kernel)."""
        self.places = []  # of each array: which map it belongs to, and which map it sees
        w = np.zeros((len(self.table), self.channels, *k[0].shape[2:]))
        for count, kernels in zip(sorted({len(seen) for seen in self.table}), k, strict=True):
            maps = [out for out, seen in enumerate(self.table) if len(seen) == count]
            place = np.array(maps)[:, None], np.array([self.table[out] for out in maps])
            w[place] = kernels
            self.places.append(place)
        return w

    def backward(self, upstream: Array) -> Gradients:
        """Each kernel gets what its place got."""
        return tuple(upstream[place] for place in self.places)
