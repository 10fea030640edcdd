"""Intervals against published figures, an exact count of their coverage, and the standard library."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.errors import DataError, UsageError
from glassnet.evaluate import spread, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_equals_newcombes_examples(successes: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 3000), st.data())
def test_bounds_solve_the_score_equation(n: int, data: st.DataObject) -> None:
    """Each bound b lies where (p − b)² = z²·b(1 − b)/n, and the interval holds p."""
    successes = data.draw(st.integers(0, n))
    share, z = successes / n, 1.959963984540054
    low, high = wilson(successes, n)
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):
        assert (share - bound) ** 2 == pytest.approx(z * z * bound * (1 - bound) / n, abs=1e-12)


def test_covers_the_truth_about_as_often_as_it_says() -> None:
    """The exact chance, summed over the binomial distribution, that the interval of 100 trials holds the true share."""
    for truth in (0.1, 0.5, 0.93):
        cover = 0.0
        for successes in range(101):
            low, high = wilson(successes, 100)
            if low <= truth <= high:
                cover += math.comb(100, successes) * truth**successes * (1 - truth) ** (100 - successes)
        assert 0.93 < cover < 0.975


def test_wider_for_more_confidence() -> None:
    narrow, wide = wilson(30, 40, 0.8), wilson(30, 40, 0.99)
    assert wide.low < narrow.low < 0.75 < narrow.high < wide.high


def test_spread_over_seeds() -> None:
    figures = [0.9841, 0.9852, 0.9863]
    over = spread(figures)
    assert over.mean == pytest.approx(statistics.fmean(figures))
    assert over.std == pytest.approx(0.0011)
    assert over.error == pytest.approx(0.0011 / math.sqrt(3))
    assert over.percent() == "98.52 ± 0.11 %"
    assert over.plain(4) == "0.9852 ± 0.0011"


def test_spread_of_one_has_no_deviation() -> None:
    assert spread([0.5]).percent(1) == "50.0 %"
    assert math.isnan(spread([0.5]).std)


def test_refuses_what_makes_no_sense() -> None:
    with pytest.raises(DataError, match="at least 1"):
        wilson(0, 0)
    with pytest.raises(UsageError, match="5 of 4"):
        wilson(5, 4)
    with pytest.raises(UsageError, match="confidence"):
        wilson(1, 4, 95)
    with pytest.raises(DataError, match="no figures"):
        spread([])
