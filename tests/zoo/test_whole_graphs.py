"""Nets for whole graphs: against their formulas with dense matrices in float64, one graph at a time, and apart from their neighbours in a batch."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from glassnet.data.graph import Graph, Graphs, NodeNumbers
from glassnet.errors import ModelError, UsageError
from glassnet.zoo import Net, build

pytest.importorskip("torch_geometric")
NETS = ["graph-gin", "graph-gcn", "graph-graphsage", "graph-gat"]
FEATURES, CLASSES, LAYERS, HIDDEN = 3, 2, 2, 4


def collection(sizes=(3, 1, 5, 4), seed=0, density=0.5) -> Graph:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(sum(sizes), FEATURES, generator=generator)
    pairs, begin = [], 0
    for size in sizes:
        for a in range(size):
            for b in range(a):
                if torch.rand((), generator=generator) < density:
                    pairs += [(begin + a, begin + b), (begin + b, begin + a)]
        begin += size
    offsets = torch.tensor([0, *sizes]).cumsum(0)
    return Graph(features, torch.tensor(sorted(pairs)).T.reshape(2, -1), offsets)


def numbers(of: Graph, which: list[int]) -> torch.Tensor:
    return NodeNumbers.of(torch.tensor(which).reshape(-1, 1), of)


def made(name: str, **options: object):
    given = {"features": FEATURES, "hidden": HIDDEN, "layers": LAYERS, "dropout": 0.0, **options}
    net = build(name, (1,), CLASSES, given, seed=1).double()
    with torch.random.fork_rng():
        torch.manual_seed(3)
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
        for each in net.modules():
            if isinstance(each, torch.nn.BatchNorm1d):
                each.running_mean.normal_()
                each.running_var.uniform_(0.5, 2.0)
    return net.eval()


def dense(name: str, layer, A: torch.Tensor, H: torch.Tensor) -> torch.Tensor:
    if name == "graph-gin":
        return layer.nn((1 + layer.eps) * H + A @ H)
    if name == "graph-gcn":
        own = A + torch.eye(len(A))
        D = own.sum(1).pow(-0.5)
        return (D[:, None] * own * D) @ H @ layer.lin.weight.T + layer.bias
    if name == "graph-graphsage":
        mean = A / A.sum(1, keepdim=True).clamp_min(1)
        return layer.own(H) + mean @ H @ layer.neighbours.weight.T
    heads = []
    own = A + torch.eye(len(A))
    for head in range(4):
        W = layer.lin.weight.reshape(4, -1, H.shape[1])[head]
        source, target = layer.att_src[0, head], layer.att_dst[0, head]
        Z = H @ W.T
        score = F.leaky_relu((Z @ target)[:, None] + (Z @ source)[None, :], 0.2)
        heads.append(torch.softmax(score.masked_fill(own == 0, float("-inf")), dim=1) @ Z)
    return torch.cat(heads, dim=1) + layer.bias


def alone(name: str, net, of: Graph, which: int, readout: str) -> torch.Tensor:
    begin, end = of.offsets[which], of.offsets[which + 1]
    size = int(end - begin)
    inside = (of.edges[0] >= begin) & (of.edges[0] < end)
    A = torch.zeros(size, size, dtype=torch.float64)
    A[of.edges[0, inside] - begin, of.edges[1, inside] - begin] = 1
    H, told = of.features[begin:end].double(), []
    for layer, norm in zip(net.body, net.norms, strict=True):
        H = torch.relu(norm(dense(name, layer, A, H)))
        told.append({"mean": H.mean(0), "sum": H.sum(0), "max": H.max(0).values}[readout])
    return net.head(torch.cat(told))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("readout", ["mean", "max", "sum"])
def test_a_batch_says_what_the_formula_says_of_each_graph(name, readout):
    net, of = made(name, readout=readout), collection()
    assert isinstance(net, Net)
    which = [2, 0, 3, 1, 2]
    together = net(numbers(of, which))
    torch.testing.assert_close(together, torch.stack([alone(name, net, of, place, readout) for place in which]))
    torch.testing.assert_close(together, torch.cat([net(numbers(of, [place])) for place in which]))


@pytest.mark.parametrize("name", NETS)
def test_the_order_of_nodes_and_edges_says_nothing(name):
    net, of = made(name), collection((6, 5), seed=4)
    order = torch.cat([torch.randperm(6), 6 + torch.randperm(5)])
    place = torch.empty(11, dtype=torch.int64)
    place[order] = torch.arange(11)
    edges = place[of.edges]
    edges = edges[:, torch.argsort(edges[0] * 11 + edges[1])]
    other = Graph(of.features[order], edges, of.offsets)
    torch.testing.assert_close(net(numbers(other, [0, 1])), net(numbers(of, [0, 1])))


def test_cutting_takes_each_graph_with_its_own_edges():
    of = collection((2, 1, 3), density=1.0)
    features, edges, member = of.cut(torch.tensor([2, 0, 2]))
    torch.testing.assert_close(features, of.features[[3, 4, 5, 0, 1, 3, 4, 5]])
    assert member.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    triangle = {(a, b) for a in range(3) for b in range(3) if a != b}
    wanted = triangle | {(3, 4), (4, 3)} | {(a + 5, b + 5) for a, b in triangle}
    assert set(map(tuple, edges.T.tolist())) == wanted
    assert Graphs(of).row(0) != Graphs(of).row(2)


@pytest.mark.parametrize("name", NETS)
def test_a_batch_of_one_node_can_be_trained_on(name):
    net = made(name).train()
    net(numbers(collection(), [1])).sum().backward()


def test_what_is_no_graph_is_refused():
    net = made("graph-gin")
    with pytest.raises(ModelError, match="not the graphs"):
        net(numbers(Graph(torch.zeros(4, FEATURES), torch.tensor([[0], [1]])), [0]))
    with pytest.raises(UsageError, match="share the units"):
        build("graph-gat", (1,), 2, {"features": 3, "hidden": 6}, seed=0)
    with pytest.raises(UsageError, match="different graphs"):
        torch.cat([numbers(collection(), [0]), numbers(collection(), [0])])
