"""Which way of running a network is chosen, with the times that its ways take told in place of measured; and how they are measured."""

from __future__ import annotations

import copy
import time
from itertools import cycle
from pathlib import Path
from statistics import median

import pytest
import torch
from small_images import example, small
from torch import nn

from glassnet.training import choosing
from glassnet.training.choosing import choose_execution
from glassnet.training.known_ways import KnownWays, fingerprint_of_way
from glassnet.training.losses import cross_entropy


class Nobody:
    """No other program is at work, whatever this machine does beside the tests."""

    def there(self, threads: float) -> bool:
        return False


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "Crowd", Nobody)


def test_the_second_run_measures_nothing_but_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = KnownWays(tmp_path / "ways.json")
    monkeypatch.setattr(choosing, "UNSURE", 1.0)  # whatever the machine is busy with: sure
    first = choose_execution(small(), example(), cross_entropy, device="cpu", threads=1, known=ways)
    monkeypatch.setattr(choosing._Measurer, "in_turns", lambda *_: pytest.fail("measured again"))
    second = choose_execution(small(), example(), cross_entropy, device="cpu", threads=1, known=ways)
    assert (second.precision, second.channels_last) == (first.precision, first.channels_last)
    assert second.reason.endswith("(measured by an earlier run)")


def with_times(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> None:
    """Let the ways take these times: by precision, or ``first`` and ``last`` by layout, or ``products``, or ``alone`` for one thread."""
    monkeypatch.setattr(choosing, "_has_fast_bfloat16", lambda _: True)

    def in_turns(_: object, ways: tuple[choosing.Way, choosing.Way], **__: object) -> tuple[float, ...]:
        if ways[0].precision != ways[1].precision:
            return tuple(seconds[way.precision] for way in ways)
        if ways[0].channels_last != ways[1].channels_last:
            return tuple(seconds.get("last" if way.channels_last else "first", 1.0) for way in ways)
        if ways[0].weight_gradients != ways[1].weight_gradients:
            return tuple(seconds.get(way.weight_gradients, 1.0) for way in ways)
        return tuple(seconds.get("alone", 2.0) if way.threads == 1 else 1.0 for way in ways)

    monkeypatch.setattr(choosing._Measurer, "in_turns", in_turns)


@pytest.mark.parametrize(("gain", "precision"), [(2.0, "bfloat16"), (1.1, "float32"), (0.5, "float32")])
def test_bfloat16_is_taken_where_it_pays(gain: float, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_times(monkeypatch, float32=gain, bfloat16=1.0)
    assert choose_execution(small(), example(), cross_entropy, device="cpu", threads=1).precision == precision


@pytest.mark.parametrize(("last", "kept"), [(0.9, True), (1.1, False)])
def test_channels_first_is_taken_where_it_is_faster_in_float32(
    last: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_times(monkeypatch, float32=1.0, bfloat16=1.0, last=last, first=1.0)
    assert choose_execution(small(), example(), cross_entropy, device="cpu", threads=1).channels_last is kept


class Rough(nn.Module):
    """A layer that in less precision answers something else."""

    def __init__(self, amiss: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.linear = nn.Linear(144, 3)
        self.amiss, self.calls = amiss, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        maps = self.conv(x)
        if maps.dtype == torch.bfloat16:
            if self.amiss == "unknown":
                raise NotImplementedError("no bfloat16 here")
            if self.amiss == "gradient":
                return -self.linear(maps.flatten(1))
            if self.calls > 3:  # the gradient at the start is right; later ones lead elsewhere
                return self.linear(maps.flatten(1)) * 50
        return self.linear(maps.flatten(1))


@pytest.mark.parametrize(("amiss", "told"), [("gradient", "cosine -"), ("trial", "apart"), ("unknown", "knows no")])
def test_less_precision_is_refused_where_it_changes_the_training(
    amiss: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    if amiss != "unknown":
        with_times(monkeypatch, float32=3.0, bfloat16=1.0)
    else:
        monkeypatch.setattr(choosing, "_has_fast_bfloat16", lambda _: True)
    chosen = choose_execution(Rough(amiss), example(), cross_entropy, device="cpu", threads=1)
    assert chosen.precision == "float32"
    assert told in chosen.reason


def test_one_thread_where_all_are_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    with_times(monkeypatch, float32=1.0, bfloat16=1.0, alone=0.9)
    assert choose_execution(small(), example(), cross_entropy, device="cpu").threads == 1
    with_times(monkeypatch, float32=1.0, bfloat16=1.0, alone=1.5)
    assert choose_execution(small(), example(), cross_entropy, device="cpu").threads == 4


@pytest.mark.parametrize(
    ("crowded", "alone", "most"), [(False, 0.9, None), (True, 0.9, 4), (False, 1.5, 4), (True, 1.5, 4)]
)
def test_threads_stay_only_where_one_is_as_good_on_a_quiet_machine(
    crowded: bool, alone: float, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    monkeypatch.setattr(Nobody, "there", lambda _, threads: crowded)
    with_times(monkeypatch, float32=1.0, bfloat16=1.0, alone=alone)
    chosen = choose_execution(small(), example(), cross_entropy, device="cpu")
    assert chosen.most_threads == most
    assert ("all take 1.11 times as long as one alone" in chosen.reason) == (alone < 1)
    assert ("tried again" in chosen.reason) == (crowded and alone < 1)
    assert choose_execution(small(), example(), cross_entropy, device="cpu", threads=1).most_threads is None


@pytest.mark.parametrize(
    ("answers", "threads", "asked"),
    [
        ([1.3, 0.7], 4, 2),
        ([1.3, 1.3, 0.7], 4, 3),
        ([1.3, 1.3, 1.3], 1, 3),
        ([1.05], 1, 1),
        ([3.0], 1, 1),
        ([0.9], 4, 1),
    ],
)
def test_one_thread_is_not_chosen_for_a_bad_moment(
    answers: list[float], threads: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, pauses = iter(answers), list[float]()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    monkeypatch.setattr(choosing.time, "sleep", pauses.append)
    monkeypatch.setattr(choosing._Measurer, "in_turns", lambda *_, **__: (next(left), 1.0))
    chosen = choose_execution(small(), example(), cross_entropy, device="cpu", precision="float32", layout="channels-last", weight_gradients="library")  # fmt: skip
    assert (chosen.threads, len(pauses) + 1, list(left)) == (threads, asked, [])


def pointwise() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3))


@pytest.mark.parametrize(("products", "taken"), [(0.9, "products"), (0.99, "library"), (1.1, "library")])
def test_weight_gradients_are_products_where_the_whole_step_gains_by_it(
    products: float, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_times(monkeypatch, float32=2.0, bfloat16=1.0, products=products, library=1.0)
    chosen = choose_execution(pointwise(), example(), cross_entropy, device="cpu", threads=1)
    assert (chosen.precision, chosen.weight_gradients) == ("bfloat16", taken)
    assert ("as products" in chosen.reason) is (taken == "products")


def test_a_close_call_is_asked_anew_between_precisions_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = KnownWays(tmp_path / "ways.json")

    def chosen() -> str:
        return choose_execution(pointwise(), example(), cross_entropy, device="cpu", threads=1, known=ways).reason

    with_times(monkeypatch, float32=choosing.LEAST_GAIN * 1.01, bfloat16=1.0, products=0.5)
    assert "earlier run" not in chosen() + chosen()
    with_times(monkeypatch, float32=20.0, bfloat16=1.0, products=0.979, library=1.0)
    assert "as products" in chosen()
    assert chosen().endswith("(measured by an earlier run)")


@pytest.mark.parametrize(
    ("gains", "precision"),
    [((1.1, 1.2, 1.2), "bfloat16"), ((1.2, 1.1, 1.12), "float32"), ((1.1, 3.0, 1.2), "bfloat16")],
)
def test_the_median_of_three_close_calls_decides_for_good(
    gains: tuple[float, ...], precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = KnownWays(tmp_path / "ways.json")

    def chosen() -> choosing.Execution:
        return choose_execution(small(), example(), cross_entropy, device="cpu", threads=1, known=ways)

    for gain in gains:
        with_times(monkeypatch, float32=gain, bfloat16=1.0)
        assert "earlier run" not in chosen().reason
    with_times(monkeypatch, float32=100.0 if precision == "float32" else 0.01, bfloat16=1.0)
    settled = chosen()
    assert settled.precision == precision
    assert settled.reason.endswith("(measured by an earlier run)")


class Clock:
    """Goes on by what is slept alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(choosing.time, "perf_counter", lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Slow(nn.Module):
    """A convolution that takes as long for every sample as one says, and keeps how many came at once."""

    def __init__(self, layer: nn.Module, clock: Clock, seconds: float) -> None:
        super().__init__()
        self.layer, self.clock, self.seconds, self.sizes = layer, clock, seconds, list[int]()

    def __deepcopy__(self, memo: dict[int, object]) -> Slow:
        copied = Slow(copy.deepcopy(self.layer), self.clock, self.seconds)
        copied.sizes = self.sizes
        return copied

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(x))
        self.clock.sleep(self.seconds * len(x))
        return self.layer(x).flatten(1)


@pytest.mark.parametrize(("seconds", "size"), [(0.2, choosing.FEWEST), (0.003, 33), (0.001, 64)])
def test_as_many_images_as_take_a_tenth_of_a_second_are_measured_with(
    seconds: float, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "_has_fast_bfloat16", lambda _: True)
    net, ways = Slow(nn.Conv2d(1, 3, 8), Clock(monkeypatch), seconds), KnownWays(tmp_path / "ways.json")
    choose_execution(net, example(64), cross_entropy, device="cpu", threads=1, known=ways)
    assert net.sizes[:2] == [64, 64]
    assert set(net.sizes[2:]) == {size}
    whole = fingerprint_of_way(net, example(64), cross_entropy, torch.device("cpu"), ("auto", "auto", "auto"))
    assert ways.find(whole), "kept for the batch that training takes, not for the part that was measured with"


@pytest.mark.parametrize(
    ("seconds", "steps", "measured"), [(0.2, 9, False), (0.2, 10, True), (0.2, None, True), (0.0005, 1, True)]
)
def test_a_short_training_of_long_steps_begins_unmeasured(
    seconds: float, steps: int | None, measured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of 64 are measured by 16 of them: ten steps are as much as forty passes."""
    monkeypatch.setattr(choosing, "_has_fast_bfloat16", lambda _: True)
    net, ways = Slow(nn.Conv2d(1, 3, 8), Clock(monkeypatch), seconds), KnownWays(tmp_path / "ways.json")
    chosen = choose_execution(net, example(64), cross_entropy, device="cpu", threads=1, known=ways, steps=steps)
    assert (len(net.sizes) > 2) == measured
    assert ways.path.exists() == measured
    assert ("9 steps is over before" in chosen.reason) == (not measured)


def test_of_other_things_than_images_the_whole_batch_is_measured_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_has_fast_bfloat16", lambda _: True)
    net = Slow(nn.Conv1d(1, 3, 64), Clock(monkeypatch), 0.2)
    inputs, targets = example(64)
    choose_execution(net, (inputs.flatten(2), targets), cross_entropy, device="cpu", threads=1)
    assert set(net.sizes) == {64}


@pytest.mark.parametrize(
    ("one", "other", "passes"),
    [
        ([0.019, 0.018], [0.016, 0.0179], 1 + choosing.CLEAR),  # every one slower than all others
        ([0.019, 0.018], [0.016, 0.0181], 1 + choosing.MOST_ROUNDS),  # not every one
        ([0.3, 0.2], [0.11, 0.19], 1 + choosing.ROUNDS),  # long ones: three are enough
        ([0.021, 0.022], [0.016, 0.0165], 1 + choosing.SOON),  # every one much slower
        ([0.021, 0.022], [0.016, 0.017], 1 + choosing.CLEAR),  # not quite as much
    ],
)
def test_passes_are_made_in_turns_until_it_is_clear_which_way_is_faster(
    one: list[float], other: list[float], passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, made = Clock(monkeypatch), list[str]()
    ways = choosing.Way("float32", True, 1), choosing.Way("bfloat16", True, 1)
    seconds = {way: cycle(times) for way, times in zip(ways, (one, other), strict=True)}

    def prepared(_: object, way: choosing.Way, **__: object) -> tuple[object, nn.Module]:
        return lambda: (made.append(way.precision), clock.sleep(next(seconds[way]))), nn.Module()

    monkeypatch.setattr(choosing._Measurer, "_prepared", prepared)
    measurer = choosing._Measurer(small(), example(), cross_entropy, torch.device("cpu"), images=True)
    found = measurer.in_turns(ways)
    assert made == ["float32", "bfloat16"] * passes
    taken = [[times[number % 2] for number in range(1, passes)] for times in (one, other)]  # the first is not counted
    assert found == pytest.approx([median(times) for times in taken])


def test_short_passes_are_made_several_in_a_turn_and_the_first_of_each_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What comes after the other way's pass is slower: its threads sleep, its caches are the other's. Of a network of 0.6 ms all of it looked slower."""
    clock, made = Clock(monkeypatch), list[int]()
    ways = choosing.Way("float32", True, 2), choosing.Way("float32", True, 1)

    def prepared(_: object, way: choosing.Way, **__: object) -> tuple[object, nn.Module]:
        def once() -> None:
            threads = torch.get_num_threads()
            first = not made or made[-1] != threads
            made.append(threads)
            clock.sleep(0.001 if threads == 1 else 0.005 if first else 0.0008)

        return once, nn.Module()

    monkeypatch.setattr(torch, "set_num_threads", lambda number: told.update(threads=number))
    told = {"threads": 1}
    monkeypatch.setattr(torch, "get_num_threads", lambda: told["threads"])
    monkeypatch.setattr(choosing._Measurer, "_prepared", prepared)
    measurer = choosing._Measurer(small(), example(), cross_entropy, torch.device("cpu"), images=True)
    assert measurer.in_turns(ways, update=True) == pytest.approx((0.0008, 0.001))


def test_where_others_are_at_work_ways_are_compared_on_one_thread_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = list[object]()

    def timed(_: object, ways: tuple[choosing.Way, choosing.Way], update: bool, clock: object) -> tuple[float, float]:
        clocks.append(clock)
        if ways[0].threads == 2:
            return (1.0, 1.9) if ways[0].threads == ways[1].threads else (1.0, 2.0)
        return 1.7, 1.0

    monkeypatch.setattr(choosing, "_has_fast_bfloat16", lambda _: True)
    monkeypatch.setattr(choosing._Measurer, "_timed", timed)
    monkeypatch.setattr(Nobody, "there", lambda _, threads: threads > 1)
    ways = KnownWays(tmp_path / "ways.json")
    chosen = choose_execution(
        small(), example(), cross_entropy, device="cpu", threads=2, weight_gradients="library", known=ways
    )
    assert chosen.precision == "bfloat16"
    assert "other programs are at work" in chosen.reason
    assert clocks == [time.perf_counter, time.process_time]
    assert not ways.path.exists()


@pytest.mark.parametrize(("rounded", "apart"), [(1.02, 0.02), (1.5, 0.5)])
def test_where_long_steps_do_not_agree_shorter_ones_decide(
    rounded: float, apart: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GoogLeNet's losses after long ones were 71 % apart, and it trained in float32 where the loop by hand took bfloat16."""
    asked = list[float]()

    def trial(_: object, way: choosing.Way, stride: float) -> tuple[float, float]:
        asked.append(stride)
        long = stride == choosing.TRIAL_STRIDE
        return 2.0, {"float32": 0.1 if long else 1.0, "bfloat16": 1.5 if long else rounded}[way.precision]

    with_times(monkeypatch, float32=2.0, bfloat16=1.0)
    monkeypatch.setattr(choosing._Measurer, "trial", trial)
    chosen = choose_execution(small(), example(), cross_entropy, device="cpu", threads=1)
    assert f"{apart:.1%} apart" in chosen.reason
    assert chosen.precision == ("bfloat16" if apart < choosing.TRIAL_TOLERANCE else "float32")
    assert asked == [choosing.TRIAL_STRIDE] * 2 + [choosing.TRIAL_STRIDE / choosing.SHORTER] * 2
