"""The page on which one draws a digit, types a text, gives a sound or fills in a row, and sees every layer answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.errors import GlassnetError, UsageError
from glassnet.runs import RunFolder
from glassnet.web import drawing, inside, typed
from glassnet.web.body import json_body
from glassnet.web.page import html
from glassnet.web.reading import read_object
from glassnet.web.shares import columns_of, moments_of, words_of
from glassnet.web.site import Site, run_of, site_of
from glassnet.web.window import window as taken_apart

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.data.dataset import Part
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
    try:
        return inside.about(read_object(folder.model / "model.json"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return {"image": False, "kind": "", "classes": []}


async def answer(request: Request) -> Response:
    """Every layer's answer to what was drawn or given."""
    return await asked(
        request, lambda model, given, body: inside.answers(model, given, moments_in(model, given)), QUESTIONS
    )


async def saliency(request: Request) -> Response:
    """Which pixels move an output."""
    return await asked(request, lambda model, raw, body: inside.saliency_of(model, raw, text(body, "target") or None))


async def shares(request: Request) -> Response:
    """What each word, column or moment counts for."""
    return await asked(
        request,
        lambda model, given, body: SHARES[model.schema.kind](model, given, text(body, "target") or None),
        {kind: question for kind, question in QUESTIONS.items() if kind in SHARES},
    )


async def window(request: Request) -> Response:
    """One pixel of a convolution taken apart."""
    return await asked(
        request,
        lambda model, raw, body: taken_apart(
            model, raw, text(body, "layer"), *(whole(body, name) for name in ("channel", "row", "column"))
        ),
    )


async def asked(
    request: Request,
    reply: Callable[[Model, Any, dict[str, Any]], dict[str, Any]],
    questions: Mapping[str, Callable[[Model, dict[str, Any]], Any]] | None = None,
) -> Response:
    """Read a question, find its network and what it is asked about, and answer it in a thread.

    Args:
        request: a run's, with a question as its body.
        reply: model, what is asked about, the body -> what is told.
        questions: kind of data -> what makes a network's input of a body; only pictures without it.

    Raises:
        HTTPException: 404 for a run without a model, 413 for too large a body, 422 for what cannot be answered, with the reason.
    """
    folder, site = run_of(request), site_of(request)
    body = await json_body(request, LARGEST_QUESTION)

    def work() -> dict[str, Any]:
        try:
            with models_of(site).lock:
                model = model_of(site, folder)
                ask = (questions or {"image": picture}).get(model.schema.kind)
                if ask is None:
                    raise UsageError(
                        "this network reads no such data",
                        got=model.schema.kind,
                        expected="a network for data of kind " + " or ".join(questions or ["image"]),
                    )
                return reply(model, ask(model, body), body)
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
        return drawing.uploaded(model, text(body, "file", LARGEST_QUESTION), LARGEST_FILE)
    return drawing.drawing(
        model,
        text(body, "pixels", LARGEST_QUESTION),
        whole(body, "width"),
        whole(body, "height"),
        dark=body.get("dark") is True,
        centre=body.get("centre") is not False,
    )


def written(model: Model, body: dict[str, Any]) -> Part:
    """The ``text`` of a question."""
    return typed.text_of(model, text(body, "text", typed.LONGEST_TEXT))


def heard(model: Model, body: dict[str, Any]) -> Part:
    """The sound of a question: ``file``, base64 of a WAV file."""
    return typed.sound_of(model, drawing.unpacked(text(body, "file", LARGEST_QUESTION), LARGEST_FILE))


def filled(model: Model, body: dict[str, Any]) -> Tensor:
    """The ``row`` of a question: texts by the names of columns."""
    row = body.get("row")
    if not isinstance(row, dict):
        raise HTTPException(422, "'row' must be an object of texts by column")
    return typed.row_of(model, row)


QUESTIONS: Mapping[str, Callable[[Model, dict[str, Any]], Any]] = MappingProxyType(
    {"image": picture, "text": written, "sound": heard, "table": filled}
)
SHARES: Mapping[str, Callable[[Model, Any, str | None], dict[str, Any]]] = MappingProxyType(
    {"text": words_of, "sound": moments_of, "table": columns_of}
)


def moments_in(model: Model, given: Any) -> int:
    """Tokens of a text that the network reads; 0 for everything that is no text."""
    if model.schema.kind != "text":
        return 0
    longest = getattr(model.preprocess, "longest", 0)
    return min(int(given.inputs.lengths[0]), int(longest))


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
