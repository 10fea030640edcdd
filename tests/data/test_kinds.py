"""Whatever is asked about a kind of data is answered for every kind that there is."""

from __future__ import annotations

from collections.abc import Container

import pytest

from glassnet.data.audit.ranges import COUNTED, RANGES
from glassnet.data.kinds import KINDS, schema_from_json
from glassnet.data.preprocess.fitting import FITTED, PREPROCESSING
from glassnet.errors import ModelError
from glassnet.zoo import ZOO
from glassnet.zoo.choice import CHOICES


@pytest.mark.parametrize("table", [RANGES, PREPROCESSING, FITTED, CHOICES])
def test_every_kind_has_its_row(table: Container[str]) -> None:
    assert set(table) == set(KINDS)


def test_what_is_said_of_some_kinds_is_said_of_kinds_that_there_are() -> None:
    assert set(COUNTED) <= set(KINDS)
    assert {kind for entry in ZOO.values() for kind in entry.kinds} <= set(KINDS)


def test_a_kind_that_only_some_nets_read_has_such_a_net() -> None:
    for name, kind in KINDS.items():
        assert not kind.needs or any(name in entry.kinds for entry in ZOO.values()), name


@pytest.mark.parametrize(
    ("kind", "shape", "told"),
    [
        ("image", (3, 32, 48), "image 3×32×48"),
        ("table", (14,), "table of 14 columns"),
        ("table", (1,), "table of 1 column"),
        ("array", (6,), "array of 6 numbers"),
        ("array", (6, 120), "array 6×120"),
        ("series", (1, 48), "windows of 48 steps with 1 channel"),
        ("tree", (400,), "trees of up to 100 nodes"),
        ("pairs", (2, 1_500), "pairs of texts of up to 1,500 tokens"),
    ],
)
def test_an_input_in_words(kind: str, shape: tuple[int, ...], told: str) -> None:
    assert KINDS[kind].told(shape) == told


@pytest.mark.parametrize("values", [{}, {"kind": "cloud"}, {"kind": 3}])
def test_an_unknown_kind_is_told_with_those_that_there_are(values: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="one of image, table"):
        schema_from_json(values)
