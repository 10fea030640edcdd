"""The run folder: where things are, one writer, torn lines, taking files back to a checkpoint."""

from __future__ import annotations

import errno
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glassnet.errors import LockedError, ModelError, SpaceError, UsageError
from glassnet.events import Event, Finding, Finished, Started, Step, Timing, to_json
from glassnet.runs import Recorder, RunFolder, new_run, open_run

EVENTS: list[Event] = [
    Started(10, 2, 1, 5),
    Step(0, 1, 0.1, 5, loss=1.5),
    Step(0, 2, 0.1, 10),
    Finished("completed", 1, 2, 0, 0.5),
]
TIMING = Timing(0, 1.0, 0.5, 10.0)
FINDING = Finding("overfitting", "warning", 2, "what", "why", "advice", {"rise": 0.2})


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_events_come_back_and_each_kind_stands_in_its_own_file(folder: RunFolder) -> None:
    with Recorder(folder) as recorder:
        for event in [*EVENTS, TIMING, FINDING]:
            recorder.append(event)
    assert list(folder.events()) == [*EVENTS, TIMING, FINDING]
    assert folder.metrics.read_text() == "".join(to_json(event) + "\n" for event in EVENTS)
    assert folder.timing.read_text() == to_json(TIMING) + "\n"
    assert folder.findings.read_text() == to_json(FINDING) + "\n"


def test_a_reader_sees_an_event_as_soon_as_it_is_written(folder: RunFolder) -> None:
    with Recorder(folder) as recorder:
        for number, event in enumerate(EVENTS, start=1):
            recorder.append(event)
            assert list(folder.events()) == EVENTS[:number]


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_line_that_a_crash_tore_is_left_out_and_nothing_else(folder: RunFolder, cut: int) -> None:
    with Recorder(folder) as recorder:
        for event in EVENTS[:3]:
            recorder.append(event)
    os.truncate(folder.metrics, folder.metrics.stat().st_size - cut)
    assert list(folder.events()) == EVENTS[:2]


@pytest.mark.parametrize(
    "line", ["{}", "null", "[1]", '{"event": "step"}', '{"event": "new", "a": 1}', "\x00\x00", "3"]
)
def test_a_line_that_is_no_event_is_passed_over(folder: RunFolder, line: str) -> None:
    with Recorder(folder) as recorder:
        recorder.append(EVENTS[0])
    with folder.metrics.open("a") as stream:
        stream.write(line + "\n" + to_json(EVENTS[1]) + "\n")
    assert list(folder.events()) == EVENTS[:2]


def test_cutting_to_the_lengths_of_a_checkpoint_and_going_on_gives_the_same_bytes(folder: RunFolder) -> None:
    with Recorder(folder) as recorder:
        for event in [*EVENTS[:2], FINDING]:
            recorder.append(event)
        lengths = recorder.lengths()
        for event in [*EVENTS[2:], FINDING]:
            recorder.append(event)
    whole = folder.metrics.read_bytes()
    with Recorder(folder) as recorder:
        recorder.cut(lengths)
        assert list(folder.events()) == [*EVENTS[:2], FINDING]
        for event in EVENTS[2:]:
            recorder.append(event)
        assert recorder.lengths()["metrics.jsonl"] == len(whole)
    assert folder.metrics.read_bytes() == whole


def test_cutting_in_the_same_process_after_writing_does_not_leave_a_hole(folder: RunFolder) -> None:
    with Recorder(folder) as recorder:
        recorder.append(EVENTS[0])
        lengths = recorder.lengths()
        recorder.append(EVENTS[1])
        recorder.cut(lengths)
        recorder.append(EVENTS[2])
    assert list(folder.events()) == [EVENTS[0], EVENTS[2]]


def test_lengths_are_told_only_once_the_bytes_are_on_the_disk(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    with Recorder(folder) as recorder:
        recorder.append(EVENTS[0])
        recorder.append(FINDING)
        monkeypatch.setattr(os, "fsync", lambda fd: synced.append(Path(f"/proc/self/fd/{fd}").readlink().name))
        assert recorder.lengths() == {
            "metrics.jsonl": len(to_json(EVENTS[0])) + 1,
            "findings.jsonl": len(to_json(FINDING)) + 1,
        }
    assert sorted(synced) == ["findings.jsonl", "metrics.jsonl"]


def test_a_second_writer_is_kept_out_while_readers_are_not(folder: RunFolder) -> None:
    with Recorder(folder) as recorder:
        recorder.append(EVENTS[0])
        with pytest.raises(LockedError), Recorder(folder):
            pass
        assert list(RunFolder(folder.path).events()) == EVENTS[:1]
    with Recorder(folder) as recorder:
        recorder.append(EVENTS[1])
    assert list(folder.events()) == EVENTS[:2]


def test_a_full_disk_is_told_in_words(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int, __: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    with Recorder(folder) as recorder:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(SpaceError, match="no room"):
            recorder.append(EVENTS[0])


def test_a_line_that_the_kernel_takes_in_pieces_is_whole(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with Recorder(folder) as recorder:
        monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
        recorder.append(EVENTS[0])
    assert list(folder.events()) == EVENTS[:1]


def test_json_comes_back_is_empty_where_absent_and_says_when_damaged(folder: RunFolder) -> None:
    assert folder.read_json("data") == {}
    with Recorder(folder) as recorder:
        recorder.write_json("data", {"größe": [1, 2.5, None]})
    assert folder.read_json("data") == {"größe": [1, 2.5, None]}
    (folder.path / "data.json").write_text('{"a": ')
    with pytest.raises(ModelError, match="damaged"):
        folder.read_json("data")


def test_every_look_at_the_test_part_is_noted(folder: RunFolder) -> None:
    for by in ("train", "evaluate"):
        with Recorder(folder) as recorder:
            recorder.use_test(by, 7)
    uses = [json.loads(line) for line in folder.test_uses.read_text().splitlines()]
    assert [(use["by"], use["samples"]) for use in uses] == [("train", 7), ("evaluate", 7)]
    assert all(datetime.fromisoformat(use["when"]).tzinfo == UTC for use in uses)


def test_a_run_is_finished_when_its_result_is_there(folder: RunFolder) -> None:
    assert not folder.finished
    with Recorder(folder) as recorder:
        recorder.write_json("result", {})
    assert folder.finished


def test_new_runs_are_numbered_and_a_number_is_never_used_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [new_run("digits", None).path.name for _ in range(3)]
    assert names == ["digits-1", "digits-2", "digits-3"]
    (tmp_path / "runs" / "digits-1").rmdir()
    assert new_run("digits", None).path.name == "digits-4"
    assert new_run("digit", None).path.name == "digit-1"
    (tmp_path / "runs" / "digits-old").mkdir()
    (tmp_path / "runs" / "digits-²").mkdir()
    (tmp_path / "runs" / "digits-folds-9").mkdir()
    assert new_run("digits", None).path.name == "digits-5"


def test_names_that_mean_something_to_the_shell_are_names_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a[1]", "a**b", "a*"):
        assert [new_run(name, None).path.name for _ in range(2)] == [f"{name}-1", f"{name}-2"]


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    assert new_run("digits", str(place)).path == place
    place.mkdir()
    (place / "asked.toml").write_text("")
    with pytest.raises(UsageError, match=re.escape(f"glassnet resume {place}")):
        new_run("digits", str(place))


def test_opening_a_run_that_is_not_there_offers_the_nearest_name(tmp_path: Path) -> None:
    run = tmp_path / "digits-1"
    run.mkdir()
    (run / "asked.toml").write_text("")
    assert open_run(str(run)).path == run
    with pytest.raises(UsageError, match=r"no such folder[\s\S]*did you mean '.*digits-1'\?"):
        open_run(str(tmp_path / "digit-1"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="there is no run here"):
        open_run(str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="no such folder"):
        open_run(str(tmp_path / "no" / "where"))
