"""Which runs are being written: read from the kernel's own list of locks, so that looking never stands in a training's way."""

from __future__ import annotations

from pathlib import Path

LOCKS = Path("/proc/locks")


def held_inodes() -> set[int]:
    """Numbers of the files that some process holds a lock on; empty where the system has no such list (other than Linux)."""
    return set(_holders())


def holder(path: Path) -> int | None:
    """The process that holds a file's lock: named by the kernel, and found to have just this file open. None where there is none.

    What the file itself says is not believed.
    """
    try:
        state = path.stat(follow_symlinks=False)
    except OSError:
        return None
    for process in _holders().get(state.st_ino, ()):
        try:
            opened = [each.stat() for each in Path(f"/proc/{process}/fd").iterdir() if each.exists()]
        except OSError:
            continue
        if any((each.st_dev, each.st_ino) == (state.st_dev, state.st_ino) for each in opened):
            return process
    return None


def _holders() -> dict[int, list[int]]:
    """Inode -> processes with an exclusive ``flock`` on it. A line reads ``1: FLOCK  ADVISORY  WRITE 4711 08:01:523 0 EOF``."""
    found: dict[int, list[int]] = {}
    try:
        lines = LOCKS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        words = line.split()
        if len(words) >= 6 and words[1] == "FLOCK" and words[3] == "WRITE":
            try:
                found.setdefault(int(words[5].rpartition(":")[2]), []).append(int(words[4]))
            except ValueError:
                continue
    return found
