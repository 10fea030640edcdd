"""From coarse to fine: narrowing by hand, and the warning at the edge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glassnet.searching import Choice, Only, Range, Trial, edges, narrow
from glassnet.searching.stages import ranked

LR = Range("optimizer.lr", 1e-6, 1e-3, log=True)


def trial(number: int, value: float, end: str = "done", **settings: object) -> Trial:
    return Trial(1, number, {key.replace("__", "."): each for key, each in settings.items()}, end, value, 5, 1.0)


def test_the_lectures_edge_is_told() -> None:
    """lr 9.47e-4 in a range that ends at 1e-3 (requirement H2)."""
    (edge,) = edges((LR,), [trial(0, 0.5, optimizer__lr=9.47e-4), trial(1, 0.4, optimizer__lr=1e-5)])
    assert edge.high
    assert (
        str(edge)
        == "the best optimizer.lr is 0.000947, at the upper end of 1e-6..0.001 log: better ones may lie above 0.001"
    )
    assert edges((LR,), [trial(0, 0.4, optimizer__lr=9.47e-4), trial(1, 0.5, optimizer__lr=1e-5)]) == []


def test_nothing_lies_below_zero() -> None:
    dropout = Range("regularise.dropout", 0.0, 0.7)
    assert edges((dropout,), [trial(0, 0.5, regularise__dropout=0.001)]) == []
    assert len(edges((dropout,), [trial(0, 0.5, regularise__dropout=0.69)])) == 1


def test_a_range_becomes_where_the_best_quarter_lies_with_room() -> None:
    # decades 10^-6 ... 10^-3; the best three of twelve at 10^-4.8, 10^-4.5, 10^-4.2: places 0.4, 0.5, 0.6, room 0.1
    good = [
        trial(number, 0.9 + number / 100, optimizer__lr=10**power) for number, power in enumerate((-4.8, -4.5, -4.2))
    ]
    bad = [trial(3 + number, 0.1, optimizer__lr=10 ** (-6 + number / 3)) for number in range(9)]
    (found,) = narrow((LR,), [*good, *bad])
    assert found.after == Range(
        "optimizer.lr", pytest.approx(10**-5.1, rel=0.05), pytest.approx(10**-3.9, rel=0.05), log=True
    )
    assert "the best 3 of 12 trials lie from" in found.why


def test_few_trials_close_together_cut_no_range_below_a_fifth() -> None:
    trials = [trial(number, 1.0, optimizer__lr=1e-4) for number in range(3)]
    (found,) = narrow((LR,), trials)
    assert isinstance(found.after, Range)
    assert found.after.high / found.after.low == pytest.approx(10 ** (3 * 0.2), rel=0.1)


def test_widening_goes_a_third_beyond_the_edge() -> None:
    trials = [
        trial(number, value, optimizer__lr=lr)
        for number, (value, lr) in enumerate(((0.9, 9.9e-4), (0.8, 5e-4), (0.7, 3e-4)))
    ]
    (plain,) = narrow((LR,), trials)
    (wide,) = narrow((LR,), trials, widen=True)
    assert plain.after.high == 1e-3  # type: ignore[union-attr]
    assert wide.after.high == pytest.approx(1e-2)  # type: ignore[union-attr]
    assert "widened above" in wide.why


def test_choices_that_no_good_trial_has_are_left_out() -> None:
    net = Choice("net.activation", ("relu", "tanh", "sigmoid"))
    trials = [
        trial(number, 1 - number / 10, net__activation=name)
        for number, name in enumerate(("relu", "tanh", "relu", *["sigmoid"] * 9))
    ]
    (found,) = narrow((net,), trials)
    assert found.after == Choice("net.activation", ("relu", "tanh"))
    assert found.why.endswith("has sigmoid")


def test_too_few_trials_narrow_nothing_and_what_ended_early_is_not_the_best() -> None:
    trials = [
        trial(0, 0.9, "pruned", optimizer__lr=1e-3),
        trial(1, 0.5, optimizer__lr=1e-5),
        trial(2, float("nan"), "exploded", optimizer__lr=1e-4),
    ]
    assert [each.number for each in ranked(trials)] == [1]
    (found,) = narrow((LR,), trials)
    assert found.after == LR
    assert "too few" in found.why


def test_what_belongs_to_one_value_is_narrowed_by_those_that_have_it_and_goes_with_it() -> None:
    names = Choice("o", ("adam", "sgd"))
    momentum = Range("m", 0.0, 1.0, only=Only("o", ("sgd",)))
    adam = [trial(n, 0.1 + n / 100, o="adam") for n in range(8)]
    sgd = [trial(8 + n, 0.9 - n / 100, o="sgd", m=0.8 + n / 50) for n in range(8)]
    kept, shorter = narrow((names, momentum), [*adam, *sgd])
    assert kept.after == replace(names, values=("sgd",))
    assert isinstance(shorter.after, Range)
    assert 0.6 < shorter.after.low < 0.8
    assert shorter.after.only == momentum.only
    worse = [replace(each, value=0.0) for each in sgd]
    kept, gone = narrow((names, momentum), [*adam, *worse])
    assert kept.after == replace(names, values=("adam",))
    assert gone.after is None
    assert "sgd" in gone.why
    assert edges((names, momentum), [*adam, *worse]) == []
