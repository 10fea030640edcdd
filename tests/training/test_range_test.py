"""The range test puts everything back bit for bit, follows the rates it says, and suggests one that trains."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from identical import identical
from torch import Tensor, nn

from glassnet.training.losses import cross_entropy
from glassnet.training.optimizers import make_optimizer
from glassnet.training.range_test import find_lr, judge


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))


def batches() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    targets = torch.arange(60) % 3
    inputs = torch.eye(3)[targets][:, :2] * 4 + torch.randn(60, 2, generator=generator)
    return list(zip(inputs.split(12), targets.split(12), strict=True))


def everything(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    return copy.deepcopy(
        {
            "net": dict(module.state_dict()),
            "optimizer": optimizer.state_dict(),
            "gradients": [p.grad for p in module.parameters()],
            "modes": [m.training for m in module.modules()],
            "random": [torch.get_rng_state(), random.getstate()],
        }
    )


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
def test_everything_is_put_back_bit_for_bit(name: str, warm: bool) -> None:
    module = net()
    optimizer = make_optimizer(name, module, lr=0.01, bias_lr=2.0)
    if warm:  # an optimiser that remembers, and gradients that wait
        for inputs, targets in batches():
            cross_entropy(module(inputs), targets).backward()
            optimizer.step()
    module[1].eval()
    before = everything(module, optimizer)
    random.random()
    random.setstate(before["random"][1])
    find_lr(module, optimizer, batches(), cross_entropy, steps=30)
    assert identical(everything(module, optimizer), before)


def test_everything_is_put_back_even_where_the_loss_explodes_or_fails() -> None:
    module = net()
    optimizer = make_optimizer("sgd", module, lr=0.01)
    before = everything(module, optimizer)
    told = find_lr(module, optimizer, batches(), cross_entropy, lr_min=1e30, lr_max=1e38)
    assert told.suggestion is None
    assert "not finite" in told.reason
    assert identical(everything(module, optimizer), before)

    def failing() -> Iterator[tuple[Tensor, Tensor]]:
        yield from batches()[:2]
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        find_lr(module, optimizer, failing(), cross_entropy)
    assert identical(everything(module, optimizer), before)


def test_rates_rise_in_equal_ratios_and_groups_keep_theirs() -> None:
    module = net()
    optimizer = make_optimizer("sgd", module, lr=0.01, bias_lr=3.0)
    used: list[list[float]] = []
    optimizer.register_step_post_hook(lambda o, *_: used.append([g["lr"] for g in o.param_groups]))
    told = find_lr(module, optimizer, batches(), cross_entropy, lr_min=1e-5, lr_max=1e-1, steps=41)
    assert len(told.lrs) == len(told.losses) == 41
    assert told.lrs == pytest.approx([10 ** (-5 + n / 10) for n in range(41)])
    assert [rates[0] for rates in used] == pytest.approx(list(told.lrs))
    assert [rates[1] for rates in used] == pytest.approx([3 * lr for lr in told.lrs])


def test_the_losses_are_the_corrected_running_mean() -> None:
    module = net().eval()
    optimizer = make_optimizer("sgd", module, lr=0.01)
    raw: list[float] = []

    def spying(outputs: Tensor, targets: Tensor) -> Tensor:
        loss = cross_entropy(outputs, targets)
        raw.append(float(loss.detach()))
        return loss

    told = find_lr(module, optimizer, batches(), spying, steps=20)
    for n in range(20):
        weights = [0.9 ** (n - i) for i in range(n + 1)]
        mean = sum(w * value for w, value in zip(weights, raw, strict=False)) / sum(weights)
        assert told.losses[n] == pytest.approx(mean, rel=1e-9)


def test_the_suggested_rate_trains_and_lies_below_the_one_that_is_too_high() -> None:
    module = net()
    told = find_lr(module, make_optimizer("sgd", module, lr=0.01), batches(), cross_entropy)
    assert told.suggestion is not None
    assert told.too_high is None or told.suggestion < told.too_high
    optimizer = torch.optim.SGD(module.parameters(), lr=told.suggestion)
    losses = []
    for _ in range(10):
        for inputs, targets in batches():
            optimizer.zero_grad()
            loss = cross_entropy(module(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_a_planted_curve_is_judged_as_it_was_made() -> None:
    # Nearly flat to 1e-4, falling to 1e-1, rising from there: 20 points a decade.
    lrs = [10 ** (-6 + n / 20) for n in range(121)]
    losses = [
        2.0 - 0.0025 * max(0, 40 - n) - max(0, min(n, 100) - 40) / 60 + 0.05 * max(0, n - 100) for n in range(121)
    ]
    told = judge(lrs, losses)
    assert told.suggestion == pytest.approx(10 ** (-4 + 2 / 3 * 3), rel=0.3)
    assert told.too_low is not None
    assert 1e-4 < told.too_low < 1e-3
    assert told.too_high is not None
    assert 0.1 < told.too_high < 0.3
    assert told.lrs == tuple(lrs)


@pytest.mark.parametrize("losses", [[2.0] * 100, [2.0 + 0.001 * n for n in range(100)]])
def test_nothing_is_suggested_where_the_loss_never_falls(losses: list[float]) -> None:
    told = judge([10 ** (-6 + n / 20) for n in range(100)], losses)
    assert told.suggestion is None
    assert "hardly fell" in told.reason


def test_no_batches_end_the_test_at_once() -> None:
    module = net()
    assert find_lr(module, make_optimizer("sgd", module, lr=0.01), [], cross_entropy).suggestion is None
