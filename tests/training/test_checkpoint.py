"""Checkpoints: what goes in comes out, damage is noticed, and a full disk takes nothing away."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from identical import identical
from torch import Tensor

from glassnet.errors import ModelError, SpaceError
from glassnet.training import checkpoint

TREES: dict[str, Any] = {
    "whole-number keys": {"state": {0: {"step": 3}, 10: {"step": 4}, -1: {}}},
    "mixed keys": {1: "a", "1": "b", 1.5: "c"},
    "tuples": {"betas": (0.9, 0.999), "nested": ((1, (2,)), [3, (4,)]), "empty": ()},
    "nested lists of tensors": {"old_dirs": [[torch.arange(3.0)], [torch.zeros(2, 2), []]], "al": [None, None]},
    "tensors without dimensions": {"step": torch.tensor(3.0), "flag": torch.tensor(True), "count": torch.tensor(7)},
    "tensors without elements": {"empty": torch.zeros(0), "shape": torch.zeros(3, 0, 2)},
    "kinds of numbers": {
        str(dtype): torch.tensor([0, 1, 3]).to(dtype)
        for dtype in (torch.bfloat16, torch.float16, torch.float64, torch.uint8, torch.int64, torch.bool)
    },
    "infinite and undefined": {"a": math.inf, "b": -math.inf, "c": math.nan, "t": torch.tensor([math.nan, math.inf])},
    "exact floats": {"a": 0.1 + 0.2, "b": 5e-324, "c": 1.7976931348623157e308, "d": -0.0},
    "large whole numbers": {"a": 2**70, "b": -(2**63)},
    "plain": {"none": None, "yes": True, "one": 1, "text": "größe \"quoted\"\n\x00", "": {}},
    "tensors not contiguous": {"t": torch.arange(6).reshape(2, 3).t(), "every other": torch.arange(10)[::2]},
    "one tensor twice": dict.fromkeys("ab", torch.ones(2)),
    "names that would meet": {"a": {"b": torch.zeros(1)}, "a.b": torch.ones(1), "a.b'": torch.full((1,), 2.0)},
    "parameters": {"w": torch.nn.Parameter(torch.ones(2))},
}  # fmt: skip


@pytest.mark.parametrize("name", TREES)
def test_a_tree_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    path = checkpoint.save(tmp_path, 1, TREES[name])
    assert identical(checkpoint.load(path), TREES[name])


KEYS = st.text(max_size=3).filter(lambda key: not key.startswith("$")) | st.integers(-9, 9)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])) | st.builds(torch.tensor, st.lists(st.floats(width=32), max_size=3))  # fmt: skip


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_tree_survives_json_and_tensors(tree: Any) -> None:
    tensors: dict[str, Tensor] = {}
    body = json.loads(json.dumps(checkpoint._pack(tree, tensors, "")))
    assert identical(checkpoint._unpack(body, tensors), tree)


def test_what_cannot_be_held_is_said_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"object \(.*a\.0\)"):
        checkpoint.save(tmp_path, 1, {"a": [object()]})
    assert checkpoint.load_newest(tmp_path) is None


def test_a_checkpoint_is_taken_at_once_and_not_when_it_is_read(tmp_path: Path) -> None:
    weight = torch.zeros(2)
    path = checkpoint.save(tmp_path, 1, {"w": weight})
    weight.add_(1)
    assert torch.equal(checkpoint.load(path)["w"], torch.zeros(2))


def tree_of(number: int) -> dict[str, Any]:
    return {"number": number, "w": torch.full((5,), float(number))}


def newest(folder: Path) -> int | None:
    loaded = checkpoint.load_newest(folder)
    return None if loaded is None else loaded[0]["number"]


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for number in (1, 2, 30, 400):
        checkpoint.save(tmp_path, number, tree_of(number))
        assert newest(tmp_path) == number
    assert [checkpoint.load(path)["number"] for path in checkpoint.checkpoints(tmp_path)] == [30, 400]


def test_before_and_after_the_end_of_an_epoch_are_two_checkpoints_of_one_step(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 6, tree_of(1), epoch=0)
    checkpoint.save(tmp_path, 6, tree_of(2), epoch=1)
    assert newest(tmp_path) == 2


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    assert checkpoint.load_newest(tmp_path) is None
    assert checkpoint.load_newest(tmp_path / "no" / "where") is None


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a bit of the tensors": lambda c: flip(c / "tensors.safetensors", -1),
    "the first bit of the tensors": lambda c: flip(c / "tensors.safetensors", 0),
    "a bit of the state": lambda c: flip(c / "state.json", 5),
    "truncated tensors": lambda c: os.truncate(c / "tensors.safetensors", 20),
    "empty state": lambda c: os.truncate(c / "state.json", 0),
    "tensors too long": lambda c: os.truncate(
        c / "tensors.safetensors", (c / "tensors.safetensors").stat().st_size + 1
    ),
    "no manifest": lambda c: (c / "manifest.json").unlink(),
    "truncated manifest": lambda c: os.truncate(c / "manifest.json", 30),
    "a manifest that is a list": lambda c: (c / "manifest.json").write_text("[]") and None,
    "a manifest of other files": lambda c: (c / "manifest.json").write_text('{"files": {}}') and None,
    "no tensors": lambda c: (c / "tensors.safetensors").unlink(),
    "no state": lambda c: (c / "state.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path: Path, damage: str) -> None:
    checkpoint.save(tmp_path, 1, tree_of(1))
    bad = checkpoint.save(tmp_path, 2, tree_of(2))
    DAMAGE[damage](bad)
    loaded = checkpoint.load_newest(tmp_path)
    assert loaded is not None
    tree, path, damaged = loaded
    assert tree["number"] == 1
    assert path.name.startswith("step-00000001")
    assert damaged == [bad]


@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json", "manifest.json"])
def test_a_flip_of_any_bit_never_goes_unnoticed_or_does_no_harm(tmp_path: Path, file: str) -> None:
    path = checkpoint.save(tmp_path, 1, tree_of(1))
    content = (path / file).read_bytes()
    for place in range(0, len(content), 7):
        flip(path / file, place)
        assert not checkpoint.intact(path) or identical(checkpoint.load(path), tree_of(1))
        (path / file).write_bytes(content)
    assert checkpoint.intact(path)


def test_where_all_are_damaged_the_user_is_told(tmp_path: Path) -> None:
    for path in [checkpoint.save(tmp_path, number, tree_of(number)) for number in (1, 2)]:
        flip(path / "state.json", 5)
    with pytest.raises(ModelError, match="no intact checkpoint") as told:
        checkpoint.load_newest(tmp_path)
    assert "step-00000001" in str(told.value)
    assert "step-00000002" in str(told.value)


def test_a_first_checkpoint_that_was_never_finished_means_that_there_is_none(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 1, tree_of(1))
    (path / "manifest.json").unlink()
    assert checkpoint.load_newest(tmp_path) is None


def test_a_torn_checkpoint_is_written_anew(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 3, tree_of(2))
    (path / "manifest.json").unlink()
    assert checkpoint.save(tmp_path, 3, tree_of(3)) == path
    assert newest(tmp_path) == 3


def test_a_torn_checkpoint_never_takes_the_place_of_a_whole_one(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        torn = checkpoint.save(tmp_path, number, tree_of(number))
    flip(torn / "state.json", 5)
    last = checkpoint.save(tmp_path, 4, tree_of(4))
    assert sum(checkpoint.intact(path) for path in checkpoint.checkpoints(tmp_path)) == 2
    assert not torn.exists()
    flip(last / "state.json", 5)
    assert newest(tmp_path) == 2


class Failing:
    """Lets the call of a given number to the kernel, of those that write, fail."""

    CALLS = ("open", "write", "fsync", "replace", "mkdir")

    def __init__(self, at: int, code: int) -> None:
        self.at, self.code, self.count = at, code, 0

    @contextmanager
    def __call__(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with monkeypatch.context() as patch:
            for name in self.CALLS:
                patch.setattr(os, name, self._wrapped(getattr(os, name)))
            yield

    def _wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                raise OSError(self.code, os.strerror(self.code))
            return real(*arguments, **options)

        return call


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failure_at_any_call_leaves_the_checkpoints_before_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    expected = SpaceError
    for at in range(1, 100):
        folder = tmp_path / str(at)
        checkpoint.save(folder, 1, tree_of(1))
        checkpoint.save(folder, 2, tree_of(2))
        failing = Failing(at, code)
        try:
            with failing(monkeypatch):
                checkpoint.save(folder, 3, tree_of(3))
        except expected:
            failed = True
        else:
            failed = failing.count >= at  # only clearing away the oldest may fail without a word
        assert newest(folder) in ((2, 3) if failed else (3,))
        assert not list(folder.rglob("*.tmp-*"))
        whole = [path for path in checkpoint.checkpoints(folder) if checkpoint.intact(path)]
        assert len(whole) >= 2
        if code != errno.EIO:
            assert checkpoint.checkpoints(folder) == whole, "no room is wasted on a torn one"
        assert checkpoint.save(folder, 4, tree_of(4))
        assert newest(folder) == 4, "and the next one succeeds"
        if not failed:
            break
    else:
        raise AssertionError("never came through")
    assert at > 15, "three files of five calls each, and the folders"


def test_no_room_is_told_with_what_is_needed_and_that_the_last_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path, 1, tree_of(1))
    with Failing(3, errno.ENOSPC)(monkeypatch), pytest.raises(SpaceError, match="the one before it is whole") as told:
        checkpoint.save(tmp_path, 2, tree_of(2))
    assert "bytes free" in str(told.value.got)
    assert "bytes" in str(told.value.expected)
    assert "glassnet resume" in str(told.value.fix)


def test_a_disk_that_does_not_keep_what_was_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(b ^ 1 for b in bytes(data))))
    with pytest.raises(SpaceError, match="did not read back"):
        checkpoint.save(tmp_path, 1, tree_of(1))


def test_nothing_is_pickled(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 1, tree_of(1))
    assert sorted(file.name for file in path.iterdir()) == ["manifest.json", "state.json", "tensors.safetensors"]
    source = Path(checkpoint.__file__).read_text(encoding="utf-8")
    assert "import pickle" not in source
    assert "torch.load" not in source
    json.loads((path / "state.json").read_text())
