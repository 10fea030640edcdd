"""Whole networks as graphs, against the zoo's: LeNet-5 of 1998 with its table, subsampling and distance outputs."""

from __future__ import annotations

import numpy as np
import torch
from parity import close, numbers
from torch import nn

from glassnet import gates
from glassnet.gates import Graph, Node, apply, inputs, parameter
from glassnet.layers import Subsampling
from glassnet.layers.connection_table import LENET5_TABLE, ConnectionTableConv2d
from glassnet.zoo.lenet_1998 import lenet5_1998


def lenet5(net: nn.Module) -> Graph:
    """The layers one after another, with the network's weights."""

    def weight(name: str) -> Node:
        return parameter(name, net.get_parameter(name).detach().numpy())

    x, t = inputs("x t")
    h = apply(gates.Convolution(), x, weight("c1.0.weight"), weight("c1.0.bias"), name="c1")
    h = apply(gates.ScaledTanh(), h)
    h = apply(gates.Subsampling(2), h, weight("s2.0.coefficient"), weight("s2.0.bias"), name="s2")
    h = apply(gates.ScaledTanh(), h)
    kernels = [weight(f"c3.0.weight{count}") for count in (3, 4, 6)]
    w = apply(gates.ConnectedKernels(LENET5_TABLE, 6), *kernels, name="c3.weight")
    h = apply(gates.Convolution(), h, w, weight("c3.0.bias"), name="c3")
    h = apply(gates.ScaledTanh(), h)
    h = apply(gates.Subsampling(2), h, weight("s4.0.coefficient"), weight("s4.0.bias"), name="s4")
    h = apply(gates.ScaledTanh(), h)
    h = apply(gates.Convolution(), h, weight("c5.0.weight"), weight("c5.0.bias"), name="c5")
    h = apply(gates.Flatten(), apply(gates.ScaledTanh(), h))
    h = apply(gates.Dense(), h, weight("f6.1.weight"), weight("f6.1.bias"), name="f6")
    h = apply(gates.ScaledTanh(), h)
    scores = apply(gates.RBF(), h, net.get_buffer("head.codes").numpy(), name="scores")
    return Graph(apply(gates.CrossEntropy(), scores, t, name="loss"), scores)


def test_lenet5_of_1998() -> None:
    torch.manual_seed(3)
    net = lenet5_1998((1, 32, 32), 10).double()
    assert isinstance(net.c3[0], ConnectionTableConv2d)
    assert isinstance(net.s2[0], Subsampling)
    (x,) = numbers(1, (2, 1, 32, 32))
    t = np.array([3, 8])
    graph = lenet5(net)
    loss = graph.forward(x=x, t=t)

    tx = torch.tensor(x, requires_grad=True)
    scores = net(tx)
    expected = nn.functional.cross_entropy(scores, torch.from_numpy(t))
    expected.backward()
    value = graph["scores"].value
    assert value is not None
    close(value, scores.detach().numpy(), "scores")
    close(loss, expected.detach().numpy(), "loss")
    found = graph.backward()
    assert tx.grad is not None
    close(found["x"], tx.grad.numpy(), "x")
    trained = dict(net.named_parameters())
    assert set(found) == {"x", *trained}
    for name, weight in trained.items():
        assert weight.grad is not None
        close(found[name], weight.grad.numpy(), name)


def test_a_net_learns_without_pytorch() -> None:
    """Two interleaved half circles, one hidden layer, full-batch gradient descent by ``graph.update``."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, 100)
    half = np.repeat([0, 1], 50)
    x = np.stack([np.cos(angle) * (1 - 2 * half) + half, np.sin(angle) * (1 - 2 * half) + 0.5 * half], 1)
    nodes = inputs("x t")
    h = apply(gates.Dense(), nodes[0], parameter("w1", rng.standard_normal((16, 2))), parameter("b1", np.zeros(16)))
    s = apply(
        gates.Dense(),
        apply(gates.Tanh(), h),
        parameter("w2", 0.1 * rng.standard_normal((2, 16))),
        parameter("b2", np.zeros(2)),
    )
    graph = Graph(apply(gates.CrossEntropy(), s, nodes[1]), s)
    first = graph.forward(x=x, t=half)
    for _ in range(300):
        graph.forward()
        graph.backward()
        graph.update(lr=1.0)
    last = graph.forward()
    assert abs(first - np.log(2)) < 0.1
    assert last < 0.05
    assert s.value is not None
    assert (s.value.argmax(1) == half).mean() > 0.98
