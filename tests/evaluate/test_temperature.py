"""Temperature scaling: recovers a known temperature, and changes no answer."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from glassnet.evaluate.temperature import FEWEST, fit_temperature


def drawn(samples: int, classes: int, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets that follow softmax(s), and logits temperature · s: too sure of themselves by that factor."""
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(samples, max(classes, 1), generator=generator) * 2
    if classes == 1:
        targets = torch.bernoulli(torch.sigmoid(true[:, 0]), generator=generator).long()
    else:
        targets = torch.multinomial(true.softmax(1), 1, generator=generator)[:, 0]
    return true * temperature, targets


@pytest.mark.parametrize("classes", [1, 2, 10])
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5, 6.0])
def test_a_known_temperature_is_recovered(classes: int, temperature: float) -> None:
    logits, targets = drawn(20_000, classes, temperature)
    assert fit_temperature(logits, targets) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("classes", [1, 5])
def test_it_is_the_minimum_of_the_stated_cost_by_a_plain_search(classes: int) -> None:
    logits, targets = drawn(200, classes, 3.0)

    def cost(t: float) -> float:
        scaled = logits.double() / t
        if classes == 1:
            nll = F.binary_cross_entropy_with_logits(scaled[:, 0], targets.double(), reduction="sum")
        else:
            nll = -scaled.log_softmax(1).gather(1, targets[:, None]).sum()
        return float(nll) + math.log(t) ** 2 / 2

    grid = [math.exp(math.log(0.1) + i / 5000 * math.log(100)) for i in range(5001)]
    assert fit_temperature(logits, targets) == pytest.approx(min(grid, key=cost), rel=1.1e-3)


def test_no_answer_changes_and_the_likelihood_does_not_fall() -> None:
    logits, targets = drawn(2000, 10, 4.0)
    scaled = logits / fit_temperature(logits, targets)
    assert torch.equal(scaled.argmax(1), logits.argmax(1))
    assert F.cross_entropy(scaled, targets) < F.cross_entropy(logits, targets)


def test_few_samples_are_left_as_they_are() -> None:
    logits, targets = drawn(FEWEST - 1, 3, 4.0)
    assert fit_temperature(logits, targets) == 1.0
    logits, targets = drawn(FEWEST, 3, 4.0)
    assert fit_temperature(logits, targets) != 1.0


def test_a_network_that_is_never_wrong_does_not_become_infinitely_sure() -> None:
    targets = torch.arange(100) % 5
    temperature = fit_temperature(F.one_hot(targets, 5) * 8.0, targets)
    assert 0.2 < temperature < 1


def test_half_precision_logits_are_measured_in_double() -> None:
    logits, targets = drawn(5000, 10, 2.0)
    rough = fit_temperature(logits.bfloat16(), targets)
    assert rough == pytest.approx(fit_temperature(logits.bfloat16().double(), targets), rel=1e-12)
