"""Modules of a user's own: recurrent, functional, with branches and loops, with several inputs, in training; against autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from autograd_reference import same_as_autograd
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet import layers
from glassnet.glassbox import open_module

T3 = torch.tensor([0, 1, 2, 0])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Tagger(nn.Module):
    """Embedding, a recurrent layer, and a linear layer on the last step."""

    def __init__(self, kind: type[nn.RNNBase], **settings: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(11, 5)
        self.cells = kind(5, 4, **settings)
        self.head = nn.Linear(8 if settings.get("bidirectional") else 4, 3)
        self.batch_first = bool(settings.get("batch_first"))

    def forward(self, words: Tensor) -> Tensor:
        x = self.table(words)
        outputs, _ = self.cells(x if self.batch_first else x.transpose(0, 1))
        return self.head(outputs[:, -1] if self.batch_first else outputs[-1])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch_first": True, "bias": False},
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
    ],
    ids=["time-first", "no-bias", "stacked-both-ways"],
)
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_layers(kind: type[nn.RNNBase], settings: dict[str, Any]) -> None:
    words = torch.randint(0, 11, (4, 5), generator=torch.Generator().manual_seed(1))
    opened = same_as_autograd(Tagger(kind, **settings), words, T3)
    steps = {node.name.split(".")[2] for node in opened.graph.nodes if node.name.startswith("cells.layer0.t")}
    assert steps == {"t0", "t1", "t2", "t3", "t4"}, "every step can be seen"


def test_a_recurrent_layer_with_relu() -> None:
    words = torch.randint(0, 11, (4, 5), generator=torch.Generator().manual_seed(1))
    same_as_autograd(Tagger(nn.RNN, nonlinearity="relu"), words, T3)


class LastStates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.start = nn.Parameter(0.1 * torch.randn(4, 1, 4))
        self.cells = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        start = self.start.expand(-1, len(x), -1).contiguous()
        _, (h, c) = self.cells(x, (start, torch.tanh(start)))
        return self.head(torch.cat([h[-1], c[-2]], dim=1))


def test_states_given_and_taken() -> None:
    same_as_autograd(LastStates(), drawn(4, 3, 3), T3)


class Cells(nn.Module):
    """A loop of a user's own over the steps."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.lstm = nn.LSTMCell(3, 4)
        self.gru = nn.GRUCell(4, 4)
        self.rnn = nn.RNNCell(4, 4, nonlinearity="relu")
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 4)
        g = r = None
        for t in range(x.shape[1]):
            h, c = self.lstm(x[:, t], (h, c))
            g = self.gru(h, g)
            r = self.rnn(g, r)
        return self.head(r)


def test_cells_in_a_loop() -> None:
    same_as_autograd(Cells(), drawn(4, 3, 3), T3)


class Functional(nn.Module):
    """Much of what people write in a forward."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(2, 4, 3, padding=1, padding_mode="replicate")
        self.kernel = nn.Parameter(0.2 * torch.randn(4, 4, 3, 3))
        self.group = nn.GroupNorm(2, 4)
        self.slope = nn.PReLU(4)
        self.drop = nn.Dropout(0.3)
        self.maps = nn.Dropout2d(0.3)
        self.norm = nn.LayerNorm(64)
        self.head = nn.Linear(64, 3)
        self.frozen = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x), inplace=True)
        x = self.maps(F.max_pool2d(x + F.conv2d(x, self.kernel, padding="same"), 2))
        x = F.dropout(self.slope(self.group(x)), 0.2, self.training)
        a, b = x.chunk(2, dim=1)
        x = torch.cat([a * torch.sigmoid(b), 2 - b, a.permute(0, 1, 3, 2) / 3], dim=1)[:, :4]
        x += 1
        x = self.norm(self.drop(x.clamp(min=-0.5)).flatten(1))
        x = x * 2 if x.sum() > -1e9 else x * 3  # a branch on a number
        scale = 1 / (1 + x.std().detach())  # no gate for std; none is needed, since no gradient goes there
        return self.head(x) * self.frozen * scale + x.mean(1, keepdim=True) - x.amax(1)[:, None].exp() / 50


@pytest.mark.parametrize("training", [False, True])
def test_functional_forwards(training: bool) -> None:
    opened = same_as_autograd(Functional(), drawn(4, 2, 8, 8), T3, training=training)
    assert "frozen" not in opened.graph.parameters, "what does not learn is a constant"
    assert opened.graph["frozen"].kind == "constant"


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu6": nn.ReLU6(),
    "hardtanh": nn.Hardtanh(-0.5, 0.7),
    "leaky": nn.LeakyReLU(0.2),
    "elu": nn.ELU(1.3),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "gelu-tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "softplus": nn.Softplus(2.0),
    "sigmoid": torch.sigmoid,
    "tanh": lambda x: x.tanh(),
    "softmax": lambda x: x.softmax(-1),
    "log-softmax": nn.LogSoftmax(dim=1),
    "exp-log": lambda x: torch.log(1 + torch.exp(x)),
    "sqrt-square": lambda x: (x.square() + 1).sqrt(),
    "sin-cos": lambda x: torch.sin(x) * torch.cos(x),
    "abs": lambda x: x.abs(),
    "power": lambda x: (x**2 + 1) ** 1.5 + 2**x,
    "where": lambda x: torch.where(x > 0, x, 0.1 * x),
    "extremes": lambda x: torch.maximum(x, -x) + torch.minimum(x, x * x) + x.max(dim=1, keepdim=True)[0] - x.min(),
    "shapes": lambda x: x.unsqueeze(1).expand(-1, 2, -1).movedim(1, 2).reshape(len(x), -1).view(4, 2, 3).sum(1).t().T,
    "stack": lambda x: torch.stack(x.unbind(1), dim=0).mean(0)[:, None] * x[..., None].squeeze(-1),
    "split": lambda x: torch.cat(x.split([1, 2], dim=1)[::-1], dim=1),
    "norms": lambda x: F.layer_norm(x, (3,)) - F.normalize(x.detach(), dim=1),
    "product": lambda x: x @ x.T @ x,
    "no-grad": lambda x: x * no_grad(x),
    "attention": lambda x: F.scaled_dot_product_attention(x[None], x[None], 2 * x[None])[0],
}


def no_grad(x: Tensor) -> Tensor:
    with torch.no_grad():
        return x.relu() + 1


class Behind(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.before = nn.Linear(5, 3)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.before(x))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions(name: str) -> None:
    same_as_autograd(Behind(ACTIVATIONS[name]), 2 * drawn(4, 5), T3)


def test_slopes_at_the_bounds_are_those_of_pytorch() -> None:
    x = torch.tensor([[-1.0, 0.0, 3.0, 6.0, 7.0]])
    for function, slopes in ((nn.ReLU6(), [0, 0, 1, 0, 0]), (lambda x: x.clamp(0, 6), [0, 1, 1, 1, 0])):
        net = Behind(function)
        net.before = nn.Identity()  # type: ignore[assignment]
        found = open_module(net, x).graph.backward(np.ones((1, 5)))
        given = x.double().requires_grad_()
        function(given).sum().backward()
        assert found["x"].tolist() == [slopes]
        assert given.grad is not None
        assert given.grad.tolist() == [slopes]


POOLS: dict[str, nn.Module] = {
    "max": nn.MaxPool2d(3, 2, padding=1),
    "max-ceil": nn.MaxPool2d(2, 2, ceil_mode=True),
    "max-beyond": nn.Sequential(nn.MaxPool2d(5), nn.MaxPool2d(3, 2, ceil_mode=True)),
    "max-spread": nn.MaxPool2d(2, dilation=2),
    "average": nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
    "average-own": nn.AvgPool2d(2, divisor_override=3),
    "lp": nn.LPPool2d(2, 2),
    "adaptive": nn.AdaptiveAvgPool2d((3, None)),
    "adaptive-max": nn.AdaptiveMaxPool2d(3),
    "padding": nn.Sequential(nn.ReflectionPad2d((1, 2, 0, 1)), nn.ConstantPad2d(1, 0.7)),
    "convolution": nn.Conv2d(2, 4, 3, stride=2, dilation=2, groups=2, padding=2, bias=False),
    "paper-lrn": layers.LocalResponseNorm(3, alpha=0.1),
    "torch-lrn": nn.LocalResponseNorm(2, alpha=0.3),
    "gaussian": layers.GaussianPool2d(3, 2, padding=1),
    "norm": layers.NormPool2d(3, 2),
    "norm-infinite": layers.NormPool2d(float("inf"), 2),
    "channel-max": layers.ChannelMaxPool(2),
    "locally-connected": layers.LocallyConnected2d(2, 3, (11, 12), 3, stride=2, padding=1),
    "subsampling": layers.Subsampling(2, 2, copies=2),
    "maxout": layers.MaxoutConv2d(2, 3, 3, pieces=2),
    "scaled-tanh": layers.ScaledTanh(),
    "instance-statistics": nn.BatchNorm2d(2, track_running_stats=False),
    "batch-norm-plain": nn.BatchNorm2d(2, affine=False),
}


@pytest.mark.parametrize("name", POOLS)
def test_layers(name: str) -> None:
    net = nn.Sequential(POOLS[name], nn.Flatten(), nn.LazyLinear(3))
    x = drawn(4, 2, 11, 12)
    net.double()(x)
    same_as_autograd(net, x, T3)


@pytest.mark.parametrize(
    "part", [layers.ClassicDropout(0.6), layers.GaussianNoise(0.3), nn.Dropout(1.0), nn.BatchNorm1d(5)]
)
def test_what_is_random_in_training_is_drawn_as_pytorch_draws_it(part: nn.Module) -> None:
    torch.manual_seed(0)
    same_as_autograd(nn.Sequential(nn.Linear(4, 5), part, nn.Tanh(), nn.Linear(5, 3)), drawn(4, 4), T3, training=True)
    same_as_autograd(nn.Sequential(nn.Linear(4, 5), part, nn.Tanh(), nn.Linear(5, 3)), drawn(4, 4), T3)


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.left = nn.Linear(3, 4)
        self.right = nn.Linear(5, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        weights = (self.left(query) @ self.right(keys).T).softmax(1)
        return self.last(weights @ self.right(keys))


@pytest.mark.parametrize(
    ("named", "loss"),
    [("auto", F.mse_loss), ("absolute", F.l1_loss), ("huber", F.huber_loss)],
    ids=("squared", "absolute", "huber"),
)
def test_several_inputs_and_the_losses_of_values(named: str, loss: Callable[..., Tensor]) -> None:
    opened = same_as_autograd(Pair(), (drawn(4, 3), drawn(2, 5)), drawn(4, 1, seed=4), loss=loss, named=named)
    assert list(opened.values) == ["query", "keys", "target"]


def test_weights_that_are_shared_collect_from_every_use() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    net[2].weight = net[0].weight
    net[3] = net[1]
    opened = same_as_autograd(net, drawn(4, 4), T3)
    assert "2.weight" not in opened.graph.parameters


def test_one_logit_takes_the_logistic_loss() -> None:
    net = nn.Linear(4, 1)
    x, t = drawn(4, 4), torch.tensor([0, 1, 1, 0])
    opened = open_module(net, x, t)
    expected = F.binary_cross_entropy_with_logits(net.double()(x).flatten(), t.double())
    assert opened.graph.output.value == pytest.approx(float(expected.detach()), abs=1e-12)


def test_a_loss_of_nodes() -> None:
    net = nn.Linear(4, 3)
    x, t = drawn(4, 4), drawn(4, 3, seed=2)
    opened = open_module(net, x, t, loss=lambda y, target: ((y - target) ** 4)[0, 1])
    y = net.double()(x)
    assert opened.graph.output.value == pytest.approx(float((y - t)[0, 1].detach() ** 4), abs=1e-12)


def test_without_targets_the_graph_ends_in_the_output() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    x = drawn(4, 4)
    opened = open_module(net, x)
    assert opened.graph.output is opened.output
    found = opened.graph.backward(np.ones((4, 3)))
    net.double()(x).sum().backward()
    np.testing.assert_allclose(found["0.weight"], net[0].weight.grad, atol=1e-12)  # type: ignore[arg-type]
