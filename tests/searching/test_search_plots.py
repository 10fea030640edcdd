"""The axes of a search's plots."""

from __future__ import annotations

import itertools
import math
from random import Random

from glassnet.plots.searches import settings_plot


def trials() -> list[dict[str, object]]:
    chance = Random(1)
    return [
        {
            "stage": 1,
            "number": number,
            "end": "done",
            "value": chance.random(),
            "settings": {
                "train.batch_size": chance.choice([256, 32, 64, 128]),
                "net.hidden": chance.choice([[512, 256], [64], [128], [256, 128]]),
                "optimizer.lr": 10 ** chance.uniform(-4, -1),
                "schedule.name": chance.choice(["one-cycle", "cosine"]),
            },
        }
        for number in range(30)
    ]


def test_choices_stand_side_by_side_by_their_size_and_rates_in_decades() -> None:
    sizes, layers, rates, names = settings_plot(trials()).figure.axes
    assert [label.get_text() for label in sizes.get_xticklabels()] == ["32", "64", "128", "256"]
    places = sizes.get_xticks()
    assert all(math.isclose(right - left, 1) for left, right in itertools.pairwise(places))
    assert [label.get_text().replace(" ", "") for label in layers.get_xticklabels()] == [
        "[64]",
        "[128]",
        "[256,128]",
        "[512,256]",
    ]
    assert rates.get_xscale() == "log"
    assert [label.get_text() for label in names.get_xticklabels()] == ["cosine", "one-cycle"]


def test_what_lies_far_below_is_a_triangle_at_the_lower_end() -> None:
    order = [dict(trial, value=0.9 + number / 1000) for number, trial in enumerate(trials())]
    order[3]["value"] = 0.1
    drawing = settings_plot(order)
    assert "1 below" in drawing.caption
    marks = {each.get_label(): each for each in drawing.figure.axes[0].collections}
    assert len(marks["stage 1"].get_offsets()) == 29
    (place,) = marks["stage 1, below"].get_offsets()
    assert place[1] > 0.8
    assert len(marks["stage 1, below"].get_paths()[0].vertices) == 4, "a triangle, closed"
