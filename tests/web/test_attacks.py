"""The attacks W1 to W17 on a live page in a process of its own, over a real socket."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from glassnet.web.application import ROUTES
from glassnet.web.page import static_files

ORIGINS = ("http://evil.example", "null", "http://localhost:1", "https://127.0.0.1")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
FOREIGN = ("evil.com", "evil.com:{port}", "127.0.0.1.nip.io:{port}", "localhost.evil.com:{port}", "", "0.0.0.0:{port}", "localhost.:{port}", "127.0.0.1:1", "127.0.0.1", "[::ffff:127.0.0.1]:{port}")  # fmt: skip
HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
TRAVERSALS = [
    "..", "../..", "..%2f", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cwindows", "%252e%252e%252f", "..%252fetc",
    "%2fetc%2fpasswd", "/etc/passwd", "//etc/passwd", "C:%5c", "C:%5cWindows%5cwin.ini", "%5c%5chost%5cshare", "%00", "a%00.css", "glassnet.css%00", "glassnet.css/..",
    "..;/", "....//", "....//....//etc/passwd", "%c0%ae%c0%ae/", "%e0%80%ae", "..%c0%af", "..%ef%bc%8f", ".%2e/", "%2e./", "~root", "~", "good-1", "good-1%2freport.html",
    "link", "outside", "..%2foutside", "..%2foutside%2frecipe.toml", "file:%2f%2f%2fetc%2fpasswd", "%0d%0aSet-Cookie:x=1", "%20", "a" * 3000, "proc%2fself%2fenviron", "..%2f..%2fproc%2fself%2fmaps",
]  # fmt: skip


def addresses(served: Any) -> list[str]:
    """An address of every route, and one that there is not."""
    key = served.key("good-1")
    status, _, body = served.ask("/searches")
    assert status == 200
    search = body.decode().split('href="/search/')[1].split('"')[0]
    names = {"run": key, "search": search, "name": "glassnet.css"}
    found = []
    for route in ROUTES:
        if route.path.endswith("/events"):
            continue  # a stream does not end; it has tests of its own
        path = route.path
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", value)
        if "{" not in path:
            found.append(path + (f"?runs={key}" if path.startswith("/compare") else ""))
    return [*found, "/nothing", "/static/nothing"]


def test_w1_only_the_loopback_address_is_listened_on(served: Any) -> None:
    listening = [
        line.split()[1]
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{served.port:04X}")
    ]
    assert listening == [f"0100007F:{served.port:04X}"]


@pytest.mark.parametrize("host", FOREIGN)
def test_w2_a_foreign_host_is_refused_at_every_address(served: Any, host: str) -> None:
    for path in addresses(served):
        assert served.ask(path, host=host.format(port=served.port) if host else "")[0] == 400, path


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_w2_the_loopback_is_answered(served: Any, host: str) -> None:
    assert served.ask("/", host=host.format(port=served.port))[0] == 200


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("origin", ORIGINS)
def test_w3_a_foreign_origin_changes_nothing_and_reads_nothing(served: Any, method: str, origin: str) -> None:
    for path in ("/start", "/runs.json", f"/run/{served.key('good-1')}/stop", "/nothing"):
        status, headers, _ = served.ask(path, method, headers={"Origin": origin, "Content-Type": "application/json", "X-Glassnet": "1"}, body=b"{}")  # fmt: skip
        assert status == 403, path
        assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_w4_a_form_of_another_site_starts_nothing(served: Any, kind: str) -> None:
    body = json.dumps({"data": "digits", "name": "stolen"}).encode()
    for extra in ({}, {"X-Glassnet": "1"}, {"Sec-Fetch-Site": "cross-site"}):
        assert served.ask("/start", "POST", headers={"Content-Type": kind, **extra}, body=body)[0] == 403
    assert served.ask("/start", "POST", headers={"Content-Type": "application/json"}, body=body)[0] == 403
    assert not (served.root / "stolen").exists()


def test_w5_without_the_token_no_address_says_anything(served: Any) -> None:
    for path in addresses(served):
        for headers in ({}, {"Cookie": f"glassnet-{served.port}=wrong"}, {"Authorization": f"Bearer {served.token}"}):
            status, _, body = served.ask(path, token=False, headers=headers)
            assert status == 401, path
            assert b"good-1" not in body


def test_w5_the_token_is_swapped_for_a_cookie_and_stands_in_no_page(served: Any) -> None:
    status, headers, _ = served.ask(f"/?token={served.token}", token=False)
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    for path in addresses(served):
        assert served.token.encode() not in served.ask(path)[2], path


@pytest.mark.parametrize("payload", TRAVERSALS)
def test_w6_no_address_leads_out_of_the_runs(served: Any, payload: str) -> None:
    for route in ROUTES:
        if "{" not in route.path:
            continue
        head, _, tail = route.path.partition("{")
        status, _, body = served.ask(f"{head}{payload}{tail.partition('}')[2]}".replace(" ", "%20"))
        assert status in (400, 404, 405), (route.path, payload)
        assert b"root:" not in body
    for path in (f"/compare?runs={payload}", f"/compare.json?runs={payload}"):
        assert served.ask(path)[0] in (400, 404)


def test_w7_a_large_body_is_refused_at_once(served: Any) -> None:
    start = time.monotonic()
    head = {"Content-Type": "application/json", "X-Glassnet": "1"}
    assert served.ask("/start", "POST", headers=head | {"Content-Length": str(10 << 30)}, body=b"{")[0] == 413
    many = b'{"settings": {' + b",".join(b'"a.b%d": 1' % number for number in range(1_000_000)) + b"}}"
    start = time.monotonic()
    with contextlib.suppress(ConnectionError):  # the line may be shut before the answer could be read
        assert served.post("/start", many)[0] == 413
    assert time.monotonic() - start < 1


def test_w7_an_endless_body_is_cut(served: Any) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        head = f"POST /start HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {served.cookie}\r\nContent-Type: application/json\r\nX-Glassnet: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        line.sendall(head.encode())
        sent = 0
        try:
            while sent < 64 << 20:
                line.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                sent += 65536
        except OSError:
            pass
        assert sent < 16 << 20


def test_w8_a_compressed_body_is_not_unpacked(served: Any) -> None:
    head = {"Content-Type": "application/json", "X-Glassnet": "1", "Content-Encoding": "gzip"}
    assert served.ask("/start", "POST", headers=head, body=b"\x1f\x8b" + b"0" * 100)[0] == 415


def test_w9_ten_thousand_ranges_cost_nothing(served: Any) -> None:
    ranges = ",".join(f"{n}-{n}" for n in range(10_000))[:60_000]

    def cpu() -> float:
        words = Path(f"/proc/{served.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    before = cpu()
    for _ in range(10):
        status, _, body = served.ask("/static/chart.js", headers={"Range": f"bytes={ranges}"})
        assert (status, body) == (200, static_files()["chart.js"][0])
    assert (cpu() - before) / 10 <= 0.05


def test_w10_w11_every_answer_carries_the_strict_headers(served: Any) -> None:
    for path in [*addresses(served), f"/run/{served.key('good-1')}/report"]:
        for token in (True, False):
            headers = served.ask(path, token=token)[1]
            for name, value in HEADERS.items():
                assert value in headers[name], (path, name)
            policy = headers["content-security-policy"]
            assert "unsafe-eval" not in policy
            assert "unsafe-inline" not in policy.replace(
                "style-src 'unsafe-inline'", "" if "sandbox;" in policy else "?"
            )


def test_w10_what_runs_say_is_words_in_every_page(served: Any) -> None:
    name = next(name for name in served.runs() if "onerror" in name)
    key = served.key(name)
    for path in ("/", f"/run/{key}", f"/compare?runs={key},{served.key('good-1')}", "/processes", *addresses(served)):
        status, headers, body = served.ask(path)
        if headers.get("content-type", "").startswith("text/html") and not path.endswith("/report"):
            assert b"<img src=x" not in body, path
            assert b"<script>" not in body, path
            assert b"onclick=" not in body
        assert status < 500, path


def test_w10_a_report_may_run_nothing_and_fetch_nothing(served: Any) -> None:
    name = next(name for name in served.runs() if "onerror" in name)
    status, headers, _ = served.ask(f"/run/{served.key(name)}/report")
    assert status == 200
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none';")
    assert "allow-scripts" not in headers["content-security-policy"]


def test_w12_nothing_is_fetched_from_and_nobody_sent_to_an_address_of_the_client(served: Any) -> None:
    for query in ("next=http://evil.example", "url=//evil.example", "redirect=https://evil.example"):
        status, headers, _ = served.ask(f"/?{query}&token={served.token}", token=False)
        assert (status, headers["location"]) == (303, "/")
        assert "location" not in served.ask(f"/?{query}")[1]
    for data in ("http://evil.example/x.csv", "//evil/x", "s3://x", "/etc/passwd", "../data", "--help"):
        assert served.post("/start", {"data": data, "name": "n"})[0] == 422
    for key in ("data.path", "data.test", "net.pretrained", "net.class", "ensemble.of", "--out", "a", "data.path=x"):
        assert served.post("/start", {"data": "digits", "name": "n", "settings": {key: "/etc/passwd"}})[0] == 422
    for name in ("../x", "/tmp/x", "..", "", "a/b", "a\0", "-x", ".hidden", "x" * 61, 3, None, "good-1", "é", "a\n"):
        assert served.post("/start", {"data": "digits", "name": name})[0] == 422


def test_w13_readers_are_at_most_thirty_two_and_the_oldest_goes(served: Any) -> None:
    key = served.key("good-1")
    ask = f"GET /run/{key}/events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {served.cookie}\r\n\r\n".encode()
    lines = []
    try:
        for _ in range(60):
            line = socket.create_connection(("127.0.0.1", served.port), timeout=5)
            line.sendall(ask)
            assert b"200" in line.recv(200)
            lines.append(line)
        time.sleep(1.0)
        ended = []
        for line in lines:
            line.settimeout(0.05)
            got = b""
            try:
                while piece := line.recv(65536):
                    got += piece
            except TimeoutError:
                pass
            ended.append(b"event: full" in got)
        assert ended == [True] * 28 + [False] * 32
    finally:
        for line in lines:
            line.close()
    assert served.ask("/")[0] == 200


def test_w13_a_stream_to_a_foreign_origin_does_not_begin(served: Any) -> None:
    assert served.ask(f"/run/{served.key('good-1')}/events", headers={"Origin": "http://evil.example"})[0] == 403


def test_w14_whatever_is_posted_the_process_lives_and_answers_with_a_reason(served: Any) -> None:
    nasty: list[bytes] = [
        b"", b"{", b"[]", b"null", b"NaN", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b'{"settings": {"optimizer.lr": NaN}, "data": "digits", "name": "n"}', b"\xff\xfe", b'{"data": {"a": 1}, "name": "n"}',
        b'{"data": "digits", "name": "n", "settings": {"optimizer.lr": 1' + b"0" * 5000 + b"}}", b'{"data": "digits", "name": "n", "settings": {"optimizer.lr": {"a": 1}}}', b'{"data": "digits", "run": "x", "name": "n"}', b'{"run": [1], "name": "n"}',
    ]  # fmt: skip
    paths = ("/start", f"/run/{served.key('good-1')}/stop", f"/run/{served.key('good-1')}/resume")
    for path in paths:
        for body in nasty:
            status, _, answer = served.post(path, body)
            assert 400 <= status < 500, (path, body[:60], status)
            assert json.loads(answer)["error"]
    chance = random.Random(0)
    for _ in range(300):
        body = bytes(chance.randrange(256) for _ in range(chance.randrange(60)))
        assert served.post(chance.choice(paths), body)[0] < 500
    assert served.process.poll() is None
    assert not (served.root / "n").exists()


def test_w14_odd_questions_about_curves_are_answered_with_a_reason(served: Any) -> None:
    key = served.key("good-1")
    for query in ("", "chart=x", "chart=batch", "chart=batch&low=a&high=b", "chart=batch&low=nan&high=inf", "chart=batch&low=1e999&high=1"):  # fmt: skip
        assert served.ask(f"/run/{key}/series.json?{query}")[0] in (404, 422), query
    assert served.ask(f"/run/{key}/series.json?chart=batch&low=9&high=-9")[0] == 200


def test_w15_a_run_that_somebody_prepared_is_read_as_data(served: Any) -> None:
    name = next(name for name in served.runs() if "onerror" in name)
    key = served.key(name)
    status, _, body = served.ask(f"/run/{key}")
    assert status == 200
    assert b"root:" not in body  # its net.json is a link to /etc/passwd
    assert served.ask(f"/run/{key}/series.json?chart=batch&low=0&high=9")[0] == 200
    for file in ("", "/report", "/series.json?chart=batch&low=0&high=9"):  # a run whose files are folders
        assert served.ask(f"/run/{served.key('folders')}{file}")[0] in (200, 404)
    assert first_piece(served, served.key("folders"))["charts"] == {}
    assert "link" not in served.runs()
    assert "outside" not in served.runs()
    first = first_piece(served, key)
    assert "root:" not in json.dumps(first)
    assert first["findings"][0]["what"].startswith("</script>")  # as words; the page writes them by textContent


@pytest.mark.parametrize(
    "path", ["/nothing", "/run/x", "/run/x/report", "/search/x", "/static/x", "/compare", "/start"]
)
def test_w16_error_pages_tell_no_inside(served: Any, path: str) -> None:
    status, _, body = served.ask(path)
    assert status in (404, 405)
    for word in (b"Traceback", b"/site-packages/", str(served.root).encode(), b"starlette"):
        assert word not in body
    assert b"<h1>" in body


def test_w17_the_process_has_asked_for_no_other_machine(served: Any) -> None:
    for path in addresses(served):
        served.ask(path)
    assert served.log.read_text() == ""


def first_piece(served: Any, key: str) -> dict[str, Any]:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as line:
        line.sendall(f"GET /run/{key}/events HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {served.cookie}\r\n\r\n".encode())  # fmt: skip
        got = b""
        while b"\n\n" not in got.partition(b"data: ")[2]:
            got += line.recv(65536)
    piece: dict[str, Any] = json.loads(got.partition(b"data: ")[2].partition(b"\n\n")[0].replace(b"\r\n", b"\n"))
    return piece
