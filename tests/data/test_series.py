"""Series: times in any writing, steps, gaps, windows, parts in order of time; and what cannot be forecast, told in words."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
import torch

from glassnet.data.audit import audit
from glassnet.data.clock import clock_of
from glassnet.data.kinds import schema_from_json
from glassnet.data.moments import moments_of
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess import fit, preprocess_from_json
from glassnet.data.seasons import season_of
from glassnet.data.split import folds, split
from glassnet.data.windows import windows_of
from glassnet.errors import DataError, UsageError

DAYS = [(date(2020, 1, 1) + timedelta(i)).isoformat() for i in range(200)]
VALUES = [round(10 + 5 * math.sin(2 * math.pi * i / 7) + i / 50, 3) for i in range(200)]
ROWS = list(zip(DAYS, VALUES, strict=True))


def written(path, rows, head="date,value", separator=","):
    lines = [head, *(separator.join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def opened(tmp_path, rows, head="date,value", **options):
    return open_data(written(tmp_path / "x.csv", rows, head), ReadOptions(**options))


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cells", "meant", "back"),
    [
        (["2021-01-31", "2021-02-01"], ["2021-01-31", "2021-02-01"], "2021-01-31"),
        (["2021-01", "2021-02"], ["2021-01-01", "2021-02-01"], "2021-01"),
        (["31.1.2021", "1.2.2021"], ["2021-01-31", "2021-02-01"], "31.01.2021"),
        (["13/1/2021", "14/1/2021"], ["2021-01-13", "2021-01-14"], "13/01/2021"),
        (["1/13/2021", "1/14/2021"], ["2021-01-13", "2021-01-14"], "01/13/2021"),
        (["2021/01/31", "2021/02/01"], ["2021-01-31", "2021-02-01"], "2021/01/31"),
        (["2021-01-31 22:15", "2021-01-31 22:30"], ["2021-01-31T22:15", "2021-01-31T22:30"], "2021-01-31 22:15"),
        (["2021-01-31T22:15:00Z", "2021-01-31T22:15:01Z"], ["2021-01-31T22:15:00", "2021-01-31T22:15:01"], "2021-01-31T22:15:00Z"),
        (["2021-01-31T22:15:00+02:00", "2021-01-31T23:15:00+02:00"], ["2021-01-31T20:15", "2021-01-31T21:15"], "2021-01-31T20:15:00Z"),
        (["Jan 2021", "Feb 2021"], ["2021-01-01", "2021-02-01"], "Jan 2021"),
        (["31 Jan 2021", "01 Feb 2021"], ["2021-01-31", "2021-02-01"], "31 Jan 2021"),
        (["2021Q1", "2021Q2"], ["2021-01-01", "2021-04-01"], "2021-01"),
        (["20210131", "20210201"], ["2021-01-31", "2021-02-01"], "20210131"),
    ],
)  # fmt: skip
def test_times_as_people_write_them(cells, meant, back):
    found = moments_of(pl.Series("when", cells))[0]
    assert found.values.tolist() == [seconds(text) for text in meant]
    clock = clock_of(found.values, found.form)
    assert clock.told(int(clock.places(found.values)[0])) == back
    assert np.array_equal(clock.moments(clock.places(found.values)), found.values)


def test_what_is_no_time():
    assert moments_of(pl.Series("a", ["1", "2", "3"])) == []
    assert moments_of(pl.Series("date", ["soon", "later"])) == []
    assert len(moments_of(pl.Series("x", ["1/2/2021", "2/3/2021"]))) == 2, "day and month cannot be told apart"
    assert moments_of(pl.Series("year", ["1999", "2000"]))[0].form == ""
    assert moments_of(pl.Series("timestamp", ["1600000000", "1600003600"]))[0].form != ""


@pytest.mark.parametrize(
    ("times", "unit", "step"),
    [
        (["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"], "month", "month"),
        (["2020-01-15", "2020-04-15", "2020-07-15"], "month", "quarter"),
        (["2020-01-01", "2021-01-01", "2022-01-01"], "month", "year"),
        (["2020-01-01", "2020-01-08", "2020-01-15"], "second", "week"),
        (["2020-01-01 00:00", "2020-01-01 00:15", "2020-01-01 00:30"], "second", "15 minutes"),
    ],
)
def test_steps(times, unit, step):
    found = moments_of(pl.Series("t", times))[0]
    clock = clock_of(found.values, found.form)
    assert (clock.unit, clock.step) == (unit, step)
    places = clock.places(found.values)
    assert np.diff(places).tolist() == [1] * (len(times) - 1)
    assert [clock.told(int(place)) for place in places] == times
    assert clock.fits(found.values).all()
    assert not clock.fits(found.values + 3600 * 5 + 60).any()


def test_working_days_have_no_weekends():
    days = [date(2021, 1, 4) + timedelta(i) for i in range(40)]
    week = [day.isoformat() for day in days if day.weekday() < 5]
    found = moments_of(pl.Series("t", week))[0]
    clock = clock_of(found.values, found.form)
    places = clock.places(found.values)
    assert clock.unit == "workday"
    assert np.diff(places).tolist() == [1] * (len(week) - 1)
    assert [clock.told(int(place)) for place in places] == week
    assert clock.told(int(places[4]) + 1) == "2021-01-11", "Monday comes after Friday"


def test_phases_of_the_calendar():
    clock = clock_of(np.array([seconds("2021-01-04T00:00"), seconds("2021-01-04T06:00")]), "%Y-%m-%d %H:%M")
    places = clock.places(
        np.array([seconds("2021-01-04T06:00"), seconds("2021-01-07T12:00"), seconds("2021-07-02T12:00")])
    )
    assert clock.phases("day", places).tolist() == [0.25, 0.5, 0.5]
    assert clock.phases("week", places)[:2].tolist() == [0.25 / 7, 0.5]
    assert clock.phases("year", places)[2] == 0.5, "noon of 2 July is the middle of 2021"


def test_season_by_hand():
    rng = np.random.default_rng(0)
    time = np.arange(400)
    for season in (7, 12):
        values = 0.05 * time + np.sin(2 * np.pi * time / season) + 0.2 * rng.normal(size=400)
        assert season_of(values, ()) == season
        assert season_of(values, (5, season, 29)) == season
    assert season_of(rng.normal(size=400).cumsum(), ()) == 0, "a random walk has none"
    assert season_of(0.01 * time, (7,)) == 0, "a straight line"
    late = np.concatenate([rng.normal(size=200), np.sin(2 * np.pi * time[:200] / 7)])
    assert season_of(late, (7,)) == 0, "the second half is not looked at"


def test_windows_and_targets(tmp_path):
    data = opened(tmp_path, ROWS, window=5, horizon=3)
    assert data.schema.kind == "series"
    assert data.outputs == ("value +1", "value +2", "value +3")
    assert len(data.train) == 200 - 5 - 3 + 1
    raw = data.train.inputs.take(torch.tensor([0, 10]))
    assert raw.shape == (2, 3, 5), "the values, sine and cosine of the week"
    torch.testing.assert_close(raw[:, 0], torch.tensor([VALUES[0:5], VALUES[10:15]]))
    torch.testing.assert_close(data.train.targets[[0, 10]], torch.tensor([VALUES[5:8], VALUES[15:18]]))
    assert data.train.names[10] == DAYS[15], "named by the first step that is forecast"
    angle = torch.tensor([2 * math.pi * (datetime.fromisoformat(day).weekday() / 7) for day in DAYS[10:15]])
    torch.testing.assert_close(raw[1, 1:], torch.stack([angle.sin(), angle.cos()]), atol=1e-6, rtol=0)


def test_several_columns(tmp_path):
    rows = [(day, value, 100 - value, i, 4) for i, (day, value) in enumerate(ROWS)]
    data = opened(tmp_path, rows, "date,a,b,number,same", window=4, horizon=2)
    assert data.outputs == ("a +1", "a +2", "b +1", "b +2")
    wanted = [VALUES[4], VALUES[5], 100 - VALUES[4], 100 - VALUES[5]]
    torch.testing.assert_close(data.train.targets[0], torch.tensor(wanted))
    assert any("'number' is left out" in note for note in data.notes)
    assert any("'same' is left out" in note for note in data.notes)
    one = opened(tmp_path, rows, "date,a,b,number,same", window=4, horizon=2, target="b")
    assert (one.outputs, one.schema.shape) == (("b +1", "b +2"), (4, 4))
    torch.testing.assert_close(one.train.targets[0], torch.tensor(wanted[2:]))


def test_order_repetitions_and_gaps_are_mended_and_told(tmp_path):
    whole = opened(tmp_path, ROWS, window=5, horizon=2)
    mixed = ROWS[:]
    random.Random(1).shuffle(mixed)
    other = opened(tmp_path, mixed, window=5, horizon=2)
    assert torch.equal(other.train.targets, whole.train.targets)
    assert any("put in order of time" in note for note in other.notes)
    twice = opened(tmp_path, [*ROWS, (DAYS[20], VALUES[20] + 2)], window=5, horizon=1)
    assert twice.train.targets[15, 0] == pytest.approx(VALUES[20] + 1, abs=1e-4), "the mean"
    gaps = opened(tmp_path, [row for i, row in enumerate(ROWS) if i not in (50, 51)], window=5, horizon=2)
    assert any("2020-02-20, 2020-02-21" in note for note in gaps.notes)
    named = dict(zip(gaps.train.names, gaps.train.targets, strict=True))
    assert not {DAYS[49], DAYS[50], DAYS[51]} & set(named), "nobody knows what they should have been"
    held = gaps.train.inputs.take(torch.tensor([gaps.train.names.index(DAYS[52])]))[0, 0]
    torch.testing.assert_close(held, torch.tensor([VALUES[47], VALUES[48], VALUES[49], VALUES[49], VALUES[49]]))
    holes = opened(
        tmp_path, [(day, "" if i in (0, 1, 60) else v) for i, (day, v) in enumerate(ROWS)], window=5, horizon=1
    )
    assert any("first 2 steps are left out" in note for note in holes.notes)
    assert DAYS[60] not in holes.train.names


def test_nothing_in_a_window_was_not_known_by_its_end(tmp_path):
    """Whatever comes later, a window stays what it is: no gap is filled, and no scale fitted, from the future."""
    holes = [(day, "" if i % 9 == 4 else v) for i, (day, v) in enumerate(ROWS)]
    changed = [(day, v if i < 150 or v == "" else 1000 + 7 * i) for i, (day, v) in enumerate(holes)]
    one, two = (split(opened(tmp_path, rows, window=6, horizon=2)) for rows in (holes, changed))
    until = [i for i, name in enumerate(one.train.names) if name < DAYS[149]]
    index = torch.tensor(until)
    assert torch.equal(one.train.inputs.take(index), two.train.inputs.take(index))
    kept = [i for i in until if one.train.names[i] < DAYS[100]]
    prepared = [fit("relative", data.train.subset(torch.tensor(kept)), data.schema) for data in (one, two)]
    assert torch.equal(prepared[0].mean, prepared[1].mean)
    assert torch.equal(prepared[0].std, prepared[1].std)
    assert one.schema == two.schema, "season, window and horizon come from the first half"


def test_parts_follow_each_other_in_time(tmp_path):
    data = split(opened(tmp_path, ROWS, window=8, horizon=4))
    ends = {}
    for name in ("train", "val", "test"):
        windows, ahead = windows_of(data.parts[name].inputs)
        ends[name] = (int(ahead.min()), int(ahead.max()) + windows.horizon)
        assert data.parts[name].names == [DAYS[step] for step in ahead.tolist()]
    assert ends["train"][1] <= ends["val"][0]
    assert ends["val"][1] <= ends["test"][0] == 160, "the last fifth"
    assert ends["test"][1] == 200
    scaled = fit("relative", data.train, data.schema)
    seen = torch.tensor(VALUES[: ends["train"][1]], dtype=torch.float64)
    assert scaled.mean[0, 0] == pytest.approx(float(seen.mean()), rel=1e-6)
    assert scaled.std[0, 0] == pytest.approx(float(seen.std(correction=0)), rel=1e-6)
    torch.testing.assert_close(scaled.target_scale.mean, torch.full((4,), float(seen.mean())))
    shares = split(opened(tmp_path, ROWS, window=8, horizon=4), val=0.25, test=0.4)
    assert shares.test.names[0] == DAYS[120]
    assert shares.val.names[0] == DAYS[90]


def test_folds_have_a_rolling_origin(tmp_path):
    data = split(opened(tmp_path, ROWS, window=8, horizon=4))
    seen = []
    for fold in folds(data, 4):
        assert fold.train.names[-1] < fold.val.names[0]
        windows, ahead = windows_of(fold.train.inputs)
        assert int(ahead.max()) + windows.horizon <= int(windows_of(fold.val.inputs)[1].min())
        assert fold.val.names[-1] < fold.test.names[0]
        seen += fold.val.names
    assert seen == sorted(set(seen)), "each step is validated on once at most, in order"


def test_files_of_later_times(tmp_path):
    written(tmp_path / "load-train.csv", ROWS[:150])
    later = written(tmp_path / "load-test.csv", ROWS[150:])
    data = split(open_data(str(tmp_path / "load-train.csv"), ReadOptions(window=8, horizon=4)))
    assert data.test.names[0] == DAYS[150], "the end of the training series is what is seen before"
    torch.testing.assert_close(data.test.inputs.take(torch.tensor([0]))[0, 0], torch.tensor(VALUES[142:150]))
    apart = written(tmp_path / "apart.csv", ROWS[160:])
    data = open_data(str(tmp_path / "load-train.csv"), ReadOptions(window=8, horizon=4, test=apart))
    assert data.test.names[0] == DAYS[168]
    early = written(tmp_path / "early.csv", ROWS[140:])
    with pytest.raises(DataError, match="before the end of the training series"):
        open_data(str(tmp_path / "load-train.csv"), ReadOptions(test=early))
    assert later


def test_a_table_stays_a_table(tmp_path):
    for rows, head in (
        ([(day, "rain" if v > 10 else "sun", v) for day, v in ROWS], "date,weather,value"),
        ([(day, shop, v) for day, v in ROWS for shop in (1, 2)], "date,shop,value"),
        (
            [((date(2020, 1, 1) + timedelta(i * i % 9973)).isoformat(), v) for i, (_, v) in enumerate(ROWS)],
            "date,value",
        ),
        ([(i * 0.37, v) for i, (_, v) in enumerate(ROWS)], "x,y"),
        (ROWS[:15], "date,value"),
    ):
        assert opened(tmp_path, rows, head).schema.kind == "table"
    assert opened(tmp_path, ROWS, time="none").schema.kind == "table"
    assert opened(tmp_path, ROWS).schema.kind == "series"


def test_a_table_with_dates_that_is_divided_at_random_is_warned_of(tmp_path):
    found = audit(split(opened(tmp_path, ROWS, time="none")))
    assert "times-at-random" in {trouble.rule for trouble in found.troubles}
    rows = [(i * 0.37, v) for i, (_, v) in enumerate(ROWS)]
    found = audit(split(opened(tmp_path, rows, "x,y")))
    assert "times-at-random" not in {trouble.rule for trouble in found.troubles}


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([(day, 3) for day in DAYS], {}, "never changes"),
        ([(day, "") for day in DAYS], {"horizon": 2}, "no column of numbers"),
        (ROWS[:12], {"horizon": 2}, "too short"),
        (ROWS, {"horizon": 300}, "too short"),
        (ROWS, {"time": "dat"}, "did you mean 'date'"),
        (ROWS, {"time": "value", "target": "date"}, "no regular step|can be forecast"),
        (ROWS, {"horizon": 2, "target": "valu"}, "did you mean 'value'"),
        ([(day, v) for day, v in ROWS for _ in (1, 2)], {"time": "date"}, "several rows have the same time"),
        ([((date(2020, 1, 1) + timedelta(i * i % 9973)).isoformat(), 1) for i in range(200)], {"time": "date"}, "no regular step"),
        ([(day, "inf" if i == 7 else v) for i, (day, v) in enumerate(ROWS)], {}, "what is no number"),
    ],
)  # fmt: skip
def test_what_cannot_be_forecast(tmp_path, rows, options, said):
    with pytest.raises(DataError, match=said):
        opened(tmp_path, rows, **options)


def test_options_that_contradict_each_other(tmp_path):
    with pytest.raises(UsageError, match="forecast as values"):
        opened(tmp_path, ROWS, horizon=3, task="classes")
    with pytest.raises(UsageError, match="out of range"):
        split(opened(tmp_path, ROWS), test=1.5)
    with pytest.raises(DataError, match="too little is left for the test"):
        split(opened(tmp_path, ROWS[:80], window=30, horizon=40))


def test_rows_without_times_are_steps_when_asked(tmp_path):
    data = open_data(written(tmp_path / "x.csv", [(v,) for v in VALUES], "value"), ReadOptions(horizon=2))
    assert data.schema.kind == "series"
    assert data.schema.season == 7
    with pytest.raises(DataError, match="one column only"):
        open_data(str(tmp_path / "x.csv"))


def test_schema_reads_the_end_and_names_the_future(tmp_path):
    data = opened(tmp_path, ROWS, window=6, horizon=3)
    schema = schema_from_json(data.schema.to_json())
    assert schema == data.schema
    names, source = schema.read([written(tmp_path / "new.csv", ROWS[:50]), str(tmp_path / "x.csv")])
    assert names == [f"new.csv after {DAYS[49]}", f"x.csv after {DAYS[199]}"]
    torch.testing.assert_close(source.take(torch.tensor([0, 1]))[:, 0], torch.tensor([VALUES[44:50], VALUES[194:200]]))
    assert schema.next_times(names[0]) == DAYS[50:53]
    assert schema.next_times("[0]") == ["+1", "+2", "+3"]
    bad = [written(tmp_path / "a.csv", ROWS[:4]), written(tmp_path / "b.csv", ROWS, "day,value"), "none.csv"]
    with pytest.raises(DataError, match=r"(?s)shorter than what the network sees.*lacks columns.*no such file"):
        schema.read(bad)
    hours = [(f"2020-01-01 {hour:02d}:00", 1.5) for hour in range(24)]
    with pytest.raises(DataError, match=r"no times like|do not lie on the steps"):
        schema.read([written(tmp_path / "h.csv", hours)])


def test_preprocessing_is_kept(tmp_path):
    data = split(opened(tmp_path, ROWS, window=6, horizon=3))
    for name in ("relative", "standardise", "none"):
        made = fit(name, data.train, data.schema)
        again = preprocess_from_json(made.to_json())
        again.load_state_dict(made.state_dict())
        raw = data.train.inputs.take(torch.arange(4))
        assert torch.equal(made(raw), again(raw))
        assert (made.around is None) == (name != "relative")
        assert torch.equal(made(raw)[:, 1:], raw[:, 1:]), "the calendar stays as it is"
    torch.testing.assert_close(made(raw), raw)
