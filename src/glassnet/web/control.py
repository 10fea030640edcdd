"""Start, stop and resume: what the browser may ask for, checked, and made into a command."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.errors import GlassnetError, UsageError
from glassnet.runs import RunFolder
from glassnet.web.body import json_body
from glassnet.web.page import html
from glassnet.web.processes import stop as stop_process
from glassnet.web.site import run_of, site_of

NAMED = ("digits", "letters", "mnist", "fashion-mnist", "cifar10")  # what a run may be started on without another run
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}\Z")
KEY = re.compile(r"[a-z_]{1,40}\.[a-z0-9_]{1,40}\Z")
SHUT = (
    "data.",
    "net.pretrained",
    "net.class",
    "net.module",
    "ensemble.of",
)  # keys that hold paths or code: not for a browser to choose
MOST_SETTINGS = 40


async def stop(request: Request) -> Response:
    """Ask the training of this run to save and end."""
    await json_body(request)
    folder = run_of(request)
    return _answered(lambda: stop_process(folder.path))


async def resume(request: Request) -> Response:
    """Go on with this run: ``glassnet resume RUN --quiet``."""
    await json_body(request)
    folder, site = run_of(request), site_of(request)

    def go() -> None:
        entry = site.index.look_at(request.path_params["run"])
        if entry is not None and entry.state == "running":
            raise UsageError("this run is being trained already", fix="wait until it ends")
        if folder.finished:
            raise UsageError("this run has come to its end already", fix="start a new run with its recipe")
        site.processes.start(["resume", str(folder.path.resolve()), "--quiet"])

    return _answered(go)


async def start(request: Request) -> Response:
    """A new run: on a named data set, or on the data and with the recipe of a run that is there, with settings changed.

    The body holds ``data`` (a name) or ``run`` (an id), ``name`` (of the new run) and ``settings`` (recipe keys and values).
    """
    site = site_of(request)
    asked = await json_body(request)

    def go() -> None:
        source = site.index.path(asked["run"]) if isinstance(asked.get("run"), str) else None
        arguments = ["train", *source_of(asked, source), *set_flags(asked.get("settings"))]
        name = asked.get("name")
        if not isinstance(name, str) or not NAME.match(name):
            raise UsageError(
                "the new run needs a name of letters, digits, '-', '_' and '.', at most 60 of them",
                where="name",
                got=repr(name)[:80],
                expected="such as mnist-2",
            )
        place = site.root.resolve() / name
        if place.exists():
            raise UsageError(
                f"there is already something called '{name}' in the folder of runs",
                where="name",
                fix="choose another name",
            )
        site.processes.start([*arguments, "--out", str(place), "--quiet"])

    return _answered(go)


def source_of(asked: dict[str, Any], source: Any) -> list[str]:
    """The arguments that say what to train on.

    Raises:
        UsageError: neither a known name nor a known run was given, or both.
    """
    data, run = asked.get("data"), asked.get("run")
    if (data is None) == (run is None):
        raise UsageError(
            "give either a data set or a run whose recipe to take",
            got="both" if data is not None else "neither",
            fix="choose one of the two",
        )
    if run is None:
        if data not in NAMED:
            raise UsageError("this is not one of the named data sets", expected="one of " + ", ".join(NAMED))
        return [data]
    if source is None:
        raise UsageError(
            "there is no such run",
            got=str(run)[:60],
            fix="load the page again and choose one of the runs that it lists",
        )
    folder = RunFolder(source)
    recipe = folder.recipe if folder.recipe.exists() else folder.asked
    return ["--recipe", str(recipe.resolve())]


def set_flags(settings: object) -> list[str]:
    """``--set key=value`` for each setting.

    Raises:
        UsageError: a key is none of a recipe's, or not for a browser to choose; or a value is no number, truth value or short text.
    """
    if settings is None:
        return []
    if not isinstance(settings, dict) or len(settings) > MOST_SETTINGS:
        raise UsageError(
            f"settings are at most {MOST_SETTINGS} keys with values",
            where="settings",
            fix="write all of them into a recipe and train in a terminal with 'glassnet train --recipe FILE'",
        )
    flags: list[str] = []
    for key, value in settings.items():
        if not KEY.match(key) or key.startswith(SHUT):
            raise UsageError(f"'{key[:60]}' cannot be set from the page", fix="use the command line")
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"'{key}' is not finite", where="settings", got=value, expected="a number such as 0.1")
        if not isinstance(value, bool | int | float | str) or len(str(value)) > 100 or "\0" in str(value):
            raise UsageError(
                f"'{key}' takes a number, a truth value or a short text",
                where="settings",
                got=type(value).__name__,
                expected="at most 100 characters",
            )
        flags += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
    return flags


def show_processes(request: Request) -> Response:
    """What was started from this page, and the form to start more."""
    site = site_of(request)
    return html(
        request, "processes.html.j2", processes=site.processes.told(), named=NAMED, runs=site.index.entries()[:500]
    )


def processes(request: Request) -> Response:
    """The same as JSON."""
    return JSONResponse({"processes": site_of(request).processes.told()})


def _answered(act: Any) -> Response:
    try:
        act()
    except GlassnetError as error:
        return JSONResponse({"error": error.problem, "fix": error.fix or error.expected}, 422)
    except OSError as error:
        raise HTTPException(500, "the process could not be started") from error
    return JSONResponse({"done": True})
