"""Steps without autograd end in the very weights that autograd's end in, and whatever is unusual goes the usual way."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from glassnet.training import Plan, step
from glassnet.training.dense_chain import DenseChain, dense_chain
from glassnet.training.losses import Loss, cross_entropy
from glassnet.training.state import State
from glassnet.zoo import build


def plain(activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 9), activation(), nn.Linear(9, 7), activation(), nn.Linear(7, 4))


def normed() -> nn.Module:
    return nn.Sequential(
        nn.Linear(12, 9, bias=False), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.3), nn.Sequential(nn.Linear(9, 4))
    )


CHAINS: dict[str, Callable[[], nn.Module]] = {
    "relu": plain,
    "tanh": lambda: plain(nn.Tanh),
    "sigmoid": lambda: plain(nn.Sigmoid),
    "batch norm and dropout": normed,
    "linear": lambda: nn.Linear(12, 4),
    "mlp of the zoo": lambda: build("mlp", (12,), 4, {"hidden": (10, 6), "dropout": 0.2, "batch_norm": True}, 0),
    "mlp on images": lambda: build("mlp", (1, 3, 4), 4, {"hidden": (10,)}, 0),
}


def chain_of(net: nn.Module) -> DenseChain:
    chain = dense_chain(net)
    assert chain is not None
    return chain


def batch(net: nn.Module, rows: int = 17) -> tuple[Tensor, Tensor]:
    shape = (1, 3, 4) if isinstance(getattr(net, "flatten", None), nn.Flatten) else (12,)
    generator = torch.Generator().manual_seed(rows)
    return torch.randn(rows, *shape, generator=generator), torch.randint(4, (rows,), generator=generator)


LOSSES: dict[str, Loss] = {
    "of PyTorch": F.cross_entropy,
    "without autograd": partial(cross_entropy, label_smoothing=0.0),
    "smoothed": partial(cross_entropy, label_smoothing=0.1),
}


@pytest.mark.parametrize("called", LOSSES)
@pytest.mark.parametrize("kind", CHAINS)
def test_losses_gradients_and_running_statistics_are_bit_for_bit_those_of_autograd(kind: str, called: str) -> None:
    loss_of = LOSSES[called]
    torch.manual_seed(0)
    net = CHAINS[kind]().train()
    twin = copy.deepcopy(net)
    chain = chain_of(net)
    optimizers = [torch.optim.Adam(each.parameters(), lr=0.01) for each in (net, twin)]
    for number in range(4):
        inputs, targets = batch(net, 17 + number)
        assert chain.takes(inputs)
        torch.manual_seed(number)
        loss, said = chain.learn(inputs, targets, loss_of)
        torch.manual_seed(number)
        optimizers[1].zero_grad()
        usual_said = twin(inputs)
        usual = loss_of(usual_said, targets)
        usual.backward()
        assert torch.equal(loss, usual.detach())
        assert torch.equal(said, usual_said.detach())
        for (name, mine), other in zip(net.named_parameters(), twin.parameters(), strict=True):
            assert mine.grad is not None
            assert other.grad is not None
            assert torch.equal(mine.grad, other.grad), name
        for optimizer in optimizers:
            optimizer.step()
        for (name, mine), other in zip(net.state_dict().items(), twin.state_dict().values(), strict=True):
            assert torch.equal(mine, other), name


def test_a_class_that_the_network_has_no_output_for_is_refused_as_autograd_refuses_it() -> None:
    net = plain()
    inputs, _ = batch(net)
    with pytest.raises(IndexError, match="out of bounds"):
        chain_of(net).learn(inputs, torch.full((17,), 4), cross_entropy)


def test_inputs_and_earlier_gradients_are_left_alone() -> None:
    net = plain()
    chain = chain_of(net)
    inputs, targets = batch(net)
    kept = inputs.clone()
    chain.learn(inputs, targets, F.cross_entropy)
    first = [p.grad for p in net.parameters()]
    copies = [p.grad.clone() for p in net.parameters() if p.grad is not None]
    chain.learn(inputs + 1, targets, F.cross_entropy)
    assert torch.equal(inputs, kept)
    assert all(torch.equal(a, b) for a, b in zip(first, copies, strict=True) if a is not None)
    assert not inputs.requires_grad


class Sub(nn.Linear):
    """A layer of somebody's own."""


class TwoWays(nn.Module):
    """What its children are does not tell what it does."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(12, 4), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x) + self.two(x)


def shared() -> nn.Module:
    layer = nn.Linear(12, 12)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(12, 4))


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "a subclass": lambda: nn.Sequential(Sub(12, 4)),
    "a module with a forward of its own": TwoWays,
    "a layer used twice": shared,
    "a convolution": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(4, 4)),
    "a layer unknown": lambda: nn.Sequential(nn.Linear(12, 4), nn.Softplus()),
    "a norm without statistics": lambda: nn.Sequential(nn.Linear(12, 4), nn.BatchNorm1d(4, track_running_stats=False)),
    "a norm before the first layer": lambda: nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 4)),
    "weights made of others": lambda: nn.Sequential(weight_norm(nn.Linear(12, 4))),
    "float64": lambda: nn.Sequential(nn.Linear(12, 4)).double(),
    "columns with embeddings": lambda: build("mlp", (12,), 4, {"hidden": (8,), "embed": 2, "columns": (4, 8)}, 0),
    "no weights": lambda: nn.Sequential(nn.Flatten(), nn.ReLU()),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_networks_are_no_chains(kind: str) -> None:
    assert dense_chain(OTHERS[kind]()) is None


def hooked(net: nn.Module) -> None:
    net[1].register_forward_hook(lambda *_: None)  # type: ignore[index]


def changed_gradient(net: nn.Module) -> None:
    net[3].weight.register_hook(lambda gradient: 2 * gradient)  # type: ignore[index,union-attr]


def frozen(net: nn.Module) -> None:
    net[1].weight.requires_grad_(False)  # type: ignore[index,union-attr]


def evaluated(net: nn.Module) -> None:
    net[2].eval()  # type: ignore[index,union-attr]


@pytest.mark.parametrize("disturb", [hooked, changed_gradient, frozen, evaluated])
def test_whoever_looks_or_changes_sends_a_step_the_usual_way(disturb: Callable[[nn.Module], None]) -> None:
    net = plain()
    chain = chain_of(net)
    inputs = batch(net)[0]
    assert chain.takes(inputs)
    disturb(net)
    assert not chain.takes(inputs)


def test_inputs_of_another_rank_or_type_go_the_usual_way() -> None:
    chain = chain_of(nn.Sequential(nn.Linear(12, 4)))
    assert chain.takes(torch.zeros(3, 12))
    assert not chain.takes(torch.zeros(3, 5, 12))
    assert not chain.takes(torch.zeros(3, 12, dtype=torch.float64))


@pytest.mark.parametrize("more", [{}, {"penalty": lambda net: 0.01 * sum(p.square().sum() for p in net.parameters())}])
def test_a_training_goes_the_short_way_and_ends_in_the_same_weights(
    more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    learned: list[int] = []
    for short in (True, False):
        torch.manual_seed(1)
        net = plain()
        plan = Plan(F.cross_entropy, lambda net: torch.optim.SGD(net.parameters(), lr=0.1), 1, **more)
        state = State(net, plan)
        assert state.chain is not None
        with monkeypatch.context() as patched:
            patched.setattr(DenseChain, "takes", lambda self, inputs, short=short: short)
            learn = DenseChain.learn
            patched.setattr(DenseChain, "learn", lambda *given: learned.append(1) or learn(*given))  # noqa: B023
            for number in range(5):
                step.optimise(state, plan, *batch(net, 10 + number))
        ends.append([p.detach().clone() for p in net.parameters()])
    assert len(learned) == 5
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))
