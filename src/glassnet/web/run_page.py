"""One run: its page, the stream of what is new, a closer look at a stretch of a curve, and its report."""

from __future__ import annotations

import math
import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from glassnet.cores import cores
from glassnet.web import facts
from glassnet.web.index import Entry
from glassnet.web.live import CHARTS
from glassnet.web.page import html
from glassnet.web.reading import read_bytes, read_object
from glassnet.web.site import live_of, run_of, site_of
from glassnet.web.streams import BUSY_PAUSE, PAUSE, events

STATE_PAUSE = 0.5  # seconds between two looks whether the run is still being trained
LARGEST_REPORT = 64 << 20
# The report carries its styles in the page; nothing else of it may run or be fetched, and it is shown as if it came from nowhere.
REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def show(request: Request) -> Response:
    """The page of a run."""
    folder, site = run_of(request), site_of(request)
    entry = site.index.look_at(request.path_params["run"])
    if entry is None:
        raise HTTPException(404, "there is no such run; it may have been moved or removed")
    about, outcome = read_object(folder.path / "data.json"), read_object(folder.path / "result.json")
    return html(
        request,
        "run.html.j2",
        view="Training",
        charts=CHARTS,
        summary=facts.summary(entry, about),
        result=facts.result(entry, outcome),
        rivals=facts.rivals(outcome, entry.facts),
        classes=facts.classes(outcome),
        recipe=facts.recipe_text(folder),
        layers=facts.layers(folder),
        environment=facts.environment(folder),
        notes=facts.notes(about),
    )


async def stream(request: Request) -> Response:
    """What is new of a run, as server-sent events."""
    run, site, key = live_of(request), site_of(request), request.path_params["run"]

    looked, entry = -1e9, None

    def state() -> str:
        nonlocal looked, entry
        if time.monotonic() - looked >= STATE_PAUSE:
            looked, entry = time.monotonic(), site.index.look_at(key)
        return "removed" if entry is None else entry.state

    def pause() -> float:
        return pause_for(entry)

    # A connection whose stream has ended is given up, and not kept for a next question: readers who were sent away would fill all places there are.
    closing = {"Connection": "close"}
    return StreamingResponse(
        events(run, state, site.streams, pause=pause), media_type="text/event-stream", headers=closing
    )


def pause_for(entry: Entry | None) -> float:
    """Seconds between two pieces: longer where the training runs here and occupies every core, since what the browser draws would slow it down."""
    threads = None if entry is None or entry.state != "running" else entry.settings.get("train.threads")
    return BUSY_PAUSE if isinstance(threads, int) and threads >= cores() else PAUSE


def series(request: Request) -> Response:
    """A stretch of every series of a chart (``chart``, ``low``, ``high``), thinned out to 2,000 points each."""
    run, asked = live_of(request), request.query_params
    chart = asked.get("chart", "")
    if chart not in CHARTS:
        raise HTTPException(404, "there is no such chart")
    low, high = (_bound(asked.get(name, "")) for name in ("low", "high"))
    run.look()
    return JSONResponse({name: each.between(low, high) for name, each in list(run.charts[chart].items())})


def report(request: Request) -> Response:
    """The report of the run as it lies in its folder, shut in by a policy of its own."""
    content = read_bytes(run_of(request).report, LARGEST_REPORT)
    if content is None:
        raise HTTPException(404, "this run has no report yet; it is written when the training ends")
    return Response(content, media_type="text/html; charset=utf-8", headers={"content-security-policy": REPORT_POLICY})


def _bound(text: str) -> float:
    try:
        value = float(text[:40])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise HTTPException(422, "'low' and 'high' are numbers")
    return value
