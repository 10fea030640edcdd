"""Writing files so that a crash at any instant leaves the old content or the new, never half of either.

Order of a write: temporary file beside the target (O_EXCL) -> write -> flush and fsync -> ``os.replace`` -> fsync of the folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from glassnet.errors import GlassnetError, LockedError, SpaceError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_file(path: Path, content: bytes | str) -> None:
    """Replace a file's content as a whole.

    Raises:
        SpaceError: the disk is full, or the folder must not be written to.
    """
    data = content.encode() if isinstance(content, str) else content
    write_pieces(path, (data,), len(data))


def write_pieces(path: Path, pieces: Iterable[bytes | memoryview], size: int) -> None:
    """Replace a file's content as a whole by that of the pieces, one after the other, so that what is large need not lie in memory twice.

    Args:
        path: of the file.
        pieces: bytes; each is asked for when those before it are written.
        size: of all of them, for the message where there is no room.

    Raises:
        SpaceError: the disk is full, or the folder must not be written to.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105 - one of the four calls whose order is tested
        fsync_folder(path.parent)
    except BaseException as error:  # an interrupt too leaves no temporary file
        with suppress(OSError):  # the first failure is the one to tell
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise translated(error, path, size) from error
        raise


def fsync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut.

    Raises:
        SpaceError: the disk has no room even for that.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise translated(error, folder) from error


def translated(error: OSError, path: Path, needed: int | None = None) -> GlassnetError | OSError:
    """The user's words for a failed write; an error that is not about room or rights comes back as it is."""
    if error.errno in _NO_ROOM:
        return SpaceError(
            "no room left to write",
            where=path,
            got=f"{free_bytes(path):,} bytes free",
            expected=None if needed is None else f"{needed:,} bytes for this file",
            fix="free some space and go on with 'glassnet resume RUN', or choose another place with --out",
        )
    if error.errno == errno.EFBIG:
        return SpaceError(
            "the file would be larger than this disk or this process may write",
            where=path,
            got=error.strerror,
            expected=None if needed is None else f"{needed:,} bytes for this file",
            fix="raise the limit ('ulimit -f'), or choose another place with --out",
        )
    if error.errno in _NO_PLACE:
        return SpaceError(
            "nothing can be written here",
            where=path,
            got=error.strerror,
            expected="a folder that exists, and a name that is not too long",
            fix="make the folder, or choose another place (--out, or the option that named this one)",
        )
    if error.errno == errno.EIO:
        return SpaceError(
            "the disk reports an error",
            where=path,
            got=error.strerror,
            fix="check the disk, or choose another with --out",
        )
    if error.errno in _NO_RIGHT:
        return SpaceError(
            "no permission to write here",
            where=path,
            got=error.strerror,
            fix="choose a folder of your own with --out",
        )
    return error


def free_bytes(path: Path) -> int:
    """Bytes free on the disk that holds ``path`` or its nearest existing parent."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The user's folder for what can be made again: ``$XDG_CACHE_HOME/glassnet``, or ``~/.cache/glassnet``."""
    environment = os.environ if environment is None else environment
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glassnet"


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises:
        SpaceError: it cannot be created, or a file of that name stands there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise SpaceError("a file stands where a folder is needed", where=path, fix="choose another --out") from error
    except OSError as error:
        raise translated(error, path) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the kernel frees it however the process ends.

    Raises:
        LockedError: another process holds it; names that process and its machine.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise translated(error, path) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            raise LockedError(
                "this run folder is in use",
                where=path.parent,
                got=f"held by {holder}",
                fix="wait until it ends, or choose another folder with --out",
            ) from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        except OSError as error:
            raise translated(error, path) from error
        yield
    finally:
        os.close(descriptor)
