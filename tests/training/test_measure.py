"""Looking into a training: the figures are right, and nothing is changed by looking."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from identical import identical
from torch import Tensor, nn

from glassnet.events import Described, Event, Finding, Measured, Step, Traced, from_json, to_json
from glassnet.training import Plan, State, train
from glassnet.training.clipping import Clip
from glassnet.training.losses import EveryStep, cross_entropy, squared
from glassnet.training.measure import Meter, describe
from glassnet.training.measure.activations import MOST_VALUES, evenly, figures
from glassnet.training.measure.interval import choose_interval
from glassnet.training.measure.meter import gathered
from glassnet.training.penalties import make_penalty
from glassnet.training.schedules import exponential
from glassnet.zoo import build


class Some:
    """Batches of given tensors, in their order."""

    def __init__(self, inputs: Tensor, targets: Tensor, size: int = 16) -> None:
        self.pieces = list(zip(inputs.split(size), targets.split(size), strict=True))
        self.steps_per_epoch, self.samples = len(self.pieces), len(targets)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(self.pieces[start:])


def blobs(samples: int = 96, classes: int = 3, features: int = 4) -> tuple[Tensor, Tensor]:
    """Classes that lie apart."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, classes, (samples,), generator=generator)
    return torch.randn(samples, features, generator=generator) + 3 * y[:, None], y


def plan(epochs: int = 2, lr: float = 0.1, every: int = 1, **parts: Any) -> Plan:
    settings: dict[str, Any] = {"loss": cross_entropy, "record_every": 1, "meter": Meter(every)} | parts
    return Plan(optimizer=lambda net: torch.optim.SGD(net.parameters(), lr), epochs=epochs, **settings)


def net(*hidden: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), *(hidden or (nn.ReLU(),)), nn.Linear(8, 3))


def looks(events: list[Event]) -> list[Measured]:
    return [event for event in events if isinstance(event, Measured)]


# what a look says


def test_the_ratio_of_plain_sgd_is_rate_times_gradient_over_weight() -> None:
    module, batches = net(), Some(*blobs())
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    events = list(train(module, batches, plan(epochs=1)))
    inputs, targets = batches.pieces[0]
    twin = net()
    cross_entropy(twin(inputs), targets).backward()
    gradients = {name: p.grad for name, p in twin.named_parameters()}
    for record in looks(events)[0].parameters:
        gradient, weight = gradients[record["name"]], before[record["name"]]
        assert gradient is not None
        assert record["ratio"] == pytest.approx(float(0.1 * gradient.norm() / weight.norm()), rel=1e-5)
        assert record["gradient"] == pytest.approx(float(gradient.square().mean().sqrt()), rel=1e-5)
        assert record["update"] == pytest.approx(0.1 * record["gradient"], rel=1e-4)


def test_on_a_parabola_the_gain_is_one_minus_half_of_rate_times_curvature() -> None:
    """f(w) = mean (w·x)² with x = 2 has curvature 8: one step of rate η gains 1 − η·8/2 of its promise."""
    module = nn.Linear(1, 1, bias=False)
    batches = Some(torch.full((16, 1), 2.0), torch.zeros(16, 1))
    for lr, wanted in ((0.01, 0.96), (0.125, 0.5), (0.25, 0.0), (0.3, -0.2)):
        nn.init.constant_(module.weight, 1.0)
        look = looks(list(train(module, batches, plan(epochs=1, lr=lr, loss=squared))))[0].batch
        assert (look["after"] - look["before"]) / look["predicted"] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.RMSprop, torch.optim.Adagrad])
def test_the_promise_is_the_gradient_times_the_update_whatever_the_optimiser(optimizer: Any) -> None:
    module, batches = net().double(), Some(blobs()[0].double(), blobs()[1])
    before = [p.detach().clone() for p in module.parameters()]
    few = replace(plan(epochs=1), optimizer=lambda net: optimizer(net.parameters(), lr=1e-6))
    look = next(event for event in train(module, batches, few) if isinstance(event, Measured)).batch
    twin = net().double()
    cross_entropy(twin(batches.pieces[0][0]), batches.pieces[0][1]).backward()
    update = [p.detach() - b for p, b in zip(module.parameters(), before, strict=True)]
    promised = sum(
        float((p.grad * u).sum()) for p, u in zip(twin.parameters(), update, strict=True) if p.grad is not None
    )
    assert look["predicted"] == pytest.approx(promised, rel=1e-4)
    assert look["after"] - look["before"] == pytest.approx(promised, rel=1e-2), "a tiny step gains what it promises"


def test_parameters_are_read_in_groups_of_a_size_and_none_is_lost() -> None:
    sizes = [3, 4, 20, 1, 1, 9, 2]
    weights = [(str(n), nn.Parameter(torch.zeros(size)), torch.zeros(size)) for n, size in enumerate(sizes)]
    groups = [[len(weight) for _, _, weight in group] for group in gathered(weights, 10)]
    assert groups == [[3, 4], [20], [1, 1], [9], [2]]
    assert list(gathered([], 10)) == []


def test_clipping_and_penalty_are_told_apart_from_the_gradient_of_the_data() -> None:
    module, batches = net(), Some(*blobs())
    penalty = make_penalty(l1=0.0, l2=0.01, on=())
    look = looks(list(train(module, batches, plan(epochs=1, clip=Clip(norm=0.05), penalty=penalty))))[0].batch
    twin = net()
    inputs, targets = batches.pieces[0]
    assert penalty is not None
    (cross_entropy(twin(inputs), targets) + penalty(twin)).backward()
    whole = math.sqrt(sum(float(p.grad.square().sum()) for p in twin.parameters() if p.grad is not None))
    assert look["grad_norm"] == pytest.approx(whole, rel=1e-5)
    assert look["clip_factor"] == pytest.approx(0.05 / whole, rel=1e-4)
    twin.zero_grad()
    penalty(twin).backward()
    alone = math.sqrt(sum(float(p.grad.square().sum()) for p in twin.parameters() if p.grad is not None))
    assert look["penalty_grad_norm"] == pytest.approx(alone, rel=1e-5)


def test_dead_and_saturated_units_are_counted() -> None:
    module = net(nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8))
    first, third = module[0], module[2]
    with torch.no_grad():
        first.bias[:6] = -1e3  # six of eight units are silent for every sample
        third.weight.zero_()
        third.bias[:2], third.bias[2:] = 0.0, 5.0  # six of eight say 0.9999
    layers = {
        record["kind"]: record for record in looks(list(train(module, Some(*blobs()), plan(1, lr=1e-9))))[0].layers
    }
    assert layers["relu"]["dead"] == pytest.approx(0.75)
    assert layers["relu"]["zeros"] >= 0.75
    assert layers["tanh"]["saturated"] == pytest.approx(0.75)
    assert sum(layers["relu"]["histogram"]) == 16 * 8


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_figures_of_a_map_are_those_of_its_numbers_however_they_lie_in_memory(
    layout: torch.memory_format, dtype: torch.dtype
) -> None:
    """32 maps, of which every channel is unlike the others and five are silent, beside NumPy on all of the numbers; so many that a part of them is picked."""
    y = (
        torch.randn(40, 32, 16, 16, generator=torch.Generator().manual_seed(3))
        + torch.linspace(-1, 2, 32)[:, None, None]
    )
    y[:, :5] = -1.0
    y = y.relu().to(dtype).contiguous(memory_format=layout)
    assert y.numel() > 10 * MOST_VALUES
    found, numbers = figures(y, "relu", nn.ReLU()), y.double().numpy()
    assert found["dead"] == 5 / 32
    assert found["units"] == 32
    assert found["mean"] == pytest.approx(numbers.mean(), rel=0.03)
    assert found["std"] == pytest.approx(numbers.std(), rel=0.03)
    assert found["zeros"] == pytest.approx((numbers == 0).mean(), abs=0.015)
    assert found["between"] == pytest.approx(numbers.std(0).mean(), rel=0.03)
    picked = sum(found["histogram"])
    assert 0.9 * MOST_VALUES < picked <= MOST_VALUES
    below = (numbers < found["low"] + (found["high"] - found["low"]) / 20).mean()
    assert found["histogram"][0] / picked == pytest.approx(below, abs=0.015)


def test_of_few_numbers_all_are_read() -> None:
    y = torch.randn(7, 3, 5, generator=torch.Generator().manual_seed(4))
    found, numbers = figures(y, "tanh", nn.Tanh()), y.double().numpy()
    assert found["mean"] == pytest.approx(numbers.mean(), rel=1e-5)
    assert found["std"] == pytest.approx(numbers.std(), rel=1e-5)
    assert found["between"] == pytest.approx(numbers.std(0).mean(), rel=1e-5)
    assert (found["low"], found["high"]) == pytest.approx((numbers.min(), numbers.max()))
    assert found["saturated"] == pytest.approx((abs(numbers) > 0.97).mean())
    assert found["histogram"] == np.histogram(numbers, 20)[0].tolist()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_counted_and_left_out(bad: float) -> None:
    y = torch.arange(12.0).reshape(3, 4)
    y[1, 2] = y[2, 0] = bad
    found = figures(y, "dense", nn.Linear(4, 4))
    rest = [value for place, value in enumerate(range(12)) if place not in (6, 8)]
    assert found["nonfinite"] == 2
    assert found["mean"] == pytest.approx(sum(rest) / len(rest))
    assert (found["low"], found["high"]) == (0.0, 11.0)
    assert figures(torch.full((2, 2), bad), "dense", nn.Linear(2, 2))["nonfinite"] == 4


@pytest.mark.parametrize(("count", "most"), [(40 * 32 * 256, 16_384), (30_030, 7), (96, 50), (97, 96), (5, 0)])
def test_what_is_picked_leaves_no_row_and_no_channel_out(count: int, most: int) -> None:
    """Of numbers that repeat with any period that divides their count, the picked ones show every residue, if there are enough of them."""
    picked = evenly(torch.arange(count), most)
    assert len(picked) <= max(most, 1)
    for period in (each for each in range(2, 40) if count % each == 0 and each * 4 < len(picked)):
        assert len(set((picked % period).tolist())) == period


def test_a_relu_that_forward_calls_as_a_function_is_seen_where_it_enters_the_next_layer() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.one, self.two = nn.Linear(4, 8), nn.Linear(8, 3)
            with torch.no_grad():
                self.one.bias[:4] = -1e3

        def forward(self, x: Tensor) -> Tensor:
            return self.two(torch.relu(self.one(x)))  # type: ignore[no-any-return]

    records = looks(list(train(Functional(), Some(*blobs()), plan(1))))[0].layers
    (found,) = (record for record in records if record["kind"] == "relu")
    assert found["name"] == "two (input)"
    assert found["dead"] == pytest.approx(0.5)


def test_the_gradient_through_time_of_a_linear_recurrence_is_a_power() -> None:
    """h_t = w·h_{t−1} + u·x_t and the loss reads the last state: dL/dx_t goes with w to the power of the steps since."""

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(1, 1, nonlinearity="relu", bias=False, batch_first=True)
            self.head = nn.Linear(1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(x)[0][:, -1])  # type: ignore[no-any-return]

    module = Reader()
    with torch.no_grad():
        module.rnn.weight_hh_l0.fill_(0.5)
        module.rnn.weight_ih_l0.fill_(1.0)
    batches = Some(torch.rand(16, 6, 1) + 0.1, torch.zeros(16, 1))
    (record,) = looks(list(train(module, batches, plan(1, lr=0.01, loss=squared))))[0].through_time
    norms = record["norms"]
    assert len(norms) == 6
    assert [b / a for a, b in pairwise(norms)] == pytest.approx([2.0] * 5, rel=1e-4)


# looking changes nothing


class Random(nn.Module):
    """Dropout and batch norm, and a buffer that is not in the state dict."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.body = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(8, 3)
        )
        self.register_buffer("calls", torch.zeros(()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        return self.body(x)  # type: ignore[no-any-return]


def test_a_training_that_is_looked_at_makes_the_same_weights_bit_for_bit() -> None:
    made = []
    for meter in (None, Meter(1)):
        module = Random()
        torch.manual_seed(5)
        events = list(train(module, Some(*blobs()), replace(plan(3), meter=meter)))
        assert bool(looks(events)) == (meter is not None)
        made.append((module.state_dict(), module.calls, torch.get_rng_state()))
    (plain, calls, state), (looked, same_calls, same_state) = made
    assert all(torch.equal(plain[name], looked[name]) for name in plain)
    assert torch.equal(calls, same_calls)
    assert torch.equal(state, same_state)


def test_no_hook_is_left_behind_even_when_the_caller_leaves_or_forward_fails() -> None:
    def hooks(module: nn.Module) -> int:
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())

    module = Random()
    for event in train(module, Some(*blobs()), plan()):
        if isinstance(event, Measured):
            break
    assert hooks(module) == 0
    with pytest.raises(RuntimeError):
        list(train(net(), Some(torch.zeros(32, 5), torch.zeros(32, dtype=torch.long)), plan()))
    broken = net()
    with pytest.raises(RuntimeError):
        list(train(broken, Some(torch.zeros(32, 5), torch.zeros(32, dtype=torch.long)), plan()))
    assert hooks(broken) == 0


def test_choosing_how_often_to_look_touches_nothing() -> None:
    module = net(nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5))
    before = copy.deepcopy(module.state_dict())
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    wanted = torch.rand(3), random.random(), np.random.random()
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    every, why = choose_interval(module, plan(), Some(*blobs()).epoch(0), steps=1000)
    assert 10 <= every <= 143, "seven looks beside the four of the first steps"
    assert f"one step in {every}" in why
    assert identical(module.state_dict(), before)
    assert module.training
    assert all(p.grad is None for p in module.parameters())
    assert torch.equal(torch.rand(3), wanted[0])
    assert (random.random(), np.random.random()) == wanted[1:]


def test_describing_puts_everything_back() -> None:
    module, state = Random(), None
    module.body[4].bias.requires_grad_(False)
    module.body[0].weight.grad = torch.ones(8, 4)
    module.eval()
    before, calls = copy.deepcopy(module.state_dict()), module.calls.clone()
    state = torch.get_rng_state()
    seen = describe(module, Some(*blobs()), plan(), Some(*blobs(48)))
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(calls, module.calls)
    assert torch.equal(state, torch.get_rng_state())
    assert module.body[0].weight.grad is not None
    assert bool((module.body[0].weight.grad == 1).all())
    assert not any(m.training for m in module.modules())
    assert seen.net["frozen"] == ["body.4.bias"]


def test_layers_are_frozen_where_nothing_of_them_is_trained() -> None:
    module = Random()
    module.body[0].requires_grad_(False)
    module.body[4].weight.requires_grad_(False)  # its bias goes on learning
    assert describe(module, Some(*blobs()), plan()).net["frozen_layers"] == ["body.0"]
    module.computed = ("body.0",)  # type: ignore[assignment]
    assert describe(module, Some(*blobs()), plan()).net["frozen_layers"] == []


def test_the_rates_to_come_are_those_of_the_schedule_from_the_first_step_to_the_last() -> None:
    data = Some(*blobs())
    total = 3 * data.steps_per_epoch
    seen = describe(Random(), data, plan(epochs=3, schedule=exponential(rate=1.5)))
    rates = seen.plan["rates"]
    assert len(rates) == 101
    assert rates[0] == 1.0
    assert rates[-1] == pytest.approx(math.exp(-1.5 * (total - 1) / data.steps_per_epoch), rel=1e-3)
    assert rates == sorted(rates, reverse=True)


def test_a_resumed_training_is_looked_at_as_one_never_stopped() -> None:
    def lines(events: list[Event]) -> list[str]:
        return [to_json(event) for event in events if isinstance(event, Step | Measured | Described | Traced)]

    whole_net = Random()
    torch.manual_seed(9)
    whole = lines(list(train(whole_net, Some(*blobs()), plan(3, every=4))))
    torch.manual_seed(9)
    module = Random()
    torch.manual_seed(9)
    state = State(module, plan(3, every=4))
    first: list[Event] = []
    for event in train(module, Some(*blobs()), plan(3, every=4), state=state):
        first.append(event)
        if isinstance(event, Step) and event.step == 8:
            break
    tree = copy.deepcopy(state.state_dict())
    other = Random()
    later = State(other, plan(3, every=4))
    later.load_state_dict(tree)
    assert lines(first) + lines(list(train(other, Some(*blobs()), plan(3, every=4), state=later))) == whole


# what is described


def test_what_is_said_of_the_beginning() -> None:
    seen = describe(net(), Some(*blobs(240)), plan(), Some(*blobs(120)))
    assert (seen.task, seen.outputs) == ("classes", 3)
    assert seen.plan["loss"] == "cross-entropy"
    assert seen.plan["optimizer"] == "SGD"
    assert seen.start["expected"] == pytest.approx(math.log(3))
    inputs, targets = blobs(240)
    assert seen.start["loss"] == pytest.approx(float(cross_entropy(net()(inputs), targets).detach()), rel=1e-5)
    assert sum(seen.targets["counts"]) == 240
    assert seen.inputs["mean"] == pytest.approx(float(inputs.mean()), rel=1e-5)
    assert seen.targets["neighbour_agreement"] > 0.95
    assert seen.net["weight_layers"] == 2
    assert from_json(to_json(seen)) == seen


def test_faults_of_the_net_are_seen_by_name() -> None:
    class Faulty(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.forgotten = nn.Linear(4, 3), nn.Linear(4, 3)
            self.hidden = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(self.hidden(x).detach())  # type: ignore[no-any-return]

    module = Faulty()
    few = replace(plan(), optimizer=lambda net: torch.optim.SGD(net.used.parameters(), 0.1))
    seen = describe(module, Some(*blobs()), few)
    assert set(seen.net["unreached"]) == {"forgotten.weight", "forgotten.bias", "hidden.weight", "hidden.bias"}
    assert set(seen.net["not_optimised"]) == {"forgotten.weight", "forgotten.bias", "hidden.weight", "hidden.bias"}


def test_sorted_classes_leaks_and_shifts_are_measured() -> None:
    x, y = blobs(480)
    order = y.argsort()
    ordered = describe(net(), Some(x[order], y[order]), plan()).targets
    mixed = describe(net(), Some(x, y), plan()).targets
    assert ordered["batch_entropy"] < 0.3 * ordered["shuffled_entropy"]
    assert mixed["batch_entropy"] == pytest.approx(mixed["shuffled_entropy"], abs=0.1)
    shifted = describe(net(), Some(x, y), plan(), Some(x + 4, y)).validation
    same = describe(net(), Some(x, y), plan(), Some(*blobs(240))).validation
    assert shifted["shift"] > 5 * shifted["shift_noise"]
    assert describe(net(), Some(x, y), plan(), Some(x[:200], y[:200])).validation["same_inputs"] > 0.6
    assert same["label_shift"] < 0.2
    leak = torch.cat([x, y[:, None].float()], 1)
    wide = nn.Linear(5, 3)
    assert describe(wide, Some(leak, y), plan()).inputs["best_feature_index"] == 4
    assert describe(wide, Some(leak, y), plan()).inputs["best_feature"] > 0.99
    wild = x[:32].clone()
    wild[7] *= 50
    seen = describe(net(), Some(wild, y[:32]), plan()).inputs
    lengths = wild.flatten(1).square().sum(dim=1).sqrt()
    assert seen["largest_row"] == pytest.approx(float(lengths.max() / lengths.median()), rel=1e-5)
    assert seen["largest_row_at"] == 7


def test_samples_that_occur_twice_are_near_no_other_sample() -> None:
    x, y = blobs(400)
    twice, classes = x[:300].repeat(2, 1), y[:300].repeat(2)
    order = torch.randperm(600, generator=torch.Generator().manual_seed(1))
    seen = describe(net(), Some(twice[order], classes[order]), plan(), Some(x[300:], y[300:])).validation
    alone = describe(net(), Some(x[:300], y[:300]), plan(), Some(x[300:], y[300:])).validation
    assert seen["neighbour_distance_ratio"] == pytest.approx(alone["neighbour_distance_ratio"], rel=0.05)
    assert seen["same_among"] > 0.2 > seen["same_inputs"] == 0


def test_one_number_far_outside_makes_no_part_unlike_another() -> None:
    x, y = blobs(400)
    strange = x[300:].clone()
    strange[7, 2] = 1e6
    seen = describe(net(), Some(x[:300], y[:300]), plan(), Some(strange, y[300:])).validation
    assert seen["shift"] < 0.2
    assert seen["largest_row"] > 1e4
    assert seen["largest_row_at"] == 7


def test_what_inputs_have_to_do_with_targets_is_asked_without_augmentation() -> None:
    x, y = blobs(480)
    leak = torch.cat([x, y[:, None].float()], 1)
    blurred = Some(leak + 9 * torch.randn(leak.shape, generator=torch.Generator().manual_seed(2)), y)
    unseen = Some(leak[:200], y[:200])
    wide = nn.Linear(5, 3)
    assert describe(wide, blurred, plan(), unseen).inputs["best_feature"] < 0.5
    blurred.plain = Some(leak, y)  # type: ignore[attr-defined]
    seen = describe(wide, blurred, plan(), unseen)
    assert seen.inputs["best_feature"] > 0.99
    assert seen.inputs["std"] > 5  # what reaches the network is told as it is
    assert seen.validation["spread_ratio"] == pytest.approx(1, abs=0.2)
    assert seen.targets["kernel_knows"] > 0.95


def test_the_value_far_outside_is_named() -> None:
    generator = torch.Generator().manual_seed(3)
    x, y = torch.randn(200, 4, generator=generator), torch.randn(200, 2, generator=generator)
    y[33, 1] = -1e4
    squares = plan(loss=squared)
    seen = describe(nn.Linear(4, 2), Some(x, y), squares, Some(x[:60], y[:60])).targets
    apart = (y[:, 1] - y[:, 1].median()).abs().sort().values
    assert seen["farthest"] == pytest.approx(float(apart[-1] / apart[int(0.99 * 199)]), rel=1e-5)
    assert (seen["farthest_at"], seen["farthest_value"]) == (33, -1e4)
    calm = describe(nn.Linear(4, 2), Some(x[100:], y[100:]), squares, Some(x[:60], y[:60]))
    assert calm.targets["farthest"] < 3
    assert calm.validation["farthest_at"] == 33
    assert "farthest" not in describe(nn.Linear(4, 2), Some(x[:49], y[:49]), squares).targets


@pytest.mark.parametrize(
    ("end", "name"),
    [
        (lambda z: z, "Addmm"),
        (torch.sigmoid, "Sigmoid"),
        (lambda z: torch.tanh(z)[:, None].squeeze(1).clone(), "Tanh"),
        (lambda z: 2 * torch.tanh(z), "Mul"),
        (lambda z: z.detach(), ""),
    ],
)
def test_the_operation_behind_the_last_layer_is_told(end: Callable[[Tensor], Tensor], name: str) -> None:
    class Ended(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
            return end(super().forward(x))

    assert describe(Ended(4, 3), Some(*blobs()), plan()).net["ends_in"] == name


def test_layers_that_the_network_does_not_know_of_are_told() -> None:
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(8, 3)
            self.before = {"a": (nn.Linear(4, 8), nn.Linear(4, 8))}

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.before["a"][0](x))  # type: ignore[no-any-return]

    listed = Listed()
    assert describe(listed, Some(*blobs()), plan()).net["hidden"] == ["before['a'][0].weight", "before['a'][0].bias"]
    assert listed.before["a"][0].weight.grad is None
    assert describe(net(), Some(*blobs()), plan()).net["hidden"] == []


def test_targets_that_the_loss_refuses_are_described_all_the_same() -> None:
    x, y = blobs()
    seen = describe(net(), Some(x, y + 1), plan())
    assert seen.targets["out_of_range"] == int((y == 2).sum())


# where strange losses come from


def traced(module: nn.Module, inputs: Tensor, targets: Tensor, **settings: Any) -> list[Traced]:
    return [event for event in train(module, Some(inputs, targets), plan(1, **settings)) if isinstance(event, Traced)]


def test_a_missing_value_is_found_in_its_row_and_column() -> None:
    x, y = blobs()
    x[21, 2] = math.nan
    before = copy.deepcopy(net().state_dict())
    module = net()
    found = traced(module, x, y, lr=1e-9)
    assert (found[0].kind, found[0].place, found[0].rows, found[0].column) == ("not-finite", "inputs", [5], 2)
    assert found[0].step == 2
    assert all(bool(torch.isfinite(value).all()) for value in module.state_dict().values()), "the step was not made"
    assert before.keys() == module.state_dict().keys()


def test_an_overflow_is_found_in_its_layer() -> None:
    class Overflows(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.exp(x * 1e4)

    (first, *_) = traced(net(nn.ReLU(), Overflows()), *blobs())
    assert (first.place, first.name) == ("activations", "2")


def test_weights_that_are_not_finite_are_named() -> None:
    module = net()
    with torch.no_grad():
        module[2].weight[0, 0] = math.inf
    assert traced(module, *blobs())[0].name == "2.weight"


def test_a_spike_names_the_sample_behind_it() -> None:
    x, y = blobs(320)
    x[200] = 500.0
    y[200] = 0
    found = traced(net(), x, y, lr=0.05)
    assert found[0].kind == "spike"
    assert found[0].rows[0] == 200 % 16
    assert found[0].figures["largest"] == pytest.approx(500.0)


def test_the_sample_behind_a_spike_is_judged_by_what_the_step_met() -> None:
    """A target far off pulls the weights so far that behind the step its own loss is 0 and the others' are large."""
    x = torch.randn(320, 4, generator=torch.Generator().manual_seed(0))
    y = x[:, :1].clone()
    y[200] = 60.0
    torch.manual_seed(1)
    module = nn.Linear(4, 1)
    found = traced(module, x, y, lr=0.5, loss=nn.functional.mse_loss)
    spike = next(each for each in found if each.step == 200 // 16 + 1)
    assert spike.rows[0] == 200 % 16
    assert spike.figures["worst_loss"] == pytest.approx(60.0**2, rel=0.2)


def test_findings_of_nobody() -> None:
    assert not any(isinstance(event, Finding) for event in train(net(), Some(*blobs()), plan()))


def test_a_look_asks_again_from_the_state_that_the_batch_began_with() -> None:
    """Without learning nothing changes, so the batch has the same loss before and after; with the state carried on it would have another."""
    module = build("language-lstm", (6,), 8, {"vocabulary": 8, "embed": 4, "hidden": 5, "dropout": 0.0}, seed=1)
    tokens = torch.randint(1, 8, (24, 7), generator=torch.Generator().manual_seed(0))
    batches = Some(tokens[:, :6], tokens[:, 1:], size=8)
    events = list(train(module, batches, plan(1, lr=0.0, loss=EveryStep(cross_entropy))))
    seen = looks(events)
    assert len(seen) == 3
    assert all(look.batch["after"] == pytest.approx(look.batch["before"], rel=1e-6) for look in seen)
