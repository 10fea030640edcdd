"""The short way round PyTorch's fused optimisers: the same weights and the same memory as torch.optim, bit for bit."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from glassnet.training.fused import FusedAdam, FusedAdamW, FusedSGD
from glassnet.training.optimizers import make_optimizer

PAIRS: list[tuple[Any, Any, dict[str, Any]]] = [
    (FusedSGD, torch.optim.SGD, {"lr": 0.1}),
    (FusedSGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01}),
    (FusedSGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (FusedAdam, torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.95), "eps": 1e-6}),
    (FusedAdam, torch.optim.Adam, {"lr": 0.01, "maximize": True}),
    (FusedAdam, torch.optim.Adam, {"lr": 0.01, "amsgrad": True}),
    (FusedAdamW, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
]


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).to(
        memory_format=torch.channels_last
    )


def steps(module: nn.Module, optimizer: torch.optim.Optimizer, seed: int, count: int = 5) -> None:
    drawn = torch.Generator().manual_seed(seed)
    for _ in range(count):
        optimizer.zero_grad()
        module(torch.rand(4, 1, 8, 8, generator=drawn)).square().mean().backward()
        optimizer.step()


def memory(optimizer: torch.optim.Optimizer) -> list[tuple[str, Tensor]]:
    return [
        (name, value)
        for entry in optimizer.state_dict()["state"].values()
        for name, value in entry.items()
        if isinstance(value, Tensor)
    ]


def same(one: Any, other: Any, module: nn.Module, reference: nn.Module) -> None:
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), reference.parameters(), strict=True))
    assert [name for name, _ in memory(one)] == [name for name, _ in memory(other)]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(memory(one), memory(other), strict=True))


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
def test_weights_and_memory_are_those_of_torch_optim_and_go_on_from_its_checkpoint(
    ours: Any, theirs: Any, options: dict[str, Any]
) -> None:
    module, reference = net(), net()
    one, other = ours(module.parameters(), fused=True, **options), theirs(reference.parameters(), fused=True, **options)
    for number in range(2):
        for group in (*one.param_groups, *other.param_groups):
            group["lr"] = options["lr"] / (number + 1)
        steps(module, one, number)
        steps(reference, other, number)
        same(one, other, module, reference)
    assert one.state_dict()["param_groups"] == other.state_dict()["param_groups"]
    fresh = ours(module.parameters(), fused=True, **options)
    fresh.load_state_dict(copy.deepcopy(other.state_dict()))
    steps(module, fresh, 7)
    steps(reference, other, 7)
    same(fresh, other, module, reference)


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
def test_a_parameter_without_gradient_stays_and_may_have_one_later(
    ours: Any, theirs: Any, options: dict[str, Any]
) -> None:
    if options.get("momentum"):
        pytest.skip("PyTorch's fused SGD fails there")
    module, reference = net(), net()
    one, other = ours(module.parameters(), fused=True, **options), theirs(reference.parameters(), fused=True, **options)
    for trained in (False, True):
        module[0].requires_grad_(trained)
        reference[0].requires_grad_(trained)
        steps(module, one, int(trained))
        steps(reference, other, int(trained))
        same(one, other, module, reference)


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
@pytest.mark.parametrize("more", [{}, {"lr": 0.03}])
def test_groups_that_are_updated_alike_are_one_call_of_the_kernel(
    ours: Any, theirs: Any, options: dict[str, Any], more: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[int]()
    update = ours._update
    monkeypatch.setattr(ours, "_update", lambda self, group, *lists: (calls.append(len(lists[0])), update(self, group, *lists)))  # fmt: skip
    module, reference = net(), net()
    optimizers = []
    for kind, each in ((ours, module), (theirs, reference)):
        weights, biases = list(each.parameters())[::2], list(each.parameters())[1::2]
        optimizers.append(
            kind([{"params": weights, "name": "weights"}, {"params": biases, **more}], fused=True, **options)
        )
        biases[0].requires_grad_(False)
        biases[1].requires_grad_(False)
        steps(each, optimizers[-1], seed=1, count=2)
        biases[0].requires_grad_(True)  # of the second group a gradient comes later
        steps(each, optimizers[-1], seed=2, count=2)
    same(*optimizers, module, reference)
    if options.get("amsgrad"):
        assert not calls, "goes the way of torch.optim"
    else:
        assert calls == ([2, 2, 2, 1, 2, 1] if more or options.get("dampening") else [2, 2, 3, 3])


def test_closures_and_hooks_are_called_as_in_torch_optim() -> None:
    module = net()
    optimizer = FusedAdam(module.parameters(), lr=0.1, fused=True)
    called: list[str] = []
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    steps(module, optimizer, 0, 1)

    def closure() -> float:
        called.append("closure")
        return 1.5

    assert optimizer.step(closure) == 1.5
    assert "closure" in called


def test_the_optimisers_of_a_recipe_take_the_short_way_unless_asked_otherwise() -> None:
    assert isinstance(make_optimizer("adamw", net(), lr=0.1), FusedAdamW)
    assert isinstance(make_optimizer("sgd", net(), lr=0.1, options={"momentum": 0.9}), FusedSGD)
    plain = make_optimizer("adam", net(), lr=0.1, options={"foreach": True})
    assert type(plain) is torch.optim.Adam


def test_a_step_does_not_load_the_compiler() -> None:
    program = (
        "import sys, torch\n"
        "from glassnet.training.optimizers import make_optimizer\n"
        "net = torch.nn.Linear(2, 2)\n"
        "optimizer = make_optimizer('adamw', net, lr=0.1)\n"
        "net(torch.ones(1, 2)).sum().backward()\n"
        "optimizer.step()\n"
        "optimizer.zero_grad()\n"
        "optimizer.load_state_dict(optimizer.state_dict())\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_choosing_the_way_of_execution_does_not_load_it_either() -> None:
    program = (
        "import sys, torch\n"
        "from glassnet.training.choosing import choose_execution\n"
        "net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))\n"
        "torch.set_num_threads(2)\n"
        "example = torch.ones(8, 1, 2, 2), torch.zeros(8, dtype=torch.int64)\n"
        "chosen = choose_execution(net, example, torch.nn.functional.cross_entropy)\n"
        "assert ' times as long as ' in chosen.reason, chosen.reason\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
