"""Initialisation, vanishing gradients, the race, and what nets of given capacity can do: the conclusions hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from glassnet.experiments import (
    decision_boundaries,
    depth_against_width,
    init_statistics,
    optimisers_race,
    sine_overfitting,
    universal_approximation,
    vanishing_gradients,
)
from glassnet.experiments.optimisers_race import SURFACES, descend, turns
from glassnet.experiments.outcome import Setting


def test_the_whole_table_of_initial_spreads_is_met() -> None:
    outcome = init_statistics.run(Setting())
    assert [row.what for row in outcome.rows if row.agrees is not True] == []
    for _, _, title, reference, within in init_statistics.CASES:
        ours = outcome.series[title]["std"][: len(reference)]
        assert ours == pytest.approx(list(reference), rel=within)
    assert "tanh dies out" in outcome.conclusion
    assert "1.0·randn saturates" in outcome.conclusion


@pytest.mark.parametrize("seed", [1, 2])
def test_tanh_dies_xavier_shrinks_under_relu_and_he_does_not(seed: int) -> None:
    def stds(rule: str, squash: str) -> list[float]:
        found: list[float] = init_statistics.statistics(rule, squash, seed, inputs=200, units=200, layers=8)["std"]
        return found

    small, xavier, he = stds("normal001", "tanh"), stds("xavier", "relu"), stds("he", "relu")
    assert small[-1] < 1e-3 * small[0]
    assert xavier[-1] / xavier[0] == pytest.approx(2**-3.5, rel=0.5)  # a factor of 1/√2 at each of 7 layers
    assert 0.5 < he[-1] / he[0] < 2
    assert stds("normal1", "tanh")[-1] > 0.95


def test_gradients_vanish_through_sigmoids_and_not_through_relu() -> None:
    def norms(squash: str, rule: str, factor: float) -> list[float]:
        found = vanishing_gradients.through_depth(squash, rule, factor, seeds=(0, 1), depth=10, units=128)
        assert all(product <= 0.25**depth for depth, product in enumerate(found["slope_products"], 1)) == (
            squash == "sigmoid"
        )
        norms: list[float] = found["norms"]
        return norms

    sigmoid, relu, large = norms("sigmoid", "xavier", 1), norms("relu", "he", 1), norms("relu", "he", 1.5)
    assert sigmoid[0] / sigmoid[-1] < 0.25**9
    assert relu[0] / relu[-1] == pytest.approx(1, rel=0.4)
    assert large[0] / large[-1] == pytest.approx(1.5**9, rel=0.4)


def test_in_the_ravine_sgd_zig_zags_and_momentum_does_not() -> None:
    ravine, steep = SURFACES["ravine"], optimisers_race.STEEP
    sgd, momentum = descend(ravine, "SGD", 0.038, 0, 100), descend(ravine, "momentum", 0.01, 0, 100)
    assert turns(sgd["path"]) == 1.0
    assert turns(momentum["path"]) < 0.4
    assert momentum["arrived"] < sgd["arrived"] < 100
    # plain descent by the closed form: x ← (1 − lr)·x, y ← (1 − 50·lr)·y
    assert sgd["path"][40] == pytest.approx((-2.5 * (1 - 0.038) ** 40, 0.6 * (1 - 0.038 * steep) ** 40), rel=1e-9)


def test_too_high_a_rate_explodes_and_one_below_the_limit_does_not() -> None:
    limit = 2 / optimisers_race.STEEP
    start, *_, above = descend(SURFACES["ravine"], "SGD", 1.05 * limit, 0, 60)["values"]
    *_, below = descend(SURFACES["ravine"], "SGD", 0.95 * limit, 0, 60)["values"]
    assert above > 1000 * start
    assert below < 0.01 * start


def test_momentum_rolls_out_of_the_small_minimum_in_which_sgd_stays() -> None:
    surface = SURFACES["local minima"]
    stuck, free = descend(surface, "SGD", 0.3, 0, 150), descend(surface, "momentum", 0.3, 0, 150)
    assert stuck["arrived"] is None
    assert stuck["values"][-1] == pytest.approx(stuck["values"][-20])  # at rest, and not at the lowest point
    assert free["arrived"] < 60


def test_adagrad_leaves_the_saddle_before_sgd_does() -> None:
    surface = SURFACES["saddle"]
    assert descend(surface, "AdaGrad", 0.3, 0, 60)["arrived"] < descend(surface, "SGD", 0.3, 0, 60)["arrived"]


def test_noise_keeps_sgd_from_settling_at_a_high_rate() -> None:
    def rest(lr: float) -> float:
        values: list[float] = descend(SURFACES["noisy gradient"], "SGD", lr, 0, 600)["values"]
        return float(np.mean(values[400:]))

    assert rest(0.1) > 3 * rest(0.01)


@pytest.mark.parametrize("units", [4, 16, 50])
def test_one_layer_by_hand_keeps_the_bound(units: int) -> None:
    x = torch.linspace(0, 1, 500)[:, None]
    net = universal_approximation.by_hand(units).requires_grad_(requires_grad=False)
    error = float((net(x) - universal_approximation.curve(x)).abs().max())
    assert error <= universal_approximation.BEND / (8 * units**2) + 1e-5
    knots = torch.linspace(0, 1, units + 1)[:, None]
    assert torch.allclose(net(knots), universal_approximation.curve(knots), atol=1e-4)


def test_more_units_learn_the_curve_that_one_cannot() -> None:
    x = torch.linspace(0, 1, 201)[:, None]

    def error(units: int) -> float:
        return float(
            (universal_approximation.learned(units, x, 0, 500) - universal_approximation.curve(x))
            .square()
            .mean()
            .sqrt()
        )

    assert error(1) > 0.3
    assert error(16) < 0.1


def test_layers_double_the_pieces_and_units_add_one() -> None:
    assert [depth_against_width.pieces(depth_against_width.deep(depth)) for depth in (1, 3, 6)] == [2, 8, 64]
    x = torch.tensor([[0.0], [0.125], [0.25], [0.3]])
    assert torch.allclose(
        depth_against_width.deep(2)(x)[:, 0], torch.tensor([0.0, 0.5, 1.0, 0.8]), atol=1e-5
    )  # by hand
    wide = torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.ReLU(), torch.nn.Linear(10, 1))
    assert depth_against_width.pieces(wide) <= 11


def test_a_shallow_net_of_the_same_size_misses_the_saw() -> None:
    x = (torch.arange(512) + 0.5)[:, None] / 512
    saw = depth_against_width.deep(5)(x).detach()
    assert float((depth_against_width.shallow(10, x, saw, 0, 200) - saw).abs().mean()) > 1 / 64


def test_hidden_units_bend_the_border() -> None:
    def right(cloud: str, hidden: tuple[int, ...]) -> float:
        share: float = decision_boundaries.separate(cloud, hidden, seed=0, epochs=150)["accuracy"]
        return share

    assert right("ring", ()) < 0.75
    assert right("ring", (3,)) > 0.95
    assert right("quarters", ()) < 0.75
    assert right("quarters", (32, 32)) > 0.95


def test_degree_nine_learns_the_noise_and_penalty_or_more_points_mend_it() -> None:
    draws = [sine_overfitting.sample(10, seed) for seed in range(40)]
    third, ninth = (sine_overfitting.median_errors(draws, degree) for degree in (3, 9))
    penalised = sine_overfitting.median_errors(draws, 9, math.exp(-18))
    many = sine_overfitting.median_errors([sine_overfitting.sample(100, seed) for seed in range(40)], 9)
    assert ninth["own"] < 1e-6
    assert ninth["new"] > 1.5 * third["new"]
    assert third["new"] == pytest.approx(0.3, abs=0.1)
    assert penalised["new"] < 0.75 * ninth["new"]
    assert many["new"] == pytest.approx(0.3, abs=0.05)


def test_least_squares_is_that_of_numpy() -> None:
    x, t = sine_overfitting.sample(10, 5)
    ours = sine_overfitting.polynomial(x, t, 3)(x)
    assert ours == pytest.approx(np.polynomial.Polynomial.fit(x, t, 3)(x), abs=1e-9)
