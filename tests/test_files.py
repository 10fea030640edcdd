"""Writing files whole: the order of the calls, failures at every one of them, and the lock of a folder."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from glassnet import files
from glassnet.errors import LockedError, SpaceError
from glassnet.files import free_bytes, locked, make_folder, write_file

CALLS = ("open", "write", "fsync", "close", "replace")


class Watched:
    """Counts the calls to the kernel that a write makes, and lets the one of a given number fail."""

    def __init__(self, fail_at: int | None = None, code: int = errno.ENOSPC) -> None:
        self.fail_at = fail_at
        self.code = code
        self.seen: list[str] = []
        self.paths: dict[int, str] = {}

    @contextmanager
    def __call__(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self._wrapped(name, getattr(os, name)))
            yield self

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            what = f"{name} {self._subject(name, arguments)}"
            self.seen.append(what)
            if len(self.seen) - 1 == self.fail_at:
                if name == "close":
                    real(*arguments, **options)  # the kernel closes the descriptor even where it reports an error
                raise OSError(self.code, os.strerror(self.code))
            outcome = real(*arguments, **options)
            if name == "open":
                self.paths[outcome] = what.partition(" ")[2]
            return outcome

        return call

    def _subject(self, name: str, arguments: tuple[Any, ...]) -> str:
        if name == "open":
            return "folder" if Path(arguments[0]).is_dir() else "temporary"
        return "temporary -> target" if name == "replace" else self.paths[arguments[0]]


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Watched()(monkeypatch) as watched:
        write_file(tmp_path / "a", "new")
    assert watched.seen == [
        "open temporary",
        "write temporary",
        "fsync temporary",
        "close temporary",
        "replace temporary -> target",
        "open folder",
        "fsync folder",
        "close folder",
    ]


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES])
def test_a_failure_at_any_call_leaves_the_old_content_or_the_new_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, before: bytes | None
) -> None:
    target = tmp_path / "a"
    new = b"new content"
    expected_kind = SpaceError
    for fail_at in range(20):
        target.unlink(missing_ok=True)
        if before is not None:
            target.write_bytes(before)
        with Watched(fail_at, code)(monkeypatch) as watched:
            try:
                write_file(target, new)
            except expected_kind:
                failed = True
            else:
                failed = False
        present = target.read_bytes() if target.exists() else None
        renamed = len(watched.seen) > 5  # the failing call came after the rename
        assert present == (new if renamed else before), watched.seen
        assert [path.name for path in tmp_path.iterdir()] == (["a"] if present is not None else [])
        if not failed:
            break
    else:
        raise AssertionError("the write never came through")
    assert fail_at == 8, "every call has failed once"


def test_a_write_that_the_kernel_takes_in_pieces_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data[:3])))
    write_file(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_an_interrupt_in_the_middle_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "a").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_file(tmp_path / "a", "new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_the_first_failure_is_told_even_where_clearing_up_fails_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "input/output error")

    def full(_: int, __: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(SpaceError, match="no room"):
        write_file(tmp_path / "a", "new")


def test_text_is_utf8_and_the_file_is_not_executable(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "größe 数字\n")
    assert (tmp_path / "a").read_bytes() == "größe 数字\n".encode()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) & 0o111 == 0


def test_a_full_disk_is_told_with_what_is_free_and_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Watched(1)(monkeypatch), pytest.raises(SpaceError) as told:
        write_file(tmp_path / "a", b"x" * 12345)
    assert told.value.where == str(tmp_path / "a")
    assert told.value.expected == "12,345 bytes for this file"
    assert told.value.got is not None
    assert told.value.got.endswith("bytes free")


def test_free_bytes_of_a_path_that_does_not_exist_yet_are_those_of_its_nearest_parent(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "no" / "such" / "place") > 0


@pytest.mark.parametrize("below", [(), ("b",), ("b", "c")])
def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path, below: tuple[str, ...]) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(SpaceError, match="a file stands where a folder is needed"):
        make_folder(tmp_path.joinpath("a", *below))


def test_making_a_folder_that_exists_is_no_error(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


HOLDER = """
import sys
from pathlib import Path
from glassnet.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    lock = tmp_path / "run.lock"
    environment = os.environ | {"PYTHONPATH": str(Path(files.__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait(10)


def test_a_second_process_is_kept_out_and_told_who_holds_the_folder(
    tmp_path: Path, other_holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(LockedError) as told, locked(tmp_path / "run.lock"):
        raise AssertionError("both hold the lock")
    assert told.value.got is not None
    assert f"process {other_holder.pid} on {os.uname().nodename}" in told.value.got
    assert told.value.where == str(tmp_path)


def test_the_lock_is_free_after_its_holder_was_killed(tmp_path: Path, other_holder: subprocess.Popen[str]) -> None:
    other_holder.kill()
    other_holder.wait(10)
    with locked(tmp_path / "run.lock"):
        assert f"process {os.getpid()} on" in (tmp_path / "run.lock").read_text()


def test_the_lock_is_free_after_the_block_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "run.lock"):
        raise ZeroDivisionError
    with locked(tmp_path / "run.lock"), pytest.raises(LockedError), locked(tmp_path / "run.lock"):
        pass


def test_a_full_disk_at_the_lock_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(SpaceError), locked(tmp_path / "run.lock"):
        pass
