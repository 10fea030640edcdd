"""What every page has at hand: the folder of runs and what is shared between requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from glassnet.runs import RunFolder
from glassnet.web.index import Index
from glassnet.web.live import LiveRun
from glassnet.web.processes import Processes
from glassnet.web.streams import Live, Streams


@dataclass
class Site:
    """State of the running page.

    Attributes:
        root: the folder whose runs are shown.
        index: the runs by their ids.
        streams: the readers of live curves.
        live: the runs that they watch.
        processes: trainings that were started from here.
        kept: what a page wants to keep between requests, under a name of its own; a dictionary's ``setdefault`` is atomic.
    """

    root: Path
    index: Index
    streams: Streams = field(default_factory=Streams)
    live: Live = field(default_factory=Live)
    processes: Processes = field(default_factory=Processes)
    kept: dict[str, Any] = field(default_factory=dict)


def site_of(request: Request) -> Site:
    """The site that a request belongs to."""
    site: Site = request.app.state.site
    return site


def run_of(request: Request) -> RunFolder:
    """The run that the address names by its id.

    Raises:
        HTTPException: 404, there is no run with this id.
    """
    path = site_of(request).index.path(request.path_params["run"])
    if path is None:
        raise HTTPException(404, "there is no such run; it may have been moved or removed")
    return RunFolder(path)


def live_of(request: Request) -> LiveRun:
    """The run that the address names, as it grows.

    Raises:
        HTTPException: 404, there is no run with this id.
    """
    folder = run_of(request)
    return site_of(request).live.run(request.path_params["run"], lambda: LiveRun(folder))
