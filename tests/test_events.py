"""Events: one line of JSON each, the same bytes for the same event, and back again."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet.events import (
    KINDS,
    Checked,
    Described,
    Epoch,
    Event,
    Finding,
    Finished,
    Measured,
    Started,
    Step,
    Threads,
    Timing,
    Traced,
    Tried,
    from_json,
    to_json,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**53)
FIGURES = st.dictionaries(st.text(), FINITE, max_size=4)
ROWS = st.lists(COUNT, max_size=3)
PLAIN = st.dictionaries(st.text(), FINITE | st.text() | st.booleans() | ROWS, max_size=3)
ANY_EVENT = st.one_of(
    st.builds(Started, COUNT, COUNT, COUNT, COUNT),
    st.builds(Step, COUNT, COUNT, FINITE, COUNT, st.none() | FINITE, st.none() | FINITE, st.none() | FINITE),
    st.builds(Epoch, COUNT, COUNT, FINITE, FINITE, FINITE, FINITE, FIGURES, FIGURES, st.booleans()),
    st.builds(Finding, st.text(), st.text(), COUNT, st.text(), st.text(), st.text(), FIGURES),
    st.builds(Described, st.text(), COUNT, *[PLAIN] * 7),
    st.builds(Measured, COUNT, COUNT, FINITE, FIGURES, *[st.lists(PLAIN, max_size=2)] * 3),
    st.builds(Traced, COUNT, st.text(), st.text(), st.text(), ROWS, ROWS, st.none() | COUNT, FIGURES),
    st.builds(Checked, *[st.text()] * 5, FIGURES, st.dictionaries(st.text(), st.lists(FINITE, max_size=3), max_size=2)),
    st.builds(
        Tried, st.text(), PLAIN, COUNT, COUNT, FINITE, FINITE, st.none() | FINITE, st.none() | FINITE, FINITE, st.text()
    ),
    st.builds(Finished, st.text(), COUNT, COUNT, st.none() | COUNT, st.none() | FINITE),
    st.builds(Timing, COUNT, FINITE, FINITE, FINITE),
    st.builds(Threads, COUNT, COUNT, FINITE),
)


@given(ANY_EVENT)
def test_an_event_comes_back_from_its_line_bit_for_bit(event: Event) -> None:
    line = to_json(event)
    assert "\n" not in line, "one event, one line"
    assert from_json(line) == event
    assert to_json(from_json(line)) == line


def test_every_kind_is_in_the_table_and_frozen() -> None:
    assert set(KINDS) == {
        "started",
        "described",
        "step",
        "measured",
        "traced",
        "epoch",
        "checked",
        "finding",
        "tried",
        "finished",
        "timing",
        "threads",
    }
    for kind in KINDS.values():
        assert dataclasses.is_dataclass(kind)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(Timing(0, 1.0, 1.0, 1.0), "epoch", 1)  # noqa: B010 - the type checker would refuse the plain way
        assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_the_kind_stands_first_so_that_a_reader_can_tell_lines_apart() -> None:
    assert to_json(Started(10, 2, 3, 4)).startswith('{"event": "started", "samples": 10,')


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_becomes_null_also_inside_figures(value: float) -> None:
    def strict(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    line = to_json(Epoch(0, 1, 0.1, value, 0.0, 0.0, {"loss": value}, {"loss": 2.0}, best=False))
    read = json.loads(line, parse_constant=strict)
    assert read["running_loss"] is None
    assert read["train"] == {"loss": None}
    assert read["val"] == {"loss": 2.0}


def test_no_event_but_timing_holds_anything_of_the_clock() -> None:
    fields = {kind: {f.name for f in dataclasses.fields(KINDS[kind])} for kind in KINDS}
    told_by_clock = {
        (kind, name)
        for kind, names in fields.items()
        for name in names
        if name in ("seconds", "evaluation_seconds", "time", "images_per_second")
    }
    assert {kind for kind, _ in told_by_clock} == {"timing"}
