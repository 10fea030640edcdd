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
