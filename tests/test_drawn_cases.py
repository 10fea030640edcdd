"""Cases that are drawn by rule: the same each time, on data that no threshold was set on, planted in healthy hosts, counted by what was lost."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarks.diagnosis import running
from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.drawn import DRAWS, RATES, between, chosen, counted, drawn, hosts, pick, sound
from benchmarks.diagnosis.drawn_faults import PLANTINGS, case_of, planted
from benchmarks.diagnosis.further_sets import FURTHER
from benchmarks.diagnosis.later_sets import LATER
from benchmarks.diagnosis.making import prepare
from benchmarks.diagnosis.plantings import Planting
from benchmarks.diagnosis.recording import CASES
from benchmarks.diagnosis.running import Run
from benchmarks.diagnosis.sets import load
from benchmarks.diagnosis.unseen_sets import UNSEEN

from glassnet.diagnose import BY_ID
from glassnet.events import Epoch, Event, Step, Traced, to_json

WITHOUT_FILES = (
    {"digits", "spirals", "diabetes", "tumours", "rings", "friedman", "chaos"}
    | (set(LATER) - {"insects", "sentences", "fonts"})
    | (set(FURTHER) - {"hours", "alcohol", "speakers", "vehicles", "glyphs", "cited", "origins"})
)
EVERYWHERE = [host for draw in DRAWS for host in drawn(draw)]


def test_what_is_measured_on_shares_no_data_with_what_thresholds_were_set_on() -> None:
    known = {case.setup.data for case in CASES} | set(DRAWS["practised"]) | set(DRAWS["again"])
    assert not set(DRAWS["unseen"]) & known
    assert not set(DRAWS["later"]) & (known | set(DRAWS["unseen"]))
    assert not set(DRAWS["further"]) & (known | set(DRAWS["unseen"]) | set(DRAWS["later"]))
    assert set(DRAWS["unseen"]) == set(UNSEEN)
    assert set(DRAWS["later"]) == set(LATER)
    assert set(DRAWS["further"]) == set(FURTHER)
    assert {host.setup.net for host in drawn("unseen")} - {case.setup.net for case in CASES}, "no kind of net is new"


def test_the_two_halves_are_of_all_data_and_have_no_training_in_common() -> None:
    first, second = drawn("first-half"), drawn("second-half")
    known = {data for draw in ("practised", "unseen", "later", "further") for data in DRAWS[draw]}
    assert {host.setup.data for host in first} == {host.setup.data for host in second} == known
    assert not {host.setup.seed for host in first} >= {host.setup.seed for host in second}
    assert len({host.name for host in (*first, *second)}) == len(first) + len(second) == 326


def test_a_draw_is_the_same_each_time_and_no_two_hosts_have_a_name() -> None:
    assert drawn("unseen") == drawn("unseen")
    assert len({host.name for host in EVERYWHERE}) == len(EVERYWHERE)
    assert len({json.dumps(asdict(host.setup), sort_keys=True) for host in EVERYWHERE}) == len(EVERYWHERE)


def test_hosts_are_as_different_as_people_are() -> None:
    setups = [host.setup for host in drawn("unseen")]
    assert {"sgd", "adam", "adamw", "rmsprop", "adagrad"} == {setup.optimizer for setup in setups}
    assert {"constant", "cosine", "one-cycle", "step"} == {setup.schedule for setup in setups}
    assert len({setup.options.get("activation") for setup in setups}) >= 4
    assert {True, False} <= {bool(setup.options.get("batch_norm")) for setup in setups}


def test_numbers_are_drawn_from_their_whole_range_and_all_ratios_alike() -> None:
    found = sorted(between(10, 1000, "seed", number) for number in range(2000))
    assert found[0] >= 10
    assert found[-1] <= 1000
    assert found[1000] == pytest.approx(100, rel=0.15)  # the middle of the logarithms
    assert {pick("abc", "word", number) for number in range(50)} == set("abc")


# --- faults ----------------------------------------------------------------------------------------------------------


def test_every_rule_can_be_planted_and_every_right_id_is_a_rule() -> None:
    by_schedule = {"lr-rises", "lr-decays-early"}  # planted as what comes of them, divergence and a plateau
    assert {planting.fault for planting in PLANTINGS} | by_schedule == set(BY_ID)
    for planting in PLANTINGS:
        assert set(planting.also) <= set(BY_ID) - {planting.fault}
        assert bool(planting.also) == bool(planting.because)
    assert len({(planting.fault, planting.variant) for planting in PLANTINGS}) == len(PLANTINGS)


@pytest.mark.parametrize("planting", PLANTINGS, ids=lambda planting: f"{planting.fault}-{planting.variant}")
def test_a_way_to_plant_a_fault_changes_a_host_of_each_draw_that_can_be_trained(planting: Planting) -> None:
    for draw in ("practised", "unseen", "later", "further", "first-half", "second-half"):
        fit = [host for host in drawn(draw) if planting.fits(host.setup)]
        assert fit, draw
        case = case_of(planting, fit[0])
        assert case.accepted[0] == planting.fault
        assert case.setup != fit[0].setup
        assert "{" not in case.how
        cheap = next((host for host in fit if host.setup.data in WITHOUT_FILES), None)
        if cheap is not None:
            prepare(case_of(planting, cheap).setup)


def test_advice_that_undoes_a_rate_is_right_and_only_that() -> None:
    right = {
        planting.variant: {planting.fault, *planting.also} for planting in PLANTINGS if planting.fault == "lr-too-high"
    }
    assert right == {"high": {"lr-too-high"}, "higher": {"lr-too-high", "lr-much-too-high"}}
    for planting in PLANTINGS:
        assert "underfitting" not in planting.also
        assert "dead-units" not in planting.also


# --- hosts -----------------------------------------------------------------------------------------------------------


def made(losses: list[float]) -> Run:
    events = [
        Epoch(n, 10 * n + 10, 0.1, 1.0, 0.0, 0.0, {"loss": 1.0}, {"loss": loss}, False) for n, loss in enumerate(losses)
    ]
    return Run(events=list(events))


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ((0.9, 0.50, 0.48, 0.52, 0.9), 1),  # the second, third and fourth end within a tenth of 0.48: the middle one
        ((0.9, 0.50, 0.48, 0.9, 0.9), 0),  # of two the lower one
        ((0.9, 0.9, 0.9, 0.9, math.nan), 1),
    ],
)
def test_a_host_has_the_middle_one_of_the_good_rates(
    monkeypatch: pytest.MonkeyPatch, last: tuple[float, ...], expected: int
) -> None:
    host = next(host for host in EVERYWHERE if host.setup.optimizer == "sgd" and not host.setup.optimizer_options)
    rates = RATES["sgd"]
    monkeypatch.setattr(running, "run", lambda setup, watch: made([1.0] * 9 + [last[rates.index(setup.lr)]]))
    good = [rate for rate, loss in zip(rates, last, strict=True) if loss <= 1.1 * min(x for x in last if x == x)]
    assert chosen(host)["lr"] == good[expected]


def test_a_host_whose_validation_loss_rises_ends_where_it_was_lowest(monkeypatch: pytest.MonkeyPatch) -> None:
    rising = [1.0, 0.9, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.6, 0.7]
    monkeypatch.setattr(running, "run", lambda setup, watch: made(rising))
    assert chosen(EVERYWHERE[0])["epochs"] == 8
    monkeypatch.setattr(running, "run", lambda setup, watch: made([0.5, *rising]))
    assert chosen(EVERYWHERE[0])["epochs"] == 6  # never fewer
    monkeypatch.setattr(running, "run", lambda setup, watch: Run(crashed="it broke off"))
    assert chosen(EVERYWHERE[0])["epochs"] == EVERYWHERE[0].setup.epochs


def lie(
    folder: Path,
    case: Case,
    accuracy: float,
    loss: float = 0.5,
    rise: float = 1.0,
    broke: bool = False,
    losses: Sequence[float] = (),
) -> None:
    """A recording as it would lie in a folder."""
    place = folder / "practised" / case.name
    place.mkdir(parents=True)
    last: dict[str, Any] = {"val": {"loss": 0.5 * rise}, "lowest_val_loss": 0.5}
    figures = {"loss": loss, "accuracy": accuracy, "balanced": accuracy}
    told = case.record() | {"crashed": "", "test": figures, "last": last}
    (place / "case.json").write_text(json.dumps(told))
    traced = Traced(3, "not-finite", "loss", "", [], [], None, {})
    told_of: list[Event] = [Step(0, number, 0.1, 32 * number, loss) for number, loss in enumerate(losses, start=1)]
    told_of += [traced] * broke
    (place / "events.jsonl").write_text("".join(to_json(event) + "\n" for event in told_of))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four recorded hosts on one set of data, one more on a set with a small test part."""
    mnist = [host for host in drawn("practised") if host.setup.data == "mnist"][:4]
    for host, accuracy, rise in zip(mnist, (0.9, 0.81, 0.79, 0.95), (1.0, 1.05, 1.0, 1.06), strict=True):
        lie(tmp_path, host, accuracy, rise=rise)
    small = next(host for host in drawn("practised") if host.setup.data == "diabetes")
    lie(tmp_path, small, 0.9)
    rates = {host.name: {"lr": 0.03, "epochs": 7} for host in [*mnist, small]}
    (tmp_path / "practised-rates.json").write_text(json.dumps(rates))
    return tmp_path


def test_a_healthy_host_is_not_far_behind_the_best_and_its_validation_loss_has_not_risen(folder: Path) -> None:
    mnist = [host.name for host in drawn("practised") if host.setup.data == "mnist"][:4]
    assert set(mnist) & set(sound(folder, "practised")) == set(mnist[:2])
    assert {(host.setup.lr, host.setup.epochs) for host in hosts(folder, "practised")} == {(0.03, 7)}


@pytest.mark.parametrize(
    ("losses", "healthy"), [([1.0] * 6 + [3.1] * 3, False), ([1.0] * 6 + [3.1] * 2 + [1.0] * 3, True)]
)
def test_a_host_whose_loss_outgrew_three_times_its_first_value_is_not_healthy(
    folder: Path, losses: list[float], healthy: bool
) -> None:
    host = next(host for host in drawn("practised") if host.setup.data == "digits")
    lie(folder, host, 0.9, losses=losses)
    assert (host.name in sound(folder, "practised")) == healthy


def test_faults_are_planted_in_healthy_hosts_alone_and_each_host_once_for_a_kind(folder: Path) -> None:
    found = planted(folder, "practised")
    assert {case.like for case in found} <= set(sound(folder, "practised"))
    assert len({(case.fault, case.like) for case in found}) == len(found)
    assert found == planted(folder, "practised")


def test_a_fault_counts_where_it_did_harm_and_twice_as_much_where_the_test_part_is_small(folder: Path) -> None:
    by_name = {host.name: host for host in hosts(folder, "practised")}
    large, small = sorted(sound(folder, "practised"), key=lambda name: "diabetes" in name)[1:]
    planting = next(planting for planting in PLANTINGS if planting.fault == "lr-too-low")
    broken = {name: case_of(planting, by_name[name]) for name in (large, small)}
    whole = json.loads((folder / "practised" / large / "case.json").read_text())["test"]["balanced"]
    lie(folder, broken[large], whole - 0.021)
    lie(folder, broken[small], 0.9 - 0.021)
    assert {one.case["name"] for one in counted(folder, "practised") if one.case["fault"]} == {broken[large].name}


def test_a_trouble_that_is_named_after_what_one_sees_must_have_been_seen(folder: Path) -> None:
    by_name = {host.name: host for host in hosts(folder, "practised")}
    host = by_name[next(iter(sound(folder, "practised")))]
    plantings = {planting.fault: planting for planting in PLANTINGS}
    nan, heart = (case_of(plantings[fault], host) for fault in ("loss-not-finite", "overfitting"))
    lie(folder, nan, 0.2, loss=9.0)
    lie(folder, heart, 0.2, loss=9.0)
    assert not [one for one in counted(folder, "practised") if one.case["fault"]]
    for case in (nan, heart):
        (folder / "practised" / case.name).rename(folder / f"old-{case.name}")
    lie(folder, nan, 0.2, loss=9.0, broke=True)
    lie(folder, heart, 0.2, loss=9.0, rise=1.2)
    assert {one.case["fault"] for one in counted(folder, "practised") if one.case["fault"]} == {nan.fault, heart.fault}


# --- data ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(WITHOUT_FILES & (set(UNSEEN) | set(LATER) | set(FURTHER))))
def test_data_to_measure_on_have_parts_without_a_common_input(name: str) -> None:
    samples, validation, _ = (DRAWS["unseen"] | DRAWS["later"] | DRAWS["further"])[name]
    sets = load(name, samples, validation)
    rows = [{row.numpy().tobytes() for row in part[0]} for part in (sets.train, sets.val, sets.test)]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert len(sets.train[1]) == samples


def test_rings_lie_one_in_the_other() -> None:
    points, labels, classes = UNSEEN["rings"]()
    radius = points.norm(dim=1)
    assert classes == 4
    assert [float(radius[labels == c].mean()) for c in range(4)] == pytest.approx([1, 2, 3, 4], abs=0.05)


def test_the_function_of_friedman_with_noise_of_one() -> None:
    x, y, _ = UNSEEN["friedman"]()
    x, y = x.double(), y.double()
    wanted = 10 * torch.sin(torch.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    rest = y[:, 0] - wanted
    assert float(rest.mean()) == pytest.approx(0, abs=0.05)
    assert float(rest.std()) == pytest.approx(1, abs=0.05)


def test_the_chaotic_series_follows_its_equation() -> None:
    windows, following, _ = UNSEEN["chaos"]()
    series = torch.cat([windows[:, 0, 0], windows[-1, 1:, 0], following[-1]]).double()
    assert torch.equal(windows[1:, -1, 0], following[:-1, 0])  # what follows one window ends the next
    # Values of this series with delay 17 lie between 0.2 and 1.4 and come back after about 50 time units (Mackey and Glass 1977, figure 2).
    smooth = series - series.mean()
    echo = torch.stack([(smooth[lag:] * smooth[: len(smooth) - lag]).mean() for lag in range(40)]) / smooth.var()
    assert float(series.min()) > 0.05
    assert float(series.max()) < 1.6
    assert int(echo[8:18].argmax()) + 8 in range(11, 15)  # four time units each


def test_the_two_marked_numbers_are_added_one_from_each_half() -> None:
    inputs, sums, _ = LATER["added"]()
    numbers, marks = inputs.unbind(2)
    assert marks[:, :15].sum(1).eq(1).all()
    assert marks[:, 15:].sum(1).eq(1).all()
    first, second = (numbers[0, marks[0].bool()]).tolist()
    assert float(sums[0]) == pytest.approx(first + second)


def test_words_of_brackets_close_in_order_but_for_those_that_are_spoilt() -> None:
    inputs, spoilt, _ = LATER["brackets"]()
    words = ["".join("()[] "[number] for number in row).strip() for row in inputs.argmax(2).tolist()]
    for word, wrong in zip(words, spoilt.tolist(), strict=True):
        rest = word
        while (shorter := rest.replace("()", "").replace("[]", "")) != rest:
            rest = shorter
        assert bool(rest) == bool(wrong), word
    assert 0.4 < float(spoilt.double().mean()) < 0.6


def test_the_best_possible_reader_of_waveforms_errs_in_one_case_of_seven() -> None:
    inputs, labels, _ = LATER["waveforms"]()
    # 14 % is the error of Bayes' rule (Breiman and others 1984, section 2.6.2): here with the mixing share integrated over a grid.
    time = torch.arange(1.0, 22.0)
    a, b, c = ((6 - (time - middle).abs()).clamp_min(0) for middle in (11, 7, 15))
    share = torch.linspace(0, 1, 51)[:, None]
    likely = [
        torch.logsumexp(-torch.cdist(inputs, share * one + (1 - share) * two).square() / 2, 1)
        for one, two in ((a, b), (a, c), (b, c))
    ]
    wrong = torch.stack(likely, 1).argmax(1) != labels
    assert float(wrong.double().mean()) == pytest.approx(0.14, abs=0.02)


def test_balls_can_be_told_apart_by_the_quadratic_rule_alone() -> None:
    inputs, labels, _ = LATER["balls"]()
    wide, narrow = inputs.square().sum(1) / 8, (inputs - 2 / 20**0.5).square().sum(1) / 2 - 20 * math.log(2)
    assert float(((wide < narrow).long() == 1 - labels).double().mean()) > 0.97


def test_a_word_has_its_symbol_as_often_as_its_class_says_and_another_begins_with_it() -> None:
    words, often, _ = FURTHER["counted"]()
    assert torch.equal(words[:, :, 0].sum(1).long(), often)
    begun, first, _ = FURTHER["recalled"]()
    assert torch.equal(begun[:, 0].argmax(1), first)


def test_a_picture_has_as_many_dots_as_its_class_says() -> None:
    images, labels, classes = FURTHER["dots"]()
    # Each dot lights nine pixels by one, so the mean over many pictures grows by nine a class.
    light = [float(images[labels == c].double().sum((1, 2, 3)).mean()) for c in range(classes)]
    assert light == pytest.approx([9 * (c + 1) for c in range(classes)], abs=1.0)


def test_a_point_lies_in_the_sphere_that_holds_half_of_the_ten_normal_numbers() -> None:
    points, outside, _ = FURTHER["sphere"]()
    assert torch.equal(outside.bool(), points.norm(dim=1) > 9.34**0.5)
    assert float(outside.double().mean()) == pytest.approx(0.5, abs=0.02)


def test_walks_keep_of_a_step_what_their_class_says() -> None:
    series, labels, _ = FURTHER["walks"]()
    values = series[:, :, 0].double()
    for label, kept in enumerate((0.2, 0.7, 1.0)):
        before, after = values[labels == label, :-1], values[labels == label, 1:]
        assert float((before * after).sum() / before.square().sum()) == pytest.approx(kept, abs=0.02)
