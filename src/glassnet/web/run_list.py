"""The list of runs: the first page, and the rows behind it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.events import finite
from glassnet.web.index import Entry
from glassnet.web.page import html
from glassnet.web.site import site_of


def show(request: Request) -> Response:
    """The page; its rows come from :func:`rows`."""
    return html(request, "run_list.html.j2")


def rows(request: Request) -> Response:
    """All runs as JSON: recipe values that are the same in every run stand once under ``same``, the others in each row."""
    entries = site_of(request).index.entries()
    same = shared(entries)
    return JSONResponse(
        {"same": finite(same), "runs": [row(entry, same) for entry in entries]},
    )


def shared(entries: list[Entry]) -> dict[str, Any]:
    """Recipe values that all runs have in common."""
    if not entries:
        return {}
    return {
        key: value
        for key, value in entries[0].settings.items()
        if all(key in entry.settings and entry.settings[key] == value for entry in entries)
    }


def row(entry: Entry, same: dict[str, Any]) -> dict[str, Any]:
    """A run as the list shows it."""
    return {
        "id": entry.key,
        "name": entry.name,
        "state": entry.state,
        "changed": round(entry.changed, 1),
        "report": entry.report,
        **{key: value for key, value in finite(entry.facts).items() if value is not None},
        "settings": {key: value for key, value in finite(entry.settings).items() if key not in same},
    }
