"""Downloads that are checked before they count: temporary file, checksum, rename."""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from glassnet.data.walk import shown
from glassnet.errors import DataError
from glassnet.files import fsync_folder, translated

Progress = Callable[[str, int, int | None], None]
TIMEOUT = 20.0  # seconds without a byte
MAX_BYTES = 1 << 30
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Address:
    """Where a file is, and how to know that it is that file.

    Attributes:
        url: https address.
        algorithm: of the checksum that the authors publish; MD5 guards against damage, not against forgery.
        checksum: hexadecimal.
    """

    url: str
    algorithm: Literal["md5", "sha256"]
    checksum: str

    @property
    def file(self) -> str:
        """The file's name."""
        return self.url.rsplit("/", 1)[-1]


def fetch(address: Address, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file into a folder.

    Raises:
        DataError: no network, no such file, too slow, or not the file that was expected.
        SpaceError: it cannot be written.
    """
    if not address.url.startswith("https://"):
        raise DataError(
            "only https addresses are downloaded", where=address.url, expected="an address that begins with https://"
        )
    target = folder / address.file
    temporary = folder / f".{address.file}.tmp-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        digest = _stream(address, temporary, target, progress)
        if digest != address.checksum:
            raise DataError(
                "the download is not the file that was expected",
                where=address.url,
                got=f"{address.algorithm} {digest}",
                expected=address.checksum,
                fix="try again later",
            )
        temporary.replace(target)
        fsync_folder(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _stream(address: Address, temporary: Path, target: Path, progress: Progress | None) -> str:
    digest = hashlib.new(address.algorithm, usedforsecurity=False)
    try:
        request = urllib.request.Request(address.url, headers={"User-Agent": "glassnet"})  # noqa: S310 - https, checked by the caller
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            if not response.url.startswith("https://"):
                raise DataError(
                    "the address led away from https",
                    where=address.url,
                    got=response.url,
                    expected="an address that begins with https://",
                )
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            done = 0
            with _written(temporary, target) as file:
                while piece := response.read(_CHUNK):
                    digest.update(piece)
                    done += len(piece)
                    if done > MAX_BYTES:
                        raise DataError(
                            "the download is far too large",
                            where=address.url,
                            got=f"more than {MAX_BYTES:,} bytes",
                            expected=f"at most {MAX_BYTES:,} bytes",
                        )
                    try:
                        file.write(piece)
                    except OSError as error:
                        raise translated(error, target) from error
                    if progress is not None:
                        progress(address.file, done, total)
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            "the download failed",
            where=address.url,
            got=str(reason)[:200] or type(error).__name__,
            fix="try again when this address can be reached",
        ) from error
    return digest.hexdigest()


def _written(temporary: Path, target: Path) -> BinaryIO:
    try:
        return temporary.open("xb")
    except OSError as error:
        raise translated(error, target) from error


def unpack(archive: Path, folder: Path, members: Sequence[str]) -> None:
    """Take the wanted files, and nothing else, out of a tar archive, whatever folder they lie in there.

    Raises:
        DataError: the archive is damaged, or a file is not in it.
        SpaceError: it cannot be written.
    """
    missing = [name for name in members if not (folder / name).is_file()]
    try:
        with tarfile.open(archive) as tar:
            for info in tar:
                name = PurePosixPath(info.name).name
                if name not in missing or not info.isfile() or info.size > MAX_BYTES:
                    continue
                content = tar.extractfile(info)
                assert content is not None, "a plain file has content"
                temporary = folder / f".{name}.tmp-{os.getpid()}-{secrets.token_hex(4)}"
                try:
                    with _written(temporary, folder / name) as file:
                        while piece := content.read(_CHUNK):
                            file.write(piece)
                    temporary.replace(folder / name)
                finally:
                    temporary.unlink(missing_ok=True)
                missing.remove(name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(
            "the archive is damaged", where=shown(archive), got=str(error), fix="delete it and try again"
        ) from error
    except OSError as error:
        raise translated(error, folder) from error
    if missing:
        raise DataError(
            "files are missing in the archive",
            where=shown(archive),
            got=", ".join(missing),
            fix="delete it and try again",
        )
    fsync_folder(folder)
