"""HTML from the templates of this folder, the static files beside them, and pages that say what went wrong."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from glassnet.web.site import site_of

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Views of one run, as they stand in the row of links under its name: (end of the address, name).
RUN_VIEWS: tuple[tuple[str, str], ...] = (("", "Training"), ("inside", "Look inside"), ("stepper", "Backpropagation"))


def html(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page: ``template`` of this folder's ``templates``, which extends ``base.html.j2``. Every text is escaped.

    Args:
        request: whose site and run, where it has one, the template sees as ``site`` and ``run``.
        template: file name.
        status: of the answer.
        values: what the template shows.
    """
    site = site_of(request)
    run = request.path_params.get("run")
    entry = site.index.entry(run) if run else None
    text = templates().get_template(template).render(site=site, run=entry, views=RUN_VIEWS, **values)
    return HTMLResponse(text, status)


@cache
def templates() -> Environment:
    """The templates, with everything escaped and nothing undefined let through."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Name -> (content, content type) of every file in ``static``: a table, so that no path is ever made of a request."""
    return {
        path.name: (path.read_bytes(), KINDS[path.suffix])
        for path in sorted((HERE / "static").iterdir())
        if path.suffix in KINDS
    }


async def static(request: Request) -> Response:
    """A file of ``static``."""
    found = static_files().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "there is no such file")
    return Response(found[0], media_type=found[1])


async def refused(request: Request, error: Exception) -> Response:
    """The answer to what cannot be done: as JSON to scripts, as a page to people."""
    status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    if status == 404 and text == "Not Found":
        text = "there is no such page"
    if status == 405:
        text = "this method is not used here"
    if request.method == "POST" or "json" in request.headers.get("accept", ""):
        # what was not read of the body is not waited for
        return JSONResponse({"error": text}, status, {"connection": "close"} if request.method == "POST" else None)
    return html(request, "error.html.j2", status, message=text)


async def failed(request: Request, error: Exception) -> Response:
    """The answer to a fault of our own; no traceback and no path leaves the process."""
    text = f"a fault of Glassnet's own ({type(error).__name__}); the terminal of 'glassnet web' shows where"
    if request.method == "POST" or "json" in request.headers.get("accept", ""):
        return JSONResponse({"error": text}, 500)
    return html(request, "error.html.j2", 500, message=text)
