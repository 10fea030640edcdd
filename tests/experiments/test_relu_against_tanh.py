"""ReLU and tanh in the same net: what is measured, and that the sentence follows the numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from glassnet.errors import DataError
from glassnet.experiments import relu_against_tanh as experiment
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.outcome import Setting


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images(None)


def test_epochs_to_a_goal_by_hand() -> None:
    curve = [0.9, 0.4, 0.25, 0.3, 0.1, 0.02]
    assert experiment.epochs_to(curve, 0.25) == 3 / experiment.LOOKS
    assert experiment.epochs_to(curve, 0.02) == 6 / experiment.LOOKS
    assert math.isinf(experiment.epochs_to(curve, 0.01))
    assert experiment.ratio(6.0, 2.0) == 3
    assert experiment.ratio(math.inf, 2.0) == math.inf
    assert experiment.ratio(2.0, math.inf) == 0
    assert math.isnan(experiment.ratio(math.inf, math.inf))


def test_the_best_rate_is_that_with_the_fewest_epochs_on_average() -> None:
    fast, slow, sometimes = [[0.1] * 4], [[0.9, 0.9, 0.1]], [[0.1], [0.9]]
    assert experiment.best_rate({1.0: slow, 2.0: fast, 3.0: sometimes}, 0.25) == 2.0


@pytest.mark.parametrize(("quick", "words"), [("relu", "ReLU is sooner"), ("tanh", "tanh is not slower")])
def test_the_sentence_says_who_was_sooner(images: Images, quick: str, words: str) -> None:
    curves = {True: [[0.5, 0.2, 0.02]], False: [[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.1, 0.02]]}
    outcome = experiment.judge(images, {kind: {0.1: curves[kind == quick]} for kind in experiment.RULES})
    assert words in outcome.conclusion
    assert outcome.agrees == (quick == "relu")
    assert experiment.draw(outcome).figure.axes


def test_on_the_digits_tanh_is_not_slower(images: Images) -> None:
    """The finding of this experiment, which is not that of the paper on other data."""
    needed = {
        kind: min(experiment.epochs_to(experiment.errors(images, kind, rate, 4, 6), 0.05) for rate in rates)
        for kind, rates in (("relu", (0.1, 0.2)), ("tanh", (0.4,)))
    }
    assert needed["tanh"] <= needed["relu"] < 6


def test_tables_are_told_to_be_no_images(tmp_path: Path) -> None:
    rows = ["a,b,kind", *(f"{i % 7},{i % 5},{'even' if i % 2 else 'odd'}" for i in range(120))]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    with pytest.raises(DataError, match="takes images"):
        experiment.run(Setting(data=str(tmp_path / "table.csv")))
