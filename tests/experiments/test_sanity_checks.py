"""The four checks of the lecture in small: the digits in place of CIFAR-10, and fewer epochs."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from glassnet.experiments import sanity_checks as experiment
from glassnet.experiments.sanity_checks import Pixels


@pytest.fixture(scope="module")
def digits() -> Pixels:
    return experiment.load(None)


def test_not_knowing_costs_ln_of_the_classes_and_a_penalty_its_own_size(digits: Pixels) -> None:
    found = experiment.initial_losses(digits, seed=0)
    assert found[0] == pytest.approx(math.log(10), abs=1e-3)
    assert found == sorted(found)
    assert found[-1] - found[0] == pytest.approx(0.5e3 * 1e-8 * (64 * 50 + 50 * 10), rel=0.05)  # ½λ·E[Σw²]


def test_twenty_examples_are_learned_by_heart(digits: Pixels) -> None:
    costs, figures = experiment.learn_tiny(digits, seed=0)
    assert len(costs) == 200
    assert figures[-1] == 1.0
    assert costs[-1] < 0.25 < costs[0]


def test_rates_too_low_and_too_high(digits: Pixels) -> None:
    low = experiment.learn(digits, 1e-6, 1, seed=0)
    far = experiment.learn(digits, 1e6, 1, seed=0)
    assert low["cost"][0] == pytest.approx(low["cost"][-1], abs=1e-3)
    assert not math.isfinite(far["cost"][-1])


def test_the_textbook_cost_is_infinite_where_a_probability_rounds_to_zero() -> None:
    logits = torch.tensor([[0.0, 800.0]])
    assert experiment.textbook_cost(logits, torch.tensor([0])) == math.inf
    assert experiment.textbook_cost(logits, torch.tensor([1])) == 0.0
    even = experiment.textbook_cost(torch.zeros(3, 10), torch.tensor([0, 1, 2]))
    assert even == pytest.approx(math.log(10))


def test_pixels_are_centred_and_not_scaled(digits: Pixels) -> None:
    assert float(digits.inputs.mean(0).abs().max()) < 1e-3
    assert float(digits.inputs.std()) > 50
    assert len(digits.val_targets) == 359


def test_the_reference_data_are_recognised(shared_data: Path) -> None:
    small = shared_data / "small-photos"
    if not small.is_dir():
        pytest.skip("no photographs")
    assert experiment.load(str(shared_data / "mnist")).name != "CIFAR-10"
