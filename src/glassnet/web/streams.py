"""Server-sent events: what is new of a run, at most ten times a second (every five seconds, where the training needs every core), to at most 32 readers.

Each reader asks for itself what is new since it was last sent something, and is sent the next piece only when the last one has left; so a slow
reader gets fewer, larger pieces, and nothing is queued for it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from glassnet.events import finite
from glassnet.web.live import CHARTS, LiveRun

MOST_STREAMS = 32
MOST_LIVE = 12  # runs kept read, the last ones that were asked for
PAUSE = 0.1  # seconds between two looks for news, and between two pieces
# ... where the training occupies every core: drawing what is new lengthens its steps by some 33 ms in all (docs/web.md, U6).
BUSY_PAUSE = 5.0
WORDS_PAUSE = 1.0  # seconds between two looks at the whole of the curves for their sentences
IDLE_PAUSE = 1.0  # where nothing has happened for a while
IDLE_LOOKS = 50
HEARTBEAT = 15.0  # seconds after which a sign of life goes out, so that a reader who left is noticed


class Streams:
    """The readers there are; beyond the limit the oldest is sent away."""

    def __init__(self) -> None:
        self._ends: OrderedDict[object, asyncio.Event] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ends)

    def enter(self) -> tuple[object, asyncio.Event]:
        """A place for a new reader: its key, and what is set when it has to leave."""
        while len(self._ends) >= MOST_STREAMS:
            self._ends.popitem(last=False)[1].set()
        key, end = object(), asyncio.Event()
        self._ends[key] = end
        return key, end

    def leave(self, key: object) -> None:
        """Give the place back."""
        self._ends.pop(key, None)


class Live:
    """The runs that are being watched, each read once for all its readers."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, LiveRun] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, key: str, make: Callable[[], LiveRun]) -> LiveRun:
        """The run with this id, made where nobody asked for it lately."""
        with self._lock:
            if key not in self._runs:
                self._runs[key] = make()
            self._runs.move_to_end(key)
            while len(self._runs) > MOST_LIVE:
                self._runs.popitem(last=False)
            return self._runs[key]


class Cursor:
    """How much of a run one reader has been sent."""

    def __init__(self) -> None:
        self.version = -1
        self._began = -1
        self._sent: dict[tuple[str, str], int] = {}
        self._state = ""
        self._findings = 0
        self._tried = 0
        self._worded = (-1, -1e9)  # version whose sentences were sent, and when

    def piece(self, run: LiveRun, state: str) -> dict[str, Any] | None:
        """What is new, or None. A piece with ``anew`` replaces all that came before."""
        version = run.look()
        speak = version != self._worded[0] and time.monotonic() - self._worded[1] >= WORDS_PAUSE
        if version == self.version and state == self._state and not speak:
            return None
        piece: dict[str, Any] = {"state": state}
        if run.began != self._began:
            self._began, self._sent, self._findings, self._tried = run.began, {}, 0, 0
            piece["anew"] = True
        charts: dict[str, dict[str, Any]] = {}
        for chart in CHARTS:
            for name, series in list(run.charts[chart].items()):
                start, count = self._sent.get((chart, name), 0), len(series)
                if count > start:
                    charts.setdefault(chart, {})[name] = series.points(start)
                    self._sent[chart, name] = count
        piece |= {"charts": charts, "words": {}, "facts": run.facts}
        if speak or "anew" in piece:
            piece["words"] = run.sentences()
            self._worded = (version, time.monotonic())
        tried = sum(map(len, run.tried.values()))
        if len(run.findings) != self._findings or tried != self._tried:
            piece["findings"] = [each | {"tried": run.tried.get(each["rule"], [])} for each in run.findings]
            self._findings, self._tried = len(run.findings), tried
        if run.metric == "r2":
            piece["figure"] = "R²"
        self.version, self._state = version, state
        return piece


async def events(
    run: LiveRun, state: Callable[[], str], streams: Streams, *, pause: Callable[[], float] = lambda: PAUSE
) -> AsyncIterator[bytes]:
    """The pieces as server-sent events, until the reader leaves or has to; what comes ``pause()`` seconds or more after the last piece is sent at once.

    Until the first step has been shown, who waits for it waits no longer than usual.
    """
    key, end = streams.enter()
    cursor, idle, quiet, going = Cursor(), 0, 0.0, False
    try:
        yield b"retry: 2000\n\n"
        while True:
            piece = await run_in_threadpool(lambda: cursor.piece(run, state()))
            if piece is None:
                idle += 1
            else:
                idle, quiet, going = 0, 0.0, bool(piece["facts"].get("step"))
                yield b"data: " + json.dumps(finite(piece), separators=(",", ":")).encode() + b"\n\n"
            rest = pause() if going else PAUSE
            wait = IDLE_PAUSE if idle > IDLE_LOOKS else min(rest, PAUSE) if piece is None else rest
            quiet += wait
            if quiet > HEARTBEAT:
                quiet = 0.0
                yield b": still here\n\n"
            try:
                await asyncio.wait_for(end.wait(), wait)
            except TimeoutError:
                continue
            yield b"event: full\ndata: {}\n\n"
            return
    finally:
        streams.leave(key)
