"""Trainings in lockstep, stacked: each has to come to what it comes to alone, whatever happens to the others."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from glassnet.events import Epoch, Event, Step
from glassnet.training import Plan, State, train
from glassnet.training import stacked as stacked_module
from glassnet.training.averaging import Averager
from glassnet.training.clipping import Clip
from glassnet.training.lockstep import Lockstep, to_its_end
from glassnet.training.losses import Loss, cross_entropy
from glassnet.training.max_norm import MaxNorm
from glassnet.training.measure import Meter
from glassnet.training.noise import weight_noise
from glassnet.training.optimizers import make_optimizer
from glassnet.training.penalties import make_penalty
from glassnet.training.schedules import make_schedule
from glassnet.training.stacked import Stack, build_of, try_stack
from glassnet.training.state import seed_generators
from glassnet.training.stopping import EarlyStopping
from glassnet.training.waiting import Waiting

# Losses of the same training with sums in another order: over 60 steps of these nets they were at most 4e-7 apart in float32, and 7e-16 in float64.
CLOSE = {torch.float32: 1e-5, torch.float64: 1e-13}
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")),
]


@dataclass
class Drawn:
    """Batches in an order that a seed and the epoch decide."""

    inputs: Tensor
    targets: Tensor
    batch_size: int
    seed: int = 0
    samples: int = field(init=False)
    steps_per_epoch: int = field(init=False)

    def __post_init__(self) -> None:
        self.samples = len(self.inputs)
        self.steps_per_epoch = -(-self.samples // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Any:
        order = torch.randperm(self.samples, generator=torch.Generator().manual_seed(1000 * self.seed + epoch))
        for index in order.split(self.batch_size)[start:]:
            yield self.inputs[index.to(self.inputs.device)], self.targets[index.to(self.inputs.device)]


def images(dtype: torch.dtype = torch.float32, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """76 images of three channels and 6 × 6 pixels in four classes: batches of 16 leave a last one of 12."""
    generator = torch.Generator().manual_seed(5)
    targets = torch.arange(76) % 4
    inputs = torch.randn(76, 3, 6, 6, generator=generator) + targets[:, None, None, None] * 0.3
    return inputs.to(device, dtype), targets.to(device)


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(108, 12), nn.ReLU(), nn.Linear(12, 4))


def normed_perceptron() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(108, 12, bias=False), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 4))


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3),
        nn.Flatten(),
        nn.Linear(8, 4),
    )


def channels_last() -> nn.Module:
    return convolutions().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


class Recurrent(nn.Module):
    """An LSTM over the rows of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(18, 5, batch_first=True)
        self.head = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = self.head(self.lstm(x.transpose(1, 2).flatten(2))[0][:, -1])
        return said


class Tied(nn.Module):
    """Two layers with one weight, and one that does not learn."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(108, 108), nn.Linear(108, 108), nn.Linear(108, 4)
        self.b.weight = self.a.weight
        self.b.bias.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = self.head(self.b(self.a(x.flatten(1)).tanh()).tanh())
        return said


ADAM = partial(make_optimizer, "adam", lr=3e-3, weight_decay=0.01)
USUAL = Plan(loss=cross_entropy, optimizer=lambda net: ADAM(net), epochs=12)


@dataclass
class Alone:
    """A member: how it is made, and what became of it."""

    make: Callable[[], nn.Module]
    seed: int
    plan: Plan = USUAL
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    fails_at: int | None = None
    size: int = 16
    tree: dict[str, Any] | None = None
    events: list[Event] = field(default_factory=list)
    shared: list[bool] = field(default_factory=list)
    net: nn.Module = field(init=False)
    state: State = field(init=False)

    def run(self, *, waits: bool) -> Generator[Waiting, None, list[float]]:
        seed_generators(self.seed)
        self.net = self.make().to(self.device, self.dtype)
        inputs, targets = images(self.dtype, self.device)
        batches = Drawn(inputs, targets, self.size, self.seed)
        validation = Drawn(inputs[:40], targets[:40], 40)
        self.state = State(self.net, self.plan)
        if self.tree is not None:
            self.state.load_state_dict(self.tree)
        events = train(self.net, batches, self.plan, validation=validation, state=self.state, waits=waits)
        for event in events:
            if isinstance(event, Waiting):
                if event.state.step == self.fails_at:
                    raise ValueError("this one ends here")
                yield event
                self.shared.append(event.shared is not None)
                continue
            self.events.append(event)
        return self.losses

    @property
    def losses(self) -> list[float]:
        return [event.loss for event in self.events if isinstance(event, Step) and event.loss is not None]


def alone(members: list[Alone]) -> list[Alone]:
    """The independent reference: each by itself, by the usual loop."""
    for member in members:
        to_its_end(member.run(waits=False))
    return members


def together(
    members: list[Alone], *, measure: bool = False
) -> tuple[list[Alone], list[tuple[bool, str]], dict[int, Any]]:
    """The same trainings in lockstep, what was decided, and what each ended with."""
    told: list[tuple[bool, str]] = []
    steps = Lockstep[list[float]](measure=measure, decided=lambda stacked, why: told.append((stacked, why)))
    for place, member in enumerate(members):
        steps.add(place, member.run(waits=True))
    ends: dict[int, Any] = {}
    for _ in range(10_000):
        if not steps:
            return members, told, ends
        ends.update(steps.round())
    raise AssertionError("the trainings never ended")


def crew(make: Callable[[], nn.Module], plan: Plan = USUAL, count: int = 3, **more: Any) -> list[Alone]:
    return [Alone(make, seed, replace(plan, record_every=1), **more) for seed in range(count)]


def same(one: Alone, other: Alone, close: float | None = None) -> None:
    """Losses of all steps, figures of all epochs, weights, buffers and what the optimiser remembers agree within rounding."""
    tolerance = CLOSE[one.dtype] if close is None else close
    assert len(one.losses) == len(other.losses) > 0
    torch.testing.assert_close(
        torch.tensor(one.losses, dtype=torch.float64),
        torch.tensor(other.losses, dtype=torch.float64),
        rtol=tolerance,
        atol=tolerance,
    )
    epochs, others = ([e for e in each.events if isinstance(e, Epoch)] for each in (one, other))
    assert len(epochs) == len(others)
    for mine, its in zip(epochs, others, strict=True):
        assert mine.val["loss"] == pytest.approx(its.val["loss"], rel=tolerance, abs=tolerance)
    for (name, a), (_, b) in zip(one.net.state_dict().items(), other.net.state_dict().items(), strict=True):
        torch.testing.assert_close(a, b, rtol=10 * tolerance, atol=10 * tolerance, msg=name)
        assert a.stride() == b.stride(), name
    memory, its_memory = one.state.optimizer.state_dict()["state"], other.state.optimizer.state_dict()["state"]
    for key in memory:
        for name, value in memory[key].items():
            torch.testing.assert_close(value, its_memory[key][name], rtol=10 * tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", [perceptron, normed_perceptron, convolutions, channels_last, Tied])
def test_a_stacked_training_is_what_it_is_alone(make: Callable[[], nn.Module], device: str) -> None:
    close = None if device == "cpu" else 1e-2  # TF32 has ten bits
    apart = alone(crew(make, device=device))
    members, told, ends = together(crew(make, device=device))
    assert told == [(True, "stacked as asked")]
    assert sorted(ends) == [0, 1, 2]
    for one, other in zip(members, apart, strict=True):
        assert len(one.losses) == 60
        assert all(one.shared)
        same(one, other, close)
    for one, other in pairwise(members):
        assert max(abs(a - b) for a, b in zip(one.losses, other.losses, strict=True)) > 0.01, "seeds tell them apart"


@pytest.mark.parametrize("make", [perceptron, convolutions])
def test_in_double_precision_they_agree_to_the_last_digits(make: Callable[[], nn.Module]) -> None:
    apart = alone(crew(make, dtype=torch.float64))
    members, told, _ = together(crew(make, dtype=torch.float64))
    assert told[0][0]
    for one, other in zip(members, apart, strict=True):
        same(one, other)


def test_in_bfloat16_they_agree_as_far_as_its_eight_bits_reach() -> None:
    plan = replace(USUAL, precision="bfloat16", epochs=4)
    apart, (members, told, _) = alone(crew(convolutions, plan)), together(crew(convolutions, plan))
    assert told == [(True, "stacked as asked")]
    for one, other in zip(members, apart, strict=True):
        assert all(one.shared)
        assert one.losses == pytest.approx(other.losses, rel=0.05)


def test_running_statistics_and_their_counts_are_each_members_own() -> None:
    apart, (members, _, _) = alone(crew(convolutions)), together(crew(convolutions))
    for one, other in zip(members, apart, strict=True):
        norm, its = one.net.get_submodule("1"), other.net.get_submodule("1")
        assert int(norm.num_batches_tracked) == 60  # type: ignore[arg-type]
        torch.testing.assert_close(norm.running_mean, its.running_mean, rtol=1e-3, atol=1e-4)
    means = [member.net.get_buffer("1.running_mean") for member in members]
    assert not torch.allclose(means[0], means[1], atol=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"clip": Clip(norm=0.5)},
        {"penalty": make_penalty(l1=1e-3, l2=1e-2, on=("*.weight",))},
        {"after_step": MaxNorm(0.7)},
        {"averager": lambda net: Averager(net, decay=0.9, begin_after=5)},
        {"schedule": make_schedule("cosine", warmup=0.1)},
        {"optimizer": lambda net: make_optimizer("sgd", net, lr=0.05, options={"momentum": 0.9, "nesterov": True})},
        {"meter": Meter(7)},
    ],
    ids=["clip", "penalty", "max-norm", "average", "schedule", "sgd", "meter"],
)
def test_what_belongs_to_each_training_stays_its_own(changes: dict[str, Any]) -> None:
    plan = replace(USUAL, **changes)
    apart = alone(crew(normed_perceptron, plan))
    members, told, _ = together(crew(normed_perceptron, plan))
    assert told == [(True, "stacked as asked")]
    for one, other in zip(members, apart, strict=True):
        same(one, other)
        assert [type(event) for event in one.events] == [type(event) for event in other.events if True]
        looked = len(one.shared) - sum(one.shared)
        assert looked == (
            sum((n + 1) % 7 == 0 or n + 1 in (1, 3, 10, 30) for n in range(60)) if "meter" in changes else 0
        )


def test_different_rates_of_one_net_are_stacked_too() -> None:
    def rated(seed: int) -> Alone:
        rate = 10.0 ** -(1 + seed)
        return Alone(
            perceptron, seed, replace(USUAL, optimizer=lambda net: make_optimizer("adam", net, lr=rate), record_every=1)
        )

    apart = alone([rated(seed) for seed in range(3)])
    members, told, _ = together([rated(seed) for seed in range(3)])
    assert told[0][0]
    for one, other in zip(members, apart, strict=True):
        same(one, other)


def test_those_that_end_early_fail_or_stop_leave_the_others_to_go_on() -> None:
    def group() -> list[Alone]:
        members = crew(convolutions, count=5)
        members[0].plan = replace(members[0].plan, epochs=3)
        members[2].fails_at = 22
        members[3].plan = replace(
            members[3].plan, stopping=lambda: EarlyStopping(monitor="loss", mode="max", patience=2)
        )  # a loss that falls is no gain to it
        return members

    reference = group()
    reference[2].fails_at = None
    alone(reference)
    members, told, ends = together(group())
    assert told == [(True, "stacked as asked")]
    assert sorted(ends) == [0, 1, 2, 3, 4]
    assert isinstance(ends[2], ValueError)
    assert len(members[0].losses) == 15
    assert len(members[2].losses) == 22
    assert 0 < len(members[3].losses) < 60
    for place in (0, 1, 3, 4):
        same(members[place], reference[place])
    assert all(members[1].shared), "two are still a stack"


def test_the_last_one_goes_on_alone_with_tensors_of_its_own() -> None:
    def group() -> list[Alone]:
        members = crew(perceptron, count=2)
        members[0].plan = replace(members[0].plan, epochs=2)
        return members

    apart, (members, _, _) = alone(group()), together(group())
    assert members[1].shared == [True] * 10 + [False] * 50
    for one, other in zip(members, apart, strict=True):
        same(one, other)
        for parameter in one.net.parameters():
            assert parameter.untyped_storage().nbytes() == parameter.numel() * 4


def test_a_loss_that_is_not_finite_spoils_nobody_else() -> None:
    def group() -> list[Alone]:
        members = crew(normed_perceptron)
        hot = replace(members[1].plan, optimizer=lambda net: torch.optim.SGD(net.parameters(), lr=1e30))
        members[1].plan = hot
        return members

    apart, (members, _, _) = alone(group()), together(group())
    assert not all(math.isfinite(loss) for loss in members[1].losses)
    for place in (0, 2):
        same(members[place], apart[place])


@pytest.mark.parametrize("back", ["alone", "stacked"])
def test_a_checkpoint_of_a_stacked_training_is_gone_on_from_alone_and_stacked(back: str) -> None:
    half = replace(USUAL, epochs=6)
    members, _, _ = together(crew(convolutions, half))
    again = crew(convolutions)
    for later, earlier in zip(again, members, strict=True):
        later.tree = copy.deepcopy(earlier.state.state_dict())
        later.tree["place"] |= {"finished": False, "stop": None}
    _ = alone(again) if back == "alone" else together(again)
    whole = alone(crew(convolutions))
    for later, earlier, reference in zip(again, members, whole, strict=True):
        later.events = earlier.events[:-1] + later.events
        same(later, reference)


def test_members_at_different_steps_are_stacked_all_the_same() -> None:
    first = alone([Alone(convolutions, 0, replace(USUAL, epochs=5, record_every=1))])[0]
    ahead = copy.deepcopy(first.state.state_dict())
    ahead["place"] |= {"finished": False, "stop": None}
    group = crew(convolutions, count=2)
    group[0].tree = ahead
    members, told, _ = together(group)
    assert told[0][0]
    assert len(members[0].losses) == 35
    reference = alone(crew(convolutions, count=2))
    members[0].events = first.events[:-1] + members[0].events
    for one, other in zip(members, reference, strict=True):
        same(one, other)


class Coin(nn.Module):
    """Draws from Python's generator, which no transformation of PyTorch's sees."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(108, 4)

    def forward(self, x: Tensor) -> Tensor:
        import random

        said: Tensor = self.layer(x.flatten(1)) * (0.9 if random.random() < 0.5 else 1.1)
        return said


class Asks(nn.Module):
    """What it does depends on its numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(108, 4)

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = self.layer(x.flatten(1))
        return said if float(said.detach().sum()) > 0 else said * 2


class Remembers(nn.Module):
    """Replaces its buffer instead of changing it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(108, 4)
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = self.layer(x.flatten(1)) + 0.1 * self.seen
        self.seen = said.detach().mean(0)
        return said


def dropped() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(108, 12), nn.Dropout(0.3), nn.Linear(12, 4))


@pytest.mark.parametrize(
    ("make", "changes", "words"),
    [
        (dropped, {}, "draws random numbers"),
        (Coin, {}, "draws random numbers"),
        (Recurrent, {}, "PyTorch cannot stack this network"),
        (Asks, {}, "PyTorch cannot stack this network"),
        (Remembers, {}, "did not find what 3 passes find"),
        (perceptron, {"micro_batches": 2}, "cut into pieces"),
        (perceptron, {"around_step": weight_noise(0.01)}, "noise on the weights"),
        (perceptron, {"optimizer": lambda net: make_optimizer("lbfgs", net, lr=0.1), "epochs": 2}, "L-BFGS"),
    ],
)
def test_what_cannot_be_stacked_goes_in_turn_bit_for_bit_as_alone(
    make: Callable[[], nn.Module], changes: dict[str, Any], words: str
) -> None:
    plan = replace(USUAL, **{"epochs": 3, **changes})
    apart = alone(crew(make, plan))
    members, told, _ = together(crew(make, plan))
    assert len(told) == 1
    assert told[0][0] is False
    assert told[0][1].startswith("in turn: ")
    assert words in told[0][1]
    for one, other in zip(members, apart, strict=True):
        assert not any(one.shared)
        same(one, other, 0.0)


def test_dropout_that_drops_nothing_is_no_hindrance() -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(108, 12), nn.Dropout(0.0), nn.Linear(12, 4))

    assert together(crew(make, replace(USUAL, epochs=1)))[1] == [(True, "stacked as asked")]


def test_nets_that_are_built_differently_are_groups_of_their_own() -> None:
    members = [
        *crew(perceptron, count=2),
        *crew(convolutions, count=2),
        Alone(normed_perceptron, 0, replace(USUAL, record_every=1)),
    ]
    reference = [
        *crew(perceptron, count=2),
        *crew(convolutions, count=2),
        Alone(normed_perceptron, 0, replace(USUAL, record_every=1)),
    ]
    alone(reference)
    _, told, ends = together(members)
    assert told == [(True, "stacked as asked")] * 2
    assert len(ends) == 5
    for one, other in zip(members, reference, strict=True):
        same(one, other)


@pytest.mark.parametrize("make", [perceptron, convolutions])
@pytest.mark.parametrize("first", [cross_entropy, partial(cross_entropy, label_smoothing=0.1)])
def test_losses_of_different_strength_stay_each_trainings_own(first: Loss, make: Callable[[], nn.Module]) -> None:
    def smoothed(seed: int) -> Alone:
        loss = partial(cross_entropy, label_smoothing=0.3 * seed) if seed else first
        return Alone(make, 0, replace(USUAL, loss=loss, epochs=4, record_every=1))

    apart = alone([smoothed(place) for place in range(3)])
    members, told, _ = together([smoothed(place) for place in range(3)])
    assert told == [(True, "stacked as asked")]
    assert members[0].losses[0] != pytest.approx(members[1].losses[0], rel=1e-3), (
        "one seed, so that the loss alone tells them apart"
    )
    for one, other in zip(members, apart, strict=True):
        assert all(one.shared)
        same(one, other)


def test_what_keeps_one_training_from_being_stacked_is_no_matter_of_others() -> None:
    def group() -> list[Alone]:
        members = crew(perceptron, replace(USUAL, epochs=2), count=5)
        members[0].plan = replace(members[0].plan, micro_batches=2)
        members[1].size = 8  # twice as many steps
        return members

    apart = alone(group())
    members, told, _ = together(group())
    assert told == [(True, "stacked as asked")]
    for place, (one, other) in enumerate(zip(members, apart, strict=True)):
        assert one.shared == [place > 1] * (20 if place == 1 else 10)
        same(one, other)


def standing(members: list[Alone]) -> list[Waiting]:
    """Each before its first step."""
    return [next(member.run(waits=True)) for member in members]


def test_trying_changes_nothing() -> None:
    waiting = standing(crew(convolutions))
    before = [copy.deepcopy(each.state.net.state_dict()) for each in waiting]
    states = torch.get_rng_state()
    for measure in (False, True):
        try_stack(waiting, measure=measure)
        assert torch.equal(torch.get_rng_state(), states)
        for each, was in zip(waiting, before, strict=True):
            assert all(parameter.grad is None for parameter in each.state.net.parameters())
            for name, tensor in each.state.net.state_dict().items():
                assert torch.equal(tensor, was[name]), name


@pytest.mark.parametrize(("gain", "stacked"), [(2.34, True), (1.05, False)])
def test_what_is_measured_decides_and_is_told(gain: float, stacked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked_module, "_gain", lambda *_: gain)
    _, told, _ = together(crew(perceptron, replace(USUAL, epochs=1)), measure=True)
    verb = "is" if stacked else "would be"
    way = "stacked" if stacked else "in turn"
    assert told == [(stacked, f"{way}: one pass for 3 networks {verb} {gain:.2g} times as fast as 3 in turn")]


def test_a_mistake_in_the_shared_pass_is_found_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Stack.learn

    def mixed(self: Stack, waiting: list[Waiting]) -> Any:
        found = right(self, waiting)
        return [*found[1:], found[0]]

    monkeypatch.setattr(Stack, "learn", mixed)
    _, told, _ = together(crew(perceptron, replace(USUAL, epochs=1)))
    assert told == [(False, "in turn: one pass for 3 networks did not find what 3 passes find")]


def test_a_lack_of_memory_ends_one_training_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    right, calls = Stack.learn, [0]

    def failing(self: Stack, waiting: list[Waiting]) -> Any:
        calls[0] += 1
        if calls[0] == 12:
            raise torch.OutOfMemoryError("no room")
        return right(self, waiting)

    monkeypatch.setattr(Stack, "learn", failing)
    reference = alone(crew(perceptron))
    members, _, ends = together(crew(perceptron))
    assert isinstance(ends[0], torch.OutOfMemoryError)
    for place in (1, 2):
        same(members[place], reference[place])


def test_what_the_networks_said_is_kept_for_a_meter_alone() -> None:
    for meter in (None, Meter(50, early=False)):
        waiting = standing(crew(perceptron, replace(USUAL, meter=meter)))
        found = Stack([each.state for each in waiting]).learn(waiting)
        for each, each.shared in zip(waiting, found, strict=True):
            _, _, said = each.backward(each.state, each.plan, each.inputs, each.targets)
            if meter is None:
                assert said is None
            else:
                torch.testing.assert_close(said, each.state.net(each.inputs).detach())


def test_a_stack_notices_that_numbers_were_moved_elsewhere() -> None:
    waiting = standing(crew(perceptron))
    states = [each.state for each in waiting]
    stack = Stack(states)
    assert stack.holds(states)
    assert not stack.holds(states[::-1])
    weight = states[1].net.get_parameter("1.weight")
    weight.data = weight.detach().clone()
    assert not stack.holds(states)


class Slanted(nn.Module):
    """Computes with a number that its description does not show."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.layer, self.slope = nn.Linear(108, 4), slope

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = nn.functional.leaky_relu(self.layer(x.flatten(1)), self.slope)
        return said


def test_builds_differ_by_numbers_that_no_description_shows() -> None:
    one, same_build, other = (
        build_of(standing([Alone(partial(Slanted, slope), 0)])[0]) for slope in (0.01, 0.01, 0.011)
    )
    assert one == same_build != other


def test_builds_differ_by_layout_and_settings_of_layers() -> None:
    one, same_build, laid, other = (
        build_of(standing([Alone(make, 0)])[0])
        for make in (convolutions, convolutions, channels_last, lambda: nn.Sequential(*convolutions(), nn.ReLU()))
    )
    assert one == same_build
    assert len({one, laid, other}) == 3
