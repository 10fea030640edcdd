"""Reading files of a run folder that may have come from anybody: never through a link, never a pipe, never more than a limit."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

LARGEST_JSON = 32 << 20  # bytes; a result of 1,000 classes has 4
LARGEST_TEXT = 4 << 20


def read_bytes(path: Path, limit: int) -> bytes | None:
    """The content of a regular file of at most ``limit`` bytes; None where there is no such file or it is something else.

    Links are not followed in the last part of the path, and opening a pipe does not wait for its writer.
    """
    file = open_regular(path)
    if file is None:
        return None
    with file:
        return None if os.fstat(file.fileno()).st_size > limit else file.read(limit)


def open_regular(path: Path) -> BinaryIO | None:
    """A regular file, opened for reading; None where there is none, or it is a link, a folder, a pipe or a device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb")


def read_text(path: Path, limit: int = LARGEST_TEXT) -> str:
    """The same as text; empty where it cannot be read."""
    content = read_bytes(path, limit)
    return "" if content is None else content.decode("utf-8", errors="replace")


def read_json(path: Path, limit: int = LARGEST_JSON) -> Any:
    """The JSON value in a file; None where there is none that can be read."""
    content = read_bytes(path, limit)
    if content is None:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def read_object(path: Path, limit: int = LARGEST_JSON) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none."""
    value = read_json(path, limit)
    return value if isinstance(value, dict) else {}
