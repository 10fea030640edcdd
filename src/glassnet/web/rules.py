"""The rules of diagnosis, as findings link to them: what each looks at, from which number on, and where that number comes from."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from glassnet.diagnose import RULES
from glassnet.web.page import html


def show(request: Request) -> Response:
    """The page of all rules."""
    return html(request, "rules.html.j2", rules=RULES)
