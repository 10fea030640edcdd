"""Networks for trees: level by level is node by node, cells follow their papers' formulas, and no tree knows of the others."""

from __future__ import annotations

import random

import pytest
import torch
from benchmarks.trees import grown, inputs, node_by_node
from torch import Tensor, nn

from glassnet.data.tree import Trees, encode_tree, parse_tree
from glassnet.errors import ModelError, UsageError
from glassnet.training.losses import cross_entropy, with_nodes
from glassnet.zoo import ZOO, Net, TreeNet, build, choose

NETS = [("tree-rnn", {}), ("rntn", {}), ("tree-lstm", {"form": "binary"}), ("tree-lstm", {"form": "child-sum"})]
CLASSES = 5


def made(name: str, options: dict[str, object]) -> TreeNet:
    sizes = {"hidden": 6, **({"embed": 4} if name == "tree-lstm" else {})}
    net = build(name, (9, 4), CLASSES, {"vocabulary": 8_000, "dropout": 0.0, **sizes, **options}, seed=1).double()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(2)
        for parameter in net.parameters():
            nn.init.normal_(parameter, std=0.5)
    assert isinstance(net, TreeNet)
    return net.eval()


def some(count: int = 9, unary: bool = False) -> list[str]:
    rng = random.Random(0)
    trees = [grown(rng.randint(1, 20), rng) for _ in range(count)]
    return ["(1 (2 (0 alone)))", *trees, "(3 (1 (2 a) (4 b)) (2 (0 c)))"] if unary else trees


@pytest.mark.parametrize("unary", [False, True])
@pytest.mark.parametrize(("name", "options"), NETS)
def test_level_by_level_is_node_by_node(name, options, unary):
    net, x = made(name, options), inputs(some(unary=unary))
    slow, classes = node_by_node(net, x)
    first = torch.cat([torch.zeros(1, dtype=torch.int64), (x[:, :, 2] > 0).sum(1).cumsum(0)[:-1]])
    torch.testing.assert_close(net(x), slow[first], rtol=1e-10, atol=1e-12)
    roots, others, labels = net.train()(x)
    torch.testing.assert_close(roots, slow[first], rtol=1e-10, atol=1e-12)
    rest = torch.ones(len(slow), dtype=torch.bool)
    rest[first] = False
    pairs = [
        torch.cat([said, label[:, None].double()], dim=1)
        for said, label in ((others, labels), (slow[rest], classes[rest]))
    ]
    for pair in pairs:
        assert len(pair) == len(slow) - len(x)
    ordered = [
        pair[torch.tensor(sorted(range(len(pair)), key=lambda i, p=pair: p[i].round(decimals=8).tolist()))]
        for pair in pairs
    ]
    torch.testing.assert_close(*ordered, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("name", "options"), NETS)
def test_gradients_are_those_of_the_recursion(name, options):
    net, x = made(name, options).train(), inputs(some(4))
    targets = torch.tensor([0, 3, 2, 1])
    loss = with_nodes(cross_entropy)(net(x), targets)
    found = torch.autograd.grad(loss, list(net.parameters()))
    slow, classes = node_by_node(net, x)
    first = torch.cat([torch.zeros(1, dtype=torch.int64), (x[:, :, 2] > 0).sum(1).cumsum(0)[:-1]])
    classes = classes.index_copy(0, first, targets)
    assert bool((classes >= 0).all())
    wanted = torch.autograd.grad(torch.nn.functional.cross_entropy(slow, classes), list(net.parameters()))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-11)
        assert one.any()


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def by_hand(name: str, net: TreeNet, form: str, words: Tensor) -> Tensor:
    """The root of ((a b) c) by the papers' equations, gate by gate."""
    a, b, c = net.embed.table.weight[words]
    if name == "tree-rnn":
        W, w = net.cell.both.weight, net.cell.both.bias
        one = torch.tanh(W @ torch.cat([a, b]) + w)
        return torch.tanh(W @ torch.cat([one, c]) + w)
    if name == "rntn":
        W, w, V = net.cell.both.weight, net.cell.both.bias, net.cell.tensor

        def join(left: Tensor, right: Tensor) -> Tensor:
            z = torch.cat([left, right])
            return torch.tanh(torch.stack([z @ V[:, k, :] @ z for k in range(net.cell.hidden)]) + W @ z + w)

        return join(join(a, b), c)
    Wi, Wo, Wu = net.cell.word.weight.chunk(3)
    bi, bo, bu = net.cell.word.bias.chunk(3)

    def leaf(x: Tensor) -> tuple[Tensor, Tensor]:
        cell = sigmoid(Wi @ x + bi) * torch.tanh(Wu @ x + bu)
        return sigmoid(Wo @ x + bo) * torch.tanh(cell), cell

    if form == "child-sum":
        (Ui, Uo, Uu), (ci, co, cu) = net.cell.sum.weight.chunk(3), net.cell.sum.bias.chunk(3)
        Uf, cf = net.cell.forget.weight, net.cell.forget.bias

        def join_sum(*children: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            h = sum(child[0] for child in children)
            kept = sum(sigmoid(Uf @ child[0] + cf) * child[1] for child in children)
            cell = sigmoid(Ui @ h + ci) * torch.tanh(Uu @ h + cu) + kept
            return sigmoid(Uo @ h + co) * torch.tanh(cell), cell

        return join_sum(join_sum(leaf(a), leaf(b)), leaf(c))[0]
    (Ui, Uo, Uu, U1, U2), (ci, co, cu, c1, c2) = net.cell.both.weight.chunk(5), net.cell.both.bias.chunk(5)

    def join_two(left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h = torch.cat([left[0], right[0]])
        kept = sigmoid(U1 @ h + c1) * left[1] + sigmoid(U2 @ h + c2) * right[1]
        cell = sigmoid(Ui @ h + ci) * torch.tanh(Uu @ h + cu) + kept
        return sigmoid(Uo @ h + co) * torch.tanh(cell), cell

    return join_two(join_two(leaf(a), leaf(b)), leaf(c))[0]


@pytest.mark.parametrize(("name", "options"), NETS)
def test_formulas_of_the_papers(name, options):
    net = made(name, options)
    x = inputs(["(1 (2 (0 wa) (0 wb)) (3 wc))"])
    words = x[0, :, 0][x[0, :, 1] == 0]
    torch.testing.assert_close(
        net.features(x)[0], by_hand(name, net, str(options.get("form")), words), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize(("name", "options"), NETS)
def test_contract(name, options):
    net, trees = made(name, options), some()
    x = inputs(trees)
    assert isinstance(net, Net)
    together = net(x)
    assert together.shape == (len(trees), CLASSES)
    assert torch.equal(net.head(net.features(x)), together)
    for number, tree in enumerate(trees):  # alone, and so without padding
        torch.testing.assert_close(net(inputs([tree])), together[number : number + 1], rtol=1e-10, atol=1e-12)
    padded = torch.cat([x, torch.zeros(len(x), 7, 4, dtype=torch.int64)], dim=1)
    torch.testing.assert_close(net(padded), together, rtol=1e-10, atol=1e-12)
    other = torch.where(x[:, :, 2:3] > 0, torch.cat([x[:, :, :3], 1 + (x[:, :, 3:] + 1) % CLASSES], dim=2), x)
    assert torch.equal(net(other), together), "classes in the inputs are for the loss, and never for the answer"
    assert not torch.equal(net(torch.cat([x[:, :, :1].clamp_max(7), x[:, :, 1:]], dim=2)), together)
    assert net(torch.zeros(2, 9, 4, dtype=torch.int64)).shape == (2, CLASSES), "rows of zeros are no fault"


def test_child_sum_reads_any_number_of_children_in_any_order_and_binary_does_not():
    trees = ["(1 (0 a) (0 b) (0 c))", "(1 (0 c) (0 a) (0 b))"]
    said = made("tree-lstm", {"form": "child-sum"})(inputs(trees))
    torch.testing.assert_close(said[0], said[1])
    for name, options in (("rntn", {}), ("tree-rnn", {}), ("tree-lstm", {"form": "binary"})):
        with pytest.raises(ModelError, match="two children at most"):
            made(name, options)(inputs(trees))
    both = inputs(["(1 (0 a) (0 b))", "(1 (0 b) (0 a))"])
    binary = made("tree-lstm", {"form": "binary"})(both)
    assert not torch.allclose(binary[0], binary[1])
    built = [build("tree-lstm", (9, 4), 5, {"vocabulary": 9, "children": most}, seed=0) for most in (2, 3)]
    assert [type(net.cell).__name__ for net in built] == ["BinaryLSTMCell", "ChildSumLSTMCell"]


def test_nodes_without_a_class_do_not_count():
    loss = with_nodes(cross_entropy)
    roots, others = torch.randn(2, 3), torch.randn(4, 3)
    targets, classes = torch.tensor([0, 2]), torch.tensor([1, -1, 2, -1])
    rows = [(roots[0], 0), (roots[1], 2), (others[0], 1), (others[2], 2)]
    wanted = sum(-torch.log_softmax(row, 0)[label] for row, label in rows) / 4
    torch.testing.assert_close(loss((roots, others, classes), targets), wanted)
    torch.testing.assert_close(loss(roots, targets), cross_entropy(roots, targets))


def test_roots_stand_in_no_input():
    row = Trees.of([encode_tree(parse_tree("(3 (2 a) (4 b))"), {"2": 0, "3": 1, "4": 2})]).row(0)
    assert row.reshape(-1, 4)[:, 3].tolist() == [1, 2, 4], "the root's class is the target; 1 is none"


@pytest.mark.parametrize("name", ["tree-rnn", "rntn", "tree-lstm"])
def test_what_does_not_fit_is_refused(name):
    with pytest.raises(ModelError, match="reads trees"):
        build(name, (3, 8, 8), 2, {"vocabulary": 9})
    with pytest.raises(UsageError, match="1 or more"):
        build(name, (9, 4), 2, {"vocabulary": 9, "hidden": 0})
    with pytest.raises(UsageError, match="option dropout"):
        build(name, (9, 4), 2, {"vocabulary": 9, "dropout": 1.0})
    assert ZOO[name].kinds == ("tree",)


def test_choice():
    assert choose("tree", (400,), 8_000).name == "tree-lstm"
