"""A deep net with and without batch normalisation."""

from __future__ import annotations

import pytest

from glassnet.experiments import batch_norm_against_none as experiment
from glassnet.experiments.images import Images, load_images


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images(None)


def test_from_a_poor_start_only_the_normalised_net_learns(images: Images) -> None:
    for rate in (0.01, 0.1, 1.0):
        assert experiment.accuracy(images, "normal001", False, rate, seed=7) < 0.15
    assert experiment.accuracy(images, "normal001", True, 0.01, seed=7, epochs=4) > 0.6


def test_at_a_high_rate_only_the_normalised_net_learns(images: Images) -> None:
    assert experiment.accuracy(images, "he", False, 1.0, seed=8) < 0.2
    assert experiment.accuracy(images, "he", True, 1.0, seed=8) > 0.85


def test_the_signal_dies_out_without_and_keeps_its_size_with(images: Images) -> None:
    dead = experiment.spreads(images, "normal001", False, seed=7)
    alive = experiment.spreads(images, "normal001", True, seed=7)
    assert len(dead) == len(alive) == experiment.DEPTH
    # each layer multiplies by about 0.01·√(64/2) = 0.057
    assert dead[-1] / dead[0] == pytest.approx(0.0566**9, rel=0.9)
    # the ReLU of a standard Gaussian has the spread √(1/2 − 1/2π) = 0.584
    assert alive == pytest.approx([0.584] * experiment.DEPTH, rel=0.1)


def test_the_sentence_says_what_the_numbers_say(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = (0.03, 0.3, 1.0)
    trials = {
        rule: {
            name: {rate: [experiment.accuracy(images, rule, norm, rate, 9, 3)] for rate in rates}
            for name, norm in experiment.NETS.items()
        }
        for rule in experiment.RULES
    }
    monkeypatch.setattr(experiment, "RATES", rates)
    outcome = experiment.judge(images, trials, [9], 3)
    told = {row.what: row for row in outcome.rows}
    assert told["He's weights: rates of 3 that work, without and with"].agrees
    assert told["0.01·randn without: best accuracy"].agrees
    assert told["0.01·randn, without: std at layer 1 and 10"].agrees
    assert "stays at chance" in outcome.conclusion
    assert experiment.draw(outcome).figure.axes
    # and the opposite, were the nets exchanged
    swapped = {rule: {"without": each["with"], "with": each["without"]} for rule, each in trials.items()}
    assert not experiment.judge(images, swapped, [9], 3).agrees
