"""Too low, good, too high and very high rates, by numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from glassnet.experiments import learning_rate_curves as experiment
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import learn, smooth
from glassnet.experiments.learning_rate_curves import classify, curves, draw, judge
from glassnet.zoo import build


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images(None)


@pytest.fixture(scope="module")
def trials(images: Images) -> dict[float, list[dict[str, Any]]]:
    return curves(images, (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 30.0), starts=(5, 6), epochs=5)


def test_a_rate_too_low_crawls_a_good_one_falls_and_a_very_high_one_explodes(
    images: Images, trials: dict[float, list[dict[str, Any]]]
) -> None:
    called = classify(trials)
    low, good, high, far = (called[name] for name in experiment.NAMES)
    assert low is not None
    assert good is not None
    assert high is not None
    assert far is not None
    assert low < 0.1 < good < 1 <= high < far
    ends = {rate: each[0]["means"][-1] for rate, each in trials.items()}
    assert ends[good] < 0.2 < 1.1 < ends[low] < math.log(10)
    assert ends[high] > 5 * ends[good]
    for one in trials[far]:
        # by hand from the losses themselves
        first = one["losses"][0]
        assert one["exploded"] == next(step for step, loss in enumerate(one["losses"], 1) if not loss <= 3 * first)
        assert max(one["losses"][: one["lost"]]) >= 1_000 * first or not math.isfinite(one["losses"][one["lost"] - 1])
    assert all(one["means"][-1] < one["means"][-2] for one in trials[low])
    outcome = judge(images, trials)
    assert outcome.agrees
    assert "× 3.33" in {row.ours for row in outcome.rows}  # 1 over 0.3
    assert draw(outcome).figure.axes


def test_the_sentence_says_so_where_no_rate_explodes(images: Images) -> None:
    outcome = judge(images, curves(images, (0.1, 0.3), starts=(0,), epochs=2))
    assert "none explodes" in outcome.conclusion
    assert "none of the rates was too low" in outcome.conclusion
    assert not outcome.agrees
    assert draw(outcome).figure.axes


def test_what_is_kept_of_a_training_and_its_smoothing(images: Images) -> None:
    net = build("mlp", images.shape, images.classes, {"hidden": "8"}, seed=0)
    course = learn(net, images.train, lr=1e9, epochs=1, batch_size=100, give_up=True)
    assert course.exploded == len(course.losses) == 2
    assert smooth([1.0, 3.0, math.nan, 5.0], 2)[:2] == [1.0, 2.0]
    assert math.isnan(smooth([1.0, 3.0, math.nan, 5.0], 2)[2])
    assert smooth([1.0, 3.0, math.nan, 5.0], 3)[3] == 4.0
