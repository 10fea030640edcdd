"""A search's folder: its trials as a table and as pictures, its stages in words."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.captions import number
from glassnet.web.facts import text
from glassnet.web.index import key_of
from glassnet.web.page import html
from glassnet.web.reading import read_json, read_text
from glassnet.web.site import site_of

KNOWN = ("stage", "number", "end", "value", "epochs", "seconds", "why")
MOST_TRIALS = 5000
MOST_KEYS = 30


def show_all(request: Request) -> Response:
    """The searches below the folder."""
    site = site_of(request)
    found = [(key, path.relative_to(site.root).as_posix()) for key, path in site.index.searches().items()]
    return html(request, "searches.html.j2", searches=sorted(found, key=lambda each: each[1]))


def show(request: Request) -> Response:
    """The page of one search."""
    folder = folder_of(request)
    rows = trials(folder, site_of(request).root)
    return html(
        request,
        "search.html.j2",
        name=folder.relative_to(site_of(request).root).as_posix(),
        sentence=sentence(rows),
        stages=stages(folder),
        finalists=finalists(folder),
    )


def rows(request: Request) -> Response:
    """The trials as JSON."""
    return JSONResponse({"trials": trials(folder_of(request), site_of(request).root)})


def folder_of(request: Request) -> Path:
    """The search that the address names.

    Raises:
        HTTPException: 404, there is none with this id.
    """
    site = site_of(request)
    path = site.index.searches().get(request.path_params["search"])
    if path is None or not path.resolve().is_relative_to(site.root.resolve()):
        raise HTTPException(404, "there is no such search")
    return path


def trials(folder: Path, root: Path) -> list[dict[str, Any]]:
    """Rows of ``trials.csv``: ``stage``, ``number``, ``end``, ``value`` (None without one), ``settings``, and ``run``, the id of its run folder."""
    found: list[dict[str, Any]] = []
    content = read_text(folder / "trials.csv", 32 << 20).replace("\0", "")
    try:
        for row in csv.DictReader(io.StringIO(content)):
            stage, place = row.get("stage") or "", row.get("number") or ""
            if not (stage.isdecimal() and place.isdecimal() and len(stage + place) < 12):
                continue
            keys = [key for key in row if isinstance(key, str) and key not in KNOWN][:MOST_KEYS]
            found.append(
                {
                    "stage": int(stage),
                    "number": int(place),
                    "end": text(row.get("end")),
                    "value": _value(row.get("value")),
                    "run": key_of(folder / "trials" / f"{int(stage)}-{int(place):04d}", root),
                    "settings": {key: _setting(row[key]) for key in keys if row[key]},
                }
            )
            if len(found) >= MOST_TRIALS:
                break
    except csv.Error:
        return found
    return found


def sentence(found: list[dict[str, Any]]) -> str:
    """How many trials came to their end, and the best of them."""
    done = [each for each in found if each["end"] == "done" and each["value"] is not None]
    if not done:
        return f"{len(found)} trials so far; none has come to its end."
    best = max(done, key=lambda each: each["value"])
    told = ", ".join(f"{key} {_said(value)}" for key, value in best["settings"].items())
    return (
        f"{len(done)} of {len(found)} trials came to their end; the best, {number(best['value'])}, is number {best['number']} "
        f"of stage {best['stage']}: {told}. The best of many noisy trials is not as good as it looks; the finalists below tell more."
    )


def stages(folder: Path) -> list[dict[str, Any]]:
    """Of each stage its space, its warnings and how the ranges were narrowed."""
    given = read_json(folder / "stages.json")
    found = []
    for each in given[:20] if isinstance(given, list) else ():
        if not isinstance(each, dict):
            continue
        space, narrowed, edges = each.get("space"), each.get("narrowed"), each.get("edges")
        importances = each.get("importances")
        found.append(
            {
                "stage": each.get("stage") if isinstance(each.get("stage"), int) else "",
                "trials": each.get("trials") if isinstance(each.get("trials"), int) else "",
                "epochs": each.get("epochs") if isinstance(each.get("epochs"), int) else "",
                "space": [(text(k), text(v)) for k, v in list(space.items())[:MOST_KEYS]]
                if isinstance(space, dict)
                else [],
                "edges": [text(edge) for edge in edges[:MOST_KEYS]] if isinstance(edges, list) else [],
                "narrowed": [
                    (text(row.get("key")), text(row.get("to")), text(row.get("why")))
                    for row in narrowed[:MOST_KEYS]
                    if isinstance(row, dict)
                ]
                if isinstance(narrowed, list)
                else [],
                "importances": [
                    (text(k), f"{100 * v:.0f} %")
                    for k, v in sorted(importances.items(), key=lambda item: str(item[1]), reverse=True)[:MOST_KEYS]
                    if isinstance(v, int | float) and math.isfinite(v)
                ]
                if isinstance(importances, dict)
                else [],
            }
        )
    return found


def finalists(folder: Path) -> str:
    """``finalists.json`` as it stands, for people; empty without one."""
    content = read_json(folder / "finalists.json")
    return "" if content is None else json.dumps(content, indent=1, ensure_ascii=False)[:20_000]


def _value(given: object) -> float | None:
    try:
        value = float(str(given)[:40])
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _setting(given: str) -> float | str:
    value = _value(given)
    return given[:100] if value is None else value


def _said(value: float | str) -> str:
    return number(value) if isinstance(value, float) else value
