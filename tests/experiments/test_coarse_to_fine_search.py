"""The course's search on samples made here: fine is better than coarse, what explodes is given up, the edge is told."""

from __future__ import annotations

import torch

from glassnet.experiments.coarse_to_fine_search import COARSE, FINE, judged, line, tried
from glassnet.searching import Trial


def samples(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    centres = 60 * torch.randn(4, 20, generator=torch.Generator().manual_seed(9))
    labels = torch.randint(4, (count,), generator=chance)
    return centres[labels] + 40 * torch.randn(count, 20, generator=chance), labels


def test_a_rate_of_the_lectures_range_learns_and_one_far_above_is_given_up() -> None:
    train, val = samples(2000, 0), samples(200, 1)
    good, exploded = tried(train, val, 4, 3e-4, 1e-3, 10, 0)
    assert good > 0.8
    assert not exploded
    assert tried(train, val, 4, 1e-7, 1e-3, 2, 0)[0] < 0.6
    assert tried(train, val, 4, 10.0, 1e-3, 2, 0)[1]
    assert tried(train, val, 4, 3e-4, 1e4, 4, 0)[0] < 0.6, "nothing is learned under such a penalty"


def test_the_best_at_the_upper_end_of_its_range_is_told_as_in_the_lecture() -> None:
    found = [
        Trial(stage, n, {"lr": lr, "reg": 1e-2}, "done", value, 5, 0.0)
        for stage, n, lr, value in ((1, 0, 5e-4, 0.4), (1, 1, 1e-6, 0.1), (2, 0, 9.47e-4, 0.53), (2, 1, 2e-4, 0.5))
    ]
    outcome = judged(found, "cifar10", "cifar10", 5)
    assert "at the upper end of 0.0001..0.001 log" in outcome.conclusion
    assert [row.agrees for row in outcome.rows] == [None, True, True, True, None, None]
    assert line(found[2], 100) == "val_acc: 0.530000, lr: 9.470000e-04, reg: 1.000000e-02, (1 / 100)"
    assert (COARSE[0].low, FINE[0].low) == (1e-6, 1e-4)
