"""The page on which backpropagation is walked through gate by gate: a formula of one's own, or a finished network on a drawing."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from glassnet.errors import GlassnetError
from glassnet.web import stepper
from glassnet.web.body import json_body
from glassnet.web.inside_page import asked, facts_of, text, told
from glassnet.web.page import html
from glassnet.web.site import run_of

EXAMPLES = (
    ("(x + y) * z", "x=-2 y=5 z=-4"),
    ("1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))", "w0=2 x0=-1 w1=-3 x1=-2 w2=-3"),
    ("(sigmoid(w20 + w21 * sigmoid(w10 + w11 * x)) - 1) ** 2", "w20=0.5 w21=-1 w10=0.3 w11=2 x=1.5"),
)
MOST_VALUES = 50


def show(request: Request) -> Response:
    """The page of a formula."""
    return html(request, "stepper.html.j2", examples=EXAMPLES)


def show_run(request: Request) -> Response:
    """The page of a run's network."""
    return html(request, "stepper_run.html.j2", view="Backpropagation", facts=facts_of(run_of(request)))


async def steps(request: Request) -> Response:
    """The steps of a formula."""
    body = await json_body(request)
    values = body.get("values", "")
    if not isinstance(values, str) or len(values) > 2000:
        raise HTTPException(422, "'values' must be a text such as x=-2 y=5")

    def work() -> dict[str, Any]:
        try:
            return stepper.formula_steps(text(body, "formula", 1000), values.split()[:MOST_VALUES])
        except GlassnetError as error:
            raise HTTPException(422, told(error)) from error

    return JSONResponse(await run_in_threadpool(work))


async def steps_of_run(request: Request) -> Response:
    """The steps of a run's network on a drawing or a picture."""
    return await asked(request, lambda model, raw, body: stepper.model_steps(model, raw, text(body, "target")))
