from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from glassnet.web.guard import guarded, new_token
from glassnet.web.tail import LARGEST_PIECE, Tail

TOKEN = "t" * 43
COOKIE = ("cookie", f"glassnet-8000={TOKEN}")
HOST = ("host", "127.0.0.1:8000")


def ask(*headers: tuple[str, str], method: str = "GET", query: str = "") -> tuple[int, dict[str, str], bool]:
    sent: list[Any] = []
    reached: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(k.encode(), v.encode()) for k, v in headers]
    scope = {"type": "http", "method": method, "path": "/", "query_string": query.encode(), "headers": raw}
    asyncio.run(guarded(app, TOKEN, 8000)(scope, receive, send))
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, bool(reached)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
def test_w2_loopback_hosts_are_answered(host: str) -> None:
    assert ask(("host", host), COOKIE)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.com", "evil.com:8000", "127.0.0.1.nip.io:8000", "localhost.evil.com:8000", "", "0.0.0.0:8000", "127.0.0.1:8001", "localhost.:8000"],
)  # fmt: skip
def test_w2_foreign_hosts_are_refused(host: str) -> None:
    assert ask(("host", host), COOKIE)[::2] == (400, False)


def test_w2_two_hosts_or_none_are_refused() -> None:
    assert ask(HOST, HOST, COOKIE)[0] == 400
    assert ask(COOKIE)[0] == 400


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
@pytest.mark.parametrize("origin", ["http://evil", "null", "http://localhost:9", "https://localhost:8000"])
def test_w3_foreign_origins_are_refused(method: str, origin: str) -> None:
    status, headers, reached = ask(HOST, COOKIE, ("origin", origin), method=method)
    assert (status, reached) == (403, False)
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
)
def test_w4_forms_and_requests_without_our_header_change_nothing(kind: str) -> None:
    assert ask(HOST, COOKIE, ("content-type", kind), method="POST")[::2] == (403, False)


def test_w4_another_site_is_refused_and_the_page_itself_is_not() -> None:
    ours = (("content-type", "application/json"), ("x-glassnet", "1"), ("origin", "http://localhost:8000"))
    assert ask(HOST, COOKIE, *ours, ("sec-fetch-site", "cross-site"), method="POST")[0] == 403
    assert ask(HOST, COOKIE, *ours, ("sec-fetch-site", "same-origin"), method="POST")[::2] == (200, True)


@pytest.mark.parametrize("cookie", ["", "glassnet-8000=wrong", f"glassnet-8001={TOKEN}", "glassnet-8000=é", ";;=;"])
def test_w5_a_missing_or_wrong_token_is_refused(cookie: str) -> None:
    assert ask(HOST, ("cookie", cookie))[::2] == (401, False)
    assert ask(HOST, query="token=wrong")[0] == 401


def test_w5_the_token_leaves_the_address_for_a_cookie() -> None:
    status, headers, reached = ask(HOST, query=f"token={TOKEN}")
    assert (status, reached, headers["location"]) == (303, False, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]
    assert len(new_token()) >= 43  # 43 letters of base64 are 256 bits
    assert new_token() != new_token()


@pytest.mark.parametrize("headers", [(HOST, COOKIE), (HOST,), (COOKIE,)])
def test_w10_w11_every_answer_carries_the_strict_headers(headers: tuple[tuple[str, str], ...]) -> None:
    found = ask(*headers)[1]
    assert "frame-ancestors 'none'" in found["content-security-policy"]
    assert "unsafe" not in found["content-security-policy"]
    assert found["x-frame-options"] == "DENY"
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "no-referrer"


def test_a_tail_reads_each_whole_line_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = Tail(path)
    assert tail.new_lines() == (False, [])
    path.write_bytes(b"a\nb\ntor")
    assert tail.new_lines() == (False, ["a", "b"])
    assert tail.new_lines() == (False, [])
    with path.open("ab") as file:
        file.write(b"n\n")
    assert tail.new_lines() == (False, ["torn"])


def test_a_tail_tells_when_a_run_was_cut_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"a\nb\n")
    tail = Tail(path)
    tail.new_lines()
    os.truncate(path, 2)
    assert tail.new_lines() == (True, ["a"])


def test_w15_links_and_endless_lines_are_passed_over(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret\n")
    link = tmp_path / "metrics.jsonl"
    link.symlink_to(secret)
    assert Tail(link).new_lines()[1] == []
    long = tmp_path / "long"
    long.write_bytes(b"x" * LARGEST_PIECE + b"\nlast\n")
    tail = Tail(long)
    assert tail.new_lines()[1] == []
    assert tail.new_lines()[1][-1] == "last"
