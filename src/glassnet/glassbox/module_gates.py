"""Glassnet's own layers as gates: a table from the class of a module to the nodes that compute the same.

They could be looked into, as every other module is, down to the functions that they call; one gate for each says more. A handler gets the
module, a function that gives the node of one of its tensors by name, and the node that goes in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from torch import nn

from glassnet import gates, layers
from glassnet.gates import Node, apply

Owned: TypeAlias = Callable[[str], Node]  # a parameter or buffer of the module, by its name
Handler: TypeAlias = Callable[[Any, Owned, Node], Node]


def table_convolution(m: layers.ConnectionTableConv2d, own: Owned, x: Node) -> Node:
    """The kernels of the connections, placed by the table, and a convolution with them."""
    table: list[list[int]] = [[] for _ in range(m.out_channels)]
    for place in m.places.tolist():  # in the table's own order within each map
        table[place // m.in_channels].append(place % m.in_channels)
    kernels = [own(f"weight{count}") for count in m.seen]
    placed = apply(gates.ConnectedKernels(table, m.in_channels), *kernels, name="kernels")
    return apply(gates.Convolution(), x, placed, own("bias"))


def locally_connected(m: layers.LocallyConnected1d | layers.LocallyConnected2d, own: Owned, x: Node) -> Node:
    """Weights of its own at every place."""
    bias = [] if m.bias is None else [own("bias")]
    return apply(gates.LocallyConnected(m.stride, m.padding), x, own("weight"), *bias)


def subsampling(m: layers.Subsampling, own: Owned, x: Node) -> Node:
    """Window sum times coefficient plus bias."""
    return apply(gates.Subsampling(m.kernel_size[0], m.copies), x, own("coefficient"), own("bias"))


def gaussian_pool(m: layers.GaussianPool2d, own: Owned, x: Node) -> Node:
    """An average that counts the centre most."""
    return apply(gates.GaussianPool(m.kernel_size, m.stride, m.sigma, m.padding), x)


def norm_pool(m: layers.NormPool2d, own: Owned, x: Node) -> Node:
    """The norm of each window; the largest size where p is infinite."""
    if m.p == float("inf"):
        sizes = apply(gates.Absolute(), x, name="abs")
        return apply(gates.MaxPool(m.kernel_size, m.stride, m.padding), sizes)
    return apply(gates.NormPool(m.p, m.kernel_size, m.stride, m.padding), x)


def local_response_norm(m: layers.LocalResponseNorm, own: Owned, x: Node) -> Node:
    """By the paper's definition."""
    return apply(gates.LocalResponseNorm(m.n, m.alpha, m.beta, m.k), x)


MODULE_GATES: Mapping[type[nn.Module], Handler] = {
    layers.ScaledTanh: lambda m, own, x: apply(gates.ScaledTanh(), x),
    layers.ChannelMaxPool: lambda m, own, x: apply(gates.ChannelMaxPool(m.pieces), x),
    layers.ConnectionTableConv2d: table_convolution,
    layers.LocallyConnected1d: locally_connected,
    layers.LocallyConnected2d: locally_connected,
    layers.Subsampling: subsampling,
    layers.RBF: lambda m, own, x: apply(gates.RBF(), x, own("codes")),
    layers.GaussianPool2d: gaussian_pool,
    layers.NormPool2d: norm_pool,
    layers.LocalResponseNorm: local_response_norm,
}


def handler_of(module: nn.Module) -> Handler | None:
    """The handler of a module's class; a class derived from it may compute something else, and is looked into."""
    return MODULE_GATES.get(type(module))
