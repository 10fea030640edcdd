"""Optimisers under torch's names: groups, decay, and the very numbers torch gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from glassnet.errors import UsageError
from glassnet.training.optimizers import OPTIMIZERS, make_optimizer


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 2))


OPTIONS: dict[str, dict[str, Any]] = {"sgd": {"momentum": 0.9, "nesterov": True}, "rmsprop": {"momentum": 0.5}, "adam": {"betas": (0.8, 0.9)}}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_steps_as_torchs_own(name: str) -> None:
    ours, theirs = net(), net()
    options = OPTIONS.get(name, {})
    mine = make_optimizer(name, ours, lr=0.01, options=options)
    extra: dict[str, Any] = {"lbfgs": {"line_search_fn": "strong_wolfe"}, "adamw": {"weight_decay": 0.0}}.get(name, {})
    torchs = OPTIMIZERS[name](theirs.parameters(), lr=0.01, **options, **extra)
    inputs, targets = torch.randn(10, 3), torch.randn(10, 2)
    for module, optimizer in ((ours, mine), (theirs, torchs)):

        def gradient(module: nn.Module = module, optimizer: torch.optim.Optimizer = optimizer) -> torch.Tensor:
            optimizer.zero_grad()
            loss = (module(inputs) - targets).square().mean()
            loss.backward()
            return loss.detach()

        for _ in range(5):
            optimizer.step(gradient)  # type: ignore[arg-type]
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adagrad", "rmsprop", "adam", "adamw"])
def test_weights_decay_and_biases_and_norms_do_not(name: str) -> None:
    module = net()
    groups = make_optimizer(name, module, lr=0.1, weight_decay=0.01, bias_lr=2.0).param_groups
    assert [(len(group["params"]), group["lr"], group["weight_decay"]) for group in groups] == [
        (2, 0.1, 0.01),
        (4, 0.2, 0.0),
    ]
    assert {p.ndim for p in groups[0]["params"]} == {2}


def test_frozen_parameters_are_left_out() -> None:
    module = net()
    module[0].requires_grad_(requires_grad=False)
    assert sum(len(group["params"]) for group in make_optimizer("sgd", module, lr=0.1).param_groups) == 4
    module.requires_grad_(requires_grad=False)
    with pytest.raises(UsageError, match="nothing to train"):
        make_optimizer("sgd", module, lr=0.1)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("sdg", {}, "did you mean 'sgd'"),
        ("sgd", {"momentun": 0.9}, "did you mean 'momentum'"),
        ("sgd", {"nesterov": True}, "nesterov needs a momentum"),
        ("adam", {"betas": (2.0, 0.9)}, "adam does not take these options"),
        ("adam", {"momentum": 0.9}, "adam takes no momentum\n.*\n.* sgd or rmsprop"),
        ("lbfgs", {"betas": (0.9, 0.99)}, "lbfgs takes no betas\n.*\n.* adam or adamw"),
        ("sgd", {"warp": 0.1}, "unknown option of sgd"),
    ],
)
def test_mistakes_are_told(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_optimizer(name, net(), lr=0.1, options=options)


def test_lbfgs_has_no_decay_and_says_what_to_use() -> None:
    with pytest.raises(UsageError, match=r"2 mistakes[\s\S]*regularise\.l2"):
        make_optimizer("lbfgs", net(), lr=0.1, weight_decay=0.1, options={"momentum": 0.9})
