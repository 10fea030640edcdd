"""The file of what earlier runs found: found again, bounded, and never in the way."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import torch
from small_images import example, small
from torch import nn

from glassnet.files import cache_folder
from glassnet.training import known_ways
from glassnet.training.known_ways import KnownWays, fingerprint_of_way, usual_place
from glassnet.training.losses import cross_entropy, hinge

WAY = {
    "precision": "bfloat16",
    "channels_last": True,
    "weight_gradients": "library",
    "why": "bfloat16: 2.0 times as fast",
    "gains": [],
}


def test_what_was_kept_is_found_and_nothing_else(tmp_path: Path) -> None:
    ways = KnownWays(tmp_path / "deep" / "ways.json")
    assert ways.find("one") is None
    ways.keep("one", WAY)
    assert KnownWays(ways.path).find("one") == WAY
    assert ways.find("other") is None


def test_the_oldest_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_ways, "MOST", 3)
    ways = KnownWays(tmp_path / "ways.json")
    for key in ("a", "b", "c", "a", "d"):  # kept again, a is young
        ways.keep(key, WAY)
    assert [key for key in "abcd" if ways.find(key)] == ["a", "c", "d"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        b"[]",
        b'{"version": 99, "ways": {"one": {}}}',
        b'{"version": 3, "ways": {"one": {"precision": "bfloat16", "channels_last": true, "weight_gradients": "library", "why": ""}}}',
        b'{"version": 4, "ways": []}',
        b'{"version": 4, "ways": {"one": 5}}',
        b'{"version": 4, "ways": {"one": {"precision": "float8", "channels_last": true, "weight_gradients": "library", "why": "", "gains": []}}}',
        b'{"version": 4, "ways": {"one": {"precision": "float32", "channels_last": true, "weight_gradients": "rows", "why": "", "gains": []}}}',
        b'{"version": 4, "ways": {"one": {"precision": "float32", "channels_last": true, "weight_gradients": "library", "why": "", "gains": ["1"]}}}',
    ],
)
def test_a_damaged_file_is_as_none_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    ways = KnownWays(tmp_path / "ways.json")
    ways.path.write_bytes(content)
    assert ways.find("one") is None
    ways.keep("one", WAY)
    assert ways.find("one") == WAY


def test_where_nothing_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ways = KnownWays(tmp_path / "file" / "ways.json")
    ways.keep("one", WAY)
    assert ways.find("one") is None


def test_many_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    ways = KnownWays(tmp_path / "ways.json")

    def work(name: int) -> None:
        for number in range(20):
            ways.keep(f"{name}-{number}", WAY)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(ways.path.read_text())["ways"]
    assert [path.name for path in tmp_path.iterdir()] == ["ways.json"]


def test_the_key_changes_with_everything_that_speed_depends_on() -> None:
    cpu, asked = torch.device("cpu"), ("auto", "auto")
    key = fingerprint_of_way(small(), example(), cross_entropy, cpu, asked)
    assert key == fingerprint_of_way(small(), example(), cross_entropy, cpu, asked)
    frozen = small()
    frozen[0].requires_grad_(False)
    others = [
        fingerprint_of_way(small(5), example(), cross_entropy, cpu, asked),
        fingerprint_of_way(frozen, example(), cross_entropy, cpu, asked),
        fingerprint_of_way(small(), example(8), cross_entropy, cpu, asked),
        fingerprint_of_way(small(), example(), hinge, cpu, asked),
        fingerprint_of_way(small(), example(), cross_entropy, torch.device("cuda"), asked),
        fingerprint_of_way(small(), example(), cross_entropy, cpu, ("float32", "auto")),
        fingerprint_of_way(nn.Sequential(*small()[:1], nn.Tanh(), *small()[2:]), example(), cross_entropy, cpu, asked),
    ]
    assert len({key, *others}) == len(others) + 1


def test_the_place_follows_the_users_cache_folder(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "glassnet"
    assert cache_folder({}).parts[-2:] == (".cache", "glassnet")
    assert usual_place() == cache_folder() / "ways.json"
