"""A search's folder: its trials as a table and as pictures, its stages in words."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.captions import number
from glassnet.events import finite
from glassnet.web.facts import text
from glassnet.web.index import key_of
from glassnet.web.page import html
from glassnet.web.reading import read_json
from glassnet.web.site import site_of
from glassnet.web.trials import MOST_KEYS, Curves, searched, trials, under_way, with_curves


def show_all(request: Request) -> Response:
    """The searches below the folder."""
    site = site_of(request)
    found = [(key, path.relative_to(site.root).as_posix()) for key, path in site.index.searches().items()]
    return html(request, "searches.html.j2", searches=sorted(found, key=lambda each: each[1]))


def show(request: Request) -> Response:
    """The page of one search; what is drawn comes from :func:`rows`."""
    folder, site = folder_of(request), site_of(request)
    return html(
        request,
        "search.html.j2",
        name=folder.relative_to(site.root).as_posix() if folder != site.root else site.root.resolve().name,
        sentence=sentence(trials(folder, site.root)),
        stages=stages(folder),
        winner=site.index.entry(key_of(folder / "winner", site.root)),
    )


def rows(request: Request) -> Response:
    """Trials, stages, finalists and the sentence as JSON; only ``seen``, where that is what the browser has seen already."""
    folder, site = folder_of(request), site_of(request)
    found = trials(folder, site.root)
    ended = {(each["stage"], each["number"]) for each in found}
    keys = {key for each in found for key in each["settings"]} | searched(folder, read_json(folder / "search.json"))
    found += under_way(folder, site.index, keys, ended)
    curves: Curves = site.kept.setdefault("trials", Curves())
    with_curves(found, site.index, curves)
    told = finite(
        {"trials": found, "sentence": sentence(found), "stages": stages(folder), "finalists": finalists(folder)}
    )
    content = json.dumps(told, separators=(",", ":"))
    seen = hashlib.blake2b(content.encode(), digest_size=9).hexdigest()
    if request.query_params.get("seen") == seen:
        return JSONResponse({"seen": seen})
    return JSONResponse(told | {"seen": seen})


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


def sentence(found: list[dict[str, Any]]) -> str:
    """How many trials came to their end, how many are under way, and the best of them."""
    done = [each for each in found if each["end"] == "done" and each["value"] is not None]
    running = sum(each["end"] == "running" for each in found)
    now = f" {running} {'is' if running == 1 else 'are'} being trained." if running else ""
    if not done:
        return f"{len(found)} trials so far; none has come to its end.{now}"
    early = sum(each["end"] in ("pruned", "exploded") for each in found)
    cut = f", {early} {'was' if early == 1 else 'were'} ended early" if early else ""
    best = max(done, key=lambda each: each["value"])
    told = ", ".join(f"{short(key)} {_said(value)}" for key, value in best["settings"].items())
    return (
        f"{len(done)} of {len(found)} trials came to their end{cut}; the best, {number(best['value'])}, "
        f"is number {best['number']} of stage {best['stage']}: {told}.{now} "
        "The best of many noisy trials is not as good as it looks; the finalists tell more."
    )


def short(key: str) -> str:
    """``optimizer.lr`` -> ``lr``, ``optimizer.name`` -> ``optimizer``."""
    return key.partition(".")[0] if key.endswith(".name") else key.rpartition(".")[2]


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
                "importances": sorted(
                    (
                        (text(key), float(share))
                        for key, share in list(importances.items())[:MOST_KEYS]
                        if isinstance(share, int | float) and 0 <= share <= 1
                    ),
                    key=lambda each: -each[1],
                )
                if isinstance(importances, dict)
                else [],
            }
        )
    return found


def finalists(folder: Path) -> list[dict[str, Any]]:
    """Of each finalist, trained again with fresh seeds: ``name``, ``settings`` in words, ``mean``, ``std`` and how many ``seeds``; the best first."""
    given = read_json(folder / "finalists.json")
    found = []
    for each in given[:50] if isinstance(given, list) else ():
        mean = each.get("mean") if isinstance(each, dict) else None
        if not isinstance(mean, int | float) or not abs(mean) < 1e300:
            continue
        settings, place, values = each.get("settings"), each.get("place"), each.get("values")
        told = list(settings.items())[:MOST_KEYS] if isinstance(settings, dict) else []
        found.append(
            {
                "name": f"finalist {place}" if told and isinstance(place, int) else "the recipe as it was",
                "settings": ", ".join(
                    f"{text(key)} {number(value) if isinstance(value, float) else text(str(value))}"
                    for key, value in told
                ),
                "mean": mean,
                "std": each["std"] if isinstance(each.get("std"), int | float) else None,
                "seeds": len(values) if isinstance(values, list) else None,
            }
        )
    return sorted(found, key=lambda each: -each["mean"])


def _said(value: float | str) -> str:
    return number(value) if isinstance(value, float) else value
