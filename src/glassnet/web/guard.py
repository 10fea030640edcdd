"""Who may ask: Host, Origin and token are checked before any route is reached, and every answer carries the strict headers.

A plain ASGI wrapper, so that no route, static file, stream or "not found" can forget it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
READING = ("GET", "HEAD")
HEADERS = (
    (b"content-security-policy", b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
)  # fmt: skip
DRAINED = 1 << 16  # bytes
DRAIN_SECONDS = 0.5
CLOSED = ((b"connection", b"close"),)  # whatever else the refused one sends is not read


def new_token() -> str:
    """256 random bits as text that fits into an address."""
    return secrets.token_urlsafe(32)


def guarded(app: App, token: str, port: int) -> App:
    """``app`` behind the checks.

    A foreign or repeated Host is answered 400; a foreign Origin or a request from another site 403; a wrong or missing token 401. A token
    in the address is swapped for a cookie (HttpOnly, SameSite=Strict) by a redirect to ``/``. What changes something (POST) needs the
    content type JSON and the header ``x-glassnet`` besides, neither of which another site's form can send; other methods are answered 405.

    Args:
        app: the pages themselves.
        token: from :func:`new_token`.
        port: the port that is listened on; a Host or Origin with another one is foreign.
    """
    cookie_name = f"glassnet-{port}"
    hosts = {f"{name}:{port}" for name in LOOPBACK}

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no other protocol is spoken
        refusal = _refusal(scope, hosts)
        if refusal is not None:
            await drain(scope, receive)
            await _answer(send, *refusal, CLOSED)
            return
        given = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=None).get("token", [""])[0]
        if given and scope["method"] == "GET" and _same(given, token):
            cookie = f"{cookie_name}={token}; HttpOnly; SameSite=Strict; Path=/"
            await _answer(send, 303, "", ((b"location", b"/"), (b"set-cookie", cookie.encode())))
            return
        if not _same(_cookie(scope, cookie_name), token):
            await drain(scope, receive)
            await _answer(send, 401, "open the address that 'glassnet web' printed: it carries the token", CLOSED)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                own = {name.lower() for name, _ in given}
                message["headers"] = [*given, *(header for header in HEADERS if header[0] not in own)]
            await send(message)

        await app(scope, receive, with_headers)

    return ask


async def drain(scope: Scope, receive: Receive) -> None:
    """Read on for a moment before a refusal: an answer that overtakes a short body would be lost with the line. A long body is not waited for."""
    if scope["method"] in READING:
        return
    left = DRAINED
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return


def _refusal(scope: Scope, hosts: set[str]) -> tuple[int, str] | None:
    host = _values(scope, b"host")
    if len(host) != 1 or host[0].lower() not in hosts:
        return 400, "this page answers only under the address that 'glassnet web' printed"
    origins = _values(scope, b"origin")
    if any(origin.lower() not in {f"http://{name}" for name in hosts} for origin in origins):
        return 403, "asked from a page of another origin"
    if any(site not in ("same-origin", "none") for site in _values(scope, b"sec-fetch-site")):
        return 403, "asked from another site"
    if scope["method"] in READING:
        return None
    if scope["method"] != "POST":
        return 405, "this method is not used here"
    kinds = [value.split(";")[0].strip().lower() for value in _values(scope, b"content-type")]
    if kinds != ["application/json"] or _values(scope, b"x-glassnet") != ["1"]:
        return 403, "what changes something is sent as JSON by the page itself"
    return None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _cookie(scope: Scope, name: str) -> str:
    try:
        found = SimpleCookie("; ".join(_values(scope, b"cookie"))).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", errors="replace"), token.encode())


async def _answer(send: Send, status: int, text: str, extra: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *extra, *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
