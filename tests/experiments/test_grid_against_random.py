"""Grid and random search: what they cover, and what they find where the rate alone matters."""

from __future__ import annotations

import pytest
import torch

from glassnet.experiments import grid_against_random as experiment
from glassnet.experiments.grid_against_random import (
    SEARCHES,
    Table,
    best_so_far,
    chance_of_grid,
    explained,
    good_rates,
    judge,
    search,
    train_table,
)
from glassnet.experiments.images import load_images


def made(width: float) -> Table:
    """A table by formula: accuracy 0.9 where the rate lies within a window around 10^-0.5, else 0.1, and a penalty without effect."""
    rates = torch.linspace(-8, 7, 1501)
    inside = ((rates - experiment.SOMEWHERE).abs() <= width / 2).float()
    val = (0.1 + 0.8 * inside)[:, None].expand(-1, 6).contiguous()
    return Table(rates, torch.linspace(-7.7, -4.3, 6), val, val)


@pytest.mark.parametrize(("width", "decades"), [(1.0, 8), (1.0, 4), (0.5, 8)])
def test_what_is_found_follows_from_how_wide_the_good_rates_lie(width: float, decades: int) -> None:
    table = made(width)
    found = search(table, 3, decades, 6_000, seed=0)
    hits = {name: float((best_so_far(table, found[name])[:, -1] > 0.5).float().mean()) for name in SEARCHES}
    ends = (experiment.SOMEWHERE - width / 2, experiment.SOMEWHERE + width / 2)
    assert hits["grid"] == pytest.approx(chance_of_grid(ends, 3, decades), abs=0.02)
    assert hits["random"] == pytest.approx(1 - (1 - width / decades) ** 9, abs=0.02)
    assert hits["random"] > hits["grid"]
    assert good_rates(table).sum() == pytest.approx(100 * width, abs=2)


def test_the_chance_of_the_grid_by_hand() -> None:
    # over 8 decades the middle of the range lies anywhere in 7, and each of 3 cells meets a window of 1 decade once
    assert chance_of_grid((-1.0, 0.0), 3, 8) == pytest.approx(3 / 7)
    # over 4 decades (3 for the middle) the outer cells' intervals are cut: 1.5 − 0.8333 on both sides
    assert chance_of_grid((-1.0, 0.0), 3, 4) == pytest.approx((1 + 2 * (1.5 - (4 / 3 - 0.5))) / 3)


def test_a_grid_tries_three_rates_and_three_penalties_and_random_search_nine() -> None:
    table = made(1.0)
    found = search(table, 3, 8, 50, seed=3)
    for places in found["grid"]:
        assert len(set(places[:, 0].tolist())) == len(set(places[:, 1].tolist())) == 3
        assert len({tuple(place) for place in places.tolist()}) == 9
    assert sum(len(set(places[:, 0].tolist())) for places in found["random"]) > 8.5 * 50
    spans = found["random"][..., 0].amax(1) - found["random"][..., 0].amin(1)
    assert (spans <= 800).all()  # eight decades of hundred places each


def test_shares_of_variance_by_hand() -> None:
    val = torch.tensor([[0.0, 0.2], [1.0, 1.2]])
    table = Table(torch.zeros(2), torch.zeros(2), val, val)
    assert explained(table) == pytest.approx((0.25 / 0.26, 0.01 / 0.26))


def test_on_real_trainings_the_rate_matters_and_random_search_is_ahead_over_a_wide_range() -> None:
    images = load_images(None)
    table = train_table(images, 46, 2, experiment.EPOCHS, seed=4)
    outcome = judge(images, table, seed=4, searches=500)
    by_rate, by_penalty = explained(table)
    assert by_rate > 0.85
    assert by_penalty < 0.05
    assert outcome.series["gains"]["8"][1] > 0.05
    assert abs(outcome.series["gains"]["4"][2]) < 0.05
    assert "over 8 decades random search is better" in outcome.conclusion
    assert experiment.draw(outcome).figure.axes
