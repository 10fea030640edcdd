"""Maxout units: the largest of several linear functions."""

from __future__ import annotations

from glassnet.gates.convolution import Convolution
from glassnet.gates.dense import Dense
from glassnet.gates.max_pool import ChannelMaxPool
from glassnet.gates.node import Node, apply


def maxout(x: Node, w: Node, b: Node, pieces: int, *, convolution: Convolution | None = None, name: str = "") -> Node:
    """h_i = max over j of w_ijᵀx + b_ij, j = 1 … k: two gates, the linear functions and the largest of each run of k.

    Source: Goodfellow, Warde-Farley, Mirza, Courville, Bengio, "Maxout Networks", 2013, section 3.

    Args:
        x: (batch, inputs), or (batch, channels, *size) for a convolution.
        w: (units · k, inputs), rows k·i … k·i + k − 1 belong to unit i; or (maps · k, channels, *kernel).
        b: (units · k,) or (maps · k,).
        pieces: k.
        convolution: the gate that computes the linear functions; dense without one.
        name: of the unit; its linear functions are called name.linear.

    Returns:
        (batch, units), or (batch, maps, *places).
    """
    linear = apply(convolution or Dense(), x, w, b, name=f"{name}.linear" if name else "")
    return apply(ChannelMaxPool(pieces), linear, name=name)
