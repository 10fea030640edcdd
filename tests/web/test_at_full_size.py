"""The two attacks that are about numbers, at the sizes that were asked for: 500 readers who do not read, and 10,000 questions made by chance."""

from __future__ import annotations

import base64
import http.client
import json
import random
import re
import socket
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")
pytestmark = pytest.mark.slow

READERS, KEPT, LARGEST_READER = 500, 32, 1 << 20
QUESTIONS = 10_000
STATUS = Path("/proc/self/status")


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    told = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert told is not None
    return 1024 * int(told[1])


@pytest.fixture
def own(served: Any, tmp_path: Path, run_maker: Callable[..., Path], grey_model: Any) -> Iterator[Any]:
    """A page of its own over one run with a network and one that grows."""
    grey_model("cat", "dog", "fox").save(run_maker(tmp_path / "runs" / "lenet") / "model")
    run_maker(tmp_path / "runs" / "growing", finished=False)
    with served.another(tmp_path) as made:
        yield made


@pytest.mark.skipif(not STATUS.exists(), reason="memory is read from Linux's /proc")
def test_w13_of_five_hundred_slow_readers_the_last_thirty_two_are_kept_and_cost_little(own: Any) -> None:
    key = own.key("growing")
    ask = f"GET /run/{key}/events HTTP/1.1\r\nHost: 127.0.0.1:{own.port}\r\nCookie: {own.cookie}\r\n\r\n".encode()
    before = resident(own.process.pid)
    lines = []
    try:
        for _ in range(READERS):
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # a reader who takes almost nothing
            line.settimeout(20)
            line.connect(("127.0.0.1", own.port))
            line.sendall(ask)
            assert line.recv(12) == b"HTTP/1.1 200", "each of them is let in"
            lines.append(line)
        with (own.root / "growing" / "metrics.jsonl").open("a") as file:
            for step in range(20_000):
                file.write(json.dumps({"event": "step", "epoch": 3, "step": 100 + step, "lr": 0.1, "loss": 1 / (1 + step)}) + "\n")  # fmt: skip
                if step % 500 == 0:
                    file.flush()
                    time.sleep(0.05)
        time.sleep(2.0)
        assert own.ask("/")[0] == 200, "others are answered all the while"
        grown = resident(own.process.pid) - before
        told = 0
        for line in lines:
            line.settimeout(0.3)
            got = b""
            try:
                while piece := line.recv(65536):
                    got += piece
            except TimeoutError:
                told += 1
        print(f"W13 {READERS} slow readers: {told} are kept, the process grew by {grown / 2**20:.1f} MiB")
        assert KEPT - 4 <= told <= KEPT, "the last ones, but for those who took nothing for twenty seconds"
        assert grown <= KEPT * LARGEST_READER
    finally:
        for line in lines:
            line.close()


def odd(chance: random.Random, depth: int = 0) -> Any:
    """A JSON value made by chance: mostly small, now and then huge, deep or of the wrong kind."""
    text = "".join(chance.choices(string.printable + "äß⟨€😀\x00", k=chance.randrange(12)))
    plain: list[Any] = [
        None, True, False, 0, -1, chance.randrange(1 << 40), 10 ** chance.randrange(1, 400), -0.0, 1e308, float("nan"), float("inf"), chance.random(), text,
        "../" * chance.randrange(5) + text, base64.b64encode(text.encode()).decode(), "x" * chance.choice((10, 10_000, 200_000)) if chance.random() < 0.02 else "x",
    ]  # fmt: skip
    if depth < 4 and chance.random() < 0.25:
        return [odd(chance, depth + 1) for _ in range(chance.randrange(5))]
    if depth < 4 and chance.random() < 0.25:
        return {text + str(place): odd(chance, depth + 1) for place in range(chance.randrange(4))}
    return chance.choice(plain)


def question(chance: random.Random) -> bytes:
    """A body: a right question with some fields replaced by chance, or bytes by chance."""
    right = {
        "pixels": base64.b64encode(bytes(28 * 28)).decode(), "width": 28, "height": 28, "dark": False, "centre": True, "layer": "conv1", "channel": 0, "row": 3,
        "column": 3, "target": "cat", "text": "a text", "file": "", "formula": "x * y", "values": "x=1 y=2", "data": "digits", "name": "../n", "settings": {}, "run": "x",
    }  # fmt: skip
    kind = chance.random()
    if kind < 0.1:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(80)))
    if kind < 0.15:
        return chance.choice((b"[", b'{"a":')) * chance.choice((10, 1000, 100_000))
    body = {name: value for name, value in right.items() if chance.random() < 0.8}
    for name in chance.sample(sorted(right), chance.randrange(1, 6)):
        body[name] = odd(chance)
    body.pop("name", None)  # so that nothing is ever started
    return json.dumps(body).encode("utf-8", "surrogatepass")


def test_w14_ten_thousand_questions_made_by_chance_are_answered_with_a_reason(own: Any) -> None:
    chance = random.Random(14)
    key = own.key("lenet")
    ends = ["inside.json", "saliency.json", "window.json", "shares.json", "stepper.json", "stop", "resume"]
    paths = [*(f"/run/{key}/{end}" for end in ends), "/stepper.json", "/start", f"/run/{key}/series.json", "/nothing"]
    headers = {"Content-Type": "application/json", "X-Glassnet": "1", "Cookie": own.cookie}
    seen: Counter[int] = Counter()
    slowest = 0.0
    for _ in range(QUESTIONS):
        connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=60)
        path, body = chance.choice(paths), question(chance)
        began = time.monotonic()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        slowest = max(slowest, time.monotonic() - began)
        seen[answer.status] += 1
        assert answer.status < 500, (path, body[:300], content[:300])
        assert b"Traceback" not in content
        if answer.status != 200:
            assert json.loads(content)["error"]
    assert own.process.poll() is None
    assert own.ask("/")[0] == 200
    assert sorted(path.name for path in own.root.iterdir()) == ["growing", "lenet"]
    print(f"W14 {QUESTIONS:,} questions: {dict(sorted(seen.items()))}; the slowest answer took {slowest:.2f} s")
