"""Early stopping on series worked by hand."""

from __future__ import annotations

import math

import pytest

from glassnet.training.stopping import EarlyStopping


def watch(stopping: EarlyStopping, values: list[float]) -> tuple[list[int], int | None]:
    """(epochs that were the best so far, the epoch at which it stopped)."""
    best = []
    for epoch, value in enumerate(values):
        better, stop = stopping.observe(epoch, value)
        if better:
            best.append(epoch)
        if stop:
            return best, epoch
    return best, None


@pytest.mark.parametrize(
    ("options", "values", "best", "stopped"),
    [
        ({"patience": 2}, [3, 2, 1, 2, 3, 0], [0, 1, 2], 4),
        ({"patience": 3}, [3, 2, 1, 2, 3, 0], [0, 1, 2, 5], None),
        ({"patience": None}, [1, 2, 3, 4, 5], [0], None),
        ({"patience": 2, "mode": "max"}, [1, 2, 1, 1, 5], [0, 1], 3),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.6, 2.4, 2.3, 2.2], [0, 2], 4),
        ({"patience": 1, "start_from_epoch": 3}, [1, 2, 3, 4, 0], [0], 3),
        ({"patience": 2, "start_from_epoch": 2}, [1, 2, 3, 4], [0], 3),
        ({"patience": 2}, [math.nan, math.inf, 1, math.nan, 2], [], 1),
        ({"patience": 3}, [math.nan, math.inf, 1, -math.inf, 2, 2], [2], 5),
        ({"patience": 2}, [1, 1, 1, 1], [0, 1, 2], 2),  # a tie keeps the later weights but wins no patience
    ],
)
def test_series(options: dict[str, object], values: list[float], best: list[int], stopped: int | None) -> None:
    assert watch(EarlyStopping("loss", **options), values) == (best, stopped)  # type: ignore[arg-type]


def test_it_goes_on_where_it_was() -> None:
    values = [3.0, 2.0, 2.5, 1.9, 2.0, 2.1, 2.2]
    whole = watch(EarlyStopping("loss", patience=3), values)
    for cut in range(len(values)):
        first, second = EarlyStopping("loss", patience=3), EarlyStopping("loss", patience=3)
        best, stopped = watch(first, values[:cut])
        second.load_state_dict(first.state_dict())
        for epoch in range(cut, len(values)):
            better, stop = second.observe(epoch, values[epoch])
            best += [epoch] if better else []
            stopped = epoch if stop and stopped is None else stopped
        assert (best, stopped) == whole
