"""Paired comparisons, against scipy's own tests and by counting."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.evaluate import regression_report
from glassnet.evaluate.paired import mcnemar, mean_interval, r2_interval


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (5, 5), (9, 3), (0, 12), (40, 61), (3000, 2800)])
def test_mcnemars_p_is_scipys_binomial_test(gained: int, lost: int) -> None:
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    first = np.array([True] * gained + [False] * lost + [True, False] * 10)
    second = np.array([False] * gained + [True] * lost + [True, False] * 10)
    found = mcnemar(first, second)
    assert (found.gained, found.lost) == (gained, lost)
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution_for_many_samples() -> None:
    differences = np.random.default_rng(0).choice([-1.0, 0.0, 0.0, 0.0, 1.0, 1.0], 4000)
    low, high = mean_interval(differences)
    half = 1.96 * differences.std() / np.sqrt(4000)
    assert (low, high) == pytest.approx((differences.mean() - half, differences.mean() + half), abs=0.1 * half)


def test_the_interval_of_a_gain_in_r2_holds_the_gain_and_shrinks_with_the_samples() -> None:
    import torch

    generator = np.random.default_rng(1)
    widths = []
    for n in (200, 5000):
        targets = generator.normal(size=(n, 2)) * [1.0, 50.0] + [0.0, 300.0]
        good, bad = (targets + generator.normal(size=(n, 2)) * [s, 50 * s] for s in (0.3, 0.5))
        names = ["a", "b"]
        figures = [regression_report(torch.tensor(said), torch.tensor(targets), names).r2 for said in (good, bad)]
        low, high = r2_interval(targets, (good - targets) ** 2, (bad - targets) ** 2)
        assert low < figures[0] - figures[1] < high
        assert low > 0, "the better answer is surely better"
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 5, rel=0.5)
