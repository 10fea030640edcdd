"""The three-way check: right gradients pass, wrong ones are found and named, two ways where there are no gates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import ModelError, UsageError
from glassnet.glassbox import formula_check, gate_loss, gradient_check, graph_of_formula, open_module, torch_loss
from glassnet.glassbox.comparison import as_text, verdict
from glassnet.zoo import build


class Square(torch.autograd.Function):
    """x², whose backward is right with the factor 2."""

    factor = 2.0

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return Square.factor * ctx.saved_tensors[0] * gradient


class Squared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.line = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return Square.apply(self.line(x))  # type: ignore[no-any-return]


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["mlp", "lenet5", "lenet5-1998"])
def test_a_network_of_the_zoo_is_fine_three_ways(name: str) -> None:
    net = build(name, (1, 28, 28), 10, {"activation": "tanh"} if name == "mlp" else {}, seed=0)
    found = gradient_check(net, drawn(2, 1, 28, 28), torch.tensor([3, 8]), count=2)
    assert {row.name for row in found.rows} == {"x", *(n for n, p in net.named_parameters() if p.requires_grad)}
    assert found.without_gates == ""
    assert found.passed
    for row in found.rows:
        assert row.hand_autograd is not None
        assert row.hand_autograd < 1e-12
        assert row.autograd_numerical is not None
        assert row.autograd_numerical < 1e-6, "requirement G4"


def test_a_function_of_ones_own_is_compared_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    found = gradient_check(Squared(), drawn(4, 3))
    assert found.passed
    assert found.without_gates == "the autograd function 'Square' has no gate"
    assert all(row.hand_autograd is None and row.hand_numerical is None for row in found.rows)
    assert "two ways only, since the autograd function 'Square' has no gate" in as_text(found)
    monkeypatch.setattr(Square, "factor", 2.1)
    wrong = gradient_check(Squared(), drawn(4, 3))
    assert not wrong.passed
    assert wrong.largest.error == pytest.approx(0.1 / 2.1, rel=1e-4)
    assert wrong.largest.verdict == "wrong"
    monkeypatch.setattr(Square, "factor", 2.001)
    assert gradient_check(Squared(), drawn(4, 3)).largest.verdict == "suspicious"


def test_a_wrong_gate_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from glassnet.gates import Tanh

    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    monkeypatch.setattr(Tanh, "local", lambda self: (np.ones(1),))
    found = {row.name: row for row in gradient_check(net, drawn(4, 3), torch.tensor([0, 1, 1, 0])).rows}
    first, last = found["0.weight"], found["2.weight"]
    assert first.verdict == "wrong"
    assert first.hand_autograd is not None
    assert first.hand_autograd > 1e-2
    assert first.autograd_numerical is not None
    assert first.autograd_numerical < 1e-6, "the other two ways agree, so the gate is to blame"
    assert last.verdict == "fine"


def test_losses_of_ones_own_are_opened_too() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2))

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs, targets, label_smoothing=0.1) + 0.3 * outputs.square().mean()

    found = gradient_check(net, drawn(4, 3), torch.tensor([0, 1, 1, 0]), loss=loss)
    assert found.without_gates == ""
    assert found.passed
    assert found.loss == pytest.approx(float(loss(net(drawn(4, 3)), torch.tensor([0, 1, 1, 0])).detach()), rel=1e-5)
    assert {row.name for row in found.rows} == {"0.weight", "0.bias", "2.weight", "2.bias", "x"}


@pytest.mark.parametrize("settings", [{"name": "cross-entropy", "label_smoothing": 0.2}, {"name": "map", "j": 3.0}])
def test_losses_with_settings_are_the_same_on_both_sides(settings: dict[str, Any]) -> None:
    net, t = nn.Linear(3, 4), torch.tensor([0, 1, 3, 0])
    found = gradient_check(net, drawn(4, 3), t, loss=torch_loss(**settings))
    assert found.passed
    opened = open_module(net, drawn(4, 3), t, loss=gate_loss(**settings))
    assert float(opened.graph.output.value) == pytest.approx(found.loss, rel=1e-12)  # type: ignore[arg-type]
    plain = open_module(net, drawn(4, 3), t, loss="cross-entropy")
    assert float(plain.graph.output.value) != pytest.approx(found.loss, rel=1e-3)  # type: ignore[arg-type]


def test_training_mode_repeats_its_random_numbers_and_leaves_everything_as_it_was() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 1))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    found = gradient_check(net, drawn(6, 3), torch.tensor([0, 1, 1, 0, 1, 0]), training=True)
    assert found.passed
    rows = {row.name: row for row in found.rows}
    assert rows["0.bias"].error == 0, "behind batch normalisation a bias has no gradient but rounding"
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_numbers_on_a_kink_are_left_out_and_counted() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        net[0].weight.zero_()
        net[0].bias.zero_()  # every unit sits exactly on the corner
    found = {row.name: row for row in gradient_check(net, drawn(2, 4).abs(), torch.tensor([0, 1])).rows}
    assert found["0.bias"].kinks == 3
    assert found["0.bias"].numbers == 0
    assert found["0.bias"].verdict == "on kinks"
    assert found["2.bias"].kinks == 0


def test_verdicts() -> None:
    assert [verdict(error).split(";")[0] for error in (0, 1e-7, 1e-5, 1e-3, 0.1, float("nan"))] == [
        "fine",
        "fine",
        "good",
        "suspicious",
        "wrong",
        "wrong",
    ]


def test_formulas() -> None:
    graph = graph_of_formula("sum(tanh(W @ x)) * y^3")
    values = {"W": np.array([[1.0, 2.0], [0.5, -1.0]]), "x": np.array([0.3, -0.1]), "y": np.array(2.0)}
    found = formula_check(graph, values)
    assert found.passed
    assert [(row.name, row.numbers) for row in found.rows] == [("W", 4), ("x", 2), ("y", 1)]
    assert found.largest.error < 1e-8


class Says(nn.Linear):
    """A network that returns whatever it is told to."""

    def __init__(self, what: object) -> None:
        super().__init__(3, 2)
        self.what = what

    def forward(self, x: Tensor) -> Any:
        return self.what


def test_what_cannot_be_checked() -> None:
    for nothing in (None, (), {"a": 1}):
        with pytest.raises(ModelError, match="returns no tensor"):
            gradient_check(Says(nothing), drawn(2, 3))
    with pytest.raises(ModelError, match="mat1 and mat2"):
        gradient_check(nn.Linear(3, 2), drawn(2, 4))
    with pytest.raises(ModelError, match="does not depend on any parameter"):
        gradient_check(nn.Embedding(4, 2).requires_grad_(False), torch.tensor([1]))
    with pytest.raises(UsageError, match="not one number"):
        gradient_check(nn.Linear(3, 2), drawn(2, 3), drawn(2, 2), loss=lambda y, t: (y - t) ** 2)
    with pytest.raises(UsageError, match="unknown loss"):
        gradient_check(nn.Linear(3, 2), drawn(2, 3), drawn(2, 2), loss="nothing")
