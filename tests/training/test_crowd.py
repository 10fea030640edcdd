"""Whether other programs are at work, from what the system tells of this process."""

from __future__ import annotations

import pytest

from glassnet.training import crowd


def test_a_crowd_is_where_threads_are_put_off_and_get_less_than_they_could_use(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"seconds": 0.0, "worked": 0.0, "put_off": 0}
    monkeypatch.setattr(crowd.time, "perf_counter", lambda: told["seconds"])
    monkeypatch.setattr(crowd.time, "process_time", lambda: told["worked"])
    monkeypatch.setattr(crowd, "_put_off", lambda: told["put_off"])
    watched = crowd.Crowd()
    for worked, put_off, there in ((1.95, 60, False), (1.2, 190, True), (1.2, 60, False), (1.95, 190, False)):
        told.update(seconds=1.0, worked=worked, put_off=put_off)
        assert watched.there(2) is there
