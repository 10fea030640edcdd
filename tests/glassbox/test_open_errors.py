"""What cannot be opened is named with its place, all at once, and never quietly computed wrongly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from glassnet.errors import GlassnetError, ModelError, UsageError
from glassnet.glassbox import open_module


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2  # PyTorch's operation within is seen, but what counts backward is the function's own

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * 3


class Inner(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cumsum(x, 1)


class Strange(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()
        self.line = nn.Linear(4, 4)
        self.sums = Inner()

    def forward(self, x: Tensor) -> Tensor:
        x = self.sums(self.inner(self.line(x)))
        x = Doubled.apply(torch.special.erf(x))
        return x + x[:, [0, 1]].sum()


def test_all_that_has_no_gate_is_named_with_its_module() -> None:
    with pytest.raises(ModelError) as caught:
        open_module(Strange(), torch.randn(2, 4))
    told = {each.problem: each.where for each in caught.value.several}
    assert told["the operation 'cumsum' has no gate"] == "module 'inner' (Inner), module 'sums' (Inner)"
    assert "the operation 'special_erf' has no gate" in told
    assert "the autograd function 'Doubled' has no gate" in told
    assert "choosing numbers by a list or a tensor in brackets has no gate" in told
    assert len(told) == 4


class InPlace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.line(x)
        part = y[:, 0]
        part += 1  # changes y too
        return y * 2


class Written(InPlace):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        y[:, 1] = self.line(x)[:, 0]
        return y * 2


@pytest.mark.parametrize("net", [InPlace(), Written()])
def test_a_tensor_that_is_changed_in_part_is_not_taken_for_what_it_was(net: nn.Module) -> None:
    with pytest.raises(ModelError, match="writing into a part of a tensor"):
        open_module(net, torch.randn(2, 4))


class Unregistered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = [nn.Parameter(torch.ones(4, dtype=torch.float64))]

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weights[0]


class Nothing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.nothing()  # type: ignore[no-any-return,operator]


class Constant(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.ones(3)


class Words(nn.Module):
    def forward(self, x: Tensor) -> str:
        return "no tensor"


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (Unregistered(), "no registered parameter"),
        (Nothing(), "AttributeError"),
        (Constant(), "does not depend on its input"),
        (nn.Identity(), "its output is its input"),
        (nn.Linear(3, 2), "mat1 and mat2"),
        (Words(), "gives no tensor of floating-point numbers back"),
        (nn.MultiheadAttention(4, 1), "TypeError"),
    ],
)
def test_networks_that_cannot_be_opened_are_told_in_words(net: nn.Module, words: str) -> None:
    with pytest.raises(GlassnetError) as caught:
        open_module(net, torch.randn(2, 4))
    assert words in str(caught.value)


class Layers(nn.Module):
    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.cells = nn.LSTM(4, 3, batch_first=True, **settings)

    def forward(self, x: Tensor) -> Tensor:
        return self.cells(x[None])[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("settings", "words"), [({"proj_size": 2}, "projection"), ({"num_layers": 2, "dropout": 0.5}, "dropout between")]
)
def test_recurrent_layers_without_gates(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        open_module(Layers(**settings), torch.randn(2, 4), training=True)


def test_losses_that_do_not_fit() -> None:
    net = nn.Linear(4, 3)
    with pytest.raises(UsageError, match="did you mean 'cross-entropy'"):
        open_module(net, torch.randn(2, 4), torch.tensor([0, 1]), loss="crossentropy")
    with pytest.raises(ModelError, match="the targets do not fit"):
        open_module(net, torch.randn(2, 4), torch.tensor([0, 3]))
    with pytest.raises(ModelError, match="the targets do not fit"):
        open_module(net, torch.randn(2, 4), torch.randn(2, 2))
