"""The live page: which address is answered by which function, and the application made of them.

To add a page:

1. A module ``web/NAME.py`` with a function that takes a Starlette ``Request`` and returns ``page.html(request, "NAME.html.j2", ...)`` or a
   ``JSONResponse``. ``site.run_of(request)`` is the run folder that the address names by its id; ``body.json_body`` reads what was posted. A
   function that is not ``async`` runs in a thread, so it may read files and compute.
2. A template ``templates/NAME.html.j2`` that extends ``base.html.j2`` (of a run: ``run_base.html.j2``) and static files ``static/NAME.js`` and
   ``static/NAME.css``. No script or style stands in the page itself: the content policy forbids it. Scripts are modules; texts go into the page by
   ``textContent`` only.
3. A row in ``ROUTES`` below, and for a view of one run a row in ``page.RUN_VIEWS``.

Host, Origin, token and the strict headers are the guard's (``guard.py``), for every address alike.
"""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from glassnet.web import compare, control, inside_page, page, rules, run_list, run_page, searches, stepper_page
from glassnet.web.guard import App, guarded
from glassnet.web.index import Index
from glassnet.web.site import Site

ROUTES: tuple[Route, ...] = (
    Route("/", run_list.show),
    Route("/runs.json", run_list.rows),
    Route("/compare", compare.show),
    Route("/compare.json", compare.curves),
    Route("/run/{run}", run_page.show),
    Route("/run/{run}/events", run_page.stream),
    Route("/run/{run}/series.json", run_page.series),
    Route("/run/{run}/report", run_page.report),
    Route("/run/{run}/stop", control.stop, methods=["POST"]),
    Route("/run/{run}/resume", control.resume, methods=["POST"]),
    Route("/run/{run}/inside", inside_page.show),
    Route("/run/{run}/inside.json", inside_page.answer, methods=["POST"]),
    Route("/run/{run}/saliency.json", inside_page.saliency, methods=["POST"]),
    Route("/run/{run}/shares.json", inside_page.shares, methods=["POST"]),
    Route("/run/{run}/window.json", inside_page.window, methods=["POST"]),
    Route("/run/{run}/stepper", stepper_page.show_run),
    Route("/run/{run}/stepper.json", stepper_page.steps_of_run, methods=["POST"]),
    Route("/stepper", stepper_page.show),
    Route("/stepper.json", stepper_page.steps, methods=["POST"]),
    Route("/searches", searches.show_all),
    Route("/search/{search}", searches.show),
    Route("/search/{search}/trials.json", searches.rows),
    Route("/processes", control.show_processes),
    Route("/processes.json", control.processes),
    Route("/start", control.start, methods=["POST"]),
    Route("/rules", rules.show),
    Route("/static/{name}", page.static),
)


def application(root: Path, token: str, port: int) -> App:
    """The live page over the runs of a folder, behind the guard.

    Args:
        root: folder of runs, at any depth; or one run.
        token: that the browser must have, from :func:`glassnet.web.guard.new_token`.
        port: that is listened on.
    """
    inner = Starlette(routes=list(ROUTES), exception_handlers={HTTPException: page.refused, Exception: page.failed})
    inner.router.redirect_slashes = False  # an answer never sends the browser to an address that the browser gave
    inner.state.site = Site(root, Index(root))
    return guarded(inner, token, port)
