"""GCN, GraphSAGE and GAT against their papers' formulas, written out with dense matrices in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from glassnet.data.graph import Graph, NodeNumbers
from glassnet.errors import ModelError, UsageError
from glassnet.zoo import ZOO, Net, build

pytest.importorskip("torch_geometric")
NETS = ["gcn", "graphsage", "gat"]
EDGES = [(0, 1), (1, 2), (2, 0), (3, 4), (1, 4)]  # node 5 is alone
NODES, FEATURES, CLASSES = 6, 7, 3


def graph(sparse: bool = False) -> Graph:
    torch.manual_seed(0)
    features = torch.randn(NODES, FEATURES)
    if sparse:
        features = features * (torch.rand(NODES, FEATURES) < 0.15)
    ends = torch.tensor(EDGES).T
    return Graph(features, torch.cat([ends, ends.flip(0)], dim=1))


def made(name: str, **options: object):
    with torch.random.fork_rng():
        net = build(name, (1,), CLASSES, {"features": FEATURES, "hidden": 4, **options}, seed=1).double()
        for parameter in net.parameters():  # so that no bias is 0
            torch.nn.init.normal_(parameter, std=0.5)
    return net.eval()


def numbers(of: Graph, which: list[int] | None = None):
    return NodeNumbers.of(torch.tensor(which if which is not None else range(len(of))).reshape(-1, 1), of)


def adjacency(of: Graph) -> torch.Tensor:
    A = torch.zeros(len(of), len(of), dtype=torch.float64)
    A[of.edges[0], of.edges[1]] = 1
    return A


def gcn(net, of: Graph) -> torch.Tensor:
    A = adjacency(of) + torch.eye(len(of))
    D = A.sum(1).pow(-0.5)
    hat = D[:, None] * A * D
    H = of.features.double()
    for layer in net.body:
        H = torch.relu(hat @ H @ layer.lin.weight.T + layer.bias)
    return hat @ H @ net.head.weight.T + net.head.bias


def graphsage(net, of: Graph) -> torch.Tensor:
    A = adjacency(of)
    mean = A / A.sum(1, keepdim=True).clamp_min(1)
    H = of.features.double()
    for layer in net.body:
        W = torch.cat([layer.own.weight, layer.neighbours.weight], dim=1)
        H = torch.relu(torch.cat([H, mean @ H], dim=1) @ W.T + layer.own.bias)
    return torch.cat([H, mean @ H], dim=1) @ net.head.weight.T + net.head.bias


def attention(layer, H: torch.Tensor, A: torch.Tensor, heads: int) -> torch.Tensor:
    """Equations 1 to 4, node by node: (nodes, heads, units)."""
    W = layer.lin.weight.reshape(heads, -1, H.shape[1])
    out = torch.zeros(len(H), heads, W.shape[1], dtype=H.dtype)
    for k in range(heads):
        Wh = H @ W[k].T
        for v in range(len(H)):
            near = [u for u in range(len(H)) if A[v, u] or u == v]
            e = torch.stack(
                [F.leaky_relu(Wh[v] @ layer.att_dst[0, k] + Wh[u] @ layer.att_src[0, k], 0.2) for u in near]
            )
            out[v, k] = (torch.softmax(e, 0)[:, None] * Wh[near]).sum(0)
    return out


def gat(net, of: Graph) -> torch.Tensor:
    A, H = adjacency(of), of.features.double()
    for layer in net.body:
        H = F.elu(attention(layer, H, A, 3).flatten(1) + layer.bias)
    return attention(net.gather, H, A, 2).mean(1) + net.gather.bias


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("name", NETS)
def test_formulas_of_the_papers(name, layers, sparse):
    net = made(name, layers=layers, **({"heads": 3, "last_heads": 2} if name == "gat" else {}))
    of = graph(sparse)
    assert (of.sparse is not None) is sparse
    torch.testing.assert_close(net(numbers(of)), {"gcn": gcn, "graphsage": graphsage, "gat": gat}[name](net, of))


@pytest.mark.parametrize("name", NETS)
def test_contract(name):
    net = made(name)
    of = graph()
    x = numbers(of)
    assert isinstance(net, Net)
    assert torch.equal(net.head(net.features(x)), net(x))
    assert net(x).shape == (NODES, CLASSES)
    torch.testing.assert_close(net(numbers(of, [4, 1])), net(x)[[4, 1]])
    for stage in net.stages:
        net.get_submodule(stage)
    net.train()(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())
    plain = made(name)(torch.tensor([[2], [0]]))
    torch.testing.assert_close(plain[0], plain[1]), "numbers without a graph are nodes without anything"


@pytest.mark.parametrize("name", NETS)
def test_renumbering_the_nodes_renumbers_the_answers(name):
    net, of = made(name), graph()
    order = torch.tensor([3, 5, 0, 2, 1, 4])
    place = torch.argsort(order)
    other = Graph(of.features[order], place[of.edges])
    torch.testing.assert_close(net(numbers(other)), net(numbers(of))[order])


@pytest.mark.parametrize("name", NETS)
def test_sparse_features_drop_as_dense_ones_do(name):
    """The mean over many draws of a one-layer sum is that of no dropout, and a dropped feature is 0 or twice itself."""
    net = made(name, dropout=0.5).train()
    of = graph(sparse=True)
    torch.manual_seed(0)
    given = type("Given", (), {"features": of.features.double(), "sparse": (of.sparse[0], of.sparse[1].double())})()
    drawn = torch.stack([net._begun(given) for _ in range(400)])
    full = of.features.double()
    assert bool(((drawn == 0) | (drawn - 2 * full).abs().le(1e-12)).all())
    spread = full.abs() / math.sqrt(400)
    assert bool(((drawn.mean(0) - full).abs() <= 4 * spread).all())


def test_what_does_not_fit_is_refused():
    with pytest.raises(ModelError, match="reads nodes"):
        build("gcn", (3, 8, 8), 2, {"features": 4})
    with pytest.raises(UsageError, match="1 or more"):
        build("gat", (1,), 2, {"features": 4, "heads": 0})
    with pytest.raises(ModelError, match="another number of features"):
        build("gcn", (1,), 2, {"features": 4}, seed=0)(numbers(graph()))


def test_without_pytorch_geometric_it_is_said_how_to_get_it(monkeypatch):
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "torch_geometric"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch_geometric", None)
    with pytest.raises(UsageError, match="PyTorch Geometric"):
        build("gcn", (1,), 2, {"features": 4})


@pytest.mark.parametrize("name", NETS)
def test_every_layer_is_given_ordinary_tensors(name):
    """Whoever hangs a hook on a layer may slice and reshape what comes in."""
    net, of, seen = made(name).train(), graph(sparse=True), []
    for module in net.modules():
        module.register_forward_pre_hook(
            lambda _, given: seen.extend(x.layout for x in given if isinstance(x, torch.Tensor))
        )
    net(numbers(of))
    assert set(seen) == {torch.strided}


@pytest.mark.parametrize("name", NETS)
def test_published_sizes(name):
    reference = ZOO[name].references[0]
    net = build(name, reference.shape, reference.outputs, reference.options, seed=0)
    assert sum(p.numel() for p in net.parameters()) == reference.parameters
