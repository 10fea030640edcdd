"""What the page shows: the list, the curves as they grow, what runs say in words, and the processes that it starts and stops."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from glassnet.errors import UsageError
from glassnet.runs import RunFolder
from glassnet.web import body as body_module
from glassnet.web import run_page, streams
from glassnet.web.control import set_flags, source_of
from glassnet.web.index import Entry, Index
from glassnet.web.live import SHORTEST_PAUSE, LiveRun
from glassnet.web.locks import held_inodes, holder
from glassnet.web.processes import Processes, stop
from glassnet.web.reading import read_bytes, read_json
from glassnet.web.series import Series, decimated
from glassnet.web.server import listen
from glassnet.web.streams import Cursor, Live, Streams, events

HOLDER = """
import fcntl, os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: os._exit(130))
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(file, fcntl.LOCK_EX)
os.write(file, b"process 1 on elsewhere")
print("held", flush=True)
time.sleep(60)
"""


def pause() -> None:
    time.sleep(SHORTEST_PAUSE * 1.2)


def append(path: Path, *written: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(each) + "\n" for each in written)


@pytest.mark.parametrize("count", [5, 2000, 2001, 5000, 100_000])
@pytest.mark.parametrize("gaps", [False, True])
def test_thinning_out_keeps_every_spike_and_the_order(count: int, gaps: bool) -> None:
    y = [math.sin(place / 50) for place in range(count)]
    spikes = {place: 100.0 + place for place in range(3, count, max(count // 40, 2))}
    for place, value in spikes.items():
        y[place] = value if place % 2 else -value
    if gaps:
        y[count // 2] = math.nan
        spikes.pop(count // 2, None)
    x, thin = decimated([float(place) for place in range(count)], y, 2000)
    assert len(x) <= 2000
    assert x == sorted(set(x))
    assert (x[0], x[-1]) == (0, count - 1)
    assert {place for place in spikes if abs(y[place]) >= 100} <= {int(each) for each in x}
    assert all(value is None or value == y[int(place)] for place, value in zip(x, thin, strict=True))
    assert (None in thin) == gaps


def test_a_stretch_of_a_series_has_its_neighbours(tmp_path: Path) -> None:
    series = Series()
    for place in range(10_000):
        series.add(place, float(place % 7))
    series.add(5, 1.0)  # back in time: dropped
    assert len(series) == 10_000
    assert series.between(100.5, 103.5)[0] == [100, 101, 102, 103, 104]
    assert len(series.between(0, 1e9)[0]) <= 2000


def test_the_index_lists_finds_and_notices(tmp_path: Path, run_maker: Callable[..., Path]) -> None:
    run_maker(tmp_path / "a-1", lr=0.1)
    cut = run_maker(tmp_path / "deep" / "er" / "b-2", lr=0.2, finished=False)
    (tmp_path / "not-a-run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a-1")
    index = Index(tmp_path)
    found = {entry.name: entry for entry in index.entries()}
    assert set(found) == {"a-1", "deep/er/b-2"}
    assert found["a-1"].state == "finished"
    assert found["a-1"].facts["figure"] == pytest.approx(0.71)
    assert found["deep/er/b-2"].state == "stopped"
    assert found["deep/er/b-2"].facts["epochs"] == 3
    assert found["a-1"].settings["optimizer.lr"] == 0.1
    key = found["deep/er/b-2"].key
    assert index.path(key) == cut
    assert Index(tmp_path).path(key) == cut, "an id is the same from day to day"
    append(cut / "metrics.jsonl", {"event": "finished", "reason": "diverged"})
    entry = index.look_at(key)
    assert entry is not None
    assert entry.state == "failed"


def test_a_run_that_leaves_through_a_link_is_not_found(tmp_path: Path, run_maker: Callable[..., Path]) -> None:
    run_maker(tmp_path / "runs" / "a")
    index = Index(tmp_path / "runs")
    key = index.entries()[0].key
    (tmp_path / "runs" / "a").rename(tmp_path / "elsewhere")
    (tmp_path / "runs" / "a").symlink_to(tmp_path / "elsewhere")
    assert index.path(key) is None


def test_files_that_are_links_pipes_or_too_large_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "real").write_text('{"a": 1}')
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe")
    assert read_bytes(tmp_path / "real", 8) == b'{"a": 1}'
    for name, limit in (("real", 7), ("link", 99), ("pipe", 99), (".", 99), ("none", 99), ("a\0", 99)):
        assert read_bytes(tmp_path / name, limit) is None, name
    (tmp_path / "deep").write_text("[" * 100_000)
    assert read_json(tmp_path / "deep") is None


def test_curves_findings_and_sentences_follow_the_files(tmp_path: Path, run_maker: Callable[..., Path]) -> None:
    folder = RunFolder(run_maker(tmp_path / "a", finished=False))
    run = LiveRun(folder)
    run.look()
    assert len(run.charts["batch"]["loss of the batch"]) == 30
    assert list(run.charts["loss"]) == ["training", "validation", "while training"]
    assert run.sentences()["loss"] == (
        "Validation loss is lowest, 0.367, after epoch 3 of 3: it is still falling; now it is 0.367 against 0.333 on the training part."
    )
    assert run.findings[0]["evidence"] == [("rise", "0.2")]
    pause()
    append(folder.metrics, {"event": "step", "step": 31, "loss": None, "lr": 0.2})
    pause()
    run.look()
    assert math.isnan(run.charts["batch"]["loss of the batch"].y[-1]), "what is not finite is a gap"
    assert run.sentences()["rate"] == "The learning rate is rising: 0.2 now."


def test_a_reader_gets_each_point_once_and_everything_anew_after_a_cut(tmp_path: Path, run_maker: Callable[..., Path]) -> None:  # fmt: skip
    folder = RunFolder(run_maker(tmp_path / "a", finished=False))
    run, cursor = LiveRun(folder), Cursor()
    first = cursor.piece(run, "running")
    assert first is not None
    assert first["anew"]
    assert cursor.piece(run, "running") is None
    assert cursor.piece(run, "stopped") is not None, "the state alone is news"
    pause()
    append(folder.metrics, {"event": "step", "step": 31, "loss": 9.0, "lr": 0.2})
    piece = cursor.piece(run, "stopped")
    assert piece is not None
    assert piece["charts"]["batch"] == {"loss of the batch": ([31.0], [9.0])}
    assert "anew" not in piece
    assert "findings" not in piece
    os.truncate(folder.metrics, 400)
    pause()
    piece = cursor.piece(run, "running")
    assert piece is not None
    assert piece["anew"]
    assert len(piece["charts"]["batch"]["loss of the batch"][0]) < 5


def test_streams_end_the_oldest_and_give_their_place_back(tmp_path: Path, run_maker: Callable[..., Path]) -> None:
    run = LiveRun(RunFolder(run_maker(tmp_path / "a")))

    async def watch() -> list[int]:
        places = Streams()
        readers = [events(run, lambda: "finished", places, pause=lambda: 0.01) for _ in range(33)]
        for reader in readers:
            assert await anext(reader) == b"retry: 2000\n\n"
        told = [piece async for piece in readers[0]]
        assert told[-1].startswith(b"event: full")
        before = len(places)
        for reader in readers[1:]:
            await reader.aclose()
        return [before, len(places)]

    assert asyncio.run(watch()) == [32, 0]


def test_a_piece_is_followed_by_the_whole_pause_and_no_news_by_a_short_one(
    tmp_path: Path, run_maker: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def waited(waiting: Awaitable[object], seconds: float) -> None:
        waiting.close()  # type: ignore[attr-defined]
        waits.append(seconds)
        raise TimeoutError

    monkeypatch.setattr(streams.asyncio, "wait_for", waited)

    async def watch(run: Path) -> None:
        reader = events(LiveRun(RunFolder(run)), lambda: "running", Streams(), pause=lambda: 7.0)
        async for piece in reader:
            if piece.startswith(b": still"):
                break

    before = run_maker(tmp_path / "before", finished=False)
    (before / "metrics.jsonl").write_text('{"event": "started", "samples": 80, "steps_per_epoch": 10, "epochs": 3, "parameters": 99}\n')  # fmt: skip
    asyncio.run(watch(before))
    assert set(waits) == {streams.PAUSE, streams.IDLE_PAUSE}, "nobody waits long for the first step"
    waits.clear()
    asyncio.run(watch(run_maker(tmp_path / "a")))
    news = waits.count(7.0)
    assert waits[0] == 7.0
    assert 1 <= news <= 2, "the curves, and at the latest then their sentences"
    assert set(waits) - {7.0} == {streams.PAUSE, streams.IDLE_PAUSE}


def test_a_training_that_needs_every_core_is_watched_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_page, "cores", lambda: 4)

    def pause(threads: object, state: str = "running") -> float:
        return run_page.pause_for(Entry("k", "name", state, 0.0, settings={"train.threads": threads}))

    assert pause(4) == pause(8) == streams.BUSY_PAUSE
    assert pause(3) == pause("auto") == pause(4, "finished") == run_page.pause_for(None) == streams.PAUSE


def test_a_run_is_read_once_for_all_its_readers(tmp_path: Path, run_maker: Callable[..., Path]) -> None:
    folder = RunFolder(run_maker(tmp_path / "a"))
    live = Live()
    assert live.run("k", lambda: LiveRun(folder)) is live.run("k", lambda: LiveRun(folder))
    for number in range(20):
        live.run(str(number), lambda: LiveRun(folder))
    assert len(live._runs) == 12


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel's list of locks is Linux's")
def test_who_trains_is_what_the_kernel_says_and_is_stopped_as_by_ctrl_c(tmp_path: Path, run_maker: Callable[..., Path]) -> None:  # fmt: skip
    run = run_maker(tmp_path / "a", finished=False)
    (run / "run.lock").write_text(f"process {os.getpid()} on here\n")  # it says so; nobody holds it
    assert Index(tmp_path).entries()[0].state == "stopped"
    with pytest.raises(UsageError, match="no process"):
        stop(run)
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(run / "run.lock")], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert (run / "run.lock").stat().st_ino in held_inodes()
        assert holder(run / "run.lock") == process.pid
        assert Index(tmp_path).entries()[0].state == "running"
        stop(run)
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert Index(tmp_path).entries()[0].state == "stopped"


def test_a_process_has_a_session_of_its_own_and_its_words_are_kept() -> None:
    processes = Processes()
    processes.start(["--version"])
    started = processes._started[1].process
    assert os.getsid(started.pid) == started.pid != os.getsid(0)
    assert started.wait(20) == 0
    told = processes.told()[0]
    assert told["command"] == "glassnet --version"
    assert "glassnet" in str(told["words"])
    assert told["code"] == 0
    processes._started[1].words.close()


def test_a_command_is_made_of_checked_words_only(tmp_path: Path) -> None:
    assert set_flags({"optimizer.lr": 0.5, "optimizer.name": "adam", "optimizer.nesterov": True}) == [
        "--set", "optimizer.lr=0.5", "--set", "optimizer.name=adam", "--set", "optimizer.nesterov=true",
    ]  # fmt: skip
    for settings in ([1], {"data.path": "/x"}, {"optimizer.lr": math.nan}, {"a.b": "x" * 101}, {"a.b": [1]}, {"A.b": 1}, {f"a.b{n}": 1 for n in range(41)}):  # fmt: skip
        with pytest.raises(UsageError):
            set_flags(settings)
    assert source_of({"data": "digits"}, None) == ["digits"]
    assert source_of({"run": "k"}, tmp_path) == ["--recipe", str(tmp_path / "asked.toml")]
    for asked in ({}, {"data": "digits", "run": "k"}, {"data": "/etc"}, {"run": "k"}):
        with pytest.raises(UsageError):
            source_of(asked, None)


def test_w7_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "LONGEST_SECONDS", 0.05)

    class Slow:
        headers: dict[str, str] = {}  # noqa: RUF012

        async def stream(self) -> Any:
            while True:
                await asyncio.sleep(0.01)
                yield b" "

    with pytest.raises(HTTPException) as caught:
        asyncio.run(body_module.json_body(Slow()))  # type: ignore[arg-type]
    assert caught.value.status_code == 408


def test_w1_a_port_that_is_taken_is_told_and_the_usual_one_gives_way() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="port"):
            listen(taken.getsockname()[1])
    with listen(None) as first, listen(None) as second:
        assert first.getsockname()[0] == second.getsockname()[0] == "127.0.0.1"
        assert first.getsockname()[1] < second.getsockname()[1]


def test_the_list_and_the_page_tell_the_figures(served: Any) -> None:
    answer = json.loads(served.ask("/runs.json")[2])
    rows = {run["name"]: run for run in answer["runs"]}
    assert rows["good-1"]["figure"] == pytest.approx(0.71)
    assert rows["good-1"]["settings"]["optimizer.lr"] == 0.1
    assert "train.epochs" in answer["same"] or "train.epochs" in rows["good-1"]["settings"]
    page = served.ask(f"/run/{rows['good-1']['id']}")[2].decode()
    for words in ("to tell 2 classes apart: 80 training, 20 test images", "Accuracy 71.00 % (95 % interval 60.00 % to 80.00 %) on 20 samples of the test part", "linear model", "dense  8", "a note", "hidden = [8]"):  # fmt: skip
        assert words in page, words


def test_compared_runs_are_told_apart_by_what_differs(served: Any) -> None:
    keys = f"{served.key('good-1')},{served.key('good-2')}"
    page = served.ask(f"/compare?runs={keys}")[2].decode()
    assert "good-2 is ahead with 74.00 %, but good-1 lies within its 95 % interval" in page
    assert "optimizer.lr" in page
    assert "train.epochs" not in page
    charts = json.loads(served.ask(f"/compare.json?runs={keys}")[2])["charts"]
    assert charts["loss"][served.key("good-1")][1] == pytest.approx([1.1, 0.55, 1.1 / 3])


def test_a_search_shows_its_trials_and_what_was_narrowed(served: Any) -> None:
    address = served.ask("/searches")[2].decode().split('href="/search/')[1].split('"')[0]
    trials = json.loads(served.ask(f"/search/{address}/trials.json")[2])["trials"]
    assert [trial["end"] for trial in trials] == ["done", "pruned"]
    assert trials[0]["run"] == served.key("search-1/trials/1-0000")
    assert (
        "1 of 2 trials came to their end, 1 was ended early; the best, 0.8"
        in served.ask(f"/search/{address}")[2].decode()
    )


def test_new_points_reach_a_reader_within_a_third_of_a_second(served: Any) -> None:
    """The limit is loose, for machines that do other things; benchmarks/web.py measures."""
    key, metrics = served.key("cut-3"), served.root / "cut-3" / "metrics.jsonl"
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as line:
        line.sendall(f"GET /run/{key}/events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {served.cookie}\r\n\r\n".encode())  # fmt: skip
        got = b""
        while b"still falling" not in got:
            got += line.recv(65536)
        waits = []
        for number in range(5):
            start = time.monotonic()
            append(metrics, {"event": "step", "step": 100 + number, "loss": 77.5 + number, "lr": 0.1})
            got = b""
            while str(77.5 + number).encode() not in got:
                got += line.recv(65536)
            waits.append(time.monotonic() - start)
    assert sorted(waits)[2] < 0.3


def test_rules_have_a_place_for_every_finding(served: Any) -> None:
    from glassnet.diagnose import RULES

    page = served.ask("/rules")[2].decode()
    assert all(f'id="{rule.id}"' in page for rule in RULES)


def test_ctrl_c_ends_the_page_and_the_command_says_what_is_missing(tmp_path: Path, run_maker: Callable[..., Path]) -> None:  # fmt: skip
    from glassnet.cli import run

    assert run(["web", str(tmp_path / "nothing")]) == 2
    run_maker(tmp_path / "a")
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [
        sys.executable,
        "-c",
        "from glassnet.cli import main; main()",
        "web",
        str(tmp_path),
        "--no-open",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "The page is at\n"
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(10) in (0, 130)
    assert "Traceback" not in rest
