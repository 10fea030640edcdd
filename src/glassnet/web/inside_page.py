"""The page on which one draws a digit or gives a picture and sees every layer answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.errors import GlassnetError
from glassnet.runs import RunFolder
from glassnet.web import inside
from glassnet.web.body import json_body
from glassnet.web.page import html
from glassnet.web.reading import read_object
from glassnet.web.site import Site, run_of, site_of

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.model import Model

LARGEST_FILE = 12 << 20  # bytes of a picture that is uploaded
LARGEST_QUESTION = 4 * LARGEST_FILE // 3 + (64 << 10)  # the same in base64, with the words around it
MOST_MODELS = 3  # that are kept open; the one asked for longest ago is closed first
LARGEST_WEIGHTS = 1 << 30


@dataclass
class Opened:
    """Models that were asked for. A network answers one question at a time, since looking puts hooks on it."""

    models: OrderedDict[Path, tuple[int, Model]] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def show(request: Request) -> Response:
    """The page; it asks for everything else."""
    facts = facts_of(run_of(request))
    return html(request, "inside.html.j2", view="Look inside", facts=facts)


def facts_of(folder: RunFolder) -> dict[str, Any]:
    """What is known of a run's network without opening it."""
    card = read_object(folder.model / "model.json")
    schema = card.get("schema")
    if not isinstance(schema, dict):
        return {"image": False, "kind": ""}
    classes = card.get("classes")
    names = [str(name)[:80] for name in classes[:1000]] if isinstance(classes, list) else []
    known = card.get("card")
    border = str(known.get("border", "")) if isinstance(known, dict) else ""
    try:
        return inside.about(schema, names, border) | {"classes": names}
    except (KeyError, TypeError, ValueError):
        return {"image": False, "kind": "", "classes": names}


async def answer(request: Request) -> Response:
    """Every layer's answer to what was drawn or given."""
    return await asked(request, lambda model, raw, body: inside.answers(model, raw))


async def saliency(request: Request) -> Response:
    """Which pixels move an output."""
    return await asked(request, lambda model, raw, body: inside.saliency_of(model, raw, text(body, "target") or None))


async def window(request: Request) -> Response:
    """One pixel of a convolution taken apart."""
    return await asked(
        request,
        lambda model, raw, body: inside.window(
            model, raw, text(body, "layer"), *(whole(body, name) for name in ("channel", "row", "column"))
        ),
    )


async def asked(request: Request, reply: Callable[[Model, Tensor, dict[str, Any]], dict[str, Any]]) -> Response:
    """Read a question, find its network and its picture, and answer it in a thread.

    Raises:
        HTTPException: 404 for a run without a model, 413 for too large a body, 422 for what cannot be answered, with the reason.
    """
    folder, site = run_of(request), site_of(request)
    body = await json_body(request, LARGEST_QUESTION)

    def work() -> dict[str, Any]:
        try:
            with models_of(site).lock:
                model = model_of(site, folder)
                return reply(model, picture(model, body), body)
        except GlassnetError as error:
            raise HTTPException(422, told(error)) from error

    return JSONResponse(await run_in_threadpool(work))


def model_of(site: Site, folder: RunFolder) -> Model:
    """The finished network of a run; opened anew where its file has changed. Called under the lock.

    Raises:
        HTTPException: 404, the run has none; 413, it is too large for a page.
        GlassnetError: it is damaged, or of a class of the user's own.
    """
    from glassnet.model import Model

    try:
        state = (folder.model / "weights.safetensors").stat(follow_symlinks=False)
    except OSError as error:
        raise HTTPException(404, "this run has no finished network yet") from error
    if state.st_size > LARGEST_WEIGHTS:
        raise HTTPException(413, "this network is too large for a page")
    kept = models_of(site).models
    known = kept.pop(folder.path, None)
    if known is None or known[0] != state.st_mtime_ns:
        known = (state.st_mtime_ns, Model.load(folder.model))
    kept[folder.path] = known
    while len(kept) > MOST_MODELS:
        kept.popitem(last=False)
    return known[1]


def models_of(site: Site) -> Opened:
    """The models that this site keeps open."""
    opened: Opened = site.kept.setdefault("models", Opened())
    return opened


def picture(model: Model, body: dict[str, Any]) -> Tensor:
    """The picture of a question: ``file`` (base64 of a picture), or ``pixels``, ``width`` and ``height`` of a drawing."""
    if "file" in body:
        return inside.uploaded(model, text(body, "file", LARGEST_QUESTION), LARGEST_FILE)
    return inside.drawing(
        model,
        text(body, "pixels", LARGEST_QUESTION),
        whole(body, "width"),
        whole(body, "height"),
        dark=body.get("dark") is True,
        centre=body.get("centre") is not False,
    )


def text(body: dict[str, Any], name: str, longest: int = 400) -> str:
    """A text of the question; empty where it was not given.

    Raises:
        HTTPException: 422, it is something else or too long.
    """
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise HTTPException(422, f"'{name}' must be a text of at most {longest:,} characters")
    return value


def whole(body: dict[str, Any], name: str) -> int:
    """A whole number of the question.

    Raises:
        HTTPException: 422, it is none.
    """
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise HTTPException(422, f"'{name}' must be a whole number")
    return value


def told(error: GlassnetError) -> str:
    """An error for the page: what, got and expected, without the place, which may be a path of this machine."""
    parts = [error.problem]
    if error.got:
        parts.append(f"got {error.got}")
    if error.expected:
        parts.append(f"expected {error.expected}")
    return "; ".join(parts) + (f". {error.fix}" if error.fix else "")
