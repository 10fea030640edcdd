"""Activations, zig-zag, backpropagation, convolution, filters and counts: the conclusions hold, against figures of the lecture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glassnet.errors import DataError
from glassnet.experiments import (
    activation_curves,
    backprop_by_hand,
    bottleneck_operations,
    convolution_by_hand,
    image_filters,
    receptive_field,
    sparse_connectivity,
    zig_zag,
)
from glassnet.experiments.outcome import Outcome, Setting


def figures(outcome: Outcome) -> dict[str, object]:
    return {row.what: row.ours for row in outcome.rows}


def test_activations_agree_with_their_formulas_and_saturate_as_said() -> None:
    outcome = activation_curves.run(Setting())
    assert outcome.agrees
    assert (
        "sigmoid and tanh pass back less than a thousandth of a gradient on both sides, relu and elu on the left only"
        in outcome.conclusion
    )
    assert figures(outcome)["sigmoid: steepest slope"] == pytest.approx(0.25)
    value, slope = activation_curves.curve("sigmoid", torch.tensor([-10.0, 0.0, 10.0], dtype=torch.float64))
    assert value.tolist() == pytest.approx(
        [4.5398e-5, 0.5, 0.9999546], rel=1e-4
    )  # from a table of the logistic function
    assert slope.tolist() == pytest.approx([4.5396e-5, 0.25, 4.5396e-5], rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_positive_inputs_make_descent_zig_zag(seed: int) -> None:
    outcome = zig_zag.run(Setting(seed=seed))
    positive, centred = outcome.series["positive"], outcome.series["centred"]
    assert positive["one_sign"] == 1.0
    assert 0.4 < centred["one_sign"] < 0.6
    assert positive["steps"] > 1.5 * centred["steps"]
    steps = np.diff(np.asarray(positive["path"]), axis=0)
    assert (steps[:, 0] * steps[:, 1] >= 0).all(), "no step moves one weight up and the other down"
    assert outcome.agrees


def test_backpropagation_by_four_ways() -> None:
    outcome = backprop_by_hand.run(Setting())
    assert outcome.agrees
    assert len(outcome.series["layers"]) == 4
    assert "give the same gradients" in outcome.conclusion
    # by a pocket calculator: h1 = σ(−1.5), h2 = σ(0.25 + 1.5·h1), ∇w20 = 2(h2 − 1)·h2(1 − h2)
    formulas = backprop_by_hand.by_formula(backprop_by_hand.WEIGHTS)
    assert formulas["w20"] == pytest.approx(-0.17380, abs=2e-5)
    assert formulas["w21"] == pytest.approx(-0.17380 * 0.182426, abs=2e-5)
    assert formulas["w11"] == pytest.approx(2 * formulas["w10"])


def test_the_worked_convolution() -> None:
    outcome = convolution_by_hand.run(Setting())
    assert outcome.agrees
    assert len(outcome.rows) == 16
    assert "most strongly (8) at row 2, column 4" in outcome.conclusion
    image, kernel = np.array(convolution_by_hand.IMAGE), np.array(convolution_by_hand.KERNEL)
    assert (
        convolution_by_hand.in_words(image, kernel, 0, 0)
        == "(−1·2 −1·3 −1·4) + (+2·1 +2·3 +2·3) + (−1·0 −1·1 −1·2) = 2"
    )


@pytest.mark.slow
def test_the_window_slides_over_all_sixteen_places() -> None:
    made = Image.open(io.BytesIO(convolution_by_hand.animate(convolution_by_hand.run(Setting()))))
    assert getattr(made, "n_frames", 1) == 16


def test_filters_on_the_photograph_and_on_one_of_ones_own(tmp_path: Path) -> None:
    outcome = image_filters.run(Setting())
    assert outcome.agrees
    assert set(outcome.series["filtered"]) == set(image_filters.SUMS)
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::8] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    own = image_filters.run(Setting(data=str(tmp_path / "stripes.png")))
    assert own.data == "stripes.png"
    assert float(own.series["filtered"]["edge-horizontal"].abs().max()) == pytest.approx(0, abs=1e-5)
    assert float(own.series["filtered"]["edge-vertical"].abs().max()) == pytest.approx(3, abs=1e-5)
    (tmp_path / "no.png").write_text("words")
    with pytest.raises(DataError, match="no image"):
        image_filters.run(Setting(data=str(tmp_path / "no.png")))
    with pytest.raises(DataError, match="no such file"):
        image_filters.run(Setting(data=str(tmp_path / "absent.png")))


def test_two_weights_do_the_work_of_n_to_the_fourth() -> None:
    outcome = sparse_connectivity.run(Setting())
    assert outcome.agrees
    assert sparse_connectivity.count(32) == {
        "side": 32,
        "dense_weights": 1_048_576,
        "conv_weights": 2,
        "dense_operations": 2 * 1_048_576 - 1024,
        "conv_operations": 3072,
    }
    edges = np.asarray(outcome.series["edges"])
    assert (edges != 0).sum() == 16  # both upright sides of a square of 8
    assert (edges[:, 4] == 1).sum() == (edges[:, 12] == -1).sum() == 8


def test_the_bottleneck_saves_what_the_lecture_says() -> None:
    outcome = bottleneck_operations.run(Setting())
    assert outcome.agrees
    assert outcome.series["once"] == 14 * 14 * 48 * 480 * 25
    assert figures(outcome)["both together"] == pytest.approx((196 * 16 * 480 + 196 * 48 * 16 * 25) / 1e6)
    assert "21 times fewer" in outcome.conclusion
    assert "all up to 256 channels" in outcome.conclusion  # 480·w + 25·48·w < 25·48·480 where w < 342


def test_receptive_fields_by_table_and_by_gradient() -> None:
    outcome = receptive_field.run(Setting())
    assert outcome.agrees
    assert outcome.series["fields"]["3×3 stack"] == [2 * depth + 1 for depth in range(1, 14)]
    assert outcome.series["fields"]["lenet5"][:2] == [5, 14]
    assert outcome.series["fields"]["alexnet"] == [11, 51, 99, 131, 163]
