"""Chosen runs side by side: figures, the recipe values that differ, and their curves in one picture."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.events import finite
from glassnet.runs import RunFolder
from glassnet.web import facts
from glassnet.web.index import Entry
from glassnet.web.live import LiveRun
from glassnet.web.page import html
from glassnet.web.site import site_of

MOST_COMPARED = 12
COMPARED = ("loss", "figure")


def show(request: Request) -> Response:
    """The page for the runs whose ids stand in the address, separated by commas (``?runs=a,b``)."""
    entries = chosen(request)
    keys = sorted({key for entry in entries for key in entry.settings})
    differing = [
        (key, [_cell(entry.settings.get(key)) for entry in entries])
        for key in keys
        if len({repr(entry.settings.get(key)) for entry in entries}) > 1
    ]
    return html(
        request,
        "compare.html.j2",
        entries=entries,
        figures=[facts.told(e.facts["figure"], e.facts) if "figure" in e.facts else "" for e in entries],
        sentence=sentence(entries),
        differing=differing,
    )


def curves(request: Request) -> Response:
    """Validation curves of the chosen runs (training where there is no validation part): chart -> run -> points."""
    site = site_of(request)
    found: dict[str, dict[str, Any]] = {chart: {} for chart in COMPARED}
    for entry in chosen(request):
        path = site.index.path(entry.key)
        if path is None:
            continue
        run = site.live.run(entry.key, lambda path=path: LiveRun(RunFolder(path)))  # type: ignore[misc]
        run.look()
        for chart in COMPARED:
            series = run.charts[chart].get("validation") or run.charts[chart].get("training")
            if series is not None:
                found[chart][entry.key] = series.points()
    return JSONResponse(finite({"charts": found}))


def chosen(request: Request) -> list[Entry]:
    """The runs that the address names.

    Raises:
        HTTPException: 404, none of them is there.
    """
    index = site_of(request).index
    keys = list(dict.fromkeys(request.query_params.get("runs", "")[:1000].split(",")))[:MOST_COMPARED]
    found = [entry for entry in map(index.entry, keys) if entry is not None]
    if not found:
        raise HTTPException(404, "none of these runs is here; choose some in the list of runs")
    return found


def sentence(entries: list[Entry]) -> str:
    """Which run is best, and whether by more than chance."""
    told = [entry for entry in entries if "figure" in entry.facts]
    if len(told) < 2:
        return "Fewer than two of these runs have a result to compare."
    if len({entry.facts["metric"] for entry in told}) > 1:
        return "These runs are judged by different figures, which cannot be compared."
    sign = 1 if told[0].facts["metric"] == "nats" else -1  # of which the fewer the better
    ranked = sorted(told, key=lambda entry: sign * entry.facts["figure"])
    best, second = ranked[0], ranked[1]
    text = f"{best.name} is ahead with {facts.told(best.facts['figure'], best.facts)}"
    if len({entry.facts.get("data") for entry in told}) > 1:
        return f"{text}; but these runs learned from different data, so their figures cannot be compared."
    if "low" in best.facts and best.facts["low"] <= second.facts["figure"] <= best.facts["high"]:
        return f"{text}, but {second.name} lies within its 95 % interval: the difference may be chance."
    return f"{text}, by more than its 95 % interval." if "low" in best.facts else f"{text}."


def _cell(value: object) -> str:
    return "" if value is None else facts.figure(value) if isinstance(value, float) else str(value)
