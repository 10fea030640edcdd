"""What the parts of a training refuse, and the corners in which they must still be right."""

from __future__ import annotations

import inspect
import math
import typing
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glassnet.errors import ModelError, UsageError
from glassnet.training.losses import binary, cross_entropy, squared
from glassnet.training.max_norm import MaxNorm
from glassnet.training.optimizers import make_optimizer
from glassnet.training.penalties import Penalty
from glassnet.training.range_test import find_lr
from glassnet.training.schedules import SCHEDULES, Range, make_schedule


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("warm-restarts", {"multiply": 0.5}),  # lengths that shrink never reach the present epoch
        ("warm-restarts", {"period": 0}),
        ("step", {"every": 0}),
        ("step", {"every": "x"}),
        ("step", {"factor": 1.5}),
        ("cyclic", {"period": 0}),
        ("one-cycle", {"peak": 1.5}),
        ("exponential", {"rate": -1}),
        ("exponential", {"rate": math.nan}),
        ("step", {"every": math.inf}),
        ("plateau", {"factor": 2.0}),
        ("constant", {"warmup": -1}),
        ("cosine", {"final": True}),
    ],
)
def test_a_schedule_refuses_values_that_make_no_schedule(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=rf"{next(iter(options))}[\s\S]*expected:"):
        make_schedule(name, **options)


def test_all_values_of_a_schedule_are_judged_at_once() -> None:
    with pytest.raises(UsageError, match="3 mistakes"):
        make_schedule("step", every=0, factor=2, warmup=-1)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_stays_between_nothing_and_the_base_rate(name: str) -> None:
    for warmup in (None, 2.0):
        schedule = make_schedule(name, warmup=warmup)
        assert all(0 <= schedule.factor(step, 5, 200) <= 1 for step in range(200))


def test_every_option_has_a_range() -> None:
    for make in SCHEDULES.values():
        hints = typing.get_type_hints(make, include_extras=True)
        for key in inspect.signature(make).parameters:
            assert isinstance(hints[key].__metadata__[0], Range), f"{make.__name__} {key}"


def test_one_cycle_is_torchs_linear_one_on_its_grid() -> None:
    # Torch's has its peak at step pct · total − 1 and its end at step total − 1; the two grids meet for these two runs.
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=61, pct_start=13 / 61, anneal_strategy="linear", div_factor=10, final_div_factor=5, cycle_momentum=False
    )  # fmt: skip
    ours = make_schedule("one-cycle", peak=12 / 60, start=0.1, final=0.02)
    for step in range(60):
        assert ours.factor(step, 5, 60) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("sgd", {"options": {"lr": 1.0}}, "option of sgd 'lr'"),
        ("adam", {"options": {"weight_decay": 0.1}}, "option of adam 'weight_decay'"),
        ("adam", {"options": {"betas": 3}}, "adam does not take these options"),
        ("sgd", {"options": {"momentum": "x"}}, "sgd does not take these options"),
        ("lbfgs", {"options": {"line_search_fn": "x"}}, "one line search"),
        ("lbfgs", {"lr": -1.0}, "lr cannot be negative"),
        ("sgd", {"lr": math.nan}, "lr cannot be negative or infinite"),
        ("sgd", {"weight_decay": -1.0}, "weight_decay cannot be negative"),
        ("sgd", {"bias_lr": -1.0}, "bias_lr cannot be negative"),
        ("sgd", {"weight_decay": -1.0, "options": {"momentun": 0.9, "nesterov": True}}, "3 mistakes"),
    ],
)
def test_an_optimiser_refuses_what_it_cannot_mean(name: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_optimizer(name, net(), **{"lr": 0.1, **arguments})


def test_one_kernel_for_all_parameters_unless_the_user_chose_otherwise() -> None:
    assert make_optimizer("adam", net(), lr=0.1).defaults["fused"]
    assert not make_optimizer("adam", net(), lr=0.1, options={"foreach": True}).defaults["fused"]
    assert not make_optimizer("adam", net(), lr=0.1, options={"fused": False}).defaults["fused"]


def test_the_scale_of_a_norm_over_several_dimensions_is_no_weight() -> None:
    module = nn.Sequential(nn.LayerNorm((2, 3)), nn.Flatten(), nn.Linear(6, 2))
    weight = module[2].weight
    decaying, rest = make_optimizer("sgd", module, lr=0.1, weight_decay=0.1).param_groups
    assert [id(p) for p in decaying["params"]] == [id(weight)]
    assert len(rest["params"]) == 3
    assert [id(p) for p in Penalty(l2=1.0).chosen(module)] == [id(weight)]
    assert float(Penalty(l2=1.0)(module).detach()) == pytest.approx(float(weight.detach().square().sum()))


def test_a_pattern_that_fits_nothing_is_told_even_beside_one_that_fits() -> None:
    assert len(Penalty(l2=1.0, on=("0.*", "2.weight")).chosen(net())) == 3
    with pytest.raises(UsageError, match=r"penalised by 'haed\.\*'"):
        Penalty(l2=1.0, on=("0.*", "haed.*")).chosen(net())


@pytest.mark.parametrize("groups", [1, 2])
def test_max_norm_of_a_transposed_convolution_is_taken_over_what_reaches_each_unit(groups: int) -> None:
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(4, 6, 2, groups=groups)
    before = layer.weight.detach().clone()
    MaxNorm(0.5)(layer)
    for unit in range(6):  # by hand: unit u of group g hears the inputs of that group only
        group, place = divmod(unit, 6 // groups)
        inputs = slice(group * 4 // groups, (group + 1) * 4 // groups)
        own = before[inputs, place]
        wanted = own * min(1.0, 0.5 / float(own.norm()))
        assert torch.allclose(layer.weight.detach()[inputs, place], wanted)
    assert not torch.equal(layer.weight.detach(), before)


class Counting(nn.Module):
    """Moves a buffer that no state dict holds, and draws from NumPy's generator."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        return self.inner(x) + 0 * float(np.random.rand())


def test_the_range_test_puts_back_what_no_state_dict_holds() -> None:
    module, before = Counting(), np.random.get_state()
    batches = [(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]))]
    find_lr(module, make_optimizer("sgd", module, lr=0.1), batches, cross_entropy, steps=12)
    assert float(module.seen) == 0
    assert all(np.array_equal(one, other) for one, other in zip(before, np.random.get_state(), strict=True))


def test_the_range_test_says_why_it_ended() -> None:
    module = net()
    optimizer = make_optimizer("sgd", module, lr=0.1)
    batch = (torch.randn(4, 3), torch.tensor([0, 1, 0, 1]))
    assert "batches ended after 0 steps" in find_lr(module, optimizer, [], cross_entropy).reason
    assert "batches ended after 3 steps" in find_lr(module, optimizer, iter([batch] * 3), cross_entropy).reason
    assert "too few steps after 5" in find_lr(module, optimizer, [batch], cross_entropy, steps=5).reason


def test_outputs_and_targets_of_different_shapes_are_no_pairs() -> None:
    assert float(squared(torch.zeros(3, 1), torch.ones(3))) == 1.0
    with pytest.raises(ModelError, match="do not fit together"):
        squared(torch.zeros(3, 2), torch.ones(2, 3))
    with pytest.raises(ModelError, match="one logit"):
        binary(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]))
