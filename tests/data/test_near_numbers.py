"""Numbers whose differences float32 cannot hold are refused, and those that only look like them are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

import glassnet
from glassnet.data.rounding import refuse_merged
from glassnet.errors import DataError

SECONDS = 1.7e9  # since 1970: in float32 a number stands for all within two minutes
NEAR = SECONDS + np.arange(60.0)
NOISE = np.random.default_rng(0).normal(size=(60, 2))


@pytest.mark.parametrize(
    ("data", "where"),
    [((np.c_[NOISE, NEAR], np.arange(60) % 2), "inputs, column 2"), ((NOISE, NEAR), "targets")],
    ids=["inputs", "values"],
)
def test_arrays_that_rounding_merges_are_refused(data: tuple[Any, Any], where: str, tmp_path: Path) -> None:
    """A network trained on what is left of such targets was measured as perfect: they were all the same."""
    with pytest.raises(DataError, match=rf"(?s)float32.*{where}.*subtract"):
        glassnet.train(data, nn.Linear(data[0].shape[1], 2), out=tmp_path / "run")


def test_a_table_of_such_targets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "".join(f"{a},{y}\n" for a, y in zip(NOISE[:, 0], NEAR, strict=True)))
    with pytest.raises(DataError, match=r"(?s)float32.*column 'y'"):
        glassnet.train(str(path), "linear", out=tmp_path / "run")


@pytest.mark.parametrize(
    "column",
    [np.full(60, 0.1), np.full(60, SECONDS), 0.1 + 1e-12 * np.arange(60), SECONDS + 86400.0 * np.arange(60)],
    ids=["constant", "large constant", "noise in the last digits", "days"],
)
def test_constants_their_noise_and_dates_are_taken(column: NDArray[np.float64]) -> None:
    refuse_merged(np.c_[column, np.arange(60.0)], "inputs")
    refuse_merged(column, "targets")
