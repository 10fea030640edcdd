"""After each check everything is bit for bit what it was: weights, buffers, gradients, modes, hooks, random states, threads."""

from __future__ import annotations

import random
import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from trainings import NETS, Recurrent, subject

from glassnet.checks import CHECKS, Subject, quick

ALL = [*NETS, "values"]


def state_of(what: Subject) -> dict[str, Any]:
    net = what.net
    return {
        "tensors": {name: t.detach().clone() for name, t in (*net.named_parameters(), *net.named_buffers())},
        "gradients": [None if p.grad is None else p.grad.clone() for p in net.parameters()],
        "required": [p.requires_grad for p in net.parameters()],
        "identities": [id(p) for p in net.parameters()],
        "dtypes": [p.dtype for p in net.parameters()],
        "modes": [module.training for module in net.modules()],
        "hooks": [
            (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks), len(m._backward_pre_hooks))
            for m in net.modules()
        ],
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state()[1].tolist(),  # type: ignore[index]
        "python": random.getstate(),
        "threads": torch.get_num_threads(),
        "grad enabled": torch.is_grad_enabled(),
        "running": threading.active_count(),
        "inputs": what.batches.inputs.clone(),  # type: ignore[attr-defined]
    }


def same(before: Any, after: Any) -> bool:
    if isinstance(before, Tensor):
        return isinstance(after, Tensor) and torch.equal(before, after)
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(same(before[key], after[key]) for key in before)
    if isinstance(before, list):
        return len(before) == len(after) and all(same(a, b) for a, b in zip(before, after, strict=True))
    return bool(before == after)


def in_use(name: str) -> Subject:
    """A training with gradients, modes and freezing that are easily lost."""
    what = subject(name)
    inputs, targets = what.samples(16)
    what.plan.loss(what.net(inputs), targets).backward()  # type: ignore[no-untyped-call]
    what.net.eval()
    next(what.net.children()).train()
    next(iter(what.net.parameters())).requires_grad_(requires_grad=False)
    what.net.register_forward_hook(lambda module, args, output: None)
    random.seed(3)
    np.random.seed(4)
    torch.manual_seed(5)
    return what


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_changes_nothing(name: str, check: Any) -> None:
    what = in_use(name)
    before = state_of(what)
    first = check.judge(what)
    assert same(before, state_of(what))
    what._look = None
    assert check.judge(what) == first  # and so says the same again


class Single(Recurrent):
    """A module that cannot be copied."""

    def __deepcopy__(self, memo: dict[int, object]) -> Single:
        raise TypeError("there is one of it only")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_network_that_cannot_be_copied_is_put_back(check: Any) -> None:
    torch.manual_seed(1)
    what = subject("lstm", net=Single())
    assert not what.copies
    before = state_of(what)
    found = check.judge(what)
    assert found.verdict in ("passed", "skipped", "warning")
    assert same(before, state_of(what))


def test_the_quick_checks_change_nothing() -> None:
    what = in_use("conv")
    before = state_of(what)
    assert [found.check for found in quick(what)] == ["initial-loss", "gradients-reach", "gradient-check", "sane-sizes"]
    assert same(before, state_of(what))


def test_an_interrupted_check_changes_nothing() -> None:
    class Breaks(nn.Module):
        """Fails at its fifth call."""

        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            Breaks.calls += 1
            if Breaks.calls > 4:
                raise KeyboardInterrupt
            return x * torch.rand(())

    what = subject("mlp")
    what.net = nn.Sequential(what.net, Breaks())
    before = state_of(what)
    with pytest.raises(KeyboardInterrupt):
        [check.judge(what) for check in CHECKS]
    assert same(before, state_of(what))
