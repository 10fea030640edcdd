"""Samples that answer for each other, and losses that lead away from the targets: found in nets as people write them, and not in healthy ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.training.measure.direction import are_no_scores, led_away
from glassnet.training.measure.evaluating import in_evaluation

Forward = Callable[[nn.ModuleDict, Tensor], Tensor]


class Net(nn.Module):
    """Layers by name, and a forward of one's own."""

    def __init__(self, forward: Forward, **layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.way = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self.layers, x)


def rows(net: Net) -> tuple[nn.Module, Tensor]:
    return net, torch.randn(12, 6)


def steps(net: nn.Module) -> tuple[nn.Module, Tensor]:
    return net, torch.randn(12, 8, 6)  # as many steps as samples are looked at: sizes alone do not tell the axes apart


HEALTHY = {
    "dense": lambda: rows(Net(lambda m, x: m["a"](x), a=nn.Linear(6, 3))),
    "norm": lambda: rows(Net(lambda m, x: m["n"](m["a"](x)), a=nn.Linear(6, 5), n=nn.BatchNorm1d(5))),
    "dropout": lambda: rows(Net(lambda m, x: m["d"](m["a"](x)), a=nn.Linear(6, 5), d=nn.Dropout(0.5))),
    "gru": lambda: steps(Net(lambda m, x: m["r"](x)[0][:, -1], r=nn.GRU(6, 7, batch_first=True))),
    "gru, time first": lambda: steps(Net(lambda m, x: m["r"](x.transpose(0, 1))[0][-1], r=nn.GRU(6, 7))),
    "transformer": lambda: steps(
        Net(lambda m, x: m["t"](x).mean(1), t=nn.TransformerEncoderLayer(6, 2, 12, batch_first=True))
    ),
    "transposed": lambda: steps(Net(lambda m, x: m["a"](x.transpose(1, 2)).flatten(1), a=nn.Conv1d(6, 8, 3))),
}

# net, and where it begins: (after, before), and which layers take the samples for steps
MIXED: dict[str, tuple[Callable[[], tuple[nn.Module, Tensor]], str, str, list[str]]] = {
    "gru, batch first": (
        lambda: steps(Net(lambda m, x: m["r"](x)[0][:, -1], r=nn.GRU(6, 7))),
        "layers.r",
        "layers.r",
        ["layers.r"],
    ),
    "lstm, time first": (
        lambda: steps(Net(lambda m, x: m["r"](x.transpose(0, 1))[0][-1], r=nn.LSTM(6, 7, batch_first=True))),
        "layers.r",
        "layers.r",
        ["layers.r"],
    ),
    "attention, batch first": (
        lambda: steps(Net(lambda m, x: m["a"](x, x, x)[0].flatten(1), a=nn.MultiheadAttention(6, 2))),
        "layers.a",
        "layers.a",
        ["layers.a"],
    ),
    "softmax over samples": (
        lambda: rows(Net(lambda m, x: m["a"](x).softmax(0), a=nn.Linear(6, 3))),
        "layers.a",
        "",
        [],
    ),
    "mean over samples": (
        lambda: rows(
            Net(lambda m, x: m["b"]((h := m["a"](x)) - h.mean(0)), a=nn.Linear(6, 5), b=nn.Linear(5, 3))
        ),
        "layers.a",
        "layers.b",
        [],
    ),
    "the same for all": (
        lambda: rows(Net(lambda m, x: m["a"](x.mean(0, keepdim=True)).expand(len(x), -1), a=nn.Linear(6, 3))),
        "",
        "layers.a",
        [],
    ),
    "reshape for transpose": (
        lambda: steps(Net(lambda m, x: m["r"](x.reshape(8, -1, 6))[0][-1], r=nn.GRU(6, 7))),
        "",
        "layers.r",
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_nets_that_answer_each_sample_by_itself(name: str) -> None:
    torch.manual_seed(0)
    net, inputs = HEALTHY[name]()
    found = in_evaluation(net, inputs)
    assert found.pop("affine") is (name in ("dense", "norm", "dropout", "transposed"))
    assert found == {"random_in_eval": False, "mixes_samples": False}


def test_activations_bend_whether_they_are_modules_or_functions() -> None:
    torch.manual_seed(0)
    for bend in (torch.relu, torch.tanh, F.gelu, lambda x: x.abs(), lambda x: x * x.sigmoid()):
        net, inputs = rows(Net(lambda m, x, bend=bend: m["b"](bend(m["a"](x))), a=nn.Linear(6, 5), b=nn.Linear(5, 3)))
        assert in_evaluation(net, inputs)["affine"] is False
    net, inputs = rows(Net(lambda m, x: m["b"](m["a"](x)), a=nn.Linear(6, 5), b=nn.Linear(5, 3)))
    assert in_evaluation(net, inputs)["affine"] is True


@pytest.mark.parametrize("name", MIXED)
def test_nets_that_mix_samples_and_where_that_begins(name: str) -> None:
    torch.manual_seed(0)
    make, after, before, as_time = MIXED[name]
    found = in_evaluation(*make())
    assert found["mixes_samples"]
    assert not found["random_in_eval"]
    assert (found["mixed_after"], found["mixed_before"]) == (after, before)
    assert found.get("samples_as_time", []) == as_time


def test_statistics_of_the_batch_are_the_mode_s_trouble() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(5, track_running_stats=False)
    found = in_evaluation(*rows(Net(lambda m, x: m["n"](m["a"](x)), a=nn.Linear(6, 5), n=norm)))
    assert found == {"random_in_eval": False, "mixes_samples": True}


CLASSES = torch.tensor([0, 2, 1, 1, 0, 2, 2, 0])
VALUES = torch.tensor([1.5, -0.3, 0.0, 2.0, -1.0, 0.7, 0.1, -2.2])[:, None]
COUNTS = torch.tensor([0.0, 3, 1, 0, 7, 2, 4, 1])[:, None]
SIDES = torch.tensor([1.0, 0, 0, 1, 0, 1, 1, 0])[:, None]
LOSSES: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Tensor, int]] = {
    "cross-entropy": (F.cross_entropy, CLASSES, 3),
    "smoothed": (lambda o, t: F.cross_entropy(o, t, label_smoothing=0.3), CLASSES, 3),
    "margin": (F.multi_margin_loss, CLASSES, 3),
    "log-likelihood": (lambda o, t: F.nll_loss(o.log_softmax(1), t), CLASSES, 3),
    "squared": (F.mse_loss, VALUES, 1),
    "absolute": (F.l1_loss, VALUES, 1),
    "quantile": (lambda o, t: torch.maximum(0.9 * (t - o), 0.1 * (o - t)).mean(), VALUES, 1),
    "counts": (F.poisson_nll_loss, COUNTS, 1),
    "binary": (F.binary_cross_entropy_with_logits, SIDES, 1),
    "two-sided margin": (lambda o, t: F.relu(1 - o * (2 * t - 1)).mean(), SIDES, 1),
}


def alike(said: Tensor, targets: Tensor) -> Tensor:
    """A contrastive loss: samples of one class lie near each other, others apart, wherever that is."""
    near = targets[:, None] == targets
    return ((said[:, None] - said).square().sum(2) * (near.float() - 0.5)).mean()


def test_embeddings_are_no_scores_of_classes() -> None:
    generator = torch.Generator().manual_seed(2)
    targets = torch.randint(0, 4, (64,), generator=generator)
    said = torch.randn(64, 6, generator=generator)
    assert are_no_scores(alike, said, targets)
    assert are_no_scores(lambda o, t: (o[:, 0] - o[:, 1]).square().mean(), said.reshape(64, 2, 3), targets)
    for loss in (F.cross_entropy, F.multi_margin_loss, lambda o, t: -F.cross_entropy(o, t)):
        assert not are_no_scores(loss, said, targets)
    assert not are_no_scores(F.mse_loss, said, torch.randn(64, 6, generator=generator))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_leads_towards_the_targets_and_its_negative_away_from_them(name: str) -> None:
    loss, targets, outputs = LOSSES[name]
    said = (0.3 * torch.randn(8, outputs, generator=torch.Generator().manual_seed(1))).requires_grad_()
    (slopes,) = torch.autograd.grad(loss(said, targets), said)
    towards, away = led_away(slopes, targets), led_away(-slopes, targets)
    assert towards == 0 if outputs > 1 else towards < -0.5
    assert away == 1 if outputs > 1 else away > 0.5
