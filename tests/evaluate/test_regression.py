"""Figures of predicted values against scikit-learn, theory, and cases worked by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from sklearn import metrics

from glassnet.errors import DataError, ModelError
from glassnet.evaluate import RegressionFigures, regression_report
from glassnet.evaluate.interval import quantile_interval, resampled_sums


def values(n: int, k: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randn(n, k, generator=generator, dtype=torch.float64) * 5 + 1000
    return targets + torch.randn(n, k, generator=generator, dtype=torch.float64), targets


@pytest.mark.parametrize("k", [1, 3])
def test_agrees_with_scikit_learn(k: int) -> None:
    said, true = values(300, k)
    figures = regression_report(said, true, [f"y{i}" for i in range(k)])
    raw = {"multioutput": "raw_values"}
    assert [each.mse for each in figures.per_output] == pytest.approx(metrics.mean_squared_error(true, said, **raw))
    assert [each.mae for each in figures.per_output] == pytest.approx(metrics.mean_absolute_error(true, said, **raw))
    assert [each.rmse for each in figures.per_output] == pytest.approx(
        metrics.root_mean_squared_error(true, said, **raw)
    )
    assert [each.r2 for each in figures.per_output] == pytest.approx(metrics.r2_score(true, said, **raw))
    assert figures.r2 == pytest.approx(metrics.r2_score(true, said))
    assert figures.mae == pytest.approx(metrics.mean_absolute_error(true, said))
    assert figures.mse == pytest.approx(metrics.mean_squared_error(true, said))
    assert figures.rmse == pytest.approx(metrics.root_mean_squared_error(true, said))


def test_a_case_worked_by_hand() -> None:
    """Residuals 1, −1, 0, 2 around truths 0, 2, 4, 6 of mean 3 and squared spread 20."""
    figures = regression_report(torch.tensor([1.0, 1, 4, 8]), torch.tensor([0.0, 2, 4, 6]), ["y"])
    assert figures.mse == 1.5
    assert figures.rmse == pytest.approx(math.sqrt(1.5))
    assert figures.mae == 1.0
    assert figures.r2 == pytest.approx(1 - 6 / 20)
    assert [(each.index, each.true, each.predicted) for each in figures.worst] == [(3, 6, 8), (0, 0, 1), (1, 2, 1)]
    assert figures.points == (((0, 1), (2, 1), (4, 4), (6, 8)),)


@pytest.mark.parametrize("said", [2.0, 3.0])
def test_constant_truth_follows_scikit_learn(said: float) -> None:
    predicted, true = torch.full((4,), said), torch.full((4,), 2.0)
    assert regression_report(predicted, true, ["y"]).r2 == metrics.r2_score(true.numpy(), predicted.numpy())


def test_bootstrap_interval_equals_a_naive_one_on_the_same_resamples() -> None:
    said, true = values(80, 1)
    figures = regression_report(said, true, ["y"], seed=5)
    rng = np.random.default_rng(5)
    r2, mae = [], []
    for _ in range(1000):
        rows = rng.integers(0, 80, 80)
        r2.append(metrics.r2_score(true[rows], said[rows]))
        mae.append(metrics.mean_absolute_error(true[rows], said[rows]))
    assert figures.r2_interval == pytest.approx(np.quantile(r2, [0.025, 0.975]), abs=1e-9)
    assert figures.mae_interval == pytest.approx(np.quantile(mae, [0.025, 0.975]), abs=1e-9)


def test_interval_of_the_mean_error_is_as_wide_as_theory_says() -> None:
    """For |r| of normal residuals the standard error is √((1 − 2/π)/n); the interval is 2·1.96 of them wide."""
    n = 4000
    generator = torch.Generator().manual_seed(1)
    residual = torch.randn(n, generator=generator, dtype=torch.float64)
    true = torch.randn(n, generator=generator, dtype=torch.float64)
    low, high = regression_report(true + residual, true, ["y"]).mae_interval
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt((1 - 2 / math.pi) / n), rel=0.1)
    assert low < math.sqrt(2 / math.pi) < high


def test_grouping_many_samples_keeps_mean_and_spread() -> None:
    rng = np.random.default_rng(0)
    terms = np.stack([np.ones(35_000), rng.exponential(size=35_000)], 1)
    sums = resampled_sums(terms, seed=1)
    means = sums[:, 1] / sums[:, 0]
    assert sums[:, 0].mean() == pytest.approx(35_000, rel=1e-3)
    assert means.mean() == pytest.approx(terms[:, 1].mean(), rel=2e-3)
    assert means.std() == pytest.approx(terms[:, 1].std() / math.sqrt(35_000), rel=0.1)
    low, high = quantile_interval(means)
    assert low < terms[:, 1].mean() < high


def test_same_seed_same_figures_and_another_seed_another_interval() -> None:
    said, true = values(2000, 1)
    first = regression_report(said, true, ["y"], seed=1)
    assert regression_report(said, true, ["y"], seed=1) == first
    assert regression_report(said, true, ["y"], seed=2).r2_interval != first.r2_interval
    assert len(first.points[0]) == 1000


def test_json_round_trip() -> None:
    said, true = values(30, 2)
    figures = regression_report(said, true, ["a", "b"])
    assert RegressionFigures.from_json(json.loads(json.dumps(figures.to_json()))) == figures


@pytest.mark.parametrize(
    ("said", "true", "error", "word"),
    [
        (torch.zeros(0, 2), torch.zeros(0, 2), DataError, "nothing to judge"),
        (torch.zeros(3, 1), torch.zeros(3, 2), ModelError, r"\(3, 1\)"),
        (torch.zeros(3, 3), torch.zeros(3, 3), DataError, r"\(3, 3\)"),
        (torch.tensor([[math.nan, 0.0]]), torch.zeros(1, 2), ModelError, "1 of 2"),
        (torch.zeros(1, 2), torch.tensor([[math.inf, 0.0]]), DataError, "1 of 2"),
    ],
)
def test_refuses_what_does_not_fit(said: torch.Tensor, true: torch.Tensor, error: type, word: str) -> None:
    with pytest.raises(error, match=word):
        regression_report(said, true, ["a", "b"])
