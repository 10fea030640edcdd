"""Snapshots together beat the last one alone, less than independent nets do; the schedule is equation 2."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest
import torch
from torch import nn

from glassnet.experiments import snapshot_ensemble as experiment
from glassnet.experiments.images import load_images
from glassnet.training.schedules import warm_restarts


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    images = load_images(None, train=400)
    return [experiment.three_ways(images, seed, 3) for seed in range(3)]


def test_together_is_better_than_alone(found: list[dict[str, Any]]) -> None:
    together = fmean(each["together"][-1] for each in found)
    assert together > fmean(fmean(each["snapshots"]) for each in found)
    assert fmean(each["independent"] for each in found) > fmean(each["ordinary"] for each in found)


def test_the_last_one_together_is_the_last_snapshot(found: list[dict[str, Any]]) -> None:
    for each in found:
        assert len(each["snapshots"]) == len(each["together"]) == experiment.CYCLES
        assert each["together"][0] == each["snapshots"][-1]


def test_every_cycle_begins_with_a_high_loss_and_ends_with_a_low_one(found: list[dict[str, Any]]) -> None:
    losses = found[0]["losses"]
    period = len(losses) // experiment.CYCLES
    ends = fmean(fmean(losses[cycle * period - 8 : cycle * period]) for cycle in range(1, experiment.CYCLES))
    begins = fmean(fmean(losses[cycle * period + 2 : cycle * period + 10]) for cycle in range(1, experiment.CYCLES))
    assert begins > 1.5 * ends


def test_the_schedule_is_equation_2() -> None:
    ours = warm_restarts(period=3)
    rates = [ours.factor(step, 10, 60) for step in range(60)]
    assert rates == pytest.approx([experiment.rate(step + 1, 60, 2) for step in range(60)], abs=1e-12)
    assert experiment.rate(1, 60, 2) == experiment.rate(31, 60, 2) == 1.0
    assert experiment.rate(16, 60, 2) == pytest.approx(0.5)


def test_disagreement_is_counted_over_pairs() -> None:
    def always(label: int) -> nn.Module:
        net = nn.Linear(1, 3)
        nn.init.zeros_(net.weight)
        with torch.no_grad():
            net.bias.copy_(torch.eye(3)[label])
        return net

    samples = torch.zeros(4, 1), torch.zeros(4, dtype=torch.int64)
    assert experiment.differing([always(0), always(0), always(1)], samples) == pytest.approx(2 / 3)
    assert experiment.right([always(0), always(0), always(1)], samples) == 1.0
