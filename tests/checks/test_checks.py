"""Each check passes on a healthy training and fails on a fault of its own kind, with dense, convolutional and recurrent nets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from trainings import NETS, PLAN, VALUES_PLAN, Fixed, classes_in, mlp, sgd, subject, values_in

from glassnet.checks import BY_ID, CHECKS
from glassnet.checks.descent import without_dropout
from glassnet.checks.ignorance import ignorance, prior_answer
from glassnet.checks.lr_bracket import affordable
from glassnet.checks.lr_bracket import verdict as bracket
from glassnet.checks.numerical import Probe, probes
from glassnet.checks.runner import run_checks, run_on
from glassnet.checks.trial_run import by_weight
from glassnet.checks.twenty import twenty
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.diagnose import Doctor
from glassnet.errors import ModelError
from glassnet.events import Checked, Finding
from glassnet.training.losses import make_loss
from glassnet.training.measure.hidden import hidden_parameters
from glassnet.training.penalties import make_penalty
from glassnet.training.range_test import HARDLY_FELL, RangeTest
from glassnet.training.schedules import make_schedule

ALL = [*NETS, "values"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.manual_seed(0)


def check(name: str, what: Any) -> Checked:
    return BY_ID[name].judge(what)


def told(found: Checked) -> None:
    """Whatever does not pass says why and what to do, in sentences that hold no hole."""
    assert found.what
    assert "nan" not in found.what or found.check == "initial-loss"
    if found.verdict in ("failed", "warning"):
        assert found.why
        assert found.advice


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("check_id", [each.id for each in CHECKS])
def test_a_healthy_training_passes(name: str, check_id: str) -> None:
    found = check(check_id, subject(name))
    if check_id == "trial-run":  # the rules of diagnosis have tests of their own
        assert found.verdict != "failed"
    else:
        assert found.verdict == "passed", found
    assert found.check == check_id
    assert all(isinstance(value, float) for value in found.figures.values())
    told(found)


# data-sane


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_not_finite_fails(bad: float) -> None:
    inputs, targets = classes_in((6,))
    inputs[7, 2] = bad
    found = check("data-sane", subject("mlp", batches=Fixed(inputs, targets)))
    assert found.verdict == "failed"
    assert found.figures["nonfinite"] == 1
    inputs, targets = values_in()
    targets[3] = bad
    assert check("data-sane", subject("values", batches=Fixed(inputs, targets))).verdict == "failed"


def test_inputs_or_targets_that_are_all_alike_fail() -> None:
    inputs, targets = classes_in((6,))
    same = check("data-sane", subject("mlp", batches=Fixed(inputs[:1].expand(60, 6).clone(), targets[:60])))
    one = check("data-sane", subject("mlp", batches=Fixed(inputs, torch.ones_like(targets))))
    assert (same.verdict, one.verdict) == ("failed", "failed")
    assert "inputs" in same.what
    assert "targets" in one.what


@pytest.mark.parametrize(("move", "named"), [(1, "such as 3,"), (-1, "such as -1,")])
def test_targets_that_are_no_index_of_an_output_fail(move: int, named: str) -> None:
    inputs, targets = classes_in((6,))
    found = check("data-sane", subject("mlp", batches=Fixed(inputs, targets + move)))
    assert found.verdict == "failed"
    assert "120 of the first 360 targets" in found.what
    assert named in found.what
    told(found)


def order_of(samples: int) -> Tensor:
    """Of the first epoch of ``Fixed``."""
    return torch.randperm(samples, generator=torch.Generator().manual_seed(0))


def test_outputs_and_targets_that_are_stretched_to_each_other_fail() -> None:
    inputs, targets = values_in()
    flat = Fixed(inputs, targets[:, 0])
    found = check("data-sane", subject("values", batches=flat, plan=replace(VALUES_PLAN, loss=nn.MSELoss())))
    assert found.verdict == "failed"
    assert "outputs of shape (8, 1) and targets of shape (8,)" in found.what
    told(found)
    alike = replace(VALUES_PLAN, loss=lambda outputs, wanted: F.mse_loss(outputs[:, 0], wanted))
    assert check("data-sane", subject("values", batches=flat, plan=alike)).verdict == "passed"


def test_what_the_loss_raises_is_told_in_words() -> None:
    inputs, targets = classes_in((6,))
    late = Fixed(inputs, torch.where(torch.arange(360) == int(order_of(360)[50]), 3, targets))
    with pytest.raises(ModelError, match="fails in the check initial-loss") as caught:
        list(run_on(subject("mlp", batches=late), only=("initial-loss",)))
    assert "IndexError: Target 3 is out of bounds." in str(caught.value)


def test_losses_that_are_not_finite_do_not_help() -> None:
    what = subject("mlp", net=nn.Sequential(mlp(), Calls(torch.sqrt)))
    found = check("input-independent", what)
    assert found.verdict == "failed"
    assert "not finite" in found.what
    told(found)


def test_the_audit_has_its_say() -> None:
    inputs, targets = classes_in((6,))
    arrays = (
        np.concatenate([inputs.numpy(), inputs.numpy()[:100]]),
        np.concatenate([targets.numpy(), targets.numpy()[:100]]),
    )
    data = data_from_arrays(*arrays)
    found = check("data-sane", subject("mlp", data=data))
    assert found.verdict == "warning"
    assert "repeat" in found.what


@pytest.mark.parametrize("sizes", [(32, 32, 1), (1, 1, 1, 1)])
def test_batch_normalisation_of_one_sample_is_told_before_it_breaks_off(sizes: tuple[int, ...]) -> None:
    inputs, targets = classes_in((6,))
    pairs = list(zip(inputs[: sum(sizes)].split(sizes), targets[: sum(sizes)].split(sizes), strict=True))
    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    (found,) = run_checks(net, pairs, PLAN, only=("data-sane",))
    assert found.verdict == "failed"
    assert "a batch of one sample comes to layer 1 (norm)" in found.what
    told(found)
    (enough,) = run_checks(
        net, [pair for pair in pairs if len(pair[1]) > 1] or [(inputs, targets)], PLAN, only=("data-sane",)
    )
    assert enough.verdict == "passed"
    net[1] = nn.LayerNorm(8)
    (other,) = run_checks(net, pairs, PLAN, only=("data-sane",))
    assert other.verdict == "passed"


def test_a_class_beyond_the_outputs_is_told_in_words_and_other_errors_as_they_are() -> None:
    inputs, targets = classes_in((6,))
    ninth = (inputs, torch.where(targets > 1, 9, 5))
    (found,) = run_checks(mlp(), ninth, PLAN)
    assert (found.check, found.verdict) == ("data-sane", "failed")
    assert "no index of one of the network's 3 outputs" in found.what
    with pytest.raises(ModelError, match="cannot be multiplied"):
        list(run_checks(nn.Linear(5, 3), (inputs, targets), PLAN))
    with pytest.raises(ModelError, match="fails on these samples"):
        list(run_checks(mlp(), ninth, PLAN, only=("initial-loss",)))


# initial-loss


@pytest.mark.parametrize("name", ALL)
def test_large_last_weights_are_confidently_wrong(name: str) -> None:
    what = subject(name)
    with torch.no_grad():
        [p for p in what.net.parameters() if p.ndim > 1][-1].mul_(300)
    found = check("initial-loss", what)
    assert found.verdict == "failed"
    assert found.figures["loss"] > 3 * found.figures["expected"]
    told(found)


def test_the_initial_loss_is_that_of_not_knowing() -> None:
    for name in NETS:
        found = check("initial-loss", subject(name))
        assert found.figures["expected"] == pytest.approx(math.log(3), abs=1e-6)
    values = check("initial-loss", subject("values"))
    assert values.figures["expected"] == pytest.approx(1.0, abs=0.3)  # the variance of 64 standardised targets


def test_the_figures_of_the_lecture() -> None:
    """T1: 3072–50–10 with weights 0.0001·randn: 2.3026, and 3.07 with λ = 1e3 (which is ½λΣw²)."""
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(nn.Linear(3072, 50), nn.ReLU(), nn.Linear(50, 10))
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(1e-4 * torch.randn(p.shape, generator=generator) * (p.ndim > 1))
    pixels = torch.randint(-127, 128, (64, 3072), generator=generator).float()
    what = subject("mlp", net=net, batches=Fixed(pixels, torch.arange(64) % 10))
    assert check("initial-loss", what).figures["loss"] == pytest.approx(2.3026, abs=2e-4)
    what = replace(what, plan=replace(PLAN, penalty=make_penalty(l2=500.0)), _look=None)
    assert check("initial-loss", what).figures["cost"] == pytest.approx(3.07, abs=0.01)


def test_a_loss_that_is_not_finite_fails() -> None:
    inputs, targets = classes_in((6,))
    found = check("initial-loss", subject("mlp", batches=Fixed(inputs * math.inf, targets)))
    assert found.verdict == "failed"
    told(found)


def test_a_penalty_must_raise_the_loss_and_not_outweigh_it() -> None:
    lowers = replace(PLAN, penalty=lambda net: -sum(p.square().sum() for p in net.parameters()))
    assert check("initial-loss", subject("mlp", plan=lowers)).verdict == "failed"
    heavy = replace(PLAN, penalty=make_penalty(l2=10.0))
    assert check("initial-loss", subject("mlp", plan=heavy)).verdict == "warning"
    light = replace(PLAN, penalty=make_penalty(l2=1e-4))
    found = check("initial-loss", subject("mlp", plan=light))
    assert found.verdict == "passed"
    assert "with the penalty" in found.what


def test_targets_far_from_the_outputs_fail_with_words_on_values() -> None:
    inputs, targets = values_in()
    found = check("initial-loss", subject("values", batches=Fixed(inputs, targets + 1000)))
    assert found.verdict == "failed"
    assert "targets" in found.why


@pytest.mark.parametrize(
    ("name", "outputs", "expected"),
    [
        ("cross-entropy", torch.randn(30, 5), math.log(5)),
        ("hinge", torch.randn(30, 5), 4.0),
        ("binary", torch.randn(30, 1), math.log(2)),
    ],
)
def test_not_knowing_has_a_known_cost(name: str, outputs: Tensor, expected: float) -> None:
    targets = torch.arange(30) % (outputs.shape[1] if outputs.shape[1] > 1 else 2)
    found = ignorance(make_loss(name), outputs, targets)
    assert found is not None
    assert found.loss == pytest.approx(expected, rel=1e-5)


def test_not_knowing_under_losses_that_take_probabilities() -> None:
    targets = torch.arange(30) % 5
    logs = ignorance(F.nll_loss, torch.randn(30, 5).log_softmax(1), targets)
    own = ignorance(lambda p, t: -p.gather(1, t[:, None]).log().mean(), torch.randn(30, 5).softmax(1), targets)
    assert logs is not None
    assert own is not None
    assert logs.loss == pytest.approx(math.log(5), rel=1e-5)
    assert own.loss == pytest.approx(math.log(5), rel=1e-5)


# gradients-reach


class Cut(nn.Module):
    """What comes in goes on without its graph."""

    def forward(self, x: Tensor) -> Tensor:
        return x.detach()


class Behind(nn.Module):
    """A net whose inputs go through another module first, and one whose outputs do."""

    def __init__(self, net: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.net, self.last = net, last

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.net(x))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", NETS)
def test_a_detached_layer_is_named(name: str) -> None:
    what = subject(name)
    what.net = nn.Sequential(what.net, Cut(), nn.Linear(3, 3))
    found = check("gradients-reach", what)
    assert found.verdict == "failed"
    assert "0." in found.what
    assert found.figures["silent"] == len(list(what.net[0].parameters()))
    told(found)


@pytest.mark.parametrize("name", NETS)
def test_a_layer_that_forward_does_not_use_is_named(name: str) -> None:
    what = subject(name)
    what.net.spare = nn.Linear(4, 4)
    if isinstance(what.net, nn.Sequential):
        what.net = Behind(subject(name).net, nn.Identity())
        what.net.spare = nn.Linear(4, 4)
    found = check("gradients-reach", what)
    assert found.verdict == "failed"
    assert "spare.weight" in found.what


def test_nothing_reached_and_nothing_to_train() -> None:
    what = subject("mlp")
    what.net = nn.Sequential(what.net, Cut())
    assert check("gradients-reach", what).what == "no gradient reaches any parameter"
    frozen = subject("mlp")
    frozen.net.requires_grad_(requires_grad=False)
    found = check("gradients-reach", frozen)
    assert found.verdict == "failed"
    assert "no parameter is to be trained" in found.what


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_weights_that_are_all_zero_get_no_gradient(name: str) -> None:
    what = subject(name)
    with torch.no_grad():
        for p in what.net.parameters():
            p.zero_()
    found = check("gradients-reach", what)
    assert found.verdict == "failed"
    assert "exactly zero" in found.what


@pytest.mark.parametrize("name", NETS)
def test_a_head_that_begins_at_zero_is_no_fault(name: str) -> None:
    what = subject(name)
    with torch.no_grad():
        [p for p in what.net.parameters() if p.ndim > 1][-1].zero_()
    found = check("gradients-reach", what)
    assert found.verdict == "passed"
    assert found.figures["late"] > 0


class Listed(nn.Module):
    """A layer in a plain list, and one in a dict within a list."""

    def __init__(self, trained: bool = True) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.blocks = [nn.Linear(8, 8), {"inner": nn.Linear(8, 8)}]
        if not trained:
            self.blocks[0].requires_grad_(False)
            self.blocks[1]["inner"].requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.blocks[0](self.first(x)).relu()
        return self.last(self.blocks[1]["inner"](h))  # type: ignore[no-any-return]


def test_layers_in_a_plain_list_are_named() -> None:
    what = subject("mlp", net=Listed())
    found = check("gradients-reach", what)
    assert found.verdict == "failed"
    assert found.figures == {"hidden": 4.0}
    assert found.what.endswith("blocks[0].weight, blocks[0].bias, blocks[1]['inner'].weight, blocks[1]['inner'].bias")
    assert "nn.ModuleList" in found.advice
    assert all(p.grad is None for _, p in hidden_parameters(what.net))  # as they were
    told(found)


def test_a_frozen_network_kept_in_a_list_is_no_fault() -> None:
    assert check("gradients-reach", subject("mlp", net=Listed(trained=False))).verdict == "passed"


def test_frozen_parameters_are_told_and_forgotten_ones_fail() -> None:
    what = subject("mlp")
    what.net[0].requires_grad_(requires_grad=False)
    found = check("gradients-reach", what)
    assert found.verdict == "passed"
    assert "2 more are frozen" in found.what
    some = replace(PLAN, optimizer=lambda net: torch.optim.SGD(net[0].parameters(), lr=0.1))
    found = check("gradients-reach", subject("mlp", plan=some))
    assert found.verdict == "failed"
    assert "4.bias" in found.what


class Between(nn.Module):
    """How alike the two halves of an input are: a bias of the shared embedding is gone in the difference."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Linear(3, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.embedding(x[:, :3]) - self.embedding(x[:, 3:])).square())  # type: ignore[no-any-return]


def test_a_bias_without_an_effect_is_no_failure() -> None:
    found = check("gradients-reach", subject("mlp", net=Between()))
    assert found.verdict == "warning"
    assert "embedding.bias" in found.what
    told(found)
    dead = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        dead[0].bias.fill_(-100.0)
    assert check("gradients-reach", subject("mlp", net=dead)).verdict == "failed"


# gradient-check


class Doubled(torch.autograd.Function):
    """x, with a backward that is twice too large."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * gradient


class Tanh(torch.autograd.Function):
    """tanh x with its own backward: right, or with the square forgotten."""

    right = True

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.tanh()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gradient * (1 - (y * y if Tanh.right else y))


class Calls(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@pytest.mark.parametrize("name", NETS)
def test_a_wrong_backward_is_found(name: str) -> None:
    what = subject(name)
    what.net = nn.Sequential(what.net, Calls(Doubled.apply), nn.Linear(3, 3))
    found = check("gradient-check", what)
    assert found.verdict == "failed"
    told(found)
    # the layers before it disagree, the one behind it does not
    inside = [n for n, _ in what.net.named_parameters() if n.startswith("0.")][-1]
    assert inside in found.what
    assert found.figures["largest_error"] == pytest.approx(0.5, abs=0.01)  # |2g − g| / 2g


@pytest.mark.parametrize(("right", "verdict"), [(True, "passed"), (False, "failed")])
def test_slopes_that_are_small_beside_rounding_are_judged_by_what_rounding_leaves(right: bool, verdict: str) -> None:
    """Behind ten sigmoids a slope of 10⁻⁹ differs by rounding from the difference of two losses of 2, and a wrong one by its half."""
    *layers, head = deep_sigmoid()
    half = len(layers) // 2
    middle = nn.Identity() if right else Calls(Doubled.apply)
    found = check("gradient-check", subject("mlp", net=nn.Sequential(*layers[:half], middle, *layers[half:], head)))
    assert found.verdict == verdict
    probe = Probe("w", True, -9.278e-9, -9.274e-9, 4.3e-4, clear=True, rounding=1.5e-3)
    assert probe.agrees
    assert not replace(probe, rounding=0.0).agrees


def test_a_backward_of_ones_own_passes_where_it_is_right_and_fails_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = nn.Sequential(nn.Linear(6, 16), Calls(Tanh.apply), nn.Linear(16, 3))
    assert check("gradient-check", subject("mlp", net=net)).verdict == "passed"
    monkeypatch.setattr(Tanh, "right", False)
    assert check("gradient-check", subject("mlp", net=net)).verdict == "failed"


class Counts(nn.Module):
    """Puts out something else each time."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0.0

    def forward(self, x: Tensor) -> Tensor:
        self.times += 1.0
        return x * self.times


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (Calls(torch.sqrt), "the loss is nan, which has no slope"),
        (Counts(), "forward keeps a state from one to the next"),
    ],
)
def test_why_slopes_cannot_be_compared_is_told(before: nn.Module, said: str) -> None:
    found = check("gradient-check", subject("mlp", net=nn.Sequential(before, mlp())))
    assert found.verdict == "skipped"
    assert said in found.what


def test_inputs_that_forward_changes_in_place_are_no_chance() -> None:
    what = subject("mlp", net=nn.Sequential(Calls(lambda x: x.mul_(0.5)), mlp()))
    assert check("gradient-check", what).verdict == "passed"


def test_a_padding_row_that_learns_nothing_is_no_fault() -> None:
    class Padded(Bag):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(40, 16, padding_idx=3)

    what = subject("mlp", net=Padded(), batches=Sentences(True), validation=None)
    assert check("gradient-check", what).verdict == "passed"


def test_units_on_the_kink_are_no_fault() -> None:
    """Blank inputs and biases of zero put every unit exactly on the corner of ReLU."""
    inputs, targets = classes_in((1, 8, 8))
    inputs[:, :, 2:] = 0
    net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 3))
    nn.init.zeros_(net[0].bias)
    found = check("gradient-check", subject("conv", net=net, batches=Fixed(inputs, targets)))
    assert found.verdict == "passed", found


def test_random_layers_and_float32_inside_are_no_fault() -> None:
    dropping = nn.Sequential(nn.Linear(6, 16), nn.Dropout(0.5), nn.ReLU(), nn.Linear(16, 3))
    assert check("gradient-check", subject("mlp", net=dropping)).verdict == "passed"
    coarse = nn.Sequential(nn.Linear(6, 16), Calls(lambda x: x.float()))
    assert check("gradient-check", subject("mlp", net=coarse)).verdict == "skipped"
    generator = torch.Generator().manual_seed(0)
    own = nn.Sequential(mlp(), Calls(lambda x: x + torch.randn(x.shape, generator=generator)))
    assert check("gradient-check", subject("mlp", net=own)).verdict == "skipped"
    weighted = replace(PLAN, loss=nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0])))
    assert check("gradient-check", subject("mlp", plan=weighted)).verdict == "passed"


def test_slopes_are_those_worked_out_by_hand() -> None:
    """L = (w·x − y)² with x = 3, y = 1, w = 2: dL/dw = 2·(6 − 1)·3 = 30."""
    net = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        net.weight.fill_(2.0)
    x = torch.tensor([[3.0]], dtype=torch.float64)
    found = list(probes(net, lambda: (net(x) - 1).square().sum(), single=1, most=4, generator=torch.Generator()))
    assert len(found) == 2
    for probe in found:
        assert abs(probe.analytic) == pytest.approx(30.0)
        assert abs(probe.numeric) == pytest.approx(30.0, rel=1e-7)
        assert probe.agrees
    assert float(net.weight.detach()) == 2.0


def test_the_quick_look_leaves_large_nets_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.checks.gradient_check.QUICK_OPERATIONS", 1.0)
    assert check("gradient-check", subject("mlp", quick=True)).verdict == "skipped"
    assert check("gradient-check", subject("mlp")).verdict == "passed"


# input-independent


@pytest.mark.parametrize("name", NETS)
def test_labels_that_do_not_belong_to_the_inputs_fail(name: str) -> None:
    inputs, targets = classes_in(NETS[name][1])
    shuffled = targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(1))]
    found = check("input-independent", subject(name, batches=Fixed(inputs, shuffled)))
    # A recurrent net may find out late what no simple model sees.
    assert found.verdict == ("warning" if name == "lstm" else "failed")
    assert ("to a net that reads sequences so few steps may tell little" in found.what) == (name == "lstm")
    told(found)


@pytest.mark.parametrize("name", ALL)
def test_a_net_that_does_not_see_its_inputs_fails(name: str) -> None:
    what = subject(name)
    what.net = nn.Sequential(Calls(torch.zeros_like), what.net)
    found = check("input-independent", what)
    assert found.verdict == "failed"
    told(found)


def test_what_a_simple_model_finds_in_the_inputs_is_no_reason_to_stop() -> None:
    """Rings: which one a point lies on no straight line tells, and a small net finds it late; its neighbours tell at once."""
    generator = torch.Generator().manual_seed(7)
    targets = torch.randint(3, (600,), generator=generator)
    angle = 2 * math.pi * torch.rand(600, generator=generator)
    rings = (1 + targets)[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    narrow = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 3))
    found = check("input-independent", subject("mlp", net=narrow, batches=Fixed(rings, targets)))
    assert found.verdict == "warning"
    assert "kernel ridge regression tells a sample's class" in found.what
    told(found)


def test_frequent_classes_alone_are_no_learning_from_inputs() -> None:
    """Nine in ten samples are of one class; without looking one comes far below ln 3, and that must not count."""
    generator = torch.Generator().manual_seed(4)
    targets = (torch.rand(360, generator=generator) > 0.9).long()
    found = check("input-independent", subject("mlp", batches=Fixed(torch.randn(360, 6, generator=generator), targets)))
    assert found.verdict in ("failed", "warning")


@pytest.mark.parametrize(("samples", "verdict"), [(64, "warning"), (400, "failed")])
def test_sixteen_samples_are_no_reason_to_stop(samples: int, verdict: str) -> None:
    generator = torch.Generator().manual_seed(5)
    inputs, targets = torch.randn(samples, 6, generator=generator), torch.arange(samples) % 2
    found = check("input-independent", subject("mlp", batches=Fixed(inputs, targets)))
    assert found.verdict == verdict
    assert ("so few samples tell little" in found.what) == (samples == 64)


@dataclass
class Sentences:
    """Tokens, padded to the longest of each batch: the class is whether token 1 or token 2 comes; labels may have nothing to do with it."""

    told: bool
    samples: int = 640
    steps_per_epoch: int = 20

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(epoch)
        for number in range(start, self.steps_per_epoch):
            targets = torch.randint(2, (32,), generator=generator)
            tokens = torch.randint(3, 40, (32, 4 + number % 7), generator=generator)
            tokens[:, number % 4] = 1 + (targets if self.told else torch.randint(2, (32,), generator=generator))
            yield tokens, targets


class Bag(nn.Module):
    """The mean of the tokens' vectors, and a straight line from it."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(40, 16), nn.Linear(16, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.table(tokens).mean(1))  # type: ignore[no-any-return]


@pytest.mark.parametrize("told_apart", [True, False])
def test_of_sentences_of_any_length_all_batches_are_looked_at(told_apart: bool) -> None:
    found = check("input-independent", subject("mlp", net=Bag(), batches=Sentences(told_apart), validation=None))
    assert found.verdict == ("passed" if told_apart else "failed"), found
    assert found.figures["unseen"] == 160.0


@pytest.mark.parametrize(("share", "verdict"), [(0.02, "warning"), (0.5, "failed")])
def test_a_class_of_a_few_samples_is_no_reason_to_stop(share: float, verdict: str) -> None:
    generator = torch.Generator().manual_seed(4)
    targets = (torch.rand(2_000, generator=generator) < share).long()
    noise = Fixed(torch.randn(2_000, 6, generator=generator), targets)
    found = check("input-independent", subject("mlp", batches=noise))
    assert found.verdict == verdict
    assert ("outside the most frequent class tell little" in found.what) == (verdict == "warning")


def test_a_large_network_is_given_up_after_a_while_and_not_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.checks.input_independent.SECONDS", 0.0)
    generator = torch.Generator().manual_seed(4)
    noise = Fixed(torch.randn(2_000, 6, generator=generator), torch.arange(2_000) % 2)
    found = check("input-independent", subject("mlp", batches=noise))
    assert found.verdict == "warning"
    assert found.curves["steps"] == [10.0]


def deep_sigmoid() -> nn.Module:
    hidden = [layer for _ in range(8) for layer in (nn.Linear(24, 24), nn.Sigmoid())]
    return nn.Sequential(nn.Linear(6, 24), nn.Sigmoid(), *hidden, nn.Linear(24, 3))


@pytest.mark.parametrize(
    ("net", "rule"),
    [
        (deep_sigmoid, "vanishing-gradient"),
        (lambda: nn.Sequential(mlp(), nn.Sigmoid()), "wrong-loss"),
        (lambda: nn.Sequential(mlp(), Calls(torch.tanh)), "wrong-loss"),
    ],
)
def test_a_failure_has_the_cause_that_the_diagnosis_sees(net: Callable[[], nn.Module], rule: str) -> None:
    what = subject("mlp", net=net(), plan=replace(PLAN, optimizer=sgd(0.01), epochs=20))
    *_, last = run_on(what, only=("input-independent", "overfit-twenty"))
    assert last.verdict == "failed"
    assert f"the first steps of the planned run show {rule}: " in last.what
    assert last.advice != BY_ID[last.check].advice
    assert rule in {finding.rule for finding in what.findings}


def test_what_only_spoils_figures_is_no_cause() -> None:
    """The validation samples are among the training samples; that is found first, and keeps no net from learning."""
    inputs, targets = classes_in((6,))
    shuffled = targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(1))]
    what = subject("mlp", batches=Fixed(inputs, shuffled))
    (last,) = run_on(what, only=("input-independent",))
    assert what.findings[0].rule == "validation-leak"
    assert "show labels-unrelated: " in last.what


def test_a_failure_of_which_no_rule_knows_the_cause_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.checks.trial_run.Doctor", partial(Doctor, rules=()))
    (last,) = run_on(subject("mlp", net=deep_sigmoid()), only=("overfit-twenty",))
    assert last.verdict == "failed"
    assert last.advice == BY_ID["overfit-twenty"].advice


def test_the_best_constant_answer_costs_the_entropy_of_the_classes() -> None:
    targets = torch.tensor([0] * 70 + [1] * 20 + [2] * 10)
    entropy = -(0.7 * math.log(0.7) + 0.2 * math.log(0.2) + 0.1 * math.log(0.1))
    logits = prior_answer(torch.randn(100, 3), targets, "classes")
    shares = prior_answer(torch.randn(100, 3).softmax(1), targets, "classes")
    assert float(F.cross_entropy(logits, targets)) == pytest.approx(entropy, rel=1e-4)
    assert shares[0].tolist() == pytest.approx([0.7, 0.2, 0.1], rel=1e-3)
    one = prior_answer(torch.randn(100, 1), (targets > 0).long(), "classes")
    assert float(one[0].sigmoid()) == pytest.approx(0.3, rel=1e-4)


# overfit-twenty


@pytest.mark.parametrize("name", NETS)
def test_softmax_applied_twice_is_told_by_its_floor(name: str) -> None:
    what = subject(name)
    what.net = nn.Sequential(what.net, nn.Softmax(1))
    found = check("overfit-twenty", what)
    assert found.verdict == "failed"
    assert "softmax" in found.why
    # the floor, or one or two of the twenty stuck on a wrong answer, each a twentieth higher
    assert math.log(1 + 2 / math.e) <= found.figures["cost"] + 1e-6 < math.log(1 + 2 / math.e) + 0.12


@pytest.mark.parametrize("name", NETS)
def test_an_answer_that_ignores_the_input_cannot_learn_by_heart(name: str) -> None:
    what = subject(name)
    what.net = nn.Sequential(Calls(torch.zeros_like), what.net)
    found = check("overfit-twenty", what)
    assert found.verdict == "failed"
    assert found.figures["accuracy"] < 0.6
    told(found)


def test_an_output_that_cannot_reach_its_targets_fails() -> None:
    inputs, targets = values_in()
    squashed = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 1), nn.Sigmoid())
    found = check("overfit-twenty", subject("values", net=squashed, batches=Fixed(inputs, targets)))
    assert found.verdict == "failed"
    assert found.figures["r2"] < 0.9


def test_other_losses_of_values_are_judged_by_their_cost() -> None:
    """Several labels a sample, and counts: outputs that fit them are no targets, and R² says nothing."""
    inputs, targets = values_in()
    labels = Fixed(inputs, (torch.cat([inputs[:, :1], inputs[:, 3:4]], 1) > 0).float())
    several = subject("mlp", batches=labels, plan=replace(VALUES_PLAN, loss=F.binary_cross_entropy_with_logits))
    several.net = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
    assert check("overfit-twenty", several).verdict == "passed"
    counts = Fixed(inputs, targets.exp().round())
    poisson = subject("values", batches=counts, plan=replace(VALUES_PLAN, loss=nn.PoissonNLLLoss()))
    found = check("overfit-twenty", poisson)
    assert found.verdict in ("passed", "warning"), found
    told(found)


def test_smoothed_labels_in_a_loss_of_ones_own_are_no_failure() -> None:
    smooth = replace(PLAN, loss=lambda outputs, wanted: F.cross_entropy(outputs, wanted, label_smoothing=0.2))
    (found,) = run_on(subject("mlp", plan=smooth), only=("overfit-twenty",))
    assert found.verdict == "warning"
    assert "label smoothing" in found.why


def test_two_outputs_for_each_value_are_not_compared_with_it() -> None:
    """A mean and a spread, under the likelihood of a normal distribution."""
    inputs, targets = values_in()
    likely = replace(VALUES_PLAN, loss=lambda said, y: F.gaussian_nll_loss(said[:, :1], y, said[:, 1:].exp()))
    what = subject("values", net=nn.Linear(6, 2), batches=Fixed(inputs, targets), plan=likely)
    assert check("initial-loss", what).verdict == "passed"


def test_a_net_of_few_weights_is_given_fewer_values() -> None:
    """A straight line through six features has seven weights: twenty noisy values are too many for it, three are not."""
    torch.manual_seed(0)
    inputs = torch.randn(200, 6, generator=torch.Generator().manual_seed(3))
    noise = Fixed(inputs, torch.randn(200, 1, generator=torch.Generator().manual_seed(4)))
    found = check("overfit-twenty", subject("values", net=nn.Linear(6, 1), batches=noise))
    assert found.verdict == "passed"
    assert found.figures["samples"] == 4.0
    assert check("overfit-twenty", subject("values")).figures["samples"] == 20.0


def pairwise(said: Tensor, targets: Tensor) -> Tensor:
    """A contrastive loss, whose lowest value is not zero."""
    near = (targets[:, None] == targets).float()
    return F.binary_cross_entropy_with_logits(2 - torch.cdist(said, said), 0.8 * near + 0.1)


def spread_and_mean(said: Tensor, targets: Tensor) -> Tensor:
    return F.gaussian_nll_loss(said[:, :1], targets, said[:, 1:].exp())


def test_outputs_that_are_no_scores_and_no_values_are_judged_by_their_loss_alone() -> None:
    """Embeddings, and two numbers for each value."""
    embedding = subject("mlp", plan=replace(PLAN, loss=pairwise))
    found = check("overfit-twenty", embedding)
    assert (found.verdict, "how low this loss can come" in found.what) == ("warning", True)
    told(found)
    assert check("input-independent", embedding).verdict == "passed"
    both = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 2))
    mixture = subject("values", net=both, plan=replace(VALUES_PLAN, loss=spread_and_mean, figures=None))
    assert check("input-independent", mixture).verdict == "passed"
    *_, last = run_on(embedding, only=("trial-run",))
    assert last.verdict == "passed"  # no rule of classes is asked of embeddings


def test_a_cost_that_is_still_falling_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.checks.overfit_twenty.STEPS", 110)
    monkeypatch.setattr("glassnet.checks.overfit_twenty.NEAR_ZERO", 1e-9)
    found = check("overfit-twenty", subject("mlp"))
    assert found.verdict == "warning"
    assert found.what.endswith("; it is still falling")
    told(found)


def test_a_large_net_that_runs_out_of_time_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()  # one passes whenever somebody asks
    monkeypatch.setattr("glassnet.checks.overfit_twenty.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    monkeypatch.setattr("glassnet.checks.overfit_twenty.NEAR_ZERO", 1e-9)
    found = check("overfit-twenty", subject("mlp"))
    assert found.verdict == "warning"
    assert "seconds were spent" in found.what
    told(found)


@pytest.mark.parametrize(("name", "verdict"), [("lstm", "warning"), ("mlp", "failed")])
def test_a_recurrent_net_that_has_come_half_the_way_is_given_time(
    name: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glassnet.checks.overfit_twenty.NEAR_ZERO", -1.0)
    monkeypatch.setattr("glassnet.checks.overfit_twenty.FALLING", 1.0)
    found = check("overfit-twenty", subject(name))
    assert found.verdict == verdict
    assert found.what.endswith("; it has fallen far") == (name == "lstm")


def test_what_works_against_learning_by_heart_is_off() -> None:
    what = subject("mlp")
    what.net = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(0.9), nn.Linear(64, 3))
    what.plan = replace(
        PLAN,
        loss=partial(F.cross_entropy, label_smoothing=0.3),
        penalty=make_penalty(l2=1.0),
        optimizer=lambda net: torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1.0),
    )
    found = check("overfit-twenty", what)
    assert found.verdict == "passed"
    assert found.figures["cost"] <= 0.02 * math.log(3) + 1e-6


def test_dropout_is_off_and_batch_norm_goes_by_the_samples() -> None:
    net = without_dropout(subject("conv").net.eval())
    assert {type(module).__name__ for module in net.modules() if not module.training} == {"Dropout"}


def test_twenty_samples_are_distinct_and_of_all_classes() -> None:
    inputs, targets = classes_in((6,))
    order = targets.argsort()  # sorted by class, and each input twice
    inputs, targets = inputs[order].repeat_interleave(2, 0), targets[order].repeat_interleave(2)
    some, wanted = twenty(inputs, targets)
    assert len(wanted) == 20
    assert len(torch.unique(some, dim=0)) == 20
    assert sorted(torch.bincount(wanted).tolist()) == [6, 7, 7]


# sane-sizes


def test_saturating_weights_fail() -> None:
    net = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 3))
    with torch.no_grad():
        net[0].weight.mul_(100)
    found = check("sane-sizes", subject("mlp", net=net))
    assert found.verdict == "failed"
    assert "saturated" in found.what
    assert "layer 1" in found.what
    told(found)


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_units_that_are_off_from_the_start_fail(name: str) -> None:
    what = subject(name)
    with torch.no_grad():
        biased = what.net[0] if name == "mlp" else what.net[1]
        biased.bias.fill_(-50.0)
    found = check("sane-sizes", what)
    assert found.verdict == "failed"
    assert "zero for every sample" in found.what


def test_a_signal_that_fades_away_fails() -> None:
    layers: list[nn.Module] = []
    for _ in range(12):
        layers += [nn.Linear(24, 24), nn.Tanh()]
    net = nn.Sequential(nn.Linear(6, 24), *layers, nn.Linear(24, 3))
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(0.2) if p.ndim > 1 else p.zero_()
    found = check("sane-sizes", subject("mlp", net=net))
    assert found.verdict == "failed"
    assert found.figures["activation_spread"] > 1e6


def test_large_gradients_in_front_of_a_normalisation_are_no_trouble() -> None:
    """Batch norm behind dense layers lets the gradient grow from layer to layer towards the inputs, whatever the weights; others' weights are still looked at."""
    deep: list[nn.Module] = [nn.Linear(6, 16)]
    for _ in range(70):
        deep += [nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 16)]
    net = nn.Sequential(*deep, nn.BatchNorm1d(16), nn.Linear(16, 3))
    what = subject("mlp", net=net)
    of_all = what.look().weight_gradients.values()
    assert max(of_all) / min(of_all) > 1e4
    found = check("sane-sizes", what)
    assert found.verdict == "passed", found.what
    assert "71 layers in front of a normalisation left out" in found.what
    bare = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3))
    with torch.no_grad():
        bare[2].weight.mul_(1e-6)
        bare[2].bias.zero_()
    assert check("sane-sizes", subject("mlp", net=bare)).verdict != "passed"


@pytest.mark.parametrize(
    ("behind", "left_out"),
    [
        ([nn.BatchNorm1d(8)], True),
        ([nn.ReLU(), nn.LayerNorm(8)], True),
        ([nn.Dropout(0.1), nn.BatchNorm1d(8)], True),
        ([nn.Tanh(), nn.BatchNorm1d(8)], False),  # it does not put out twice as much for twice the input
        ([nn.ReLU(), nn.Linear(8, 8), nn.BatchNorm1d(8)], False),
    ],
    ids=["norm", "relu-norm", "dropout-norm", "tanh-norm", "dense-norm"],
)
def test_which_layers_a_normalisation_takes_the_size_from(behind: list[nn.Module], left_out: bool) -> None:
    net = nn.Sequential(nn.Linear(6, 8), *behind, nn.Linear(8, 3))
    assert ("0" in subject("mlp", net=net).look().normalised) == left_out


@pytest.mark.parametrize("name", NETS)
def test_the_first_layer_that_is_not_finite_is_named(name: str) -> None:
    what = subject(name)
    what.net = nn.Sequential(what.net, Calls(lambda x: (x - x).log() * x), nn.Linear(3, 3))
    found = check("sane-sizes", what)
    assert found.verdict == "failed"
    assert "layer 1" in found.what


# lr-bracket


@pytest.mark.parametrize("name", NETS)
def test_rates_beyond_the_bracket_warn(name: str) -> None:
    high = check("lr-bracket", subject(name, plan=replace(PLAN, optimizer=sgd(50.0))))
    low = check("lr-bracket", subject(name, plan=replace(PLAN, optimizer=sgd(1e-8))))
    assert (high.verdict, low.verdict) == ("warning", "warning")
    assert "too high" in high.what
    assert "too low" in low.what
    assert high.figures["too_high"] < 50
    told(high)
    told(low)


def test_a_low_rate_passes_where_the_run_is_long_enough() -> None:
    slow = replace(PLAN, optimizer=sgd(1e-4))
    assert check("lr-bracket", subject("mlp", plan=replace(slow, epochs=1))).verdict == "warning"
    assert check("lr-bracket", subject("mlp", plan=replace(slow, epochs=1000))).verdict == "passed"


def test_the_curve_is_kept_as_evidence() -> None:
    what = subject("mlp")
    found = check("lr-bracket", what)
    assert what.range_test is not None
    assert found.curves["lr"] == list(what.range_test.lrs)
    assert found.curves["lr"] == sorted(found.curves["lr"])
    lbfgs = replace(PLAN, optimizer=lambda net: torch.optim.LBFGS(net.parameters()))
    assert check("lr-bracket", subject("mlp", plan=lbfgs)).verdict == "skipped"


def test_a_loss_that_hardly_falls_says_nothing_about_the_rate_and_one_that_bursts_does() -> None:
    curve = {"lrs": tuple(10.0**-n for n in range(9, 0, -1)), "losses": tuple([1.0] * 9)}
    nothing = RangeTest(**curve, suggestion=None, too_low=None, too_high=None, reason=HARDLY_FELL)
    assert bracket(nothing, 0.1, steps=100).verdict == "skipped"
    assert bracket(nothing, 0.1, steps=100).figures["lr"] == 0.1
    burst = bracket(replace(nothing, reason="the loss was not finite after 3 steps"), 0.1, steps=100)
    assert burst.verdict == "warning"
    told(burst)


def test_a_slope_is_wrong_where_it_is_wrong_at_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    kink, fine = Probe("w", True, 1.0, 1.1, 0.1, clear=True), Probe("w", True, 1.0, 1.0, 0.0, clear=True)
    for places, verdict in (([kink, fine], "passed"), ([kink] * 3, "failed")):
        left = iter(places)
        monkeypatch.setattr("glassnet.checks.gradient_check.probes", lambda *_, left=left, **__: [next(left)])
        assert check("gradient-check", subject("mlp")).verdict == verdict
        assert next(left, None) is None


def test_a_large_net_gets_a_range_test_of_fewer_samples_and_steps() -> None:
    assert affordable(0.01) == (64, 96)
    size, steps = affordable(0.5)  # 48 s of 64 samples
    assert (size, steps) == (26, 96)
    assert affordable(2.0) == (16, 48)  # no less, whatever it takes
    assert affordable(2.0, 256) == (26, 96)
    for seconds in (0.1, 0.3, 0.7):
        size, steps = affordable(seconds)
        assert seconds * size / 64 * steps <= 20.5


def test_a_rate_outside_the_bracket_proposes_another() -> None:
    what = subject("mlp", plan=replace(PLAN, optimizer=sgd(50.0)))
    found = check("lr-bracket", what)
    (proposed,) = what.proposed
    assert proposed.remedies == [{"optimizer.lr": float(f"{found.figures['suggestion']:.1g}")}]
    inside = subject("mlp")
    check("lr-bracket", inside)
    assert inside.proposed == []


# trial-run


def finding(rule: str, severity: str = "warning") -> Finding:
    return Finding(rule, severity, 0, "", "", "", {}, [])


def test_what_explains_a_stop_is_told_before_it() -> None:
    """Unscaled targets explain a loss that is not finite; a leak does not."""
    leak, cause, stop = finding("leaking-input"), finding("targets-unscaled"), finding("loss-not-finite", "stop")
    assert by_weight([leak, cause, stop]) == [cause, stop, leak]
    assert by_weight([leak, stop]) == [stop, leak]
    assert by_weight([leak, cause, finding("saturation", "info")]) == [leak, cause]
    assert by_weight([]) == []


@pytest.mark.parametrize("name", ALL)
def test_a_rate_far_too_high_goes_wrong_at_once(name: str) -> None:
    what = subject(name)
    what.plan = replace(what.plan, optimizer=sgd(1e4))
    found = check("trial-run", what)
    assert found.verdict in ("failed", "warning")
    assert what.findings
    assert found.why == next(f.why for f in what.findings if f"{f.rule}:" in found.what)
    told(found)


def test_a_run_that_learns_nothing_warns_but_not_while_its_rate_is_rising(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.checks.trial_run.Doctor", partial(Doctor, rules=()))
    still = subject("mlp", plan=replace(PLAN, optimizer=sgd(1e-7), epochs=20))
    found = check("trial-run", still)
    assert found.verdict == "warning"
    assert "nothing has been learned yet, it is no lower than 1.1, the loss of the best constant answer" in found.what
    rising = replace(still.plan, epochs=100, schedule=make_schedule("constant", warmup=99.0))
    assert check("trial-run", replace(still, plan=rising)).verdict == "passed"


def test_the_trial_is_the_beginning_of_the_planned_run() -> None:
    from glassnet.events import Step
    from glassnet.training import train

    what = subject("mlp")
    found = check("trial-run", what)
    torch.manual_seed(0)
    again = subject("mlp")
    losses = [e.loss for e in train(again.net, again.batches, again.plan) if isinstance(e, Step)]
    assert found.curves["loss"] == losses[: len(found.curves["loss"])]
