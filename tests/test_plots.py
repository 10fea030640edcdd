"""Plots: what they draw, what they say, and that names from data are only ever text."""

from __future__ import annotations

import io
import math
import re
from xml.etree import ElementTree as ET

import pytest
import torch
from PIL import Image

from glassnet.evaluate import ClassificationFigures, classification_report, regression_report
from glassnet.events import Epoch
from glassnet.plots import (
    Drawing,
    confusion_plot,
    figure_curve,
    loss_curve,
    lr_range_plot,
    png,
    prediction_plot,
    rate_curve,
    reliability_diagram,
    svg,
)
from glassnet.plots.style import literal, number

HOSTILE = '<img src=x onerror=alert(1)> & "\' $\\frac{1}{0}$ id="a"'


def epochs(
    val: list[float | None], train: list[float | None] | None = None, lr: list[float] | None = None
) -> list[Epoch]:
    train = train or [2.0 * 0.5**i for i in range(len(val))]
    return [
        Epoch(
            epoch=i,
            step=i,
            lr=lr[i] if lr else 0.1,
            running_loss=1.0,
            penalty=0.0,
            clipped=0.0,
            train={"loss": train[i], "accuracy": 0.5},  # type: ignore[dict-item]
            val={} if val[i] is None else {"loss": val[i], "accuracy": 1 - val[i]},  # type: ignore[dict-item,operator]
            best=False,
        )
        for i in range(len(val))
    ]


def classifier(k: int, names: list[str] | None = None, strength: float = 2.0) -> ClassificationFigures:
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, k, (300,), generator=generator)
    logits = torch.randn(300, k, generator=generator)
    logits[torch.arange(300), targets] += strength
    return classification_report(logits, targets, names or [f"class {i}" for i in range(k)])


def line(drawing: Drawing, name: str) -> tuple[list[float], list[float]]:
    axes = drawing.figure.axes[0]
    (found,) = [each for each in axes.lines if each.get_label() == name]
    return list(found.get_xdata()), list(found.get_ydata())


def test_loss_curve_draws_the_events() -> None:
    drawing = loss_curve(epochs([1.0, 0.5, 0.7]))
    assert line(drawing, "validation") == ([1, 2, 3], [1.0, 0.5, 0.7])
    assert line(drawing, "training") == ([1, 2, 3], [2.0, 1.0, 0.5])
    assert line(drawing, "lowest") == ([2], [0.5])


@pytest.mark.parametrize(
    ("val", "said"),
    [
        ([1.0, 0.5, 0.6, 0.7], "lowest, 0.5, after epoch 2 of 4 and has not improved for 2 epochs"),
        ([1.0, 0.5, 0.6], "has not improved for 1 epoch;"),
        ([1.0, 0.5, 0.4], "still falling"),
        ([None, None], "no validation part"),
    ],
)
def test_loss_caption_follows_the_data(val: list[float | None], said: str) -> None:
    assert said in loss_curve(epochs(val)).caption


def test_log_curve_says_how_fast_each_half_fell() -> None:
    drawing = loss_curve(epochs([1.0] * 5, [16.0, 8.0, 4.0, 4.0, 4.0]), "log")
    assert "factor of 4 in the first half of training and hardly moved in the second" in drawing.caption
    assert drawing.figure.axes[0].get_yscale() == "log"


def test_accuracy_curve_tells_the_gap() -> None:
    caption = figure_curve(epochs([0.5, 0.2, 0.3])).caption
    assert "highest, 80.00 %, after epoch 2 of 3" in caption
    assert "30.00 points lower" in caption


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([0.1, 0.1], "stayed at 0.1"),
        ([0.1, 0.5, 0.01], "rose to 0.5 at epoch 2 and fell to 0.01"),
        ([0.1, 0.01], "fell from 0.1"),
        ([0.01, 0.1], "rose from 0.01 to 0.1"),
    ],
)
def test_rate_caption(rates: list[float], said: str) -> None:
    assert said in rate_curve(epochs([1.0] * len(rates), lr=rates)).caption


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_missing_and_infinite_losses_are_gaps(scale: str) -> None:
    drawing = loss_curve(epochs([1.0, math.nan, math.inf, 0.5], [1.0, None, -1.0, 0.0]), scale)  # type: ignore[arg-type]
    assert svg(drawing, "x")
    assert "lowest, 0.5, after epoch 4" in loss_curve(epochs([1.0, math.nan, math.inf, 0.5])).caption
    assert "No finite loss" in loss_curve(epochs([None], [math.nan])).caption


def test_confusion_plot_writes_every_count() -> None:
    figures = classifier(4)
    texts = [each.get_text() for each in confusion_plot(figures).figure.axes[0].texts]
    assert sorted(texts) == sorted(str(count) for row in figures.confusion for count in row if count)


def test_confusion_caption_names_the_commonest_mistake() -> None:
    logits = torch.eye(3)[[0, 1, 2, 2, 2]]
    figures = classification_report(logits, torch.tensor([0, 1, 2, 0, 0]), ["cat", "dog", "eel"])
    assert "3 of 5 are right" in confusion_plot(figures).caption
    assert "cat taken for eel (2 times)" in confusion_plot(figures).caption
    perfect = classification_report(torch.eye(3), torch.arange(3), ["cat", "dog", "eel"])
    assert "no mistake" in confusion_plot(perfect).caption


@pytest.mark.parametrize("k", [2, 21, 60])
def test_confusion_plot_of_any_number_of_classes(k: int) -> None:
    assert len(svg(confusion_plot(classifier(k)), "c")) < 400_000


@pytest.mark.parametrize(
    ("probability", "right", "said"),
    [(0.99, 60, "too sure of itself"), (0.6, 95, "right more often than it says"), (0.9, 90, "at their word")],
)
def test_reliability_caption(probability: float, right: int, said: str) -> None:
    shares = torch.tensor([[probability, 1 - probability]], dtype=torch.float64).repeat(100, 1)
    targets = (torch.arange(100) >= right).long()
    figures = classification_report(shares, targets, ["a", "b"], given="probabilities")
    drawing = reliability_diagram(figures)
    assert said in drawing.caption
    dots = drawing.figure.axes[0].collections[0].get_offsets()
    assert dots.tolist() == [[pytest.approx(probability), pytest.approx(right / 100)]]


def test_prediction_plot_draws_every_point() -> None:
    figures = regression_report(torch.tensor([1.0, 2, 4]), torch.tensor([1.0, 2, 3]), ["price"])
    drawing = prediction_plot(figures)
    assert drawing.figure.axes[0].collections[0].get_offsets().tolist() == [[1, 1], [2, 2], [3, 4]]
    assert "price are off by 0.333" in drawing.caption
    poor = regression_report(torch.tensor([3.0, 2, 1]), torch.tensor([1.0, 2, 3]), ["price"])
    assert "no better than always saying the mean" in prediction_plot(poor).caption


def test_constant_values_can_be_drawn() -> None:
    assert svg(prediction_plot(regression_report(torch.ones(3), torch.ones(3), ["y"])), "p")


def test_range_plot() -> None:
    drawing = lr_range_plot([1e-4, 1e-2, 1.0], [2.0, 1.0, 900.0], suggestion=0.01, too_low=0.001, too_high=0.5)
    assert "0.01 was chosen" in drawing.caption
    assert drawing.figure.axes[0].get_ylim()[1] < 10
    assert "no rate stands out" in lr_range_plot([1e-4, 1.0], [2.0, 2.0]).caption
    assert "not finite at any" in lr_range_plot([1e-4], [None]).caption


def drawings() -> dict[str, Drawing]:
    return {
        "confusion": confusion_plot(classifier(3, [HOSTILE, "猫", "$"])),
        "values": prediction_plot(regression_report(torch.tensor([1.0, 2]), torch.tensor([1.0, 3]), [HOSTILE])),
        "loss": loss_curve(epochs([1.0, 0.5])),
    }


@pytest.mark.parametrize("name", ["confusion", "values", "loss"])
def test_svg_is_well_formed_and_holds_names_as_text_only(name: str) -> None:
    drawing = drawings()[name]
    root = ET.fromstring(svg(drawing, name))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "defs", "clipPath", "g", "path", "rect", "use", "text", "tspan", "image", "style"}
    assert root.get("aria-label") == drawing.caption
    for element in root.iter():
        assert not [key for key in element.attrib if key.lower().startswith("on")]
    if name == "values":
        assert any("<img src=x onerror" in "".join(element.itertext()) for element in root.iter())


def test_ids_of_two_drawings_do_not_meet() -> None:
    drawing = loss_curve(epochs([1.0, 0.5]))
    first, second = (svg(drawing, name) for name in ("one", "two"))
    ids = [set(re.findall(r'\bid="([^"]*)"', text)) for text in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for text, known in zip((first, second), ids, strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([^")]*)', text)) <= known


def test_svg_is_the_same_each_time_and_follows_the_theme() -> None:
    first, again = (svg(loss_curve(epochs([1.0, 0.5])), "a") for _ in range(2))
    assert first == again
    assert "var(--plot-blue" in first
    assert "currentColor" in first
    assert "<style" not in first


def test_png_is_an_image() -> None:
    image = Image.open(io.BytesIO(png(drawings()["confusion"], dpi=60)))
    assert image.format == "PNG"
    assert min(image.size) > 100


def test_numbers_for_people() -> None:
    assert [number(x) for x in (0.0, 1e-6, 0.00123, 0.5, 12.345, 12345.6, 2e7, math.nan)] == [
        "0",
        "1e-6",
        "0.00123",
        "0.5",
        "12.3",
        "12,346",
        "2e7",
        "not finite",
    ]


def test_literal_text() -> None:
    assert literal("a\n b\x1b$c$") == r"a b \$c\$"
    assert literal("abcdefgh", 5) == "abcd…"


def test_pyplot_is_never_loaded() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from glassnet.plots import *; from glassnet.events import Epoch; "
        "svg(rate_curve([Epoch(0, 1, .1, 1., 0., 0., {}, {}, False)]), 'a'); "
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
